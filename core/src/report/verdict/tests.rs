//! Courses of losses, drawn, measured and random, and what is said of them.

use super::*;
use crate::random::{Rng, Seed};

/// Epochs of these losses, from the first one on.
fn history(train: &[f64], validation: &[f64]) -> History {
    let mut history = History::default();
    for (i, &train_loss) in train.iter().enumerate() {
        let validation_loss = validation.get(i).copied();
        let epoch = i + 1;
        history.epochs.push(EpochRecord {
            epoch,
            train_loss,
            validation_loss,
            ..EpochRecord::default()
        });
    }
    history
}

fn verdict(train: &[f64], validation: &[f64]) -> Verdict {
    Verdict::of(&history(train, validation))
}

fn falling(n: usize) -> Vec<f64> {
    (0..n).map(|i| 1.0 / (i + 1) as f64).collect()
}

/// Of how many of 400 random courses of the validation loss this is said, in percent; training losses fall.
fn part(
    n: usize,
    course: impl Fn(f64, &mut Rng) -> f64,
    is_said: impl Fn(&Verdict) -> bool,
) -> f64 {
    let said = (0..400).filter(|&seed| {
        let mut rng = Rng::new(Seed(seed), n as u64);
        let validation: Vec<f64> =
            (0..n).map(|i| course(i as f64 / (n - 1) as f64, &mut rng)).collect();
        is_said(&verdict(&falling(n), &validation))
    });
    100.0 * said.count() as f64 / 400.0
}

/// The training losses and validation losses of the examples `chars` and `mnist`.
const CHARS: [[f64; 8]; 2] = [
    [2.4340, 2.0431, 1.7408, 1.5837, 1.4835, 1.4096, 1.3492, 1.2990],
    [2.2721, 1.8565, 1.7014, 1.6262, 1.5845, 1.5568, 1.5446, 1.5420],
];
const MNIST: [[f64; 30]; 2] = [
    [
        1.7818, 0.8070, 0.4576, 0.3278, 0.2570, 0.2315, 0.2161, 0.1895, 0.1709, 0.1543, 0.1399,
        0.1288, 0.1103, 0.1098, 0.1030, 0.0932, 0.0876, 0.0709, 0.0691, 0.0567, 0.0414, 0.0411,
        0.0410, 0.0310, 0.0255, 0.0198, 0.0234, 0.0182, 0.0212, 0.0201,
    ],
    [
        0.7287, 0.3382, 0.2031, 0.1804, 0.1403, 0.1048, 0.1031, 0.1164, 0.0907, 0.0787, 0.0628,
        0.0893, 0.0662, 0.0443, 0.0627, 0.0770, 0.0483, 0.0413, 0.0442, 0.0748, 0.0432, 0.0324,
        0.0289, 0.0208, 0.0262, 0.0321, 0.0259, 0.0235, 0.0248, 0.0253,
    ],
];

#[test]
fn validation_that_rises_while_training_falls_is_overfitting() {
    let validation = [1.0, 0.8, 0.6, 0.5, 0.45, 0.42, 0.4, 0.43, 0.46, 0.5, 0.55, 0.6];
    let found = verdict(&falling(12), &validation);
    assert_eq!(
        found,
        Verdict::Overfitting {
            epoch: 7,
            from: 0.4,
            to: 0.5,
            fell: true,
            apart: false,
            restored: false
        }
    );
    assert_eq!(
        found.to_string(),
        "validation loss rose from epoch 7 (0.4000, then 0.5000) while training loss fell: stop there, or regularise"
    );
    let mut train = falling(12);
    train[3..].fill(0.0);
    let found = verdict(&train, &validation);
    assert_eq!(
        found,
        Verdict::Overfitting {
            epoch: 7,
            from: 0.4,
            to: 0.5,
            fell: false,
            apart: false,
            restored: false
        }
    );
    assert!(found.to_string().contains("while training loss hardly changed"), "{found}");
}

