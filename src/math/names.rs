//! Suggestions for misspelt names.

/// The candidate nearest to a misspelt word, if any is near.
///
/// ```
/// use porewalk::math::names::nearest;
/// assert_eq!(nearest("toleranse", ["tolerance", "steps"]), Some("tolerance"));
/// assert_eq!(nearest("colour", ["tolerance", "steps"]), None);
/// ```
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    let wanted = plain(typed);
    let scored = candidates.into_iter().map(|candidate| {
        let other = plain(candidate);
        let distance = strsim::damerau_levenshtein(&wanted, &other);
        // A word cut short ("gauss") is far by edits but plainly meant.
        let is_start =
            wanted.len() >= 3 && (other.starts_with(&wanted) || (other.len() >= 3 && wanted.starts_with(&other)));
        let allowed =
            if is_start { usize::MAX } else { (wanted.chars().count().max(other.chars().count()) / 3).max(1) };
        (distance, allowed, candidate)
    });
    scored
        .filter(|(distance, allowed, _)| distance <= allowed)
        .min_by_key(|(distance, _, _)| *distance)
        .map(|(_, _, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_words_get_no_suggestion() {
        for (typed, expected) in [
            ("Krylov", Some("krylov")),
            ("spectrl", Some("spectral")),
            ("spec", Some("spectral")),
            ("rk4", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, ["krylov", "spectral", "contour"]), expected, "{typed}");
        }
    }
}
