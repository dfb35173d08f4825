//! The parameters of a network from arrays under the names of other frameworks.
//!
//! Two ways of naming are read:
//! - this program's: weight1 of shape (in, out), bias1, with batch normalisation scale1 and shift1, weight2, ...
//! - modules, as PyTorch names them: `net.0.weight` of shape (out, in), `net.0.bias`, ... Modules are taken in natural
//!   order of their names (2 before 10); a weight with one axis belongs to a batch normalisation.
//!
//! Running means and variances are left out: normalisation here is over the samples at hand.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::mlp::{Mlp, ParameterArray};
use crate::error::{Error, Result};

/// An array with the name it has in its file.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray {
    /// Name in the file.
    pub name: String,
    /// Length along each axis.
    pub shape: Vec<usize>,
    /// Elements, last axis fastest.
    pub data: Vec<f64>,
}

/// Last parts of names that are no parameters.
const BUFFERS: [&str; 3] = ["running_mean", "running_var", "num_batches_tracked"];

/// The parameter vector of `mlp` from the arrays of a file; `origin` names the file in messages.
///
/// # Errors
/// Names the array that is missing, left over or of another shape than the network's, or holds a number that is not finite.
pub fn parameters(mlp: &Mlp, arrays: &[NamedArray], origin: &str) -> Result<Vec<f64>> {
    let arrays: Vec<&NamedArray> = arrays.iter().filter(|array| !BUFFERS.contains(&split(&array.name).1)).collect();
    let layout = mlp.layout();
    let is_own = layout.iter().any(|wanted| arrays.iter().any(|array| array.name == wanted.name));
    let mut point = vec![0.0; mlp.parameter_count()];
    let found = if is_own { own(&layout, &arrays) } else { modules(&layout, &arrays, origin)? };
    for (wanted, array) in layout.iter().zip(found) {
        let Some(array) = array else {
            let names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
            let rule = format!("{origin} has no array for {}", wanted.name);
            return Err(Error::invalid("model.weights", names.join(", "), rule, "name the network's own file"));
        };
        let transposed: Vec<usize> = wanted.shape.iter().rev().copied().collect();
        if array.shape != if is_own { wanted.shape.clone() } else { transposed } {
            return Err(wrong_shape(array, wanted, is_own, origin));
        }
        if let Some(place) = array.data.iter().position(|value| !value.is_finite()) {
            let value = format!("{} at element {place}", array.data[place]);
            let rule = format!("the array {} of {origin} must be finite", array.name);
            return Err(Error::invalid("model.weights", value, rule, "take a checkpoint from before the run diverged"));
        }
        let target = &mut point[wanted.range.clone()];
        match wanted.shape[..] {
            [inputs, outputs] if !is_own => {
                for (place, value) in target.iter_mut().enumerate() {
                    *value = array.data[place % outputs * inputs + place / outputs];
                }
            }
            _ => target.copy_from_slice(&array.data),
        }
    }
    Ok(point)
}

fn wrong_shape(array: &NamedArray, wanted: &ParameterArray, is_own: bool, origin: &str) -> Error {
    let order = if is_own { "(in, out)" } else { "(out, in)" };
    let rule =
        format!("the array {} of {origin} has this shape and {} needs {:?}", array.name, wanted.name, wanted.shape);
    let remedy = format!("weights are {order}; check model.widths and model.batch_normalisation");
    Error::invalid("model.weights", format!("{:?}", array.shape), rule, remedy)
}

fn own<'a>(layout: &[ParameterArray], arrays: &[&'a NamedArray]) -> Vec<Option<&'a NamedArray>> {
    layout.iter().map(|wanted| arrays.iter().find(|array| array.name == wanted.name).copied()).collect()
}

/// Arrays in the order of `layout`, by modules in natural order.
fn modules<'a>(
    layout: &[ParameterArray],
    arrays: &[&'a NamedArray],
    origin: &str,
) -> Result<Vec<Option<&'a NamedArray>>> {
    let mut by_module: BTreeMap<Natural<'_>, [Option<&NamedArray>; 2]> = BTreeMap::new();
    for array in arrays {
        let (module, parameter) = split(&array.name);
        let Some(slot) = ["weight", "bias"].iter().position(|name| *name == parameter) else {
            let rule = format!("{origin}: a network's arrays end in .weight or .bias, or are weight1, bias1, ...");
            return Err(Error::invalid(
                "model.weights",
                &array.name,
                rule,
                "save the network's state dictionary alone",
            ));
        };
        by_module.entry(Natural(module)).or_default()[slot] = Some(array);
    }
    let is_linear = |module: &[Option<&NamedArray>; 2]| module[0].is_some_and(|weight| weight.shape.len() == 2);
    let (linear, normal): (Vec<_>, Vec<_>) = by_module.values().partition(|module| is_linear(module));
    let wanted = |prefix: &str| layout.iter().filter(|array| array.name.starts_with(prefix)).count();
    if (linear.len(), normal.len()) != (wanted("weight"), wanted("scale")) {
        let value = format!("{} linear and {} other modules", linear.len(), normal.len());
        let rule = format!(
            "the network has {} linear layers and {} normalisations, {origin} does not",
            wanted("weight"),
            wanted("scale")
        );
        return Err(Error::invalid("model.weights", value, rule, "check model.widths and model.batch_normalisation"));
    }
    let (mut linear, mut normal) = (linear.into_iter(), normal.into_iter());
    let mut found = Vec::new();
    for array in layout {
        // The arrays of a layer follow its weight.
        let pick = |modules: &mut dyn Iterator<Item = &[Option<&'a NamedArray>; 2]>| modules.next().copied();
        if array.name.starts_with("weight") {
            found.extend(pick(&mut linear).into_iter().flatten());
        } else if array.name.starts_with("scale") {
            found.extend(pick(&mut normal).into_iter().flatten());
        }
    }
    Ok(found)
}

