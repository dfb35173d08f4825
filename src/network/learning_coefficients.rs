//! Learning coefficients that are known exactly.
//!
//! Formula:   see each function; λ is the exponent of the volume of {K < ε} ~ ε^λ (-ln ε)^(m - 1)
//! Assumes:   a prior that is positive at the true weights, a true map inside the model
//! Cost:      a few integer operations
//! Fails when widths and ranks contradict each other: refused
//! Reference: \[AoyagiWatanabe2005\], \[Aoyagi2024\], \[AoyagiNagata2012\]

use crate::error::{Error, Result};

/// Learning coefficient λ with its multiplicity m.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningCoefficient {
    /// λ: half the number of effective parameters.
    pub lambda: f64,
    /// m, at least 1: E\[tK\] approaches λ like (m - 1) / ln t.
    pub multiplicity: usize,
}

/// Widths of real networks; squares of sums of them are far from overflowing.
const LARGEST_WIDTH: usize = 1 << 24;

fn check(name: &str, widths: &[usize], rank: usize) -> Result<()> {
    let smallest = widths.iter().copied().min().unwrap_or(0);
    if widths.len() < 2 || rank > smallest || widths.iter().any(|&width| width > LARGEST_WIDTH) {
        let rule = format!("at least two widths, all at least the rank {rank} and at most {LARGEST_WIDTH}");
        return Err(Error::invalid(name, format!("{widths:?}"), rule, "change widths or rank"));
    }
    Ok(())
}

/// Reduced rank regression: from `inputs` over `hidden` to `outputs` linear units, a true map of rank `rank`. The global
/// value, the least of all exact points \[AoyagiWatanabe2005\].
///
/// # Errors
/// When the rank is above a width.
pub fn reduced_rank(inputs: usize, outputs: usize, hidden: usize, rank: usize) -> Result<LearningCoefficient> {
    check("widths", &[inputs, hidden, outputs], rank)?;
    let [m, n, h, r] = [inputs, outputs, hidden, rank].map(|number| number as i128);
    let (eighths, multiplicity) = if m + h < n + r {
        (4 * (h * m - h * r + n * r), 1)
    } else if n + h < m + r {
        (4 * (h * n - h * r + m * r), 1)
    } else if m + n < h + r {
        (4 * m * n, 1)
    } else {
        let q = 2 * (h + r) * (m + n) + 2 * m * n - (h + r).pow(2) - m * m - n * n;
        if (m + n + h + r) % 2 == 0 { (q, 1) } else { (q + 1, 2) }
    };
    Ok(LearningCoefficient { lambda: eighths as f64 / 8.0, multiplicity })
}

/// Reduced rank regression at an exact point whose first layer has rank a and second layer rank b: what a sampler sees that
/// stays near it.
///
/// λ = (outputs a + inputs b - a b) / 2 + λ of a network with a inputs, b outputs and a + b - rank hidden units less, and
/// true map zero.
///
/// # Errors
/// When no exact point has these ranks.
pub fn reduced_rank_at(
    inputs: usize,
    outputs: usize,
    hidden: usize,
    rank: usize,
    (a, b): (usize, usize),
) -> Result<LearningCoefficient> {
    check("widths", &[inputs, hidden, outputs], rank)?;
    if a < rank || b < rank || a > inputs || b > outputs || a.max(b) > hidden || a + b - rank > hidden {
        let rule =
            format!("both ranks are at least {rank} and at most the widths, their sum at most {}", hidden + rank);
        return Err(Error::invalid("stratum", format!("({a}, {b})"), rule, "choose other ranks"));
    }
    let rest = reduced_rank(inputs - a, outputs - b, hidden + rank - a - b, 0)?;
    let regular = (outputs * a + inputs * b - a * b) as f64 / 2.0;
    Ok(LearningCoefficient { lambda: regular + rest.lambda, multiplicity: rest.multiplicity })
}

/// Linear layers of widths H_0 to H_L with a true map of rank r \[Aoyagi2024\].
///
/// With M_s = H_s - r, the k = l + 1 smallest M_s are those whose sum S has S ≥ l · the largest of them and S < l · the
/// smallest of the others; c = ceil(S / l), a = S - (c - 1) l:
/// λ = (r (H_0 + H_L) - r²) / 2 + a (l - a) / (4 l) - (l - 1) S² / (4 l) + Σ_(i<j) M_i M_j / 2, m = a (l - a) + 1.
///
/// # Errors
/// When there are fewer than two widths or the rank is above one.
pub fn deep_linear(widths: &[usize], rank: usize) -> Result<LearningCoefficient> {
    check("widths", widths, rank)?;
    let mut excess: Vec<i128> = widths.iter().map(|&width| (width - rank) as i128).collect();
    excess.sort_unstable();
    let chosen = (1..excess.len()).find(|&l| {
        let sum: i128 = excess[..=l].iter().sum();
        let (l, largest) = (l as i128, excess[l]);
        let others = excess.get(l as usize + 1);
        sum >= l * largest && others.is_none_or(|&smallest| sum < l * smallest && largest < smallest)
    });
    let Some(chosen) = chosen else {
        let rule = "the formula has a set of layers for all widths that were tried";
        return Err(Error::invalid("widths", format!("{widths:?}"), rule, "report these widths"));
    };
    let taken = &excess[..=chosen];
    let (l, sum) = (chosen as i128, taken.iter().sum::<i128>());
    let a = sum - ((sum + l - 1) / l - 1) * l;
    let pairs = (sum * sum - taken.iter().map(|m| m * m).sum::<i128>()) / 2;
    let rank = rank as i128;
    let ends = (widths[0] + widths[widths.len() - 1]) as i128;
    let regular = (rank * ends - rank * rank) as f64 / 2.0;
    let rest = (a * (l - a) - (l - 1) * sum * sum + 2 * l * pairs) as f64 / (4 * l) as f64;
    Ok(LearningCoefficient { lambda: regular + rest, multiplicity: (a * (l - a) + 1) as usize })
}

