//! Names that a problem file may choose from: looked up, suggested when misspelt, listed by `porewalk list`.

use crate::error::{Error, Result};
use crate::math::names::nearest;

/// One name of a set.
#[derive(Clone, Copy, Debug)]
pub struct Choice<T: 'static> {
    /// The name in a problem file.
    pub name: &'static str,
    /// What it stands for; `None` when this version knows the name but cannot run it.
    pub value: Option<T>,
    /// One line for `porewalk list`.
    pub meaning: &'static str,
}

impl<T> Choice<T> {
    /// A name that runs.
    pub const fn of(name: &'static str, value: T, meaning: &'static str) -> Self {
        Choice { name, value: Some(value), meaning }
    }

    /// A name that is refused as not available in this version.
    pub const fn not_yet(name: &'static str) -> Self {
        Choice { name, value: None, meaning: "" }
    }
}

/// The value that `typed` names among `choices`.
///
/// # Errors
/// [`Error::NotAvailable`] for a name that cannot run yet; [`Error::Invalid`] with the nearest name and the list for any
/// other text. `key` is the key path.
pub fn choose<T: Copy>(key: &str, typed: &str, choices: &[Choice<T>]) -> Result<T> {
    let available: Vec<&str> =
        choices.iter().filter(|choice| choice.value.is_some()).map(|choice| choice.name).collect();
    match choices.iter().find(|choice| choice.name == typed) {
        Some(Choice { value: Some(value), .. }) => Ok(*value),
        Some(_) => Err(Error::not_available(key, format!("{typed:?}"), format!("use {}", any_of(&available)))),
        None => {
            let near = nearest(typed, choices.iter().map(|choice| choice.name));
            let suggestion = near.map_or(String::new(), |near| format!("did you mean {near:?}? "));
            let rule = "is not a known name";
            let remedy = format!("{suggestion}The names are: {}", quoted(&available).join(", "));
            Err(Error::invalid(key, format!("{typed:?}"), rule, remedy))
        }
    }
}

fn quoted(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{name:?}")).collect()
}

fn any_of(names: &[&str]) -> String {
    let names = quoted(names);
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "none".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[Choice<u8>] =
        &[Choice::of("krylov", 1, ""), Choice::of("spectral", 2, ""), Choice::not_yet("contour")];

    #[test]
    fn names_are_looked_up() {
        assert_eq!(choose("k", "spectral", NAMES).unwrap(), 2);
    }

    #[test]
    fn misspelt_names_get_the_nearest_and_the_list() {
        let error = choose("k", "krilov", NAMES).unwrap_err().to_string();
        assert!(error.contains("did you mean \"krylov\"?"), "{error}");
        assert!(error.contains("\"krylov\", \"spectral\""), "{error}");
        assert!(!error.contains("contour"), "{error}");
    }

    #[test]
    fn known_names_that_cannot_run_say_so() {
        let error = choose("k", "contour", NAMES).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        assert!(text.contains("not available in this version; use \"krylov\" or \"spectral\""), "{text}");
    }
}
