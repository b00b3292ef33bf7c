//! Schedules: how the learning rate changes as training goes on.
//!
//! A schedule says by what the optimiser's rate is multiplied, from the number of updates made so far and from
//! nothing else: a training that is resumed goes on with the same rates.

use std::f64::consts::PI;
use std::fmt::Debug;

use crate::error::Result;
use crate::optim::in_range;

/// What the learning rate is multiplied by.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::schedule::{Cosine, Schedule, Warmup};
///
/// // 500 steps up to the optimiser's rate, then down to a tenth of it.
/// let schedule = Warmup::new(500).then(Cosine::new(9_500).floor(0.1));
/// assert_eq!(schedule.factor(500), 1.0);
/// assert!((schedule.factor(10_000) - 0.1).abs() < 1e-12);
///
/// /// A schedule of one's own: half the rate after a hundred steps.
/// #[derive(Debug)]
/// struct Half;
///
/// impl Schedule for Half {
///     fn factor(&self, step: u64) -> f64 {
///         if step < 100 { 1.0 } else { 0.5 }
///     }
/// }
/// ```
pub trait Schedule: Debug + Send + Sync {
    /// The factor of the update before which `step` others have been made; 0 or more, and finite.
    fn factor(&self, step: u64) -> f64;

    /// Whether the settings make sense; asked before training.
    ///
    /// # Errors
    /// If one does not: the message names it, with the value found and the range there is.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

fn positive(schedule: &str, setting: &str, steps: u64) -> Result<()> {
    in_range(schedule, setting, steps as f64, "1 or more", |x| x >= 1.0)
}

fn factor(schedule: &str, setting: &str, value: f64) -> Result<()> {
    in_range(schedule, setting, value, "0 or more, and finite", |x| x >= 0.0 && x.is_finite())
}

/// A factor every so many steps, as in
/// [torch.optim.lr_scheduler.StepLR](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html).
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::schedule::{Schedule, Step};
/// assert_eq!(Step::new(3, 0.5).factor(7), 0.25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    every: u64,
    gamma: f64,
}

impl Step {
    /// Multiplied by `gamma` after every `every` steps.
    pub fn new(every: u64, gamma: f64) -> Self {
        Step { every, gamma }
    }
}

impl Schedule for Step {
    fn factor(&self, step: u64) -> f64 {
        self.gamma.powf((step / self.every.max(1)) as f64)
    }

    fn check(&self) -> Result<()> {
        positive("Step", "number of steps", self.every)?;
        factor("Step", "gamma", self.gamma)
    }
}

/// A factor every step, as in
/// [torch.optim.lr_scheduler.ExponentialLR](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html).
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::schedule::{Exponential, Schedule};
/// assert_eq!(Exponential::new(0.5).factor(2), 0.25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    gamma: f64,
}

impl Exponential {
    /// Multiplied by `gamma` after every step.
    pub fn new(gamma: f64) -> Self {
        Exponential { gamma }
    }
}

impl Schedule for Exponential {
    fn factor(&self, step: u64) -> f64 {
        self.gamma.powf(step as f64)
    }

    fn check(&self) -> Result<()> {
        factor("Exponential", "gamma", self.gamma)
    }
}

/// Half a cosine from 1 down to a floor (Loshchilov and Hutter 2017), which it stays at, as in
/// [torch.optim.lr_scheduler.CosineAnnealingLR](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html)
/// up to there:
///
/// ```text
/// floor + (1 - floor) * (1 + cos(pi * step / steps)) / 2
/// ```
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::schedule::{Cosine, Schedule};
/// assert!((Cosine::new(10).factor(5) - 0.5).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    steps: u64,
    floor: f64,
}

impl Cosine {
    /// Down to the floor in `steps` steps.
    pub fn new(steps: u64) -> Self {
        Cosine { steps, floor: 0.0 }
    }

    /// The part of the rate that is left at the end; 0 unless set.
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }
}

/// From `start` to `end` along half a cosine, at `part` of the way.
fn anneal(start: f64, end: f64, part: f64) -> f64 {
    end + (start - end) * (1.0 + (PI * part.clamp(0.0, 1.0)).cos()) / 2.0
}