/// Module and parameter of a name.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

/// A name whose numbers are compared as numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Natural<'a>(&'a str);

impl Natural<'_> {
    /// Runs of digits and of other characters.
    fn pieces(&self) -> Vec<&str> {
        let mut pieces = Vec::new();
        let mut rest = self.0;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c: char| c.is_ascii_digit() != first.is_ascii_digit()).unwrap_or(rest.len());
            pieces.push(&rest[..end]);
            rest = &rest[end..];
        }
        pieces
    }
}

impl Ord for Natural<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let compare = |(a, b): (&&str, &&str)| match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        let (mine, others) = (self.pieces(), other.pieces());
        let first = mine.iter().zip(&others).map(compare).find(|order| order.is_ne());
        first.unwrap_or_else(|| mine.len().cmp(&others.len()).then(self.0.cmp(other.0)))
    }
}

impl PartialOrd for Natural<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::super::activation::Activation;
    use super::*;
    use crate::math::random::Stream;

    fn network(normalised: bool) -> (Mlp, Vec<f64>) {
        let mlp = Mlp::new(&[2, 5, 4, 3], Activation::Relu, normalised).expect("valid");
        let point = (0..mlp.parameter_count()).map(|place| place as f64).collect();
        (mlp, point)
    }

    fn own_arrays(mlp: &Mlp, point: &[f64]) -> Vec<NamedArray> {
        let named = |array: ParameterArray| NamedArray {
            name: array.name,
            shape: array.shape,
            data: point[array.range].to_vec(),
        };
        mlp.layout().into_iter().map(named).collect()
    }

    /// The arrays as a framework would name and shape them, in a random order.
    fn module_arrays(mlp: &Mlp, point: &[f64], name: &dyn Fn(&str, usize) -> String) -> Vec<NamedArray> {
        let mut arrays: Vec<NamedArray> = own_arrays(mlp, point)
            .into_iter()
            .map(|array| {
                let digits = array.name.find(|c: char| c.is_ascii_digit()).expect("a layer");
                let (kind, layer) = (&array.name[..digits], array.name[digits..].parse().expect("a number"));
                let NamedArray { shape, data, .. } = &array;
                let (shape, data) = match shape[..] {
                    [inputs, outputs] => {
                        let column = |o: usize| (0..inputs).map(move |i| data[i * outputs + o]);
                        (vec![outputs, inputs], (0..outputs).flat_map(column).collect())
                    }
                    _ => (shape.clone(), data.clone()),
                };
                NamedArray { name: name(kind, layer), shape, data }
            })
            .collect();
        Stream::new(3, "order", 0).shuffle(&mut arrays);
        arrays
    }

    #[test]
    fn both_ways_of_naming_give_the_same_vector() {
        for normalised in [false, true] {
            let (mlp, point) = network(normalised);
            let mut own = own_arrays(&mlp, &point);
            Stream::new(2, "order", 0).shuffle(&mut own);
            assert_eq!(parameters(&mlp, &own, "a file").expect("complete"), point);
            // nn.Sequential: linear 7, normalisation 8, linear 9, normalisation 10, linear 11.
            let sequential = |kind: &str, layer: usize| match kind {
                "weight" | "bias" => format!("net.{}.{kind}", 5 + 2 * layer),
                "scale" => format!("net.{}.weight", 6 + 2 * layer),
                _ => format!("net.{}.bias", 6 + 2 * layer),
            };
            let mut arrays = module_arrays(&mlp, &point, &sequential);
            let buffer = NamedArray { name: "net.8.running_mean".into(), shape: vec![5], data: vec![f64::NAN; 5] };
            arrays.push(buffer);
            assert_eq!(parameters(&mlp, &arrays, "a file").expect("complete"), point);
            let named = |kind: &str, layer: usize| match kind {
                "weight" | "bias" => format!("fc{layer}.{kind}"),
                "scale" => format!("bn{layer}.weight"),
                _ => format!("bn{layer}.bias"),
            };
            assert_eq!(parameters(&mlp, &module_arrays(&mlp, &point, &named), "a file").expect("complete"), point);
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (mlp, point) = network(false);
        let mut missing = own_arrays(&mlp, &point);
        missing.remove(2);
        let mut wrong = own_arrays(&mlp, &point);
        wrong[0].shape.reverse();
        let mut infinite = own_arrays(&mlp, &point);
        infinite[4].data[1] = f64::INFINITY;
        let foreign = vec![NamedArray { name: "layer.kernel".into(), shape: vec![1], data: vec![0.0] }];
        let swapped = |kind: &str, layer: usize| format!("{}.{kind}", ["z", "y", "x"][layer - 1]);
        let cases = [
            (missing, "no array for weight2"),
            (wrong, "weight1 needs [2, 5]"),
            (infinite, "weight3 of a file must be finite"),
            (foreign, "end in .weight or .bias"),
            (module_arrays(&mlp, &point, &swapped), "x.weight of a file has this shape"),
            (
                module_arrays(&network(true).0, &network(true).1, &|kind, layer| match kind {
                    "weight" | "bias" => format!("a{layer}.{kind}"),
                    "scale" => format!("b{layer}.weight"),
                    _ => format!("b{layer}.bias"),
                }),
                "0 normalisations",
            ),
        ];
        for (arrays, words) in cases {
            let error = parameters(&mlp, &arrays, "a file").expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
