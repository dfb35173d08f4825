//! `[method]`: how to solve.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{CountOrText, MethodConfig, NumberOrText, number};
use crate::fokker_planck::Parameter;

/// How to solve, every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Method {
    /// Propagator in time.
    pub propagator: Propagator,
    /// Wanted relative error of each density (discrete L1 norm), 1e-13 to 1e-1.
    pub tolerance: f64,
    /// Time steps of a stepping propagator; `None` leaves them to the program.
    pub steps: Option<Steps>,
    /// Grading of the time steps.
    pub grading: Grading,
    /// How the memory sum is taken.
    pub memory: Memory,
    /// Bytes that history or basis may take.
    pub memory_limit: u64,
    /// Run an independent method beside the chosen one and report the difference.
    pub check: bool,
    /// Parameters by which the densities are differentiated.
    pub derivatives: Vec<Parameter>,
    /// Richardson extrapolation in the cell size.
    pub extrapolate: bool,
    /// Flux through a face.
    pub flux: Flux,
}

/// Time steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Steps {
    /// Chosen by the solution to keep the tolerance.
    Adaptive,
    /// Their number.
    #[serde(untagged)]
    Count(usize),
}

/// Propagators in time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Propagator {
    /// The best for the problem.
    Auto,
    /// Rational Krylov space, coefficients constant in time.
    Krylov,
    /// Laplace inversion on the whole operator, coefficients constant in time.
    Contour,
    /// The L1 scheme, step by step.
    L1,
    /// The L1 scheme with a corrected start.
    #[serde(rename = "l1-corrected")]
    CorrectedL1,
    /// Alikhanov's scheme.
    #[serde(rename = "l2-1sigma")]
    L2Sigma,
    /// Convolution quadrature of second order.
    Bdf2,
    /// Convolution quadrature of third order.
    Bdf3,
    /// Eigenvectors and Mittag-Leffler functions.
    Spectral,
}

/// Grading of the time steps t_n = T (n/N)^r.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grading {
    /// r chosen from the order.
    Auto,
    /// r >= 1; 1 gives equal steps.
    #[serde(untagged)]
    Exponent(f64),
}

/// How the memory sum is taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// The best for the problem.
    Auto,
    /// Every earlier step, one by one.
    Direct,
    /// Blocks by fast Fourier transforms.
    Fft,
    /// The kernel as a sum of exponentials.
    Exponentials,
}

/// Fluxes through a face.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flux {
    /// Exponential fitting.
    ScharfetterGummel,
    /// Central differences.
    Central,
    /// Upwind differences.
    Upwind,
}

/// Values of `method.propagator`.
pub const PROPAGATORS: &[Choice<Propagator>] = &[
    Choice::of("auto", Propagator::Auto, "the best for the problem (default)"),
    Choice::of("krylov", Propagator::Krylov, "shift-and-invert Arnoldi: all output times from a few solves"),
    Choice::of("contour", Propagator::Contour, "Laplace inversion on the whole operator: the independent check"),
    Choice::of("l1", Propagator::L1, "the L1 scheme, step by step (steps, grading, memory)"),
    Choice::of("spectral", Propagator::Spectral, "eigenvectors times Mittag-Leffler: the oracle of small problems"),
    Choice::of("l1-corrected", Propagator::CorrectedL1, "L1 on uniform steps with a corrected start: order 2 - alpha"),
    Choice::of("l2-1sigma", Propagator::L2Sigma, "Alikhanov's scheme of order 2 (steps, grading, memory)"),
    Choice::of("bdf2", Propagator::Bdf2, "corrected convolution quadrature of order 2, uniform steps"),
    Choice::of("bdf3", Propagator::Bdf3, "corrected convolution quadrature of order 3, uniform steps"),
    Choice::not_yet("walkers"),
];

/// Values of `method.memory`.
pub const MEMORIES: &[Choice<Memory>] = &[
    Choice::of("auto", Memory::Auto, "the best for the problem (default)"),
    Choice::of("direct", Memory::Direct, "every earlier step, one by one: the oracle"),
    Choice::of("fft", Memory::Fft, "blocks by fast Fourier transforms: uniform steps"),
    Choice::of("exponentials", Memory::Exponentials, "the kernel as a few decaying modes: any steps, little memory"),
];

