//! The library examples, run at a coarse resolution and held to what they promise.

#[allow(dead_code)] // the printing is the example's own
#[path = "../examples/escape_from_a_well.rs"]
mod escape_from_a_well;

#[allow(dead_code)] // the printing is the example's own
#[path = "../examples/three_losses.rs"]
mod three_losses;

#[test]
fn memory_shows_in_the_late_slope() {
    let escapes = escape_from_a_well::run(60).expect("a solution");
    assert_eq!(escapes.len(), 3);
    for escape in &escapes {
        let slope = escape.late_slope();
        println!("order {}: late slope {slope:.3}", escape.order);
        if escape.order < 1.0 {
            // E_α(-λ t^α) ~ t^-α / (λ Γ(1-α)), with corrections of relative size t^-α.
            assert!((slope + escape.order).abs() < 0.05, "order {}: {slope}", escape.order);
        } else {
            assert!(slope < -2.0, "an exponential outruns every power: {slope}");
        }
        assert!(escape.missing.windows(2).all(|pair| pair[1] < pair[0]), "the well only empties");
    }
}

#[test]
fn three_losses_go_through_one_function() {
    let found = three_losses::run(2000, 2000).expect("estimates");
    let values: Vec<f64> = found.iter().map(|(_, _, estimate)| estimate.value).collect();
    println!("{values:?}");
    // n = 1000, g = 1: the well has t/(t + 1), the crossing 0.361.
    assert!((values[0] - 0.993).abs() < 0.06, "{}", values[0]);
    assert!((values[1] - 0.361).abs() < 0.1, "{}", values[1]);
    let (_, dimension, _) = found[2];
    assert!(values[2] > 0.5 && values[2] < 0.25 * dimension as f64, "{} of {dimension} parameters", values[2]);
}