#[test]
fn a_rise_is_found_in_noise() {
    // From 1 to 0.5 in a third of the epochs, then up by half of that, with noise of 3 %.
    let course = |x: f64, rng: &mut Rng| {
        let smooth = if x < 1.0 / 3.0 { 1.0 - 1.5 * x } else { 0.5 + 0.375 * (x - 1.0 / 3.0) };
        smooth * (1.0 + 0.03 * rng.normal())
    };
    for n in [16, 20, 40, 80] {
        let found = part(n, course, |it| matches!(it, Verdict::Overfitting { .. }));
        assert!(found > 90.0, "{found} % of {n} epochs");
    }
}

#[test]
fn noise_is_no_rise() {
    let flat = |_: f64, rng: &mut Rng| 0.5 + 0.02 * rng.normal();
    let wild = |_: f64, rng: &mut Rng| 0.5 + 0.1 * rng.normal();
    let settling = |x: f64, rng: &mut Rng| (0.3 + (-8.0 * x).exp()) * (1.0 + 0.15 * rng.normal());
    let risen = |it: &Verdict| matches!(it, Verdict::Overfitting { .. } | Verdict::Rising { .. });
    let fallen = |it: &Verdict| matches!(it, Verdict::Improving { .. });
    for n in [6, 8, 10, 14, 20, 30, 60, 120] {
        let most = if n < 14 { 4.0 } else { 2.0 };
        for (name, found, most) in [
            ("flat", part(n, flat, risen), most),
            ("wild", part(n, wild, risen), most),
            ("settling", part(n, settling, risen), most),
            ("flat, falling", part(n, flat, fallen), 6.0),
        ] {
            assert!(found <= most, "{name}: {found} % of {n} epochs");
        }
    }
    let smallest = [0.300, 0.303, 0.301, 0.304, 0.302, 0.303];
    let found = verdict(&falling(6), &smallest);
    assert!(!risen(&found), "{found}");
}

#[test]
fn measured_courses_are_not_called_bad() {
    let [train, validation] = MNIST;
    for n in 4..=30 {
        let found = verdict(&train[..n], &validation[..n]);
        let best = (0..n).min_by(|&a, &b| validation[a].total_cmp(&validation[b])).unwrap();
        match found {
            // Every best epoch of these is one that the loss was falling at.
            Verdict::Improving { .. } => {}
            Verdict::Settled { .. } | Verdict::Unclear { .. } => {
                assert!(best + 1 < n, "{n}: {found}")
            }
            _ => panic!("{n} epochs: {found}"),
        }
    }
    let [train, validation] = CHARS;
    let mut chars = history(&train, &validation);
    for epoch in &mut chars.epochs {
        epoch.train_accuracy = Some(0.6);
    }
    assert_eq!(Verdict::of(&chars), Verdict::Improving { validated: true });
}

#[test]
fn what_rises_with_the_training_loss_is_no_overfitting() {
    let train = [1.0, 0.5, 0.3, 0.2, 0.4, 0.5, 0.6, 0.7];
    let validation = [1.0, 0.5, 0.3, 0.2, 0.5, 0.6, 0.7, 0.8];
    let found = verdict(&train, &validation);
    assert_eq!(
        found,
        Verdict::Rising { epoch: 4, from: 0.2, to: 0.7, validated: true, apart: false }
    );
    assert!(
        found
            .to_string()
            .starts_with("both losses rose from epoch 4 (validation loss 0.2000, then 0.7000)"),
        "{found}"
    );
    let found = verdict(&[1.0, 0.5, 0.2, 0.1, 0.3, 0.6, 0.8, 0.85], &[]);
    assert_eq!(
        found,
        Verdict::Rising { epoch: 4, from: 0.1, to: 0.8, validated: false, apart: false }
    );
    assert!(found.to_string().starts_with("training loss rose from epoch 4"), "{found}");
    for diverged in [&[2.3, 2.5, 3.8, 9.0, 11.0, 10.0, 12.0][..], &[1.0, 2.0, 4.0, 8.0]] {
        let found = verdict(diverged, &[]);
        assert!(matches!(found, Verdict::Diverged { .. }), "{found}");
    }
}

#[test]
fn losses_that_fall_to_the_end_are_improving() {
    let falling = falling(10);
    assert_eq!(verdict(&falling, &falling), Verdict::Improving { validated: true });
    assert_eq!(verdict(&falling, &[]), Verdict::Improving { validated: false });
    let slower = [1.0, 0.9, 0.85, 0.82, 0.80, 0.79];
    assert_eq!(verdict(&slower, &slower), Verdict::Improving { validated: true });
}