/// Values of `method.flux`.
pub const FLUXES: &[Choice<Flux>] = &[
    Choice::of(
        "scharfetter-gummel",
        Flux::ScharfetterGummel,
        "exponential fitting: positive, exact Gibbs state (default)",
    ),
    Choice::of("central", Flux::Central, "second order, positive only on fine meshes"),
    Choice::of("upwind", Flux::Upwind, "positive, first order"),
];

const GRADINGS: &[Choice<Grading>] = &[Choice::of("auto", Grading::Auto, "")];

/// Values of `method.derivatives`.
pub const DERIVATIVES: &[Choice<Parameter>] = &[
    Choice::of("order", Parameter::Order, "by the Caputo order"),
    Choice::of("friction", Parameter::Friction, "by the friction"),
    Choice::of("diffusivity", Parameter::Diffusivity, "by D where it is uniform, else by a common factor of D"),
];

/// Smallest tolerance: sums over a mesh in double precision lose about this much.
pub const MINIMUM_TOLERANCE: f64 = 1e-13;

/// Largest tolerance that still gives one digit.
pub const MAXIMUM_TOLERANCE: f64 = 1e-1;

const DEFAULT_TOLERANCE: f64 = 1e-8;

const DEFAULT_MEMORY_LIMIT: u64 = 4 << 30;

/// More steps than this are out of reach of any machine.
const MAXIMUM_STEPS: u64 = 100_000_000;

const MAXIMUM_GRADING: f64 = 1000.0;

pub(super) fn check(config: &MethodConfig, warnings: &mut Vec<String>) -> Result<Method> {
    let propagator = name("method.propagator", config.propagator.as_ref(), PROPAGATORS, Propagator::Auto)?;
    let method = Method {
        propagator,
        tolerance: tolerance(config.tolerance.unwrap_or(DEFAULT_TOLERANCE))?,
        steps: config.steps.as_ref().map(steps).transpose()?,
        grading: config.grading.as_ref().map_or(Ok(Grading::Auto), grading)?,
        memory: name("method.memory", config.memory.as_ref(), MEMORIES, Memory::Auto)?,
        memory_limit: config.memory_limit.as_ref().map_or(Ok(DEFAULT_MEMORY_LIMIT), memory_limit)?,
        check: config.check.unwrap_or(false),
        derivatives: derivatives(config)?,
        extrapolate: config.extrapolate.unwrap_or(false),
        flux: name("method.flux", config.flux.as_ref(), FLUXES, Flux::ScharfetterGummel)?,
    };
    if matches!(propagator, Propagator::Krylov | Propagator::Contour | Propagator::Spectral) {
        let given = [
            ("steps", config.steps.is_some()),
            ("grading", config.grading.is_some()),
            ("memory", config.memory.is_some()),
        ];
        for (key, _) in given.iter().filter(|(_, is_given)| *is_given) {
            warnings.push(format!("method.{key} has no effect: the chosen propagator takes no time steps."));
        }
    }
    if method.steps == Some(Steps::Adaptive) {
        adaptive(config, &method, warnings)?;
    }
    if method.extrapolate && !method.derivatives.is_empty() {
        let rule = "derivatives are those of one mesh, an extrapolated density belongs to two";
        return Err(Error::invalid("method.derivatives", names(config), rule, "remove extrapolate or derivatives"));
    }
    Ok(method)
}

/// What adaptive steps ask of the other keys.
fn adaptive(config: &MethodConfig, method: &Method, warnings: &mut Vec<String>) -> Result<()> {
    if matches!(method.propagator, Propagator::CorrectedL1 | Propagator::Bdf2 | Propagator::Bdf3) {
        let rule = "the chosen scheme needs uniform steps";
        let remedy = "use propagator = \"l1\" or \"l2-1sigma\", or a number of steps";
        return Err(Error::invalid("method.steps", "\"adaptive\"", rule, remedy));
    }
    if matches!(method.memory, Memory::Direct | Memory::Fft) {
        let rule = "adaptive steps keep their memory as exponentials";
        let remedy = "use memory = \"exponentials\" or \"auto\"";
        return Err(Error::invalid(
            "method.memory",
            format!("{:?}", config.memory.as_deref().unwrap_or_default()),
            rule,
            remedy,
        ));
    }
    if config.grading.is_some() {
        warnings.push("method.grading has no effect: adaptive steps follow the solution.".into());
    }
    Ok(())
}

fn names(config: &MethodConfig) -> String {
    format!("{:?}", config.derivatives.as_deref().unwrap_or_default())
}