/// One input, `hidden` tanh units, one linear output, no biases, and a true function that is zero:
/// λ = (H + i + i²) / (4 i + 2), i = floor(sqrt H), m = 2 when H is a square \[AoyagiNagata2012\].
///
/// # Errors
/// When there is no hidden unit.
pub fn tanh_network(hidden: usize) -> Result<LearningCoefficient> {
    if hidden == 0 {
        return Err(Error::invalid("hidden", 0, "there is a hidden unit at least", "use 1"));
    }
    let root = hidden.isqrt();
    let lambda = (hidden + root + root * root) as f64 / (4 * root + 2) as f64;
    Ok(LearningCoefficient { lambda, multiplicity: if root * root == hidden { 2 } else { 1 } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(found: Result<LearningCoefficient>) -> (f64, usize) {
        let found = found.expect("a known case");
        (found.lambda, found.multiplicity)
    }

    #[test]
    fn reduced_rank_regression_has_the_published_values() {
        for (m, n, h, r, lambda, multiplicity) in [
            (5, 5, 3, 1, 8.0, 1),
            (5, 5, 3, 0, 6.5, 2),
            (5, 5, 3, 2, 9.5, 2),
            (5, 5, 3, 3, 10.5, 1),
            (3, 3, 2, 1, 3.5, 2),
            (2, 2, 2, 0, 1.5, 1),
            (3, 8, 2, 1, 6.0, 1),
            (2, 9, 4, 1, 6.5, 1),
            (8, 4, 3, 0, 6.0, 1),
            (9, 2, 4, 1, 6.5, 1),
            (3, 4, 8, 0, 6.0, 1),
            (2, 2, 6, 1, 2.0, 1),
        ] {
            assert_eq!(both(reduced_rank(m, n, h, r)), (lambda, multiplicity), "{m} {n} {h} {r}");
        }
    }

    #[test]
    fn local_values_are_those_of_the_strata() {
        for (stratum, lambda) in [((1, 1), 8.0), ((2, 2), 8.0), ((3, 1), 8.5)] {
            assert_eq!(both(reduced_rank_at(5, 5, 3, 1, stratum)).0, lambda, "{stratum:?}");
        }
        assert!(reduced_rank_at(5, 5, 3, 1, (3, 2)).is_err());
        assert!(reduced_rank_at(5, 5, 3, 1, (0, 2)).is_err());
    }

    #[test]
    fn two_layers_agree_with_deep_ones_and_with_their_least_stratum() {
        let mut cases = 0;
        for (m, n) in (1..=8).flat_map(|m| (1..=8).map(move |n| (m, n))) {
            for (h, r) in (1..=8).flat_map(|h| (0..=m.min(n).min(h)).map(move |r| (h, r))) {
                let global = both(reduced_rank(m, n, h, r));
                assert_eq!(both(deep_linear(&[m, h, n], r)), global, "{m} {n} {h} {r}");
                let strata = (r..=m.min(h)).flat_map(|a| (r..=n.min(h)).map(move |b| (a, b)));
                let least = strata
                    .filter_map(|stratum| reduced_rank_at(m, n, h, r, stratum).ok())
                    .map(|local| local.lambda)
                    .fold(f64::INFINITY, f64::min);
                assert_eq!(least, global.0, "{m} {n} {h} {r}");
                cases += 1;
            }
        }
        assert!(cases >= 1808, "{cases}");
    }

    #[test]
    fn deep_networks_have_the_published_values() {
        for (widths, rank, lambda, multiplicity) in [
            (&[2, 2, 2, 2][..], 0, 1.5, 3),
            (&[3, 3, 3, 3], 1, 4.0, 3),
            (&[4, 3, 2, 4], 1, 4.5, 1),
            (&[10, 10, 10, 10], 0, 33.5, 3),
            (&[10, 5, 5, 10], 3, 27.5, 1),
            (&[5, 4, 3, 5], 1, 7.5, 3),
        ] {
            assert_eq!(both(deep_linear(widths, rank)), (lambda, multiplicity), "{widths:?} {rank}");
        }
        // One layer is regular.
        assert_eq!(both(deep_linear(&[3, 4], 2)), (6.0, 1));
    }

    #[test]
    fn every_network_has_its_set_of_layers() {
        for code in 0..7usize.pow(5) {
            let widths: Vec<usize> = (0..5).map(|k| 1 + code / 7usize.pow(k) % 7).collect();
            for rank in 0..=*widths.iter().min().expect("five widths") {
                let found = deep_linear(&widths, rank).expect("a set of layers");
                let parameters: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
                assert!(found.lambda >= 0.0 && found.lambda <= parameters as f64 / 2.0, "{widths:?} {rank}");
            }
        }
    }

    #[test]
    fn tanh_networks_have_the_published_values() {
        assert_eq!(both(tanh_network(1)), (0.5, 2));
        assert_eq!(both(tanh_network(2)), (2.0 / 3.0, 1));
        assert_eq!(both(tanh_network(3)), (5.0 / 6.0, 1));
        assert_eq!(both(tanh_network(4)), (1.0, 2));
        assert!(tanh_network(0).is_err());
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(reduced_rank(5, 5, 3, 4).is_err());
        assert!(deep_linear(&[5], 0).is_err());
        assert!(deep_linear(&[5, 2, 5], 3).is_err());
        assert!(deep_linear(&[usize::MAX, 2], 0).is_err());
    }
}
