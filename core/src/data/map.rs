//! Data sets whose samples are computed from another's when they are asked for.

use std::fmt;
use std::marker::PhantomData;

use crate::data::columns::Columns;
use crate::data::dataset::Dataset;
use crate::dim::Static;
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::random::Seed;
use crate::shape::SampleShape;

/// A data set with each sample changed in place: [`Dataset::map`].
#[derive(Clone)]
pub struct Map<D, F> {
    data: D,
    f: F,
}

impl<D, F> Map<D, F> {
    pub(super) fn new(data: D, f: F) -> Self {
        Map { data, f }
    }
}

impl<D, F> Dataset for Map<D, F>
where
    D: Dataset,
    F: Fn(&mut [D::Element], &mut [D::TargetElement]) + Sync,
{
    type Input = D::Input;
    type Target = D::Target;
    type Element = D::Element;
    type TargetElement = D::TargetElement;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [D::Element],
        targets: &mut [D::TargetElement],
    ) -> Result<()> {
        self.data.gather(pass, indices, inputs, targets)?;
        for i in 0..indices.len() {
            let (x, y) = (D::Input::NUMEL, D::Target::NUMEL);
            (self.f)(&mut inputs[i * x..][..x], &mut targets[i * y..][..y]);
        }
        Ok(())
    }

    fn is_divisible(&self) -> bool {
        self.data.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        self.data.is_fixed()
    }

    fn class_names(&self) -> &[String] {
        self.data.class_names()
    }

    fn columns(&self) -> Option<&Columns> {
        self.data.columns()
    }
}

/// A data set with other inputs, of shape `X`: [`Dataset::map_inputs`].
pub struct MapInputs<D, X, E, F> {
    data: D,
    f: F,
    to: PhantomData<fn() -> (X, E)>,
}

impl<D, X, E, F> MapInputs<D, X, E, F> {
    pub(super) fn new(data: D, f: F) -> Self {
        MapInputs { data, f, to: PhantomData }
    }
}

impl<D, X, E, F> Dataset for MapInputs<D, X, E, F>
where
    D: Dataset,
    X: SampleShape,
    E: Element,
    F: Fn(&[D::Element], &mut [E]) + Sync,
{
    type Input = X;
    type Target = D::Target;
    type Element = E;
    type TargetElement = D::TargetElement;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [E],
        targets: &mut [D::TargetElement],
    ) -> Result<()> {
        let mut from = vec![D::Element::default(); indices.len() * D::Input::NUMEL];
        self.data.gather(pass, indices, &mut from, targets)?;
        for i in 0..indices.len() {
            let from = &from[i * D::Input::NUMEL..][..D::Input::NUMEL];
            (self.f)(from, &mut inputs[i * X::NUMEL..][..X::NUMEL]);
        }
        Ok(())
    }

    fn gather_targets(
        &self,
        pass: Seed,
        indices: &[usize],
        targets: &mut [D::TargetElement],
    ) -> Result<()> {
        self.data.gather_targets(pass, indices, targets)
    }

    fn is_divisible(&self) -> bool {
        self.data.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        self.data.is_fixed()
    }

    fn class_names(&self) -> &[String] {
        self.data.class_names()
    }
}

/// A data set with other targets, of shape `Y`: [`Dataset::map_targets`].
pub struct MapTargets<D, Y, T, F> {
    data: D,
    f: F,
    to: PhantomData<fn() -> (Y, T)>,
}

impl<D, Y, T, F> MapTargets<D, Y, T, F> {
    pub(super) fn new(data: D, f: F) -> Self {
        MapTargets { data, f, to: PhantomData }
    }
}

impl<D: Dataset, Y: SampleShape, T: Element, F> MapTargets<D, Y, T, F>
where
    F: Fn(&[D::TargetElement], &mut [T]),
{
    fn convert(&self, from: &[D::TargetElement], targets: &mut [T], count: usize) {
        for i in 0..count {
            let from = &from[i * D::Target::NUMEL..][..D::Target::NUMEL];
            (self.f)(from, &mut targets[i * Y::NUMEL..][..Y::NUMEL]);
        }
    }
}