/// The parameters named, each once, in the order of the program.
fn derivatives(config: &MethodConfig) -> Result<Vec<Parameter>> {
    let typed = config.derivatives.as_deref().unwrap_or_default().iter().enumerate();
    let named = typed.map(|(index, typed)| choose(&format!("method.derivatives[{index}]"), typed, DERIVATIVES));
    let named: Vec<Parameter> = named.collect::<Result<_>>()?;
    Ok(Parameter::ALL.iter().map(|(_, parameter)| *parameter).filter(|known| named.contains(known)).collect())
}

fn name<T: Copy>(key: &str, typed: Option<&String>, choices: &[Choice<T>], default: T) -> Result<T> {
    typed.map_or(Ok(default), |typed| choose(key, typed, choices))
}

fn tolerance(value: f64) -> Result<f64> {
    if (MINIMUM_TOLERANCE..=MAXIMUM_TOLERANCE).contains(&value) {
        return Ok(value);
    }
    let rule = format!("the tolerance must be between {MINIMUM_TOLERANCE:e} and {MAXIMUM_TOLERANCE:e}");
    Err(Error::invalid("method.tolerance", number(value), rule, "use tolerance = 1e-8, say"))
}

fn steps(typed: &CountOrText) -> Result<Steps> {
    let key = "method.steps";
    match typed {
        CountOrText::Text(text) if text == "adaptive" => Ok(Steps::Adaptive),
        CountOrText::Text(_) => {
            Err(Error::invalid(key, typed, "must be a whole number or \"adaptive\"", "use steps = 1000, say"))
        }
        CountOrText::Count(count) if (1..=MAXIMUM_STEPS).contains(count) => Ok(Steps::Count(*count as usize)),
        CountOrText::Count(count) => {
            let rule = format!("the number of steps must be between 1 and {MAXIMUM_STEPS}");
            Err(Error::invalid(key, count, rule, "use steps = 1000, say"))
        }
    }
}

fn grading(typed: &NumberOrText) -> Result<Grading> {
    let key = "method.grading";
    match typed {
        NumberOrText::Text(text) => choose(key, text, GRADINGS),
        NumberOrText::Number(value) if (1.0..=MAXIMUM_GRADING).contains(value) => Ok(Grading::Exponent(*value)),
        NumberOrText::Number(value) => {
            let rule = format!("the grading must be between 1 and {MAXIMUM_GRADING}");
            Err(Error::invalid(key, number(*value), rule, "use grading = \"auto\", or 1.0 for equal steps"))
        }
    }
}

fn memory_limit(typed: &CountOrText) -> Result<u64> {
    let bytes = match typed {
        CountOrText::Count(bytes) => Some(*bytes),
        CountOrText::Text(text) => bytes(text),
    };
    bytes.filter(|&bytes| bytes > 0).ok_or_else(|| {
        let rule =
            "must be a positive size: a number of bytes, or a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB";
        Error::invalid("method.memory_limit", typed, rule, "use memory_limit = \"4 GiB\", say")
    })
}

const UNITS: [(&str, f64); 9] = [
    ("b", 1.0),
    ("kb", 1e3),
    ("mb", 1e6),
    ("gb", 1e9),
    ("tb", 1e12),
    ("kib", 1024.0),
    ("mib", 1048576.0),
    ("gib", 1073741824.0),
    ("tib", 1099511627776.0),
];

/// The bytes of a size such as `4 GiB`, `1.5 MB` or `1024`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|character: char| !(character.is_ascii_digit() || character == '.')).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim().to_lowercase();
    let factor = if unit.is_empty() { 1.0 } else { UNITS.iter().find(|(name, _)| *name == unit)?.1 };
    let size = digits.parse::<f64>().ok()? * factor;
    // Beyond 2^53 bytes a size is no longer exact, nor meant.
    (size.is_finite() && size <= (1u64 << 53) as f64).then_some(size as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, expected) in [
            ("4 GiB", Some(4 << 30)),
            ("512MiB", Some(512 << 20)),
            ("1.5 kB", Some(1500)),
            (" 1024 ", Some(1024)),
            ("2 tib", Some(2 << 40)),
            ("4 GiBs", None),
            ("GiB", None),
            ("-1 GiB", None),
            ("", None),
            ("1e9", None),
            ("1.2.3 MB", None),
            ("99999999 TiB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text:?}");
        }
    }
}
