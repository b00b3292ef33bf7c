//! Names for the kinds of data sets in memory.

use super::dataset::Dataset;
use super::memory::{InMemory, samples};
use crate::dim::D;
use crate::element::Element;
use crate::error::Result;
use crate::loss_step::NoTargets;
use crate::shape::SampleShape;

/// A data set whose targets are numbers, one for each sample unless `Y` says otherwise: what
/// [`Table::targets`](super::Table::targets) leads to.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::data::{Dataset, NumericTargets};
/// use netform::dim::D;
///
/// // Two inputs and one target each.
/// let points: NumericTargets<(D<2>,)> =
///     NumericTargets::new(vec![0.0, 1.0, 2.0, 3.0], vec![0.5, 1.5])?;
/// assert_eq!(points.len(), 2);
/// # Ok::<(), netform::error::Error>(())
/// ```
pub type NumericTargets<X, Y = (D<1>,), E = f32> = InMemory<X, Y, E, E>;

/// A data set of inputs of shape `X` alone, for a network whose own output is its loss.
pub type Unlabelled<X, E = f32> = InMemory<X, (), E, NoTargets>;

impl<X: SampleShape, E: Element> Unlabelled<X, E> {
    /// A data set of inputs alone.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{Dataset, Unlabelled};
    /// use netform::dim::D;
    ///
    /// let points = Unlabelled::<(D<2>,)>::without_targets(vec![0.0, 1.0, 2.0, 3.0])?;
    /// assert_eq!(points.len(), 2);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the elements are not a whole number of inputs.
    pub fn without_targets(inputs: Vec<E>) -> Result<Self> {
        let count = samples::<X>("inputs", inputs.len())?;
        Self::new(inputs, vec![NoTargets; count])
    }
}

/// Three data sets of one kind: to train on, to validate on and to test on.
pub type Three<D> = (D, D, D);

/// The samples of `D` in memory.
pub type InMemoryOf<D> = InMemory<
    <D as Dataset>::Input,
    <D as Dataset>::Target,
    <D as Dataset>::Element,
    <D as Dataset>::TargetElement,
>;