#[test]
fn a_jump_at_the_end_is_no_improvement() {
    for validation in [&[1.0, 0.5, 0.4, 0.8][..], &[1.0, 0.8, 0.6, 0.5, 0.45, 0.4, 0.35, 2.0]] {
        let found = verdict(&falling(validation.len()), validation);
        assert!(matches!(found, Verdict::Unclear { .. }), "{found}");
    }
    // Nor after a long time without one.
    let mut settled = vec![0.5; 30];
    settled[..3].copy_from_slice(&[1.0, 0.7, 0.49]);
    settled[29] = 0.8;
    let found = verdict(&settled, &settled);
    assert_eq!(
        found,
        Verdict::Unclear { epoch: 3, from: 0.49, to: 0.8, validated: true, apart: false }
    );
}

#[test]
fn what_is_settled_is_said_as_it_is() {
    let plateau: Vec<f64> = (0..10).map(|i| 0.3 + (-f64::from(i)).exp()).collect();
    let found = verdict(&plateau, &plateau);
    assert_eq!(found, Verdict::Settled { epoch: 10, last: 10, validated: true });
    assert_eq!(
        found.to_string(),
        "validation loss has nearly settled: it fell by less than 5% in the last third of the epochs, and epoch 10, the last, is the best"
    );
    let validation = [1.0, 0.8, 0.6, 0.5, 0.4, 0.32, 0.3, 0.31, 0.305, 0.32, 0.304, 0.31];
    let train = [1.0, 0.8, 0.6, 0.5, 0.4, 0.32, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3];
    assert_eq!(
        verdict(&train, &validation).to_string(),
        "validation loss has settled: epoch 7 is the best, and it has not clearly risen since"
    );
    let found = verdict(&train, &[]).to_string();
    assert!(found.ends_with("nothing says how good that is on other samples"), "{found}");
    let zeros = [0.0; 6];
    assert_eq!(verdict(&zeros, &zeros), Verdict::Settled { epoch: 1, last: 6, validated: true });
}

#[test]
fn a_gap_between_the_losses_is_said() {
    let train: Vec<f64> = (0..12).map(|i| 0.9_f64.powi(i * 4)).collect();
    let mut validation = [0.94; 12];
    validation[0] = 1.0;
    let found = verdict(&train, &validation);
    assert!(matches!(found, Verdict::Memorised { validation: 0.94, .. }), "{found:?}");
    assert!(found.to_string().contains("by heart"), "{found}");
    // Not where both losses have become small.
    validation = [0.04; 12];
    validation[0] = 1.0;
    assert!(matches!(verdict(&train, &validation), Verdict::Settled { .. }));
}

#[test]
fn what_is_not_learned_is_underfitting() {
    let flat = [2.31, 2.305, 2.303, 2.302, 2.303, 2.302, 2.302, 2.302];
    let found = verdict(&flat, &flat);
    assert_eq!(found, Verdict::Underfitting { from: 2.31, to: 2.302 });
    assert!(found.to_string().starts_with("training loss hardly changed"), "{found}");
    // A second training, and one of a network that knew before, have little to learn.
    let settled = Verdict::Settled { epoch: 6, last: 6, validated: false };
    let train = [0.0200, 0.0195, 0.0192, 0.0190, 0.0189, 0.0188];
    let mut again = history(&train, &[]);
    again.epochs.iter_mut().for_each(|epoch| epoch.train_accuracy = Some(0.995));
    assert_eq!(Verdict::of(&again), settled);
    again.epochs.iter_mut().for_each(|epoch| {
        epoch.train_accuracy = None;
        epoch.epoch += 10;
    });
    assert_eq!(Verdict::of(&again), Verdict::Settled { epoch: 16, last: 16, validated: false });
    // Nor is it where half of the answers are right and the loss fell.
    let mut half = history(&[2.0, 1.4, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2], &[]);
    half.epochs.iter_mut().for_each(|epoch| epoch.train_accuracy = Some(0.5));
    assert!(matches!(Verdict::of(&half), Verdict::Settled { .. }));
}

