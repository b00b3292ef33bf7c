//! References to data sets are data sets, so that what is made of one need not own it.

use std::sync::Arc;

use crate::data::columns::Columns;
use crate::data::dataset::Dataset;
use crate::error::Result;
use crate::random::Seed;

macro_rules! through {
    ($($pointer:ty $(where D: $bound:ident)?),*) => { $(
        impl<D: Dataset $(+ $bound)?> Dataset for $pointer {
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
            fn is_divisible(&self) -> bool {
                (**self).is_divisible()
            }
            fn is_fixed(&self) -> bool {
                (**self).is_fixed()
            }
            fn class_names(&self) -> &[String] {
                (**self).class_names()
            }
            fn columns(&self) -> Option<&Columns> {
                (**self).columns()
            }
            fn is_scaled(&self) -> Option<bool> {
                (**self).is_scaled()
            }
        }
    )* };
}
through!(&D, Arc<D> where D: Send);
