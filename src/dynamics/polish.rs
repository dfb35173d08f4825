//! A few steps straight down: from nearly a minimum to a better one.
//!
//! Formula:   w -= s ∇L(w) while the loss falls by at least s |∇L|²/10^4; s grows by 3/2 after a step and halves otherwise
//! Assumes:   a gradient of all samples
//! Cost:      one gradient and about two losses per step
//! Fails when never: the loss does not rise
//! Reference: \[Armijo1966\]
//!
//! A learning coefficient is measured from the loss of its point. A point above its surroundings makes it too small, or
//! negative.

use crate::landscape::Sampled;

/// Part of the fall that the slope promises that a step must keep.
const SUFFICIENT: f64 = 1e-4;
/// Halvings after which there is no way down.
const MOST_HALVINGS: u32 = 60;

/// Moves `point` (length d) down the loss over all samples by at most `steps` steps and gives the loss before and after.
pub fn polish(landscape: &dyn Sampled, point: &mut [f64], steps: usize) -> (f64, f64) {
    let start = landscape.loss(point);
    let mut loss = start;
    let mut size = 1.0;
    let mut gradient = vec![0.0; point.len()];
    let mut trial = point.to_vec();
    'steps: for _ in 0..steps {
        landscape.gradient(point, &mut gradient);
        let square: f64 = gradient.iter().map(|slope| slope * slope).sum();
        if !(square > 0.0 && square.is_finite()) {
            break;
        }
        for _ in 0..MOST_HALVINGS {
            trial.iter_mut().zip(&*point).zip(&gradient).for_each(|((next, w), slope)| *next = w - size * slope);
            let next = landscape.loss(&trial);
            if next <= loss - SUFFICIENT * size * square {
                point.copy_from_slice(&trial);
                loss = next;
                size *= 1.5;
                continue 'steps;
            }
            size *= 0.5;
        }
        break;
    }
    (start, loss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{Analytic, Population};

    #[test]
    fn the_loss_falls_to_the_minimum_and_never_rises() {
        let valley = Population::new(Analytic::build("rosenbrock", 2, &Default::default()).expect("a valley"), 10);
        let mut point = vec![-1.2, 1.0];
        let (before, after) = polish(&valley, &mut point, 20_000);
        assert!(before > 20.0 && after < 1e-6, "{before} {after}");
        let (before, after) = polish(&valley, &mut [1.0, 1.0], 10);
        assert_eq!((before, after), (0.0, 0.0));
    }
}