#[test]
fn short_and_bad_runs_are_said_to_be_so() {
    assert_eq!(verdict(&[], &[]), Verdict::Nothing);
    assert_eq!(verdict(&[1.0], &[2.0]), Verdict::TooShort(1));
    assert_eq!(verdict(&[1.0, 0.5, 0.2], &[]), Verdict::TooShort(3));
    let found = verdict(&[1.0, f64::NAN, 0.2], &[]);
    assert!(matches!(found, Verdict::NotFinite { epoch: 2, .. }), "{found:?}");
    let found = verdict(&[1.0, 0.5], &[1.0, f64::INFINITY]);
    assert_eq!(found, Verdict::NotFinite { epoch: 2, loss: f64::INFINITY });
    let mut failed = history(&falling(9), &[]);
    failed.failure = Some("the disk is full".to_owned());
    assert_eq!(Verdict::of(&failed).to_string(), "training failed after 9 epochs");
}

/// The verdict on these losses beside the best constant answer's.
fn beside(constant: f64, train: &[f64], validation: &[f64]) -> Verdict {
    let mut history = history(train, validation);
    history.constant_loss = Some(constant);
    Verdict::of(&history)
}

#[test]
fn what_is_no_better_than_a_constant_is_not_settled() {
    let constant = 2f64.ln();
    // Noise: no course of the validation loss about the constant's is called good.
    let good = |it: &Verdict| matches!(it, Verdict::Settled { .. } | Verdict::Underfitting { .. });
    for n in [6, 10, 20, 60] {
        let said = (0..100).filter(|&seed| {
            let mut rng = Rng::new(Seed(seed), n);
            let losses: Vec<f64> = (0..n).map(|_| 0.70 + 0.003 * rng.normal()).collect();
            let found = beside(constant, &losses, &losses);
            assert!(!good(&found), "{found:?}");
            matches!(found, Verdict::NoBetter { .. })
        });
        assert!(said.count() > 90, "{n} epochs");
    }
    // What learns its samples by heart, or rises, is of no more use.
    let flat = [0.71, 0.70, 0.70, 0.70, 0.70, 0.70, 0.70, 0.70, 0.70, 0.70];
    let rising = [0.71, 0.70, 0.70, 0.72, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0];
    for validation in [flat, rising] {
        let found = beside(constant, &falling(10), &validation);
        let expected = Verdict::NoBetter {
            loss: 0.70,
            constant,
            validated: true,
            apart: false,
            best: true,
            falling: false,
        };
        assert_eq!(found, expected);
        assert_eq!(found.headline(), "No better than a constant");
        assert!(
            found.to_string().starts_with("validation loss is 0.7000 at best, and one answer that is the same for all samples has 0.6931: the network has learned nothing that helps; see"),
            "{found}"
        );
    }
    // Where it was still falling, that is said.
    let above: Vec<f64> = (0..10).map(|i| 3.0 - 0.1 * f64::from(i)).collect();
    let found = beside(constant, &falling(10), &above);
    assert!(matches!(found, Verdict::NoBetter { falling: true, .. }), "{found:?}");
    // One epoch that was better by chance, and a network that has the weights of a bad one.
    let jumping = [1.5, 0.9, 3.0, 0.6, 2.5, 1.2, 2.9, 1.1, 2.2, 3.4];
    let mut lucky = history(&falling(10), &jumping);
    lucky.constant_loss = Some(constant);
    lucky.weights_of = Some(10);
    let found = Verdict::of(&lucky);
    assert!(matches!(found, Verdict::NoBetter { best: false, .. }), "{found:?}");
    assert!(found.to_string().contains("3.4000 with the weights that the network has"), "{found}");
    // Stopped early with the best weights put back, what came afterwards does not matter.
    let stopped = [1.0, 0.5, 0.3, 0.2, 0.21, 0.9];
    let mut early = history(&falling(6), &stopped);
    assert!(matches!(Verdict::of(&early), Verdict::Unclear { .. }), "{:?}", Verdict::of(&early));
    (early.stopped_early, early.weights_of) = (true, Some(4));
    assert!(matches!(Verdict::of(&early), Verdict::Settled { epoch: 4, .. }));
    let mut rising = history(&falling(10), &[1.0, 0.5, 0.3, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    (rising.stopped_early, rising.weights_of) = (true, Some(4));
    let found = Verdict::of(&rising).to_string();
    let expected = "training was stopped, and the network has the weights of that epoch";
    assert!(found.starts_with("validation loss rose from epoch 4") && found.ends_with(expected));
    // Without validation, the training loss.
    let found = beside(constant, &flat, &[]);
    let expected = Verdict::NoBetter {
        loss: 0.70,
        constant,
        validated: false,
        apart: false,
        best: true,
        falling: false,
    };
    assert_eq!(found, expected);
    assert!(found.to_string().starts_with("training loss is 0.7000 at best"), "{found}");
}

#[test]
fn what_is_better_is_called_as_before() {
    // A best loss that was clearly below the constant's.
    let validation = [0.69, 0.6, 0.5, 0.45, 0.42, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
    let found = beside(2f64.ln(), &falling(12), &validation);
    assert!(matches!(found, Verdict::Overfitting { epoch: 6, .. }), "{found:?}");
    let settled = [0.7, 0.6, 0.5, 0.45, 0.44, 0.44, 0.44, 0.44, 0.44];
    let found = beside(2f64.ln(), &settled, &settled);
    assert!(matches!(found, Verdict::Settled { .. }), "{found:?}");
    // One that is on its way.
    let slow = [9.0, 8.0, 7.0, 6.0, 5.0, 4.5, 4.0, 3.5, 3.0];
    let found = beside(2f64.ln(), &slow, &slow);
    assert!(matches!(found, Verdict::NoBetter { falling: true, .. }), "{found:?}");
    assert!(found.to_string().contains("it was still falling, so that more epochs"), "{found}");
    let below = slow.map(|loss| loss / 9.0);
    assert_eq!(beside(2f64.ln(), &below, &below), Verdict::Improving { validated: true });
    // Worse than that comes first.
    let found = beside(2f64.ln(), &[1.0, 2.0, 4.0, 8.0], &[]);
    assert!(matches!(found, Verdict::Diverged { .. }), "{found:?}");
    // Targets that are all alike; and those of other samples than the losses.
    let flat = [0.3; 6];
    assert!(matches!(beside(0.0, &flat, &flat), Verdict::Underfitting { .. }));
    assert!(matches!(beside(0.2, &flat, &[0.3]), Verdict::Underfitting { .. }));
}

#[test]
fn validation_that_is_far_off_from_the_first_epoch_on_has_a_hint() {
    let hint = "; validation loss was far above training loss from the first epoch on: see that the validation inputs are scaled as the training inputs are, and so targets that are numbers";
    let train: Vec<f64> = falling(12).iter().map(|loss| 0.5 * loss).collect();
    let rising: Vec<f64> = (0..12).map(|i| 20.0 + f64::from(i)).collect();
    let found = verdict(&train, &rising);
    assert!(matches!(found, Verdict::Overfitting { apart: true, .. }), "{found:?}");
    assert!(found.to_string().ends_with(hint), "{found}");
    let found = beside(0.69, &train, &rising);
    assert!(matches!(found, Verdict::NoBetter { apart: true, .. }), "{found:?}");
    let said = "validation loss is 20.0000 at best, and one answer that is the same for all samples has 0.6900";
    assert_eq!(found.to_string(), format!("{said}{hint}"));
    let flat = [20.0; 12];
    let found = verdict(&train, &flat);
    assert!(matches!(found, Verdict::Memorised { apart: true, .. }), "{found:?}");
    // Not where they began together, and not in a training that goes on.
    let apart: Vec<f64> =
        rising.iter().enumerate().map(|(i, x)| if i == 0 { 0.6 } else { *x }).collect();
    assert!(!verdict(&train, &apart).to_string().contains("scaled as"));
    let mut later = history(&train, &rising);
    later.epochs.iter_mut().for_each(|epoch| epoch.epoch += 10);
    assert!(!Verdict::of(&later).to_string().contains("scaled as"));
}