impl Schedule for Cosine {
    fn factor(&self, step: u64) -> f64 {
        anneal(1.0, self.floor, step as f64 / self.steps.max(1) as f64)
    }

    fn check(&self) -> Result<()> {
        positive("Cosine", "number of steps", self.steps)?;
        factor("Cosine", "floor", self.floor)
    }
}

/// One cycle (Smith and Topin 2019): along half a cosine up to the optimiser's rate, which is the largest, and
/// along another one down to almost nothing, as in
/// [torch.optim.lr_scheduler.OneCycleLR](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html)
/// with its defaults. The momentum stays as it is.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::schedule::{OneCycle, Schedule};
/// assert!((OneCycle::new(101).rise(0.3).factor(0) - 1.0 / 25.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    steps: u64,
    rise: f64,
    first: f64,
    last: f64,
}

impl OneCycle {
    /// A cycle of `steps` steps, three tenths of them upwards; it begins at 1 / 25 of the largest rate and ends
    /// at 1 / 10000 of where it began.
    pub fn new(steps: u64) -> Self {
        OneCycle { steps, rise: 0.3, first: 1.0 / 25.0, last: 1.0 / 250_000.0 }
    }

    /// The part of the steps in which the rate rises; 0.3 unless set.
    pub fn rise(mut self, part: f64) -> Self {
        self.rise = part;
        self
    }

    /// The first factor and the last one; 1 / 25 and 1 / 250000 unless set.
    pub fn ends(mut self, first: f64, last: f64) -> Self {
        (self.first, self.last) = (first, last);
        self
    }
}

impl Schedule for OneCycle {
    fn factor(&self, step: u64) -> f64 {
        // The step, counted from 0, at which the largest rate is reached; it may lie between two.
        let (top, end) = (self.rise * self.steps as f64 - 1.0, self.steps as f64 - 1.0);
        let step = step as f64;
        if step < top {
            return anneal(self.first, 1.0, step / top);
        }
        anneal(1.0, self.last, (step - top) / (end - top).max(f64::MIN_POSITIVE))
    }

    fn check(&self) -> Result<()> {
        positive("OneCycle", "number of steps", self.steps)?;
        in_range("OneCycle", "part of rising steps", self.rise, "in (0, 1)", |x| {
            x > 0.0 && x < 1.0
        })?;
        factor("OneCycle", "first factor", self.first)?;
        factor("OneCycle", "last factor", self.last)
    }
}

/// A straight rise to the optimiser's rate, as in
/// [torch.optim.lr_scheduler.LinearLR](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html):
/// `from + (1 - from) * step / steps`, and 1 from there on.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::schedule::{Schedule, Warmup};
/// assert_eq!(Warmup::new(10).factor(5), 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmup {
    steps: u64,
    from: f64,
}

impl Warmup {
    /// A rise over `steps` steps.
    pub fn new(steps: u64) -> Self {
        Warmup { steps, from: 0.0 }
    }

    /// The factor of the first step; 0 unless set.
    pub fn start(mut self, factor: f64) -> Self {
        self.from = factor;
        self
    }

    /// What follows the rise; it counts its steps from there.
    pub fn then<S: Schedule>(self, next: S) -> Then<S> {
        Then { warmup: self, next }
    }
}

impl Schedule for Warmup {
    fn factor(&self, step: u64) -> f64 {
        if step >= self.steps {
            return 1.0;
        }
        self.from + (1.0 - self.from) * step as f64 / self.steps as f64
    }

    fn check(&self) -> Result<()> {
        factor("Warmup", "first factor", self.from)
    }
}

/// A rise and what follows it: [`Warmup::then`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Then<S> {
    warmup: Warmup,
    next: S,
}

impl<S: Schedule> Schedule for Then<S> {
    fn factor(&self, step: u64) -> f64 {
        match step.checked_sub(self.warmup.steps) {
            Some(step) => self.next.factor(step),
            None => self.warmup.factor(step),
        }
    }

    fn check(&self) -> Result<()> {
        self.warmup.check()?;
        self.next.check()
    }
}
