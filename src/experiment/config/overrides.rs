//! Values that the command line sets over those of the file: `--set key.path=value`.

use toml::{Table, Value};

use crate::error::{Error, Result};

/// One `--set` flag.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    text: String,
    path: Vec<String>,
    value: Value,
}

impl Override {
    /// Reads `key.path=value`. The value is TOML; what is not TOML is taken as text, so quotes are seldom needed.
    ///
    /// # Errors
    /// When there is no `=` or the key path is not one.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |rule: &str| Error::Config {
            origin: format!("--set {text}"),
            place: None,
            excerpt: String::new(),
            message: format!("{rule}; write --set key.path=value, for example --set dynamics.order=0.5"),
        };
        let (key, value) = text.split_once('=').ok_or_else(|| wrong("there is no = between key and value"))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() {
            return Err(wrong("there is no key before ="));
        }
        if value.is_empty() {
            return Err(wrong("there is no value after ="));
        }
        let path = key_path(key).ok_or_else(|| wrong("the key is not a path of TOML keys joined by dots"))?;
        let value = value.parse::<Value>().unwrap_or_else(|_| Value::String(value.to_string()));
        Ok(Override { text: text.to_string(), path, value })
    }

    /// The flag as it was typed.
    pub fn flag(&self) -> String {
        format!("--set {}", self.text)
    }

    /// Keys from the root of the file.
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// Puts the value into `table`, making tables on the way where there are none.
    ///
    /// # Errors
    /// When a key on the way holds something else than a table.
    pub fn apply(&self, table: &mut Table) -> Result<()> {
        let Some((last, above)) = self.path.split_last() else { return Ok(()) };
        let mut place = table;
        for (depth, key) in above.iter().enumerate() {
            let next = place.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = next else {
                return Err(Error::Config {
                    origin: self.flag(),
                    place: None,
                    excerpt: String::new(),
                    message: format!("{} is a value, not a table; it has no key {last}", self.path[..=depth].join(".")),
                });
            };
            place = inner;
        }
        place.insert(last.clone(), self.value.clone());
        Ok(())
    }
}

/// The parts of a dotted key, quoted parts allowed; `None` when TOML would not take it for one.
fn key_path(key: &str) -> Option<Vec<String>> {
    if key.contains(['\n', '#']) {
        return None;
    }
    let mut table = format!("{key} = 0").parse::<Table>().ok()?;
    let mut path = Vec::new();
    loop {
        let (part, value) = table.into_iter().next()?;
        path.push(part);
        match value {
            Value::Table(inner) => table = inner,
            _ => return Some(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str, flags: &[&str]) -> Table {
        let mut table = text.parse::<Table>().unwrap();
        for flag in flags {
            Override::parse(flag).unwrap().apply(&mut table).unwrap();
        }
        table
    }

    #[test]
    fn values_are_toml_and_bare_words_are_text() {
        let table = applied(
            "a = 1",
            &[
                "a=2",
                "b.c=true",
                "b.d=[1, 2.5]",
                "b.e=krylov",
                "b.f=x^2 - 1",
                "b.g=\"7\"",
                "b.h={kind=\"flat\"}",
                "i=a=b",
            ],
        );
        let expected =
            "a = 2\ni = 'a=b'\n[b]\nc = true\nd = [1, 2.5]\ne = 'krylov'\nf = 'x^2 - 1'\ng = '7'\nh = {kind='flat'}";
        assert_eq!(table, expected.parse::<Table>().unwrap());
    }

    #[test]
    fn the_last_flag_wins() {
        assert_eq!(applied("", &["a.b=1", "a.b=2"]), "a.b = 2".parse::<Table>().unwrap());
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        for text in ["", "a", "=1", "a=", "a..b=1", ".a=1", "a b=1", "[a]=1", "a\nb=1", "a#=1"] {
            let error = Override::parse(text).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{text}");
            assert!(error.to_string().contains("--set key.path=value"), "{text}: {error}");
        }
    }

    #[test]
    fn a_value_has_no_keys() {
        let mut table = "a = 1".parse::<Table>().unwrap();
        let error = Override::parse("a.b=1").unwrap().apply(&mut table).unwrap_err();
        assert!(error.to_string().contains("a is a value, not a table"), "{error}");
    }
}
