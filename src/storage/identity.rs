//! What results and unfinished work belong to.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Differences that a message names.
const NAMED: usize = 3;

/// What results belong to: the checked problem and the version that solved it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The checked problem, serialised.
    pub problem: Value,
    /// Program version.
    pub version: String,
}

impl Identity {
    /// What differs in another run, in words: the first few keys with both values.
    pub fn differences(&self, other: &Identity) -> String {
        let mut found = Vec::new();
        compare("", Some(&self.problem), Some(&other.problem), &mut found);
        if self.version != other.version {
            found.push(format!("version {} of the program there, {} here", self.version, other.version));
        }
        let more = found.len().saturating_sub(NAMED);
        found.truncate(NAMED);
        let others = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("{}{others}", found.join("; "))
    }
}

fn compare(key: &str, there: Option<&Value>, here: Option<&Value>, found: &mut Vec<String>) {
    match (there, here) {
        (Some(Value::Object(there)), Some(Value::Object(here))) => {
            let only_here = here.keys().filter(|name| !there.contains_key(*name));
            for name in there.keys().chain(only_here) {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                compare(&key, there.get(name), here.get(name), found);
            }
        }
        _ if there == here => {}
        _ => {
            let word = |value: Option<&Value>| value.map_or("nothing".into(), ToString::to_string);
            found.push(format!("{key} is {} there, {} here", word(there), word(here)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_named_by_their_keys() {
        let of = |problem: Value, version: &str| Identity { problem, version: version.into() };
        let kept = of(json!({ "run": { "draws": 5, "at": [0.1, 1e-300] }, "seed": 1, "old": true }), "1");
        assert_eq!(kept.differences(&kept), "");
        let other = of(json!({ "run": { "draws": 6, "at": [0.1, 1e-300] }, "seed": 1, "new": null }), "2");
        let words = kept.differences(&other);
        for part in ["run.draws is 5 there, 6 here", "old is true there, nothing here", "and 1 more"] {
            assert!(words.contains(part), "{words}");
        }
        let again: Identity = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
        assert_eq!(again, kept, "numbers come back exactly");
    }
}
