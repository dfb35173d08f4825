//! Learning coefficients whose values at a finite temperature are known, estimated by sampling.
//!
//! Problem:  wells, monomials, networks with one hidden layer, reduced rank regression at its strata, deep linear networks;
//!           λ̂ = t E[K] under exp(-t K - (g/2)|w - w*|²), by the sampler and the steps that the estimate chooses itself.
//! Run:      cargo run --release --example exact_cases            (minutes; all cases)
//!           cargo run --release --example exact_cases tanh       (those with "tanh" in their names)
//! Expect:   every estimate within 3 standard errors and 3 % of the exact value.
//! Try next: a tenth of the draws: the standard errors grow, and the table says which case does not hold any more.

use porewalk::Result;
use porewalk::estimate::learning_coefficient::{LearningCoefficient, Settings, estimate};
use porewalk::landscape::parameters::Value;
use porewalk::landscape::{Analytic, ExpressionLandscape, Population, Sampled};
use porewalk::network::{Activation, DeepLinear, OneHidden, TrueMap};
use rayon::prelude::*;

/// A posterior whose mean energy is known.
pub struct Case {
    /// What it is.
    pub name: String,
    /// The loss.
    pub landscape: Box<dyn Sampled>,
    /// Where its coefficient is wanted.
    pub point: Vec<f64>,
    /// Inverse temperature t.
    pub t: f64,
    /// Localisation g.
    pub g: f64,
    /// E[t K], from elsewhere.
    pub exact: f64,
    /// Draws per chain that bring the standard error below 1 %.
    pub draws: usize,
}

impl Case {
    fn new(name: &str, landscape: impl Sampled + 'static, law: (f64, f64), exact: f64, draws: usize) -> Self {
        let point = vec![0.0; landscape.dimension()];
        let (t, g) = law;
        let (name, landscape) = (name.into(), Box::new(landscape));
        Case { name, landscape, point, t, g, exact, draws }
    }

    /// Estimates with eight chains on one thread.
    pub fn estimate(&self) -> Result<LearningCoefficient> {
        let settings = Settings {
            inverse_temperature: Some(self.t),
            localization: self.g,
            burn_in: self.draws / 10,
            draws: self.draws,
            seed: 1,
            ..Settings::default()
        };
        estimate(&*self.landscape, &self.point, &settings, &mut ())
    }
}

/// What was found for a case.
pub struct Outcome {
    /// Difference to the exact value in standard errors.
    pub errors: f64,
    /// Difference in per cent of the exact value.
    pub percent: f64,
    /// Standard error in per cent of the exact value.
    pub error_percent: f64,
    /// A line of the table.
    pub line: String,
}

impl Outcome {
    /// Within 3 standard errors and 3 %.
    pub fn holds(&self) -> bool {
        self.errors.abs() < 3.0 && self.percent.abs() < 3.0
    }
}

/// Estimates all cases, several at a time.
pub fn run(cases: &[Case]) -> Result<Vec<Outcome>> {
    cases
        .par_iter()
        .with_max_len(1)
        .map(|case| {
            let found = case.estimate()?;
            let (difference, percent) = (found.value - case.exact, 100.0 / case.exact);
            let mut outcome = Outcome {
                errors: difference / found.mcse,
                percent: difference * percent,
                error_percent: found.mcse * percent,
                line: String::new(),
            };
            outcome.line = format!(
                "{:<32} {:>8} {:>4} {:>8.5} {:>8.5} {:>8.5} {:>+6.2} {:>+6.2}  {}",
                case.name,
                case.t,
                case.g,
                case.exact,
                found.value,
                found.mcse,
                outcome.errors,
                outcome.percent,
                if outcome.holds() { "holds" } else { "FAILS" }
            );
            Ok(outcome)
        })
        .collect()
}

/// Every case with its exact value.
pub fn cases() -> Result<Vec<Case>> {
    Ok([wells()?, monomials()?, one_hidden_layer()?, reduced_rank()?, deep_linear()?].into_iter().flatten().collect())
}

/// K = 1/2 Σ h w²: 1/2 Σ t h / (t h + g), by hand. Homogeneous of degree p in d dimensions without a prior: d/p.
fn wells() -> Result<Vec<Case>> {
    let well = |stiffness: &[f64]| {
        let parameters = [("stiffness".to_string(), Value::Numbers(stiffness.to_vec()))].into();
        Ok(Population::new(Analytic::build("harmonic", stiffness.len(), &parameters)?, 1000))
    };
    let quartic = |d: usize| Ok(Population::new(Analytic::build("quartic", d, &Default::default())?, 1000));
    let sextic = Population::new(ExpressionLandscape::new("x^6 + y^6", 2)?, 1000);
    Ok(vec![
        // 1/2 144.76/244.76
        Case::new("quadratic 1", well(&[1.0])?, (144.76, 100.0), 0.295_718_3, 100_000),
        // 1/2 (100/101 + 1000/1001)
        Case::new("quadratic 1, 10", well(&[1.0, 10.0])?, (100.0, 1.0), 0.994_550_0, 60_000),
        // 1/2 (100/110 + 1000/1010 + 10000/10010)
        Case::new("quadratic 0.1, 1, 10", well(&[0.1, 1.0, 10.0])?, (1e3, 10.0), 1.449_095_5, 160_000),
        Case::new("quadratic 2, 30", well(&[2.0, 30.0])?, (263.13, 0.0), 1.0, 60_000),
        Case::new("quartic, one axis", quartic(1)?, (144.76, 0.0), 0.25, 100_000),
        Case::new("quartic, three axes", quartic(3)?, (1e3, 0.0), 0.75, 40_000),
        Case::new("x^6 + y^6", sextic, (144.76, 0.0), 1.0 / 3.0, 100_000),
    ])
}

