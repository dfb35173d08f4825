//! Optimisers against steps computed elsewhere, and ensembles against themselves.

mod support;

use std::sync::Mutex;

use porewalk::dynamics::{
    Adam, Batches, Decay, Memory, Optimiser, Rmsprop, Schedule, Sgd, Training, TrainingBlock, optimiser,
};
use porewalk::landscape::{LANES, Sampled, WalkerBlock};
use support::sampled_quadratic::SampledQuadratic;

/// Four steps from (1, -1/2) with gradients (1.5 w1 + 0.3, 10 w2^3), by the documented rules of torch.optim in 40 decimal
/// digits.
#[test]
fn steps_are_those_of_the_customary_software() {
    let cases: [(&dyn Optimiser, f64, [f64; 2]); 10] = [
        (&Sgd::default(), 0.1, [0.4264075, -0.2647100238624785]),
        (&Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.01 }, 0.1, [-0.286908868569, 0.0927800973029549]),
        (&Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 }, 0.1, [-0.39801651425, 0.0796372582183594]),
        (&Adam::default(), 0.05, [0.8005985099291162, -0.3089090230136463]),
        (
            &Adam { square_decay: 0.99, weight_decay: 0.1, ..Adam::default() },
            0.05,
            [0.8005631607879464, -0.3082430255165754],
        ),
        (
            &Adam { weight_decay: 0.1, decoupled: true, ..Adam::default() },
            0.05,
            [0.7823136356249135, -0.3011244494671062],
        ),
        (&Rmsprop::default(), 0.01, [0.7327541819374528, -0.3010719657912224]),
        (
            &Rmsprop { square_decay: 0.9, stabilizer: 1e-6, weight_decay: 0.1, momentum: 0.5, centered: false },
            0.01,
            [0.8568394905204637, -0.3698482322855696],
        ),
        (
            &Rmsprop { square_decay: 0.9, stabilizer: 1e-6, weight_decay: 0.0, momentum: 0.5, centered: true },
            0.01,
            [0.8408247312887155, -0.3584042034624229],
        ),
        (
            &Rmsprop { square_decay: 0.9, stabilizer: 1e-3, weight_decay: 0.0, momentum: 0.0, centered: true },
            0.01,
            [0.8992504680997554, -0.4087875359476626],
        ),
    ];
    for (place, (optimiser, rate, expected)) in cases.into_iter().enumerate() {
        optimiser.check().expect("settings in their ranges");
        let mut walkers = WalkerBlock::at(&[1.0, -0.5]);
        let (mut gradient, mut memory) = (WalkerBlock::zeros(2), Memory::default());
        for count in 0..4 {
            let rows = walkers.rows();
            gradient.rows_mut()[0] = rows[0].map(|w| 1.5 * w + 0.3);
            gradient.rows_mut()[1] = rows[1].map(|w| 10.0 * w * w * w);
            optimiser.step(count, rate, &gradient, &mut walkers, &mut memory);
        }
        for (row, expected) in walkers.rows().iter().zip(expected) {
            for value in row {
                assert!((value - expected).abs() < 1e-14, "case {place}, {}: {value} {expected}", optimiser.name());
            }
        }
    }
}

#[test]
fn settings_out_of_their_ranges_are_refused() {
    let bad: [&dyn Optimiser; 6] = [
        &Sgd { momentum: 1.0, ..Sgd::default() },
        &Sgd { nesterov: true, ..Sgd::default() },
        &Sgd { weight_decay: -1.0, ..Sgd::default() },
        &Adam { square_decay: 1.0, ..Adam::default() },
        &Adam { stabilizer: 0.0, ..Adam::default() },
        &Rmsprop { square_decay: -0.1, ..Rmsprop::default() },
    ];
    assert!(bad.iter().all(|optimiser| optimiser.check().is_err()));
    assert!(optimiser::all().iter().all(|optimiser| optimiser.check().is_ok()));
    assert!(optimiser::by_name("adam").is_some() && optimiser::by_name("lion").is_none());
}

fn starts(count: usize) -> Vec<Vec<f64>> {
    (0..count).map(|k| (0..5).map(|i| ((7 * k + 3 * i) % 11) as f64 / 11.0).collect()).collect()
}

fn landscape() -> SampledQuadratic {
    SampledQuadratic { curvatures: vec![0.5, 1.0, 2.0, 3.0, 4.0], spreads: vec![0.3; 5], sample_count: 128 }
}

#[test]
fn a_walker_depends_on_its_seed_alone() {
    let landscape = landscape();
    for optimiser in optimiser::all() {
        for batches in [Batches::Full, Batches::Draws(7), Batches::Epochs(20)] {
            let training = Training {
                landscape: &landscape,
                optimiser: &*optimiser,
                schedule: Schedule { rate: 0.02, warm_up: 10, decay: Decay::Cosine { steps: 200, end: 0.1 } },
                steps: 150,
                batches,
                seed: 4,
                threads: 1,
            };
            let mut alone = TrainingBlock::all(&starts(21), 0);
            let losses = training.run(&mut alone, &[], &|_| Ok(())).expect("trained");
            assert_eq!(losses.len(), 21);

            // Three threads; stopped at step 61 and taken up again.
            let kept = Mutex::new(Vec::new());
            let mut blocks = TrainingBlock::all(&starts(21), 0);
            let keep = |block: &TrainingBlock| {
                kept.lock().expect("no panic").push(block.clone());
                Ok(())
            };
            let again = Training { threads: 3, ..training }.run(&mut blocks, &[0, 61, 150], &keep).expect("trained");
            assert_eq!(losses, again);
            assert_eq!(alone, blocks);
            let mut kept = kept.into_inner().expect("no panic");
            assert_eq!(kept.len(), 9);
            kept.retain(|block| block.step == 61);
            kept.sort_by_key(|block| block.first_walker);
            let resumed = training.run(&mut kept, &[], &|_| Ok(())).expect("trained");
            assert_eq!(losses, resumed);
            assert_eq!(alone, kept);

            // Walkers 3 to 12 only: other lanes, other padding.
            let mut few = TrainingBlock::all(&starts(21)[3..13], 3);
            let some = training.run(&mut few, &[], &|_| Ok(())).expect("trained");
            assert_eq!(losses[3..13], some);
        }
    }
}

#[test]
fn ensembles_reach_the_minimum_and_errors_stop_them() {
    let landscape = landscape();
    let training = Training {
        landscape: &landscape,
        optimiser: &Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 },
        schedule: Schedule::constant(0.05),
        steps: 500,
        batches: Batches::Full,
        seed: 0,
        threads: 2,
    };
    let mut blocks = TrainingBlock::all(&starts(LANES + 1), 0);
    let losses = training.run(&mut blocks, &[], &|_| Ok(())).expect("trained");
    assert!(losses.iter().all(|loss| (loss - landscape.floor()).abs() < 1e-9), "{losses:?}");

    let fail = |_: &TrainingBlock| Err(porewalk::Error::NotFinite { stage: "a test".into() });
    let mut blocks = TrainingBlock::all(&starts(3), 0);
    assert!(training.run(&mut blocks, &[10], &fail).is_err());
    assert_eq!(blocks[0].step, 10);
    let mut short = TrainingBlock::all(&[vec![0.0; 4]], 0);
    assert!(training.run(&mut short, &[], &|_| Ok(())).is_err());
    let too_large = Batches::Epochs(landscape.sample_count() + 1);
    for wrong in [Batches::Draws(0), Batches::Epochs(0), too_large] {
        assert!(Training { batches: wrong, ..training }.check().is_err());
    }
}
