//! Formulas typed by users: losses, diffusivities, initial densities.
//!
//! Parsing and evaluation are those of the `meval` crate: -x^2 is -(x^2), 2^-x works, powers associate to the right.
//! The names it may use are checked here, once, so that evaluation cannot meet an unknown one.

use meval::tokenizer::Token;
use meval::{ContextProvider, Expr, FuncEvalError};

use super::{Differentiable, Landscape};
use crate::error::{Error, Result};
use crate::math::names::nearest;

/// A formula in x, y, z (or w1, w2, ..) and the time t.
#[derive(Clone, Debug)]
pub struct Formula {
    text: String,
    parsed: Expr,
    uses_time: bool,
}

/// Functions of one argument.
type Unary = (&'static str, fn(f64) -> f64);

const UNARY: [Unary; 23] = [
    ("sqrt", f64::sqrt),
    ("exp", f64::exp),
    ("ln", f64::ln),
    ("log", f64::ln),
    ("log10", f64::log10),
    ("log2", f64::log2),
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tan", f64::tan),
    ("asin", f64::asin),
    ("acos", f64::acos),
    ("atan", f64::atan),
    ("sinh", f64::sinh),
    ("cosh", f64::cosh),
    ("tanh", f64::tanh),
    ("asinh", f64::asinh),
    ("acosh", f64::acosh),
    ("atanh", f64::atanh),
    ("abs", f64::abs),
    ("sign", sign),
    ("floor", f64::floor),
    ("ceil", f64::ceil),
    ("erf", error_function),
];
const BINARY: [&str; 2] = ["atan2", "pow"];
const ANY: [&str; 2] = ["min", "max"];
const CONSTANTS: [(&str, f64); 2] = [("pi", std::f64::consts::PI), ("e", std::f64::consts::E)];
const LETTERS: [&str; 3] = ["x", "y", "z"];

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn error_function(x: f64) -> f64 {
    special::Error::error(x)
}

impl Formula {
    /// Parses `text`, the value of the key `key`, as a formula in `dimension` coordinates and t.
    ///
    /// # Errors
    /// Names the key: a syntax error with its place, an unknown variable or function, a wrong number of arguments.
    pub fn parse(key: &str, text: &str, dimension: usize) -> Result<Self> {
        let wrong = |rule: String, remedy: String| Error::invalid(key, format!("{text:?}"), rule, remedy);
        let allowed = format!(
            "variables: {}; constants: pi, e; functions: {}, {}, {}; powers are written x^2, products 2*x",
            variables(dimension).join(", "),
            UNARY.map(|(name, _)| name).join(", "),
            BINARY.join(", "),
            ANY.join(", ")
        );
        let parsed: Expr =
            text.parse().map_err(|reason: meval::Error| wrong(format!("not a formula: {reason}"), allowed.clone()))?;
        let mut uses_time = false;
        for token in parsed.iter() {
            match token {
                Token::Var(name) if name == "t" => uses_time = true,
                Token::Var(name) => {
                    let known = coordinate(name).is_some_and(|axis| axis < dimension);
                    if !known && !CONSTANTS.iter().any(|(constant, _)| constant == name) {
                        return Err(wrong(
                            format!("unknown variable {name:?}"),
                            suggestion(name, dimension) + &allowed,
                        ));
                    }
                }
                Token::Func(name, count) => {
                    let count = count.unwrap_or(0);
                    let (known, wanted) = arity(name, count);
                    if !known {
                        return Err(wrong(
                            format!("unknown function {name:?}"),
                            suggestion(name, dimension) + &allowed,
                        ));
                    }
                    if let Some(wanted) = wanted {
                        return Err(wrong(
                            format!("{name} takes {wanted}, not {count}"),
                            "correct the arguments".into(),
                        ));
                    }
                }
                _ => {}
            }
        }
        Ok(Formula { text: text.to_string(), parsed, uses_time })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when the value depends on t.
    pub fn uses_time(&self) -> bool {
        self.uses_time
    }

    /// Value at `point` and `time`; not a number where a function is undefined.
    pub fn evaluate(&self, point: &[f64], time: f64) -> f64 {
        self.parsed
            .eval_with_context(Scope { point, time })
            .expect("every name was checked when the formula was parsed")
    }
}

/// Whether a function exists, and what it takes when `count` arguments do not suit it.
fn arity(name: &str, count: usize) -> (bool, Option<&'static str>) {
    if UNARY.iter().any(|(known, _)| *known == name) {
        (true, (count != 1).then_some("1 argument"))
    } else if BINARY.contains(&name) {
        (true, (count != 2).then_some("2 arguments"))
    } else {
        (ANY.contains(&name), (count == 0).then_some("at least 1 argument"))
    }
}

fn suggestion(name: &str, dimension: usize) -> String {
    let names = variables(dimension);
    let mut known: Vec<&str> = names.iter().map(String::as_str).collect();
    known.extend(UNARY.map(|(name, _)| name).iter().chain(&BINARY).chain(&ANY));
    nearest(name, known.iter().copied()).map(|near| format!("did you mean {near}? ")).unwrap_or_default()
}

fn variables(dimension: usize) -> Vec<String> {
    let letters = LETTERS.iter().take(dimension).map(ToString::to_string);
    letters.chain((1..=dimension).map(|k| format!("w{k}"))).chain(["t".to_string()]).collect()
}

/// Axis of x, y, z or w1..w9.
fn coordinate(name: &str) -> Option<usize> {
    if let Some(axis) = LETTERS.iter().position(|letter| *letter == name) {
        return Some(axis);
    }
    let number: usize = name.strip_prefix('w')?.parse().ok()?;
    (number >= 1 && name.len() == 2).then(|| number - 1)
}

struct Scope<'a> {
    point: &'a [f64],
    time: f64,
}

impl ContextProvider for Scope<'_> {
    fn get_var(&self, name: &str) -> Option<f64> {
        if name == "t" {
            return Some(self.time);
        }
        let constant = || CONSTANTS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        coordinate(name).and_then(|axis| self.point.get(axis).copied()).or_else(constant)
    }

    fn eval_func(&self, name: &str, arguments: &[f64]) -> std::result::Result<f64, FuncEvalError> {
        if let Some((_, function)) = UNARY.iter().find(|(known, _)| *known == name) {
            return Ok(function(arguments[0]));
        }
        match name {
            "atan2" => Ok(arguments[0].atan2(arguments[1])),
            "pow" => Ok(arguments[0].powf(arguments[1])),
            "min" => Ok(arguments.iter().copied().fold(f64::INFINITY, f64::min)),
            "max" => Ok(arguments.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            _ => Err(FuncEvalError::UnknownFunction),
        }
    }
}

/// A landscape given by a formula that does not depend on time.
#[derive(Clone, Debug)]
pub struct ExpressionLandscape {
    formula: Formula,
    dimension: usize,
}

impl ExpressionLandscape {
    /// The loss `text` in `dimension` coordinates.
    ///
    /// # Errors
    /// When the formula is wrong or uses t.
    pub fn new(text: &str, dimension: usize) -> Result<Self> {
        let formula = Formula::parse("landscape.formula", text, dimension)?;
        if formula.uses_time() {
            return Err(Error::not_available(
                "landscape.formula",
                format!("{text:?} (a loss that depends on t)"),
                "use a formula in the coordinates alone",
            ));
        }
        Ok(ExpressionLandscape { formula, dimension })
    }
}

impl Landscape for ExpressionLandscape {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn loss(&self, point: &[f64]) -> f64 {
        self.formula.evaluate(point, 0.0)
    }
}

impl Differentiable for ExpressionLandscape {
    /// Central differences of sixth order with a step of 1e-2 of the coordinate's size: about ten digits.
    fn gradient(&self, point: &[f64], out: &mut [f64]) {
        let mut moved = point.to_vec();
        for (axis, slope) in out.iter_mut().enumerate() {
            let step = 1e-2 * (1.0 + point[axis].abs());
            let mut difference = |multiple: f64| {
                moved[axis] = point[axis] + multiple * step;
                let above = self.loss(&moved);
                moved[axis] = point[axis] - multiple * step;
                let below = self.loss(&moved);
                moved[axis] = point[axis];
                above - below
            };
            *slope = (45.0 * difference(1.0) - 9.0 * difference(2.0) + difference(3.0)) / (60.0 * step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, point: &[f64]) -> f64 {
        Formula::parse("f", text, point.len()).expect(text).evaluate(point, 0.5)
    }

    #[test]
    fn precedence_is_that_of_mathematics() {
        for (text, expected) in [
            ("-x^2", -9.0),
            ("2^-x", 0.125),
            ("2^3^2", 512.0),
            ("2^-x^2", 1.0 / 512.0),
            ("3*-x^2", -27.0),
            ("w1 - t", 2.5),
            ("1.5e2 + x", 153.0),
            ("max(x, 1, 2) + min(x, 1)", 4.0),
            ("sign(-x)*abs(-x)", -3.0),
            ("ln(e^2) + log10(100) + cos(pi)", 3.0),
        ] {
            assert!((value(text, &[3.0]) - expected).abs() < 1e-14, "{text}");
        }
        let nine = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        assert_eq!(value("w1+10*w2+100*w3+1e8*w9", &nine), 900_000_321.0);
        assert!((value("erf(x)", &[0.5]) - 0.520_499_877_813_046_5).abs() < 1e-15);
    }

    #[test]
    fn wrong_formulas_say_what_is_wrong() {
        for (text, words) in [
            ("x +", "not a formula"),
            ("(x", "not a formula"),
            ("2x", "not a formula"),
            ("", "not a formula"),
            ("y", "unknown variable"),
            ("w2", "unknown variable"),
            ("foo(x)", "unknown function"),
            ("sqr(x)", "did you mean sqrt"),
            ("atan2(x)", "2 arguments"),
            ("sin(x, x)", "1 argument"),
        ] {
            let error = Formula::parse("landscape.formula", text, 1).expect_err(text).to_string();
            assert!(error.contains(words) && error.contains("landscape.formula"), "{text}: {error}");
        }
        assert!(ExpressionLandscape::new("x^2 + t", 1).is_err());
    }

    #[test]
    fn gradients_of_formulas_have_ten_digits() {
        let landscape = ExpressionLandscape::new("(x^2 - 1)^2 + sin(y)", 2).expect("a formula");
        let mut gradient = [0.0; 2];
        landscape.gradient(&[0.7, 0.3], &mut gradient);
        assert!((gradient[0] - 4.0 * 0.7 * (0.49 - 1.0)).abs() < 1e-10);
        assert!((gradient[1] - 0.3f64.cos()).abs() < 1e-10);
    }
}
