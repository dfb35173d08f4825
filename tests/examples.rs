//! The library examples, run at a coarse resolution and held to what they promise.

#[allow(dead_code)] // the printing is the example's own
#[path = "../examples/escape_from_a_well.rs"]
mod escape_from_a_well;

#[allow(dead_code)] // the printing is the example's own
#[path = "../examples/network_to_walk.rs"]
mod network_to_walk;

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

#[test]
fn a_network_becomes_a_landscape_and_a_walk_on_it() {
    let folder = std::env::temp_dir().join(format!("porewalk-examples-{}-walk", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let chain = network_to_walk::run(24, &folder).expect("a chain");
    let observables = &chain.walk.report.observables;
    assert!(observables.mass.iter().all(|mass| (mass - 1.0).abs() <= 1e-13), "{:?}", observables.mass);
    // The walk ends where the losses are low: its mean lies nearer to the end of the path (the origin) than the start.
    let start = &chain.plane.trajectory.as_ref().expect("a path").coordinates[0];
    let end = observables.mean.last().expect("an output");
    println!("start {start:?}, mean at the end {end:?}, {:?}", chain.section.learning_coefficient);
    assert!(end[0].hypot(end[1]) < 0.5 * start[0].hypot(start[1]), "{start:?} {end:?}");
    let (lowest, highest) = chain.section.diffusivity.expect("a spectral dimension").log10_range;
    assert!(highest - lowest < 2.0, "D spans {lowest} to {highest}");
    for figure in ["section/section.svg", "section/learning_coefficient.png", "walk/densities.svg"] {
        assert!(folder.join(figure).exists(), "{figure}");
    }
    std::fs::remove_dir_all(folder).expect("a removable folder");
}
