//! What the losses of a training say about it, in a sentence.
//!
//! A sentence says only what was found. Losses go up and down from epoch to epoch, and the best of many is low by chance:
//! so it is medians of neighbouring epochs that are compared, and what differs by no more than the usual scatter of an
//! epoch about its neighbours is the same.

mod text;

use crate::train::{EpochRecord, History};

/// From how many epochs on there is something to say.
const ENOUGH: usize = 4;
/// So many times the scatter is no noise: of losses that are normal noise alone, less than 3 courses in 100 of 6 to 14
/// epochs seem to have risen, and less than 1 of 20 and more.
const NOISE: f64 = 3.5;
/// The part of a loss below which a change is of no interest, however smooth it is.
const MATTERS: f64 = 0.02;
/// How many epochs must follow the best one before anything is said to have risen since.
const AFTER: usize = 3;
/// By which part of it a loss is above another where that needs no comparison with noise.
const JUMPED: f64 = 0.25;
/// By which part of it the least loss fell in the last third of the epochs, where a best last epoch is no chance.
const FALLING: f64 = 0.05;
/// Of how much of the first training loss the last one is more, where next to nothing was learned.
const UNLEARNED: f64 = 0.9;
/// The part of right answers from which on something was learned, whatever the loss did: before this training.
const KNOWN: f64 = 0.9;
/// Below which part of the validation loss the training loss is where samples are known by heart.
const BY_HEART: f64 = 0.5;
/// Down to which part of the first one the validation loss falls where what was learned helps, whatever the gap is.
const HELPED: f64 = 0.1;
/// Below which part of the best constant answer's loss the best loss is where something was learned.
const BETTER: f64 = 0.98;
/// So many times the training loss is a validation loss that is far above it.
const APART: f64 = 3.0;

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
    /// Training ended with an error after so many epochs: [`History::failure`].
    Failed(usize),
    /// The training loss ended above where it began.
    Diverged {
        /// The first training loss.
        from: f64,
        /// The last one.
        to: f64,
    },
    /// The validation loss rose while the training loss did not.
    Overfitting {
        /// The epoch from which on it rose: the best one.
        epoch: usize,
        /// The validation loss there.
        from: f64,
        /// The validation loss at the end.
        to: f64,
        /// Whether the training loss fell; else it hardly changed.
        fell: bool,
        /// Whether the validation loss was far above the training loss from the first epoch on.
        apart: bool,
        /// Whether training was stopped early, and the network has the weights of the best epoch again.
        restored: bool,
    },
    /// Both losses rose, or the training loss where there is no validation.
    Rising {
        /// The epoch from which on they rose: the best one.
        epoch: usize,
        /// The loss there, the validation's if there is one.
        from: f64,
        /// That loss at the end.
        to: f64,
        /// Whether it is the validation's.
        validated: bool,
        /// Whether the validation loss was far above the training loss from the first epoch on.
        apart: bool,
    },
    /// The last loss is clearly above the best, and it is too early to say whether that is chance.
    Unclear {
        /// The best epoch.
        epoch: usize,
        /// The loss there, the validation's if there is one.
        from: f64,
        /// That loss in the last epoch.
        to: f64,
        /// Whether it is the validation's.
        validated: bool,
        /// Whether the validation loss was far above the training loss from the first epoch on.
        apart: bool,
    },
    /// The best loss, or that of the weights which the network has, is not clearly below that of the best constant answer
    /// ([`History::constant_loss`]).
    NoBetter {
        /// That loss, the validation's if there is one.
        loss: f64,
        /// The loss of the constant answer.
        constant: f64,
        /// Whether they are the validation's.
        validated: bool,
        /// Whether the validation loss was far above the training loss from the first epoch on.
        apart: bool,
        /// Whether the loss is the best one; else it is that of the weights that the network has.
        best: bool,
        /// Whether it was still falling at the end.
        falling: bool,
    },
    /// The network hardly fits what it is trained on.
    Underfitting {
        /// The first training loss.
        from: f64,
        /// The last one.
        to: f64,
    },
    /// The validation loss was still falling at the end, or the training loss where there is no validation.
    Improving {
        /// Whether it is the validation's.
        validated: bool,
    },
    /// The validation loss does not fall any more, and is far above the training loss.
    Memorised {
        /// The training loss at the end.
        train: f64,
        /// The validation loss at the end.
        validation: f64,
        /// Whether the validation loss was far above the training loss from the first epoch on.
        apart: bool,
    },
    /// The loss hardly falls any more, and has not clearly risen.
    Settled {
        /// The best epoch.
        epoch: usize,
        /// The last epoch.
        last: usize,
        /// Whether there is a validation loss.
        validated: bool,
    },
}

