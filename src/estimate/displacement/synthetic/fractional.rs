//! Fractional Brownian motion at times 0, 1, ..., n, by circulant embedding of its increments.
//!
//! Formula:   γ(k) = (|k+1|^2H + |k-1|^2H - 2 |k|^2H)/2 is a row of a circulant of size 2n with eigenvalues λ >= 0;
//!            the Fourier transform of sqrt(λ/2n) z, z normal and Hermitian, begins with n exact increments
//! Assumes:   0 < H < 1
//! Cost:      one real Fourier transform of size 2n and 2n normal numbers for a path
//! Fails when an eigenvalue is negative: it is not for any H \[Craigmile2003\]; rounding is cut, more is an error
//! Reference: \[DaviesHarte1987\], \[MandelbrotVanNess1968\]

use std::sync::Arc;

use num_complex::Complex;
use realfft::RealFftPlanner;
use realfft::num_traits::Zero;
use realfft::{ComplexToReal, RealToComplex};

use crate::error::{Error, Result};
use crate::math::random::Stream;

/// A maker of paths.
pub struct FractionalBrownian {
    steps: usize,
    /// sqrt(λ_j / 2n), j = 0..=n.
    roots: Vec<f64>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    forward: Arc<dyn RealToComplex<f64>>,
}

impl FractionalBrownian {
    /// Paths of `steps` steps of Hurst exponent `hurst` with increments of variance 1.
    ///
    /// # Errors
    /// When H is not between 0 and 1, there is no step, or the embedding is not positive.
    pub fn new(hurst: f64, steps: usize) -> Result<Self> {
        if !(hurst > 0.0 && hurst < 1.0) {
            return Err(Error::invalid("hurst", hurst, "must be between 0 and 1", "a slope of 1 is a drift"));
        }
        if steps == 0 {
            return Err(Error::invalid("steps", steps, "must be at least 1", ""));
        }
        let size = 2 * steps;
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
        let covariance = |k: usize| {
            let power = |x: f64| x.abs().powf(2.0 * hurst);
            0.5 * (power(k as f64 + 1.0) + power(k as f64 - 1.0) - 2.0 * power(k as f64))
        };
        let mut row: Vec<f64> = (0..size).map(|k| covariance(k.min(size - k))).collect();
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut row, &mut spectrum).expect("lengths agree");
        let largest = spectrum.iter().map(|value| value.re).fold(0.0, f64::max);
        if let Some(negative) = spectrum.iter().map(|value| value.re).find(|value| *value < -1e-10 * largest) {
            let rule = "eigenvalues of the circulant must not be negative";
            return Err(Error::invalid("hurst", format!("{hurst} (eigenvalue {negative:e})"), rule, "take more steps"));
        }
        let roots = spectrum.iter().map(|value| (value.re.max(0.0) / size as f64).sqrt()).collect();
        Ok(FractionalBrownian { steps, roots, inverse, forward })
    }

    /// A path from 0: `steps + 1` values. The real transform of 2n points gives one path of n steps.
    pub fn path(&self, stream: &mut Stream) -> Vec<f64> {
        // Hermitian spectrum: real ends of variance 1, between them complex numbers of variance 1/2 in either part.
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let mut spectrum = self.forward.make_output_vec();
        spectrum.iter_mut().for_each(|value| *value = Complex::zero());
        for (place, (value, root)) in spectrum.iter_mut().zip(&self.roots).enumerate() {
            *value = if place == 0 || place == self.steps {
                Complex::new(root * stream.normal(), 0.0)
            } else {
                Complex::new(root * half * stream.normal(), root * half * stream.normal())
            };
        }
        let mut noise = self.inverse.make_output_vec();
        self.inverse.process(&mut spectrum, &mut noise).expect("the ends are real");
        let mut place = 0.0;
        let mut path = Vec::with_capacity(self.steps + 1);
        path.push(0.0);
        for increment in &noise[..self.steps] {
            place += increment;
            path.push(place);
        }
        path
    }

    /// A run of `dimension` independent coordinates, point after point.
    pub fn run(&self, dimension: usize, stream: &mut Stream) -> Vec<f64> {
        let mut points = vec![0.0; (self.steps + 1) * dimension];
        for coordinate in 0..dimension {
            for (step, value) in self.path(stream).into_iter().enumerate() {
                points[step * dimension + coordinate] = value;
            }
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_the_covariance_of_the_definition() {
        // The roots give the covariance exactly: γ(k) = sum of λ_j cos(2π j k/2n)/2n, no sampling.
        for hurst in [0.05, 0.15, 0.5, 0.75, 0.95] {
            let steps = 24;
            let maker = FractionalBrownian::new(hurst, steps).unwrap();
            for k in 0..=steps {
                let sum: f64 = (0..2 * steps)
                    .map(|j| {
                        let root = maker.roots[j.min(2 * steps - j)];
                        root * root * (std::f64::consts::PI * (j * k) as f64 / steps as f64).cos()
                    })
                    .sum();
                let power = |x: f64| x.abs().powf(2.0 * hurst);
                let k = k as f64;
                let exact = 0.5 * (power(k + 1.0) + power(k - 1.0) - 2.0 * power(k));
                assert!((sum - exact).abs() < 1e-12, "{hurst} {k}: {sum} {exact}");
            }
        }
        assert!(FractionalBrownian::new(1.0, 10).is_err());
    }

    #[test]
    fn sampled_paths_agree_with_the_variance_at_every_time() {
        let (steps, count) = (16, 20_000);
        for hurst in [0.2, 0.7] {
            let maker = FractionalBrownian::new(hurst, steps).unwrap();
            let mut stream = Stream::new(1, "fbm", 0);
            let mut products = vec![0.0; (steps + 1) * (steps + 1)];
            for _ in 0..count {
                let path = maker.path(&mut stream);
                for i in 0..=steps {
                    (0..=steps).for_each(|j| products[i * (steps + 1) + j] += path[i] * path[j] / f64::from(count));
                }
            }
            let power = |x: usize| (x as f64).powf(2.0 * hurst);
            for i in 0..=steps {
                for j in 0..=steps {
                    let exact = 0.5 * (power(i) + power(j) - power(i.abs_diff(j)));
                    let found = products[i * (steps + 1) + j];
                    let deviation = ((power(i) * power(j) + exact * exact) / f64::from(count)).sqrt();
                    assert!((found - exact).abs() <= 5.0 * deviation, "{hurst} {i} {j}: {found} {exact}");
                }
            }
        }
    }
}
