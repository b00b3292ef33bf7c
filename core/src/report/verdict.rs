//! What the losses of a training say about it, in a sentence.
//!
//! The validation loss of the best epoch is compared with what came after it, and the training loss of the two: where one
//! rose while the other fell, the network learned its training samples by heart. What is noise from epoch to epoch is
//! not a rise.

use std::fmt;

use crate::train::{EpochRecord, History};

/// From how many epochs on there is something to say.
const ENOUGH: usize = 4;
/// By how much the validation loss is above its best, of that, where it has risen however little it fell before.
const RISEN: f64 = 0.25;
/// By how much it is above its best, of what it had fallen, where it has risen.
const GIVEN_BACK: f64 = 0.1;
/// By how much of it a loss that still falls fell in the last third of the epochs.
const FALLING: f64 = 0.05;
/// Of how much of the first training loss the last one is more, where next to nothing was learned.
const UNLEARNED: f64 = 0.9;
/// Of training samples that are to be told apart, the part of right answers below which the network has not learned
/// them.
const UNFIT: f64 = 0.7;

/// What the losses of a training say about it. `{}` writes it as a sentence.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::report::Verdict;
/// # let history = netform::train::History::default();
/// assert_eq!(Verdict::of(&history), Verdict::Nothing);
/// println!("{}", Verdict::of(&history));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// There is no epoch.
    Nothing,
    /// There are too few epochs: so many.
    TooShort(usize),
    /// A loss is infinite or not a number.
    NotFinite {
        /// The first such epoch.
        epoch: usize,
        /// Its loss.
        loss: f64,
    },
    /// The training loss rose.
    Diverged {
        /// The first training loss.
        from: f64,
        /// The last one.
        to: f64,
    },
    /// The validation loss rose while the training loss fell.
    Overfitting {
        /// The epoch from which on it rose: the best one.
        epoch: usize,
        /// The validation loss there.
        from: f64,
        /// The validation loss at the end.
        to: f64,
    },
    /// The network does not even fit what it is trained on.
    Underfitting {
        /// The first training loss.
        from: f64,
        /// The last one.
        to: f64,
        /// The part of the training samples that was classified correctly, at the end.
        accuracy: Option<f64>,
    },
    /// The validation loss was still falling at the end, or the training loss where there is no validation.
    Improving {
        /// Whether it is the validation's.
        validated: bool,
    },
    /// The losses do not fall any more, and the validation loss has not risen.
    Settled {
        /// The best epoch.
        epoch: usize,
        /// Whether there is a validation loss.
        validated: bool,
    },
}

impl Verdict {
    /// The verdict on a training.
    pub fn of(history: &History) -> Self {
        let epochs = &history.epochs[..];
        let (Some(first), Some(last)) = (epochs.first(), epochs.last()) else {
            return Verdict::Nothing;
        };
        if let Some((epoch, loss)) = epochs.iter().find_map(not_finite) {
            return Verdict::NotFinite { epoch, loss };
        }
        if epochs.len() < ENOUGH {
            return Verdict::TooShort(epochs.len());
        }
        // Epochs without validation are of another training, which went on with it or without.
        let validated: Vec<_> = epochs.iter().filter(|it| it.validation_loss.is_some()).collect();
        if let Some(verdict) = overfitting(&validated) {
            return verdict;
        }
        let (from, to) = (first.train_loss, last.train_loss);
        if to > from && recent(epochs, |epoch| epoch.train_loss) > from {
            return Verdict::Diverged { from, to };
        }
        let has_validation = validated.len() >= ENOUGH;
        let watched: Vec<f64> = match has_validation {
            true => validated.iter().map(|epoch| epoch.monitored()).collect(),
            false => epochs.iter().map(|epoch| epoch.train_loss).collect(),
        };
        if is_falling(&watched) {
            return Verdict::Improving { validated: has_validation };
        }
        let accuracy = last.train_accuracy;
        if to > UNLEARNED * from && to > 0.0 || accuracy.is_some_and(|part| part < UNFIT) {
            return Verdict::Underfitting { from, to, accuracy };
        }
        let best = history.best_by("loss").unwrap_or(last);
        Verdict::Settled { epoch: best.epoch, validated: has_validation }
    }

