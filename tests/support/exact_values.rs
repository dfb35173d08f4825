//! Expectations of t K under tempered posteriors exp(-t K - (g/2) |w|²), exact at finite temperature.
//!
//! Closed forms where there are any, else quadrature; constants are told with their source. Nothing here uses the crate.

/// Quadratic K = 1/2 Σ h_i w_i²: 1/2 Σ t h_i / (t h_i + g).
pub fn quadratic(curvatures: &[f64], t: f64, g: f64) -> f64 {
    curvatures.iter().map(|h| 0.5 * t * h / (t * h + g)).sum()
}

/// [`quadratic`] as SGLD of step size eps finds it, with gradients of batches of variance `v` in every coordinate.
pub fn quadratic_by_sgld(curvatures: &[f64], t: f64, g: f64, eps: f64, v: f64) -> f64 {
    curvatures.iter().map(|h| 0.5 * t * h * sgld_variance(t * h + g, eps, t, v)).sum()
}

/// Stationary variance of SGLD on a coordinate of total curvature k: the discrete-time chain
/// w' = (1 - eps k/2) w + noise of variance eps + (eps t/2)² v.
pub fn sgld_variance(k: f64, eps: f64, t: f64, v: f64) -> f64 {
    let kept = 1.0 - 0.5 * eps * k;
    (eps + 0.25 * eps * eps * t * t * v) / (1.0 - kept * kept)
}

/// K homogeneous of degree p in d dimensions with an isolated zero, g = 0: d/p at every t.
pub fn homogeneous(dimension: usize, degree: f64) -> f64 {
    dimension as f64 / degree
}

/// K = w1² w2²: 1/2 + a (1 - K1(a)/K0(a)), a = g²/(8t). With w2 integrated out and w1² = (g/2t) sinh² u the
/// partition function is t^(-1/2) e^a K0(a).
pub fn product_of_two_squares(t: f64, g: f64) -> f64 {
    let a = g * g / (8.0 * t);
    0.5 + a * (1.0 - bessel_k(1.0, a) / bessel_k(0.0, a))
}

/// K = x^p y^q: both axes by quadrature.
pub fn monomial_of_two(powers: [i32; 2], t: f64, g: f64) -> f64 {
    let nodes = slopes(t, g, 1500);
    let (mut mass, mut sum) = (0.0, 0.0);
    for (x, weight_x) in &nodes {
        for (y, weight_y) in &nodes {
            let energy = t * x.powi(powers[0]) * y.powi(powers[1]);
            let weight = weight_x * weight_y * (-energy).exp();
            mass += weight;
            sum += weight * energy;
        }
    }
    sum / mass
}

/// K = x² y² z²: with x integrated out the weight of y and z is (g + 2 t y² z²)^(-1/2), and t K has the mean
/// t y² z² / (g + 2 t y² z²).
pub fn product_of_three_squares(t: f64, g: f64) -> f64 {
    let nodes = slopes(t, g, 1500);
    let (mut mass, mut sum) = (0.0, 0.0);
    for (y, weight_y) in &nodes {
        for (z, weight_z) in &nodes {
            let curvature = 2.0 * t * (y * z).powi(2);
            let weight = weight_y * weight_z / (g + curvature).sqrt();
            mass += weight;
            sum += weight * 0.5 * curvature / (g + curvature);
        }
    }
    sum / mass
}

/// e^x times the modified Bessel function of the second kind, by the trapezoidal rule (which converges faster than any
/// power here) on ∫ exp(-x (cosh u - 1)) cosh(ν u) du, u > 0.
pub fn bessel_k(order: f64, x: f64) -> f64 {
    let step = 0.02;
    let value = |u: f64| (-2.0 * x * (0.5 * u).sinh().powi(2)).exp() * (order * u).cosh();
    let last = (1.0 + 800.0 / x).acosh();
    let count = (last / step).ceil() as u32;
    step * (0.5 * value(0.0) + (1..=count).map(|k| value(f64::from(k) * step)).sum::<f64>())
}

/// Activation of a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// Hyperbolic tangent.
    Tanh,
    /// max(0, x).
    Relu,
}

/// Nodes b > 0 and weights of ∫ exp(-g b²/2) db, spaced like the logarithm beyond 1/√t.
fn slopes(t: f64, g: f64, count: usize) -> Vec<(f64, f64)> {
    let scale = 1.0 / t.sqrt();
    let last = (9.0 / g.sqrt() / scale).asinh();
    let step = last / count as f64;
    let node = |k: usize| {
        // Midpoints: the integrand is even in u.
        let u = (k as f64 + 0.5) * step;
        let b = scale * u.sinh();
        (b, step * scale * u.cosh() * (-0.5 * g * b * b).exp())
    };
    (0..count).map(node).collect()
}

