//! How far outputs are from targets that are numbers.

use super::{Metric, Unscaled, rows_of};
use crate::data::Scaling;
use crate::element::Float;
use crate::error::Result;
use crate::loss::NoTarget;
use crate::shape::SampleShape;

/// Mean absolute error, root of the mean squared error, and R2, over all elements of the outputs.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::metric::{Metric, Regression};
/// let mut errors = Regression::new();
/// errors.add(&[1.0, 2.0, 5.0], &[1.0, 3.0, 3.0])?;
/// assert_eq!(errors.mae(), Some(1.0));
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regression {
    pub(super) sums: [f64; 5],
    units: Unscaled,
}

// Where the sums are: the number of elements, the errors' absolute values and their squares; then the targets' mean, and
// the sum of their squared distances from it (Welford 1962): a difference of sums of squares would lose the digits of
// targets far from 0.
const COUNT: usize = 0;
const ABSOLUTE: usize = 1;
const SQUARED: usize = 2;
const SPREAD: usize = 4;

impl Regression {
    /// Of no elements yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Measures in the units that targets had before `scaling` was applied to them: it is undone, of outputs and targets,
    /// before they are compared.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{InMemory, Scaling};
    /// use netform::dim::D;
    /// use netform::metric::{Metric, Regression};
    /// # let inputs = vec![1.0, 2.0];
    ///
    /// let mut train = InMemory::<(D<1>,), (D<1>,), f32, f32>::new(inputs, vec![100.0, 300.0])?;
    /// let prices = Scaling::standard_targets(&train)?;
    /// prices.apply_to(train.targets_mut());
    ///
    /// let mut errors = Regression::new().unscaled(&prices);
    /// errors.add(&[-0.5, 0.5], train.targets())?;
    /// // Half a unit, which is 100.
    /// assert_eq!(errors.mae(), Some(50.0));
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    #[must_use]
    pub fn unscaled<X: SampleShape, E: Float>(mut self, scaling: &Scaling<X, E>) -> Self {
        self.units = Unscaled::of(scaling);
        self
    }

    fn per_element(&self, sum: usize) -> Option<f64> {
        (self.sums[COUNT] > 0.0).then(|| self.sums[sum] / self.sums[COUNT])
    }

    /// The mean of `|output - target|`.
    pub fn mae(&self) -> Option<f64> {
        self.per_element(ABSOLUTE)
    }

    /// The root of the mean of `(output - target)^2`.
    pub fn rmse(&self) -> Option<f64> {
        self.per_element(SQUARED).map(f64::sqrt)
    }

    /// `1 - sum((output - target)^2) / sum((target - mean)^2)`; nothing where all targets are the same.
    pub fn r2(&self) -> Option<f64> {
        let spread = self.sums[SPREAD];
        (spread > 0.0).then(|| 1.0 - self.sums[SQUARED] / spread)
    }
}

impl<E: Float> Metric<E, E> for Regression {
    fn add(&mut self, outputs: &[E], targets: &[E]) -> Result<()> {
        rows_of("errors of a regression", outputs.len(), targets.len(), 1)?;
        self.units.check("errors of a regression", outputs.len())?;
        for (i, (output, target)) in outputs.iter().zip(targets).enumerate() {
            let [output, target] = [output, target].map(|x| self.units.undo(i, x.to_f64()));
            let error = output - target;
            let [count, absolute, squared, mean, spread] = &mut self.sums;
            *absolute += error.abs();
            *squared += error * error;
            *count += 1.0;
            let before = target - *mean;
            *mean += before / *count;
            *spread += before * (target - *mean);
        }
        Ok(())
    }

    fn row(&self) -> Option<usize> {
        self.units.row()
    }
}

impl<E: Float> Metric<E, NoTarget> for Regression {
    fn add(&mut self, _: &[E], _: &[NoTarget]) -> Result<()> {
        Ok(())
    }
}