impl Verdict {
    /// The verdict on a training.
    pub fn of(history: &History) -> Self {
        let epochs = &history.epochs[..];
        if let Some((epoch, loss)) = epochs.iter().find_map(not_finite) {
            return Verdict::NotFinite { epoch, loss };
        }
        if history.failure.is_some() {
            return Verdict::Failed(epochs.len());
        }
        match epochs.len() {
            0 => Verdict::Nothing,
            n if n < ENOUGH => Verdict::TooShort(n),
            _ => Losses::of(history).verdict(),
        }
    }

    /// The verdict in a word or two.
    pub fn headline(&self) -> &'static str {
        match self {
            Verdict::Nothing => "Nothing to judge",
            Verdict::TooShort(_) => "Too short to say",
            Verdict::NotFinite { .. } => "Not finite",
            Verdict::Failed(_) => "Failed",
            Verdict::Diverged { .. } => "Diverged",
            Verdict::Overfitting { .. } => "Overfitting",
            Verdict::Rising { .. } => "Rising",
            Verdict::Unclear { .. } => "Unclear",
            Verdict::NoBetter { .. } => "No better than a constant",
            Verdict::Underfitting { .. } => "Underfitting",
            Verdict::Improving { .. } => "Still improving",
            Verdict::Memorised { .. } => "Known by heart",
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

/// The losses of at least [`ENOUGH`] epochs, all of them finite.
struct Losses<'h> {
    epochs: Vec<&'h EpochRecord>,
    /// Whether all of the epochs have a validation loss.
    validated: bool,
    train: Vec<f64>,
    /// The validation's, or the training's.
    watched: Vec<f64>,
    /// The place of the least of those.
    best: usize,
    /// The loss of the best constant answer to the same samples.
    constant: Option<f64>,
    /// The place of the epoch whose weights the network has.
    kept: Option<usize>,
    /// Whether training was stopped early, and the network has the best weights.
    restored: bool,
}

impl<'h> Losses<'h> {
    fn of(history: &'h History) -> Self {
        let epochs = &history.epochs[..];
        // Epochs without validation are of another training, which went on with it or without.
        let with: Vec<_> = epochs.iter().filter(|it| it.validation_loss.is_some()).collect();
        let validated = with.len() >= ENOUGH;
        let constant = history.constant_loss.filter(|_| validated != with.is_empty());
        let epochs = if validated { with } else { epochs.iter().collect() };
        let train: Vec<f64> = epochs.iter().map(|epoch| epoch.train_loss).collect();
        let watched = match validated {
            true => epochs.iter().map(|epoch| epoch.monitored()).collect(),
            false => train.clone(),
        };
        let order = |&a: &usize, &b: &usize| watched[a].total_cmp(&watched[b]);
        let best = (0..watched.len()).min_by(order).unwrap_or_default();
        let kept = epochs.iter().position(|epoch| Some(epoch.epoch) == history.weights_of);
        let restored = history.stopped_early && kept == Some(best);
        Losses { epochs, validated, train, watched, best, constant, kept, restored }
    }

    /// What is known first: worse before better.
    fn verdict(&self) -> Verdict {
        let (first, last) = (self.train[0], self.train[self.train.len() - 1]);
        let above = |loss: &f64| loss - first > JUMPED * first.abs();
        if last > first && (change(&self.train, 0) > 0.0 || self.train[1..].iter().all(above)) {
            return Verdict::Diverged { from: first, to: last };
        }
        let kept = self.kept.unwrap_or(self.best);
        let bad = self
            .no_better(self.best)
            .or_else(|| self.risen())
            .or_else(|| self.no_better(kept))
            .or_else(|| self.jumped());
        bad.unwrap_or_else(|| self.fallen(first, last))
    }

    /// Where the loss of an epoch is no better than that of a constant.
    fn no_better(&self, at: usize) -> Option<Verdict> {
        // Targets that are all alike need no network.
        let constant = self.constant.filter(|&constant| constant > 0.0)?;
        let (loss, validated, apart) = (self.watched[at], self.validated, self.is_apart());
        let (best, falling) = (at == self.best, is_falling(&self.watched));
        (loss >= BETTER * constant).then_some(Verdict::NoBetter {
            loss,
            constant,
            validated,
            apart,
            best,
            falling,
        })
    }

    /// Whether the validation loss was far above the training loss from the first epoch on, before anything could have
    /// been learned by heart. One that goes on with an earlier training had its first epoch there.
    fn is_apart(&self) -> bool {
        let far = |(train, watched): (&f64, &f64)| *train >= 0.0 && *watched > APART * train;
        let [train, watched] = [&self.train, &self.watched];
        let first = train.iter().zip(watched).take(ENOUGH - 1);
        self.validated
            && self.epochs[0].epoch == 1
            && first.chain([(&now(train, 0), &now(watched, 0))]).all(far)
    }

