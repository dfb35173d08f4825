//! Suggestions for misspelt names.

/// The candidate nearest to `name` by edit distance, when it is near enough to be meant.
///
/// ```
/// use porewalk::math::names::nearest;
/// assert_eq!(nearest("toleranse", &["tolerance", "steps"]), Some("tolerance"));
/// assert_eq!(nearest("colour", &["tolerance", "steps"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let best = candidates.iter().map(|candidate| (edit_distance(name, candidate), *candidate)).min()?;
    (best.0 <= name.chars().count().max(3) / 3).then_some(best.1)
}

/// Number of insertions, deletions and replacements between two words; a swap of neighbours counts as one.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_known_pairs() {
        for (a, b, distance) in [("kitten", "sitting", 3), ("abc", "abc", 0), ("", "ab", 2), ("ordre", "order", 1)] {
            assert_eq!(edit_distance(a, b), distance, "{a} {b}");
        }
    }
}
