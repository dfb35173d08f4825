//! The library examples, run at a coarse resolution and held to what they promise.

#[allow(dead_code)] // the printing is the example's own
#[path = "../examples/escape_from_a_well.rs"]
mod escape_from_a_well;

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