    /// Where the loss has risen since the best epoch.
    fn risen(&self) -> Option<Verdict> {
        let Losses { watched, best, validated, .. } = self;
        if watched.len() - 1 - best < AFTER || change(watched, *best) <= 0.0 {
            return None;
        }
        let (epoch, from) = (self.epochs[*best].epoch, watched[*best]);
        let to = now(watched, *best);
        let (train, apart) = (change(&self.train, *best), self.is_apart());
        let fell = train < 0.0;
        Some(match validated {
            true if train <= 0.0 => {
                Verdict::Overfitting { epoch, from, to, fell, apart, restored: self.restored }
            }
            &validated => Verdict::Rising { epoch, from, to, validated, apart },
        })
    }

    /// Where the last loss is above what was reached, and it cannot be said that it has risen.
    fn jumped(&self) -> Option<Verdict> {
        let Losses { watched, best, validated, .. } = self;
        // What came after the best epoch matters no more.
        if self.restored {
            return None;
        }
        let (from, to) = (watched[*best], watched[watched.len() - 1]);
        let bound = match watched.len() - 1 - best < AFTER {
            true => from + JUMPED * from.abs(),
            false => middle(around(watched, *best)) + noise(watched),
        };
        let (epoch, validated, apart) = (self.epochs[*best].epoch, *validated, self.is_apart());
        (to > bound).then_some(Verdict::Unclear { epoch, from, to, validated, apart })
    }

    /// Where the end is about as good as the best epoch, of training losses from the first to the last.
    fn fallen(&self, from: f64, to: f64) -> Verdict {
        let (validated, last) = (self.validated, self.epochs[self.epochs.len() - 1]);
        if is_falling(&self.watched) {
            return Verdict::Improving { validated };
        }
        let accuracy = last.train_accuracy.into_iter().chain(last.validation_accuracy);
        // A training that goes on with an earlier one has not to learn anew.
        let is_new = self.epochs[0].epoch == 1 && accuracy.fold(0.0, f64::max) < KNOWN;
        if is_new && from > 0.0 && to > UNLEARNED * from && !is_falling(&self.train) {
            return Verdict::Underfitting { from, to };
        }
        // At the end, or where the network has its weights from.
        let [train, validation] = [&self.train, &self.watched].map(|it| match self.restored {
            true => middle(around(it, self.best)),
            false => now(it, 0),
        });
        let helped = validation < HELPED * self.watched[0];
        if train >= 0.0 && train < BY_HEART * validation && !helped {
            return Verdict::Memorised { train, validation, apart: self.is_apart() };
        }
        Verdict::Settled { epoch: self.epochs[self.best].epoch, last: last.epoch, validated }
    }
}

/// How many epochs beside one are taken together with it.
fn reach(losses: &[f64]) -> usize {
    (losses.len() / 6).clamp(1, 5)
}

/// The losses of an epoch and its neighbours.
fn around(losses: &[f64], at: usize) -> &[f64] {
    let reach = reach(losses);
    &losses[at.saturating_sub(reach)..losses.len().min(at + reach + 1)]
}

/// The loss at the end, of epochs after one of them.
fn now(losses: &[f64], after: usize) -> f64 {
    let some = (2 * reach(losses) + 1).min(losses.len() - 1 - after);
    middle(&losses[losses.len() - some..])
}

/// How much larger the losses are at the end than around an epoch; 0 where that is noise.
fn change(losses: &[f64], since: usize) -> f64 {
    let change = now(losses, since) - middle(around(losses, since));
    if change.abs() > noise(losses) { change } else { 0.0 }
}

/// What is no change: the scatter of an epoch about the mean of its neighbours, which a course that is straight has none
/// of, in the later two thirds, where losses fall less and scatter less.
fn noise(losses: &[f64]) -> f64 {
    let later = &losses[(losses.len() / 3).min(losses.len().saturating_sub(6))..];
    let off = |near: &[f64]| (near[1] - (near[0] / 2.0 + near[2] / 2.0)).abs();
    let scatter: Vec<f64> = later.windows(3).map(off).collect();
    (NOISE * middle(&scatter)).max(MATTERS * middle(later).abs())
}

/// The middle one of some values, 0 of none.
fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Whether the losses were falling at the end: the last one is clearly below all before the last third; or it is near the
/// least of all, and from the first half of the last third, of at least four, to its second they fell by more than noise.
fn is_falling(losses: &[f64]) -> bool {
    let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
    let (third, last) = (losses.len().div_ceil(3), losses[losses.len() - 1]);
    let before = least(&losses[..losses.len() - third]);
    if last <= least(losses) && before - last > FALLING * before.abs() {
        return true;
    }
    let tail = &losses[losses.len() - third.max(ENOUGH)..];
    let (before, after) = tail.split_at(tail.len() / 2);
    let noise = noise(losses);
    last - least(losses) <= noise && middle(before) - middle(after) > noise
}

#[cfg(test)]
mod tests;