/// tanh(b x) times the square root of the weight of x, at the nodes x > 0 of the normal law.
fn tanh_values(b: f64) -> Vec<f64> {
    let step = 0.05;
    let weight = |x: f64| 2.0 * step * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (0..170).map(|k| (f64::from(k) + 0.5) * step).map(|x| (b * x).tanh() * weight(x).sqrt()).collect()
}

/// One hidden unit y = a f(b x), x ~ N(0, 1), K = E\[y²\]/2: with a integrated out the weight of b is
/// exp(-g b²/2) (g + t m)^(-1/2), m = E\[f(bx)²\], and t K has the mean (1/2) t m/(g + t m).
pub fn one_hidden_unit(activation: Activation, t: f64, g: f64) -> f64 {
    let (mut mass, mut sum) = (0.0, 0.0);
    for (b, weight) in slopes(t, g, 2000) {
        let m = match activation {
            Activation::Tanh => tanh_values(b).iter().map(|value| value * value).sum(),
            Activation::Relu => 0.5 * b * b,
        };
        let weight = weight / (g + t * m).sqrt();
        mass += weight;
        sum += weight * 0.5 * t * m / (g + t * m);
    }
    sum / mass
}

/// Two hidden units: weight det(g + t M)^(-1/2) and mean (1/2) tr(t M (g + t M)^(-1)), M the 2 × 2 matrix of
/// E\[f(b_i x) f(b_j x)\].
pub fn two_hidden_units(activation: Activation, t: f64, g: f64) -> f64 {
    let nodes = slopes(t, g, 500);
    let values: Vec<Vec<f64>> = nodes.iter().map(|(b, _)| tanh_values(*b)).collect();
    let (mut mass, mut sum) = (0.0, 0.0);
    let mut add = |weight: f64, first: f64, second: f64, both: f64| {
        let det = (g + t * first) * (g + t * second) - t * t * both * both;
        let weight = weight / det.sqrt();
        mass += weight;
        // tr(t M (g + t M)^-1) = 2 - g tr((g + t M)^-1)
        sum += weight * 0.5 * (2.0 - g * (2.0 * g + t * (first + second)) / det);
    };
    for (i, (b, weight_b)) in nodes.iter().enumerate() {
        for (j, (c, weight_c)) in nodes.iter().enumerate().take(i + 1) {
            // The units may change places.
            let weight = weight_b * weight_c * if i == j { 0.5 } else { 1.0 };
            match activation {
                // The sign of b c changes that of the off-diagonal element only.
                Activation::Tanh => {
                    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
                    let (x, y) = (&values[i], &values[j]);
                    add(weight, dot(x, x), dot(y, y), dot(x, y));
                }
                // Units of opposite signs are never active together.
                Activation::Relu => {
                    add(weight, 0.5 * b * b, 0.5 * c * c, 0.5 * b * c);
                    add(weight, 0.5 * b * b, 0.5 * c * c, 0.0);
                }
            }
        }
    }
    sum / mass
}

/// (t, mean of t K, its error): reduced-rank regression, widths 5 -> 3 -> 5, true rank 1, at the exact fit whose factors have
/// the one singular value 2 each, g = 1; by a Gibbs sampler written apart from the one in `reduced_rank.rs`. The learning
/// coefficient is 8.
pub const REDUCED_RANK_5_5_3_1: [(f64, f64, f64); 3] =
    [(263.1, 7.806, 0.008), (1e4, 7.957, 0.008), (1e6, 7.993, 0.008)];

/// Learning coefficient and multiplicity of reduced-rank regression y = B A x, M inputs, N outputs, H hidden units, true
/// rank r (Aoyagi and Watanabe 2005).
pub fn reduced_rank(inputs: u32, outputs: u32, hidden: u32, rank: u32) -> (f64, u32) {
    let [m, n, h, r] = [inputs, outputs, hidden, rank].map(f64::from);
    if m + h < n + r {
        (0.5 * (h * m - h * r + n * r), 1)
    } else if n + h < m + r {
        (0.5 * (h * n - h * r + m * r), 1)
    } else if m + n < h + r {
        (0.5 * m * n, 1)
    } else {
        let q = 2.0 * (h + r) * (m + n) + 2.0 * m * n - (h + r).powi(2) - m * m - n * n;
        if (inputs + outputs + hidden + rank).is_multiple_of(2) { (q / 8.0, 1) } else { ((q + 1.0) / 8.0, 2) }
    }
}