    /// The verdict in a word or two.
    pub fn headline(&self) -> &'static str {
        match self {
            Verdict::Nothing => "Nothing to judge",
            Verdict::TooShort(_) => "Too short to say",
            Verdict::NotFinite { .. } => "Not finite",
            Verdict::Diverged { .. } => "Diverged",
            Verdict::Overfitting { .. } => "Overfitting",
            Verdict::Underfitting { .. } => "Underfitting",
            Verdict::Improving { .. } => "Still improving",
            Verdict::Settled { .. } => "Settled",
        }
    }
}

/// The first loss of an epoch that is infinite or not a number.
fn not_finite(epoch: &EpochRecord) -> Option<(usize, f64)> {
    let losses = [Some(epoch.train_loss), epoch.validation_loss];
    let bad = losses.into_iter().flatten().find(|loss| !loss.is_finite())?;
    Some((epoch.epoch, bad))
}

/// Whether the validation loss has risen since its best epoch while the training loss fell.
fn overfitting(epochs: &[&EpochRecord]) -> Option<Verdict> {
    let loss = |epoch: &EpochRecord| epoch.monitored();
    let at = (0..epochs.len()).min_by(|&a, &b| loss(epochs[a]).total_cmp(&loss(epochs[b])))?;
    let after = &epochs[at + 1..];
    if after.len() < 2 {
        return None;
    }
    let (best, first) = (epochs[at], epochs[0]);
    let from = loss(best);
    let to = recent(after, |epoch| loss(epoch));
    let rise = to - from;
    let risen = rise > RISEN * from.abs() || rise > GIVEN_BACK * (loss(first) - from);
    // At the least a thousandth: the last digits are noise.
    let risen = risen && rise > 1e-3 * from.abs();
    let fell = recent(after, |epoch| epoch.train_loss) < best.train_loss;
    (risen && fell).then_some(Verdict::Overfitting { epoch: best.epoch, from, to })
}