impl<D, Y, T, F> Dataset for MapTargets<D, Y, T, F>
where
    D: Dataset,
    Y: SampleShape,
    T: Element,
    F: Fn(&[D::TargetElement], &mut [T]) + Sync,
{
    type Input = D::Input;
    type Target = Y;
    type Element = D::Element;
    type TargetElement = T;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [D::Element],
        targets: &mut [T],
    ) -> Result<()> {
        let mut from = vec![D::TargetElement::default(); indices.len() * D::Target::NUMEL];
        self.data.gather(pass, indices, inputs, &mut from)?;
        self.convert(&from, targets, indices.len());
        Ok(())
    }

    fn gather_targets(&self, pass: Seed, indices: &[usize], targets: &mut [T]) -> Result<()> {
        let mut from = vec![D::TargetElement::default(); indices.len() * D::Target::NUMEL];
        self.data.gather_targets(pass, indices, &mut from)?;
        self.convert(&from, targets, indices.len());
        Ok(())
    }

    fn is_divisible(&self) -> bool {
        self.data.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        self.data.is_fixed()
    }

    fn columns(&self) -> Option<&Columns> {
        self.data.columns()
    }
}

/// A data set whose classes are vectors of `C` numbers, 1 at the class and 0 elsewhere: [`Dataset::one_hot`].
pub struct OneHot<D, C, E> {
    data: D,
    to: PhantomData<fn() -> (C, E)>,
}

impl<D, C, E> OneHot<D, C, E> {
    pub(super) fn new(data: D) -> Self {
        OneHot { data, to: PhantomData }
    }
}

impl<D, C: Static, E: Float> OneHot<D, C, E> {
    fn expand(labels: &[u32], indices: &[usize], targets: &mut [E]) -> Result<()> {
        targets.fill(E::ZERO);
        for ((i, &label), sample) in labels.iter().enumerate().zip(indices) {
            if label as usize >= C::N {
                return Err(Error::IndexOutOfRange {
                    what: format!("the class of sample {sample} as one-hot"),
                    index: label as usize,
                    size: C::N,
                    of: "classes",
                });
            }
            targets[i * C::N + label as usize] = E::ONE;
        }
        Ok(())
    }
}

impl<D, C, E> Dataset for OneHot<D, C, E>
where
    D: Dataset<Target = (), TargetElement = u32>,
    C: Static,
    E: Float,
{
    type Input = D::Input;
    type Target = (C,);
    type Element = D::Element;
    type TargetElement = E;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [D::Element],
        targets: &mut [E],
    ) -> Result<()> {
        let mut labels = vec![0; indices.len()];
        self.data.gather(pass, indices, inputs, &mut labels)?;
        Self::expand(&labels, indices, targets)
    }

    fn gather_targets(&self, pass: Seed, indices: &[usize], targets: &mut [E]) -> Result<()> {
        let mut labels = vec![0; indices.len()];
        self.data.gather_targets(pass, indices, &mut labels)?;
        Self::expand(&labels, indices, targets)
    }

    fn is_divisible(&self) -> bool {
        self.data.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        self.data.is_fixed()
    }

    fn class_names(&self) -> &[String] {
        self.data.class_names()
    }

    fn columns(&self) -> Option<&Columns> {
        self.data.columns()
    }
}

macro_rules! debug {
    ($($name:ident<$($t:ident),*>;)*) => { $(
        impl<D: fmt::Debug, $($t),*> fmt::Debug for $name<D, $($t),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("data", &self.data).finish_non_exhaustive()
            }
        }
    )* };
}
debug! {
    Map<F>;
    MapInputs<X, E, F>;
    MapTargets<Y, T, F>;
    OneHot<C, E>;
}
