//! Optimisers: one pass over the parameter buffer, its gradients and the optimiser's own state.

use crate::device::Kernels;
use crate::element::Float;

/// A rule that changes parameters by their gradients.
pub trait Optimizer: Clone + Send {
    /// How many numbers it keeps for each parameter.
    fn slots(&self) -> usize;
    /// The learning rate.
    fn rate(&self) -> f64;
    /// Changes the learning rate, from the next step on.
    fn set_rate(&mut self, rate: f64);
    /// Updates `len` parameters; `step` counts from 1. Slot `i` of the state begins at `i * len`.
    #[doc(hidden)]
    fn update<E: Float, K: Kernels<E>>(&self, k: &mut K, len: usize, step: u64);
}
