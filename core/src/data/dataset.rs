//! Data sets: samples with typed shapes that can be taken in any order, and what is made of them.

use std::sync::Arc;

use crate::data::batches::Batches;
use crate::element::Element;
use crate::error::Result;
use crate::random::{Rng, Seed};
use crate::shape::SampleShape;

/// So many samples are looked at together where only their targets are wanted.
const TOGETHER: usize = 64;

/// Samples that a trainer can take in any order, each an input and a target.
///
/// A data set knows its samples before it is trained on: files that are missing or not what they should be are errors of
/// its construction where they can be, and errors of [`Dataset::gather`] where a sample is read only when it is wanted.
pub trait Dataset {
    /// The shape of one input.
    type Input: SampleShape;
    /// The shape of one target: `()` for a class.
    type Target: SampleShape;
    /// What inputs consist of: floats, or `u32` for tokens.
    type Element: Element;
    /// What targets consist of: `u32` for classes.
    type TargetElement: Element;

    /// The number of samples.
    fn len(&self) -> usize;

    /// Copies the samples `indices` into `inputs` and `targets`, one after the other. Both have room for
    /// exactly so many samples.
    ///
    /// `pass` tells one pass over the data set from another: a data set that varies its samples at random draws from
    /// [`Rng::new`]`(pass, index)`, so that a sample does not depend on the others, nor on who asks for it when.
    ///
    /// # Errors
    /// If a sample cannot be read or made.
    ///
    /// # Panics
    /// May panic if an index is [`Dataset::len`] or more, or a slice has another size.
    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [Self::Element],
        targets: &mut [Self::TargetElement],
    ) -> Result<()>;

    /// [`Dataset::gather`] of the targets alone, for data sets that know them without their inputs.
    ///
    /// # Errors
    /// If a sample cannot be read or made.
    fn gather_targets(
        &self,
        pass: Seed,
        indices: &[usize],
        mut targets: &mut [Self::TargetElement],
    ) -> Result<()> {
        let count = indices.len().min(TOGETHER);
        let mut inputs = vec![Self::Element::default(); count * Self::Input::NUMEL];
        for indices in indices.chunks(TOGETHER) {
            let (some, rest) = targets.split_at_mut(indices.len() * Self::Target::NUMEL);
            let inputs = &mut inputs[..indices.len() * Self::Input::NUMEL];
            self.gather(pass, indices, inputs, some)?;
            targets = rest;
        }
        Ok(())
    }

    /// Says which samples will be asked for next: those of `order`, `batch` at a time. Who prepares samples ahead begins
    /// with that; what is asked for may still be something else.
    fn announce(&self, pass: Seed, order: &[usize], batch: usize) {
        let _ = (pass, order, batch);
    }

    /// Whether [`Dataset::gather`] gives the same for the same index in every pass. A device may keep such a data set in
    /// its memory and ask for each sample once; one that varies its samples at random says no here.
    fn is_fixed(&self) -> bool {
        true
    }

    /// The names of the classes, by class; empty where there are none.
    fn class_names(&self) -> &[String] {
        &[]
    }

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Mini-batches of `size` samples in a new random order, each sample once; the last one holds what
    /// is left. A size of 0 is taken as 1.
    ///
    /// ```
    /// use netform_core::data::{Dataset, InMemory};
    /// use netform_core::dim::{Batch, D};
    /// use netform_core::random::{Rng, Seed};
    ///
    /// let points = InMemory::<(D<2>,), ()>::new(vec![0.0; 10], vec![0, 1, 0, 1, 0])?;
    /// let mut rng = Rng::new(Seed(42), 0);
    /// for batch in points.batches(2, &mut rng) {
    ///     let (Batch(size), _) = batch?.inputs.shape();
    ///     assert!(size == 2 || size == 1);
    /// }
    /// # Ok::<(), netform_core::error::Error>(())
    /// ```
    fn batches(&self, size: usize, rng: &mut Rng) -> Batches<'_, Self>
    where
        Self: Sized,
    {
        let mut order: Vec<usize> = (0..self.len()).collect();
        rng.shuffle(&mut order);
        Batches::new(self, next_pass(self, rng), order, size)
    }

    /// Mini-batches of `size` samples in the order of the data set; the last one holds what is left. A
    /// size of 0 is taken as 1. Samples that vary at random are the same in every such pass.
    fn batches_in_order(&self, size: usize) -> Batches<'_, Self>
    where
        Self: Sized,
    {
        Batches::new(self, Seed::default(), (0..self.len()).collect(), size)
    }
}

/// What the samples of a pass with a random order are drawn from. Only data that vary take from `rng`.
pub(super) fn next_pass<D: Dataset>(data: &D, rng: &mut Rng) -> Seed {
    if data.is_fixed() { Seed::default() } else { rng.seed() }
}

macro_rules! through {
    ($($pointer:ty),*) => { $(
        impl<D: Dataset> Dataset for $pointer {
            type Input = D::Input;
            type Target = D::Target;
            type Element = D::Element;
            type TargetElement = D::TargetElement;

            fn len(&self) -> usize {
                (**self).len()
            }
            fn gather(
                &self,
                pass: Seed,
                indices: &[usize],
                inputs: &mut [D::Element],
                targets: &mut [D::TargetElement],
            ) -> Result<()> {
                (**self).gather(pass, indices, inputs, targets)
            }
            fn gather_targets(
                &self,
                pass: Seed,
                indices: &[usize],
                targets: &mut [D::TargetElement],
            ) -> Result<()> {
                (**self).gather_targets(pass, indices, targets)
            }
            fn announce(&self, pass: Seed, order: &[usize], batch: usize) {
                (**self).announce(pass, order, batch);
            }
            fn is_fixed(&self) -> bool {
                (**self).is_fixed()
            }
            fn class_names(&self) -> &[String] {
                (**self).class_names()
            }
        }
    )* };
}
through!(&D, Arc<D>);