/// The middle one of the last few values.
fn recent<E>(epochs: &[E], value: impl Fn(&E) -> f64) -> f64 {
    let mut last: Vec<f64> = epochs[epochs.len().saturating_sub(3)..].iter().map(value).collect();
    last.sort_by(f64::total_cmp);
    last.get(last.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whether the least loss is one of the last, and clearly below the least of before the last third.
fn is_falling(losses: &[f64]) -> bool {
    let third = losses.len().div_ceil(3);
    let (before, last) = losses.split_at(losses.len() - third);
    let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
    let newest = least(&losses[losses.len() - third.min(2)..]);
    newest <= least(last) && least(before) - newest > FALLING * least(before).abs()
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Verdict::Nothing => f.write_str("no epoch came to its end: there is nothing to judge"),
            Verdict::TooShort(1) => {
                f.write_str("one epoch is too short to say: train for more epochs")
            }
            Verdict::TooShort(epochs) => {
                write!(f, "{epochs} epochs are too short to say: train for more of them")
            }
            Verdict::NotFinite { epoch, loss } => write!(
                f,
                "a loss is {loss} in epoch {epoch}: look for a learning rate that is too large, or for data that are not finite"
            ),
            Verdict::Diverged { from, to } => write!(
                f,
                "training loss rose from {from:.4} to {to:.4}: try a smaller learning rate"
            ),
            Verdict::Overfitting { epoch, from, to } => write!(
                f,
                "validation loss rose from epoch {epoch} ({from:.4}, then {to:.4}) while training loss fell: stop there, or regularise"
            ),
            Verdict::Underfitting { from, to, accuracy } => {
                match accuracy {
                    Some(part) if part < UNFIT => write!(
                        f,
                        "only {:.1}% of the training samples are classified correctly, and their loss does not fall any more ({to:.4})",
                        100.0 * part
                    )?,
                    _ => write!(f, "training loss hardly fell, from {from:.4} to {to:.4}")?,
                }
                f.write_str(": try a larger network, another learning rate, or other features")
            }
            Verdict::Improving { validated: true } => f.write_str(
                "validation loss was still falling at the end: more epochs may make it better",
            ),
            Verdict::Improving { validated: false } => f.write_str(
                "training loss was still falling at the end; without validation data nothing says whether that helps on other samples",
            ),
            Verdict::Settled { epoch, validated: true } => write!(
                f,
                "validation loss has settled: epoch {epoch} is the best, and it has not risen since"
            ),
            Verdict::Settled { epoch, validated: false } => write!(
                f,
                "training loss has settled, epoch {epoch} is the best; without validation data nothing says how good that is on other samples"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(train: &[f64], validation: &[f64]) -> Verdict {
        let mut history = History::default();
        for (i, &train_loss) in train.iter().enumerate() {
            let validation_loss = validation.get(i).copied();
            let record =
                EpochRecord { epoch: i + 1, train_loss, validation_loss, ..EpochRecord::default() };
            history.epochs.push(record);
        }
        Verdict::of(&history)
    }

    #[test]
    fn validation_that_rises_while_training_falls_is_overfitting() {
        let train: Vec<f64> = (0..12).map(|i| 1.0 / f64::from(i + 1)).collect();
        let validation = [1.0, 0.8, 0.6, 0.5, 0.45, 0.42, 0.4, 0.43, 0.46, 0.5, 0.55, 0.6];
        let found = verdict(&train, &validation);
        assert_eq!(found, Verdict::Overfitting { epoch: 7, from: 0.4, to: 0.55 });
        assert_eq!(
            found.to_string(),
            "validation loss rose from epoch 7 (0.4000, then 0.5500) while training loss fell: stop there, or regularise"
        );
        // Both rise: that is something else.
        let train = [1.0, 0.8, 0.6, 0.5, 0.45, 0.42, 0.4, 0.8, 0.9, 1.0, 1.2, 1.3];
        assert!(matches!(verdict(&train, &validation), Verdict::Diverged { .. }));
    }

    #[test]
    fn noise_is_not_a_rise() {
        let train: Vec<f64> = (0..12).map(|i| 1.0 / f64::from(i + 1)).collect();
        let validation = [1.0, 0.8, 0.6, 0.5, 0.4, 0.32, 0.3, 0.31, 0.305, 0.32, 0.304, 0.31];
        assert_eq!(verdict(&train, &validation), Verdict::Settled { epoch: 7, validated: true });
    }

    #[test]
    fn losses_that_fall_to_the_end_are_improving() {
        let falling: Vec<f64> = (0..10).map(|i| 1.0 / f64::from(i + 1)).collect();
        assert_eq!(verdict(&falling, &falling), Verdict::Improving { validated: true });
        assert_eq!(verdict(&falling, &[]), Verdict::Improving { validated: false });
    }

    #[test]
    fn what_is_not_learned_is_underfitting() {
        let flat = [2.31, 2.305, 2.303, 2.302, 2.303, 2.302, 2.302, 2.302];
        let found = verdict(&flat, &flat);
        assert_eq!(found, Verdict::Underfitting { from: 2.31, to: 2.302, accuracy: None });
        assert!(found.to_string().starts_with("training loss hardly fell"), "{found}");
        let mut history = History::default();
        for (i, train_loss) in [2.0, 1.4, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2].into_iter().enumerate() {
            let train_accuracy = Some(0.5);
            let epoch = i + 1;
            let record =
                EpochRecord { epoch, train_loss, train_accuracy, ..EpochRecord::default() };
            history.epochs.push(record);
        }
        let found = Verdict::of(&history).to_string();
        assert!(found.starts_with("only 50.0% of the training samples"), "{found}");
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
    }

    #[test]
    fn a_perfect_fit_is_not_underfitting() {
        let zeros = [0.0; 6];
        assert_eq!(verdict(&zeros, &zeros), Verdict::Settled { epoch: 1, validated: true });
    }
}
