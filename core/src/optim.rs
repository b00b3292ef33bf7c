//! Optimisers: one pass over the parameter buffer, its gradients and the optimiser's own state.

mod adam;
mod sgd;

pub use adam::{Adam, AdamW};
pub use sgd::Sgd;

use crate::device::{Arg, Grid, Kernels, Slot, Span};
use crate::element::Float;
use crate::error::{Error, Result};

/// A rule that changes parameters by their gradients.
pub trait Optimizer: Clone + Send {
    /// How many numbers it keeps for each parameter.
    fn slots(&self) -> usize;
    /// The learning rate.
    fn rate(&self) -> f64;
    /// Changes the learning rate, from the next step on.
    fn set_rate(&mut self, rate: f64);
    /// Whether the settings make sense; asked before training.
    ///
    /// # Errors
    /// If one does not: the message names it, with the value found and the range there is.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    /// Updates `len` parameters; `step` counts from 1. Slot `i` of the state begins at `i * len`.
    #[doc(hidden)]
    fn update<E: Float, K: Kernels<E>>(&self, k: &mut K, len: usize, step: u64);
}

/// The index space of an update: every parameter once.
fn grid(len: usize) -> Grid {
    [1, 1, 1, len]
}

/// A whole buffer, or a slot of the optimiser's, element by element.
fn each(span: Span) -> Arg {
    Arg::View { span, strides: [0, 0, 0, 1] }
}

fn params(len: usize) -> Span {
    Span::new(Slot::Params, 0, len)
}

fn grads(len: usize) -> Span {
    Span::new(Slot::Grads, 0, len)
}

fn slot(i: usize, len: usize) -> Span {
    Span::new(Slot::Optimizer, i * len, len)
}

/// An error unless `value` is in `range`, which `text` describes.
fn in_range(
    optimizer: &str,
    setting: &str,
    value: f64,
    text: &str,
    range: impl FnOnce(f64) -> bool,
) -> Result<()> {
    if range(value) {
        return Ok(());
    }
    Err(Error::Invalid(format!("{optimizer}: the {setting} is {value}; it must be {text}")))
}

/// The check of settings that may be any number from 0 on.
fn not_negative(optimizer: &str, settings: &[(&str, f64)]) -> Result<()> {
    settings.iter().try_for_each(|&(setting, value)| {
        in_range(optimizer, setting, value, "0 or more, and finite", |x| x >= 0.0 && x.is_finite())
    })
}
