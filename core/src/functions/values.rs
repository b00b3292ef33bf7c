//! Values that no operand gives, and dropout.

use super::Value;

functions! {
    /// `zeros([4, 4])`
    zeros(shape: &'static [usize]);
    /// `ones([4, 4])`
    ones(shape: &'static [usize]);
    /// `full([4, 4], 0.5)`: one number everywhere.
    full(shape: &'static [usize], value: f64);
    /// `arange(n)`: 0, 1, 2, .. to before `n`, as floats of shape `[n]`.
    arange(n: usize);
    /// `normal([4, 4])`: random numbers of mean 0 and variance 1, new ones for every sample and training step, the same
    /// at every `forward`.
    normal(shape: &'static [usize]);
    /// `uniform([4, 4])`: random numbers from 0 to 1, new ones for every sample and training step, the same at every
    /// `forward`.
    uniform(shape: &'static [usize]);
    /// `dropout(x, 0.25)`: in training, 0 with a probability of `rate`, else x / (1 - rate); in evaluation x.
    dropout((x) rate: f64);
}
