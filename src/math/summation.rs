//! Sums that keep their rounding errors.

/// Sum with the rounding errors carried along (Neumaier), good to about one unit in the last place.
pub fn compensated_sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut carry) = (0.0f64, 0.0f64);
    for term in terms {
        let total = sum + term;
        carry += if sum.abs() >= term.abs() { (sum - total) + term } else { (term - total) + sum };
        sum = total;
    }
    sum + carry
}

#[cfg(test)]
mod tests {
    use super::compensated_sum;

    #[test]
    fn compensated_sum_keeps_what_plain_addition_loses() {
        assert_eq!(compensated_sum([1.0, 1e100, 1.0, -1e100]), 2.0);
    }
}
