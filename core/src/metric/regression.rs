//! How far outputs are from targets that are numbers.

use super::{Metric, rows_of};
use crate::element::Float;
use crate::error::Result;

/// Mean absolute error, root of the mean squared error, and R2, over all elements of the outputs.
///
/// ```
/// use netform_core::metric::{Metric, Regression};
/// let mut errors = Regression::new();
/// errors.add(&[1.0, 2.0, 5.0], &[1.0, 3.0, 3.0])?;
/// assert_eq!(errors.mae(), Some(1.0));
/// # Ok::<(), netform_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regression {
    count: u64,
    absolute: f64,
    squared: f64,
    /// The targets' mean, and the sum of their squared distances from it (Welford 1962): a difference of sums of
    /// squares would lose the digits of targets far from 0.
    mean: f64,
    spread: f64,
}

impl Regression {
    /// Of no elements yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn per_element(&self, sum: f64) -> Option<f64> {
        (self.count > 0).then(|| sum / self.count as f64)
    }

    /// The mean of `|output - target|`.
    pub fn mae(&self) -> Option<f64> {
        self.per_element(self.absolute)
    }

    /// The root of the mean of `(output - target)^2`.
    pub fn rmse(&self) -> Option<f64> {
        self.per_element(self.squared).map(f64::sqrt)
    }

    /// `1 - sum((output - target)^2) / sum((target - mean)^2)`; nothing where all targets are the same.
    pub fn r2(&self) -> Option<f64> {
        (self.spread > 0.0).then(|| 1.0 - self.squared / self.spread)
    }
}

impl<E: Float> Metric<E, E> for Regression {
    fn add(&mut self, outputs: &[E], targets: &[E]) -> Result<()> {
        rows_of("errors of a regression", outputs.len(), targets.len(), 1)?;
        for (output, target) in outputs.iter().zip(targets) {
            let (output, target) = (output.to_f64(), target.to_f64());
            let error = output - target;
            self.absolute += error.abs();
            self.squared += error * error;
            self.count += 1;
            let before = target - self.mean;
            self.mean += before / self.count as f64;
            self.spread += before * (target - self.mean);
        }
        Ok(())
    }
}
