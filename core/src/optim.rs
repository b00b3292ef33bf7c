//! Optimisers: one pass over the parameter buffer, its gradients and the optimiser's own state.

mod adagrad;
mod adam;
mod rmsprop;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

use std::fmt::Debug;

use crate::device::{Arg, Grid, Kernels, Slot, Span};
use crate::element::Float;
use crate::error::{Error, Result};

/// A rule that changes parameters by their gradients.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an optimiser",
    note = "a trainer is made of a loss and then an optimiser with its rate: `Trainer::new(CrossEntropy, Adam::new(1e-2))`"
)]
pub trait Optimizer: Clone + Debug + Send {
    /// Its name, for messages and files.
    fn name(&self) -> &'static str;
    /// How many numbers it keeps for each parameter.
    fn slots(&self) -> usize;
    /// The learning rate.
    fn rate(&self) -> f64;
    /// Changes the learning rate, from the next step on.
    fn set_rate(&mut self, rate: f64);
    /// Whether weights decay: some parameters may be spared that.
    fn decays(&self) -> bool;
    /// Whether the settings make sense; asked before training.
    ///
    /// # Errors
    /// If one does not: the message names it, with the value found and the range there is.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    /// Updates a part of the parameters.
    #[doc(hidden)]
    fn update<E: Float, K: Kernels<E>>(&self, k: &mut K, part: &Part);
}

/// Parameters that lie one after another and are treated alike, and what holds for them in one update.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Where they begin in the parameter buffer.
    pub offset: usize,
    /// How many there are.
    pub len: usize,
    /// The length of the parameter buffer: slot `i` of the optimiser's state begins at `i * all`.
    pub all: usize,
    /// The number of the update, from 1.
    pub step: u64,
    /// What the learning rate is multiplied by.
    pub rate: f64,
    /// What the weight decay is multiplied by.
    pub decay: f64,
}

impl Part {
    /// The index space: every parameter once.
    fn grid(&self) -> Grid {
        [1, 1, 1, self.len]
    }

    fn params(&self) -> Span {
        Span::new(Slot::Params, self.offset, self.len)
    }

    fn grads(&self) -> Span {
        Span::new(Slot::Grads, self.offset, self.len)
    }

    fn slot(&self, i: usize) -> Span {
        Span::new(Slot::Optimizer, i * self.all + self.offset, self.len)
    }
}

/// A span element by element.
pub(crate) fn each(span: Span) -> Arg {
    Arg::View { span, strides: [0, 0, 0, 1] }
}

/// An error unless `value` is in `range`, which `text` describes.
pub(crate) fn in_range(
    of: &str,
    setting: &str,
    value: f64,
    text: &str,
    range: impl FnOnce(f64) -> bool,
) -> Result<()> {
    if range(value) {
        return Ok(());
    }
    Err(Error::Invalid(format!("{of}: the {setting} is {value}; it must be {text}")))
}

/// The check of settings that may be any number from 0 on.
fn not_negative(optimizer: &str, settings: &[(&str, f64)]) -> Result<()> {
    settings.iter().try_for_each(|&(setting, value)| {
        in_range(optimizer, setting, value, "0 or more, and finite", |x| x >= 0.0 && x.is_finite())
    })
}

/// What all optimisers answer in the same way, from fields `rate` and `weight_decay`.
macro_rules! common {
    ($name:ident $(. $settings:tt)?) => {
        fn name(&self) -> &'static str {
            stringify!($name)
        }

        fn rate(&self) -> f64 {
            self$(.$settings)?.rate
        }

        fn set_rate(&mut self, rate: f64) {
            self$(.$settings)?.rate = rate;
        }

        fn decays(&self) -> bool {
            self$(.$settings)?.weight_decay != 0.0
        }
    };
}
pub(crate) use common;