/// Products of powers with a normal prior. Two squares: 1/2 + a (1 - K1(a)/K0(a)), a = g²/(8 t), in 60-digit arithmetic.
/// Others: trapezoidal rules over the axes, one of the squares integrated by hand.
fn monomials() -> Result<Vec<Case>> {
    let case = |name: &str, powers: &[f64], law: (f64, f64), exact: f64, draws: usize| {
        let parameters = [("exponents".to_string(), Value::Numbers(powers.to_vec()))].into();
        let landscape = Analytic::build("normal-crossing", powers.len(), &parameters)?;
        Ok(Case::new(name, Population::new(landscape, 1000), law, exact, draws))
    };
    [
        case("x^2 y^2", &[2.0, 2.0], (144.76, 1.0), 0.361_40, 400_000),
        case("x^2 y^2", &[2.0, 2.0], (144.76, 10.0), 0.201_99, 200_000),
        case("x^2 y^2", &[2.0, 2.0], (1e3, 1.0), 0.390_27, 400_000),
        case("x^2 y^2", &[2.0, 2.0], (1e4, 1.0), 0.412_34, 300_000),
        case("x^2 y^4", &[2.0, 4.0], (144.76, 1.0), 0.209_529, 300_000),
        case("x^2 y^4", &[2.0, 4.0], (1e3, 1.0), 0.224_851, 300_000),
        case("x^4 y^4", &[4.0, 4.0], (144.76, 1.0), 0.150_439, 800_000),
        case("x^2 y^2 z^2", &[2.0, 2.0, 2.0], (144.76, 1.0), 0.268_002, 300_000),
    ]
    .into_iter()
    .collect()
}

/// Output weights integrated by hand, input weights by quadrature.
fn one_hidden_layer() -> Result<Vec<Case>> {
    let temperatures = [144.76, 263.13, 1e3, 1e4];
    let table = [
        ("tanh", Activation::Tanh, 1, [0.363_93, 0.375_41, 0.394_39, 0.415_47]),
        ("tanh", Activation::Tanh, 2, [0.534_37, 0.561_71, 0.614_37, 0.669_82]),
        ("relu", Activation::Relu, 1, [0.330_58, 0.345_21, 0.370_91, 0.400_24]),
        ("relu", Activation::Relu, 2, [0.528_57, 0.539_63, 0.549_84, 0.541_60]),
    ];
    let draws = [200_000, 300_000, 300_000, 800_000];
    let mut cases = Vec::new();
    for (name, activation, hidden, values) in table {
        for ((t, exact), draws) in temperatures.into_iter().zip(values).zip(draws) {
            let network = OneHidden::population(hidden, activation, 1000)?;
            let name = format!("{name}, {hidden} hidden");
            cases.push(Case::new(&name, network, (t, 1.0), exact, draws));
        }
    }
    Ok(cases)
}

/// Widths 5, 3, 5, true rank 1, singular values of the factors 2, at points whose factors have ranks (a, b).
/// A Gibbs sampler that draws either factor exactly, the other given.
fn reduced_rank() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (a, b, t, g, exact, draws) in [
        (1, 1, 263.1, 1.0, 7.805, 100_000),
        (1, 1, 1e4, 1.0, 7.954, 100_000),
        (2, 2, 263.1, 100.0, 7.382, 100_000),
        (2, 2, 1e4, 100.0, 7.981, 100_000),
        (3, 1, 263.1, 100.0, 7.816, 100_000),
        (3, 1, 1e4, 100.0, 8.4805, 100_000),
    ] {
        let network = DeepLinear::population(&[5, 3, 5], TrueMap::diagonal(5, 5, &[4.0])?, 1000)?;
        let point = network.point_of_stratum(a, b, 2.0)?;
        let name = format!("reduced rank 5 3 5, ranks {a}, {b}");
        cases.push(Case { point, ..Case::new(&name, network, (t, g), exact, draws) });
    }
    Ok(cases)
}

/// Three layers, a true map of rank 1 with singular value 8, weights 2 each. A Gibbs sampler that draws layer after
/// layer.
fn deep_linear() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (widths, exact) in [([3, 3, 3, 3], 3.688), ([4, 3, 2, 4], 4.447)] {
        let truth = TrueMap::diagonal(widths[0], widths[3], &[8.0])?;
        let network = DeepLinear::population(&widths, truth, 1000)?;
        let point = network.start();
        let name = format!("deep linear {} {} {} {}", widths[0], widths[1], widths[2], widths[3]);
        cases.push(Case { point, ..Case::new(&name, network, (1e3, 1.0), exact, 1_000_000) });
    }
    Ok(cases)
}

/// Prints the table.
pub fn main() -> Result<()> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let cases: Vec<Case> = cases()?.into_iter().filter(|case| case.name.contains(&wanted)).collect();
    println!("case                                    t    g    exact estimate     mcse   mcse      %  verdict");
    let outcomes = run(&cases)?;
    outcomes.iter().for_each(|outcome| println!("{}", outcome.line));
    let holding = outcomes.iter().filter(|outcome| outcome.holds()).count();
    println!("{holding} of {} hold within 3 standard errors and 3 %", outcomes.len());
    Ok(())
}
