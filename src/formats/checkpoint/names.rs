//! Names of tensors: their order and the patterns that choose among them.

use std::cmp::Ordering;

/// Names that a message lists at most.
const LISTED: usize = 8;

/// Order in which numbers count as numbers: `layers.2` comes before `layers.10`.
pub(super) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(x), Some(y)) = (left.first(), right.first()) else {
            // Names that differ in leading zeros alone are told apart by their bytes.
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        let ordering = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number, other) = (take_digits(&mut left), take_digits(&mut right));
            number.len().cmp(&other.len()).then_with(|| number.cmp(other))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            x.cmp(y)
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

/// The digits at the beginning, without leading zeros.
fn take_digits<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    *bytes = rest;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

/// True when a pattern with `*` (any characters, dots too) and `?` (one character) fits the whole name or what follows one of
/// its dots: `bias` fits `layers.0.bias`, `layers.?.weight` fits `model.layers.1.weight`.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
    let pattern: Vec<char> = pattern.chars().collect();
    starts.into_iter().any(|start| fits_whole(&pattern, &name[start..]))
}

fn fits_whole(pattern: &[char], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star stands and what it has taken: the only place that is ever gone back to.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    (p, n) = (place + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|rest| *rest == '*')
}

/// True when a pattern names one thing.
pub(super) fn is_plain(pattern: &str) -> bool {
    !pattern.contains(['*', '?'])
}

/// Some of the names, for a message.
pub(super) fn listing<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.peekable();
    if names.peek().is_none() {
        return "it holds none".into();
    }
    let shown: Vec<&str> = names.by_ref().take(LISTED).collect();
    let more = names.count();
    let end = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it holds {}{end}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let sorted = ["a", "a.2", "a.02", "a.10", "a.10.b", "a.x", "b1c2", "b1c10", "b2"];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "a.02", "a.2", "a.10", "a.10.b", "a.x", "b1c2", "b1c10", "b2"]);
    }

    #[test]
    fn patterns_fit_whole_names_and_dotted_ends() {
        for (pattern, name, expected) in [
            ("bias", "layers.0.bias", true),
            ("bias", "layers.0.rebias", false),
            ("*bias", "layers.0.rebias", true),
            ("*bias*", "embed.bias_k", true),
            ("layers.?.weight", "model.layers.1.weight", true),
            ("layers.?.weight", "model.layers.11.weight", false),
            ("layers.*", "layers.0.bias", true),
            ("layers", "layers.0.bias", false),
            ("*norm*", "layers.0.norm2.weight", true),
            ("0.weight", "10.weight", false),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    /// The definition, in exponential time.
    fn obvious(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|taken| obvious(rest, &name[taken..])),
            Some((wanted, rest)) => {
                name.first().is_some_and(|first| *wanted == '?' || wanted == first) && obvious(rest, &name[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn stars_and_marks_mean_what_they_say(pattern in "[ab*?]{0,7}", name in "[ab]{0,8}") {
            let (marks, letters): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(fits_whole(&marks, &name), obvious(&marks, &letters));
        }

        #[test]
        fn the_order_is_total(a in "[a.01-3]{0,6}", b in "[a.01-3]{0,6}", c in "[a.01-3]{0,6}") {
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b) == Ordering::Equal, a == b);
            if natural_order(&a, &b) == Ordering::Less && natural_order(&b, &c) == Ordering::Less {
                prop_assert_eq!(natural_order(&a, &c), Ordering::Less);
            }
        }
    }
}
