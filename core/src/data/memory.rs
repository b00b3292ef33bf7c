//! Data sets in the memory of the CPU, and what is done with one as a whole.

use std::fmt;
use std::marker::PhantomData;

use crate::data::columns::Columns;
use crate::data::dataset::Dataset;
use crate::data::kinds::Three;
use crate::data::splits;
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::random::Seed;
use crate::shape::{BatchedShape, SampleShape, Shape};
use crate::tensor::Tensor;

/// A data set in the memory of the CPU: inputs of shape `X` and targets of shape `Y`, in row order.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::data::{Dataset, InMemory};
/// use netform::dim::D;
///
/// // Three points in the plane, and the class of each.
/// let points = InMemory::<(D<2>,), ()>::new(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], vec![0, 1, 0])?;
/// assert_eq!(points.len(), 3);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct InMemory<X, Y = (), E = f32, T = u32> {
    inputs: Vec<E>,
    targets: Vec<T>,
    class_names: Vec<String>,
    columns: Option<Columns>,
    /// Whether inputs were scaled, where that is known.
    scaled: Option<bool>,
    shapes: PhantomData<fn() -> (X, Y)>,
}

// Its bounds are the method's, so that rustc says of `InMemory::<D<4>>::new` what a shape is.
impl<X, Y, E, T> InMemory<X, Y, E, T> {
    /// A data set from the elements of all inputs, one sample after the other, and of all targets.
    ///
    /// # Errors
    /// If one of them is not a whole number of samples, or there are not as many of one as of the other.
    pub fn new(inputs: Vec<E>, targets: Vec<T>) -> Result<Self>
    where
        X: SampleShape,
        Y: SampleShape,
        E: Element,
        T: Element,
    {
        let count = samples::<X>("inputs", inputs.len())?;
        let found = samples::<Y>("targets", targets.len())?;
        if found != count {
            return Err(Error::Size {
                what: "the targets of a data set".to_owned(),
                expected: format!("{count} targets, one for each input"),
                found: found.to_string(),
            });
        }
        Ok(InMemory {
            inputs,
            targets,
            class_names: Vec::new(),
            columns: None,
            scaled: Some(false),
            shapes: PhantomData,
        })
    }
}

impl<X: SampleShape, Y: SampleShape, E: Element, T: Element> InMemory<X, Y, E, T> {
    /// A data set from the rows of two tensors: each input with the target at the same place.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{Dataset, InMemory};
    /// use netform::tensor::Tensor;
    ///
    /// let inputs = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let classes = Tensor::<_, u32>::from([0, 1, 0]);
    /// assert_eq!(InMemory::from_tensors(&inputs, &classes)?.len(), 3);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are not as many of one as of the other, or a sample has no elements.
    pub fn from_tensors<A, B>(inputs: &Tensor<A, E>, targets: &Tensor<B, T>) -> Result<Self>
    where
        A: BatchedShape<Sample = X>,
        B: BatchedShape<Sample = Y>,
    {
        Self::new(inputs.to_vec(), targets.to_vec())
    }

    /// The elements of all inputs, one sample after the other.
    pub fn inputs(&self) -> &[E] {
        &self.inputs
    }

    /// The elements of all inputs, to be changed in place.
    pub fn inputs_mut(&mut self) -> &mut [E] {
        self.scaled = None;
        &mut self.inputs
    }

    /// The elements of all targets, one sample after the other.
    pub fn targets(&self) -> &[T] {
        &self.targets
    }

    /// The elements of all targets, to be changed in place.
    pub fn targets_mut(&mut self) -> &mut [T] {
        &mut self.targets
    }

    /// The names of the classes, by class; empty where there are none.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The same data set with names for its classes.
    #[must_use]
    pub fn with_class_names(mut self, names: Vec<String>) -> Self {
        self.class_names = names;
        self
    }

    /// The columns that the numbers of an input were made of, as [`Table`](super::Table) has made them.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// The same data set with names for the numbers of its inputs.
    ///
    /// # Errors
    /// If there are not as many of them as an input has numbers.
    pub fn with_columns(mut self, columns: Columns) -> Result<Self> {
        if columns.len() != X::NUMEL {
            return Err(Error::Size {
                what: format!("the columns of inputs of shape {}", X::describe()),
                expected: format!("{} numbers", X::NUMEL),
                found: format!("{} ({columns})", columns.len()),
            });
        }
        self.columns = Some(columns);
        Ok(self)
    }

    /// Notes that inputs were scaled, or not any more.
    pub(super) fn set_scaled(&mut self, scaled: bool) {
        self.scaled = Some(scaled);
    }

    /// Two data sets of all samples in random order: the first gets `fraction` of them, rounded, the
    /// second the others. The same seed gives the same split.
    ///
    /// This and the other parts are copies; of [`Dataset`]'s methods of these names, the samples are the same.
    ///
    /// # Errors
    /// If `fraction` is not between 0 and 1, or one that is leaves a part without samples; of 0 or 1 one part is empty.
    pub fn split(&self, fraction: f64, seed: Seed) -> Result<(Self, Self)> {
        let parts = splits::random(self.len(), [fraction], seed)?;
        Ok(parts.map(|part| self.select(&part)).into())
    }

    /// Three data sets of all samples in random order: the first two get their fractions, rounded, the third the
    /// others.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{Dataset, InMemory};
    /// use netform::dim::D;
    /// use netform::random::Seed;
    ///
    /// let points = InMemory::<(D<2>,)>::new(vec![0.0; 40], vec![0; 20])?;
    /// let (train, validation, test) = points.split3(0.7, 0.15, Seed(1))?;
    /// assert_eq!([train.len(), validation.len(), test.len()], [14, 3, 3]);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a fraction is not between 0 and 1, both are more than 1 together, or a part is left without samples.
    pub fn split3(&self, first: f64, second: f64, seed: Seed) -> Result<Three<Self>> {
        let parts = splits::random(self.len(), [first, second], seed)?;
        Ok(parts.map(|part| self.select(&part)).into())
    }

    /// The samples to train on and those to validate on, `k` times: each sample, in random order, is once among the
    /// latter. A pair is copied when it is taken.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{Dataset, InMemory, Scaling};
    /// use netform::dim::D;
    /// use netform::random::Seed;
    ///
    /// let points = InMemory::<(D<2>,)>::new(vec![0.0; 40], vec![0; 20])?;
    /// for (mut train, mut validation) in points.k_fold(5, Seed(1))? {
    ///     let scaling = Scaling::standard(&train)?;
    ///     scaling.apply(&mut train);
    ///     scaling.apply(&mut validation);
    ///     assert_eq!([train.len(), validation.len()], [16, 4]);
    /// }
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `k` is less than 2 or more than there are samples.
    pub fn k_fold(
        &self,
        k: usize,
        seed: Seed,
    ) -> Result<impl ExactSizeIterator<Item = (Self, Self)>> {
        let folds = splits::folds(self.len(), k, seed)?;
        Ok(folds.pairs(move |train, test| (self.select(&train), self.select(&test))))
    }

    /// The first `n` samples; all of them where there are fewer.
    #[must_use]
    pub fn take(mut self, n: usize) -> Self {
        let n = n.min(self.len());
        self.inputs.truncate(n * X::NUMEL);
        self.targets.truncate(n * Y::NUMEL);
        self
    }

    /// The same data set with float inputs of another precision.
    pub fn cast<F: Float>(&self) -> InMemory<X, Y, F, T>
    where
        E: Float,
    {
        InMemory {
            inputs: cast(&self.inputs),
            targets: self.targets.clone(),
            class_names: self.class_names.clone(),
            columns: self.columns.clone(),
            scaled: self.scaled,
            shapes: PhantomData,
        }
    }

    /// The same samples as inputs of another shape, for example `[784]` for `[1, 28, 28]`.
    ///
    /// # Errors
    /// If the shapes do not have the same number of elements.
    pub fn reshape_inputs<X2: SampleShape>(self) -> Result<InMemory<X2, Y, E, T>> {
        if X::NUMEL != X2::NUMEL {
            return Err(Error::Size {
                what: format!("inputs of shape {} as {}", X::describe(), X2::describe()),
                expected: format!("{} elements", X2::NUMEL),
                found: X::NUMEL.to_string(),
            });
        }
        let InMemory { inputs, targets, class_names, columns, scaled, .. } = self;
        Ok(InMemory { inputs, targets, class_names, columns, scaled, shapes: PhantomData })
    }

    /// All samples of another data set.
    pub(super) fn of<D>(data: &D) -> Result<Self>
    where
        D: Dataset<Input = X, Target = Y, Element = E, TargetElement = T>,
    {
        let indices: Vec<usize> = (0..data.len()).collect();
        let mut inputs = vec![E::default(); indices.len() * X::NUMEL];
        let mut targets = vec![T::default(); indices.len() * Y::NUMEL];
        data.gather(Seed::default(), &indices, &mut inputs, &mut targets)?;
        let columns = data.columns().cloned();
        let class_names = data.class_names().to_vec();
        let scaled = data.is_scaled();
        Ok(InMemory { columns, class_names, scaled, ..InMemory::new(inputs, targets)? })
    }

    /// The samples `indices`, in their order.
    fn select(&self, indices: &[usize]) -> Self {
        let mut inputs = vec![E::default(); indices.len() * X::NUMEL];
        let mut targets = vec![T::default(); indices.len() * Y::NUMEL];
        copy_samples(&self.inputs, X::NUMEL, indices, &mut inputs);
        copy_samples(&self.targets, Y::NUMEL, indices, &mut targets);
        InMemory {
            inputs,
            targets,
            class_names: self.class_names.clone(),
            columns: self.columns.clone(),
            scaled: self.scaled,
            shapes: PhantomData,
        }
    }
}

impl<X: SampleShape, E: Element> InMemory<X, (), E, u32> {
    /// [`InMemory::split`] with the same share of each class in both, as near as whole samples are.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{Dataset, InMemory};
    /// use netform::dim::D;
    /// use netform::random::Seed;
    ///
    /// let points = InMemory::<(D<1>,)>::new(vec![0.0; 6], vec![0, 1, 0, 0, 1, 0])?;
    /// let (_, test) = points.stratified_split(0.5, Seed(1))?;
    /// assert_eq!(test.targets().iter().filter(|&&class| class == 1).count(), 1);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `fraction` is not between 0 and 1, or a class would be missing from one of the two.
    pub fn stratified_split(&self, fraction: f64, seed: Seed) -> Result<(Self, Self)> {
        let parts = splits::stratified(self, [fraction], seed)?;
        Ok(parts.map(|part| self.select(&part)).into())
    }

    /// [`InMemory::split3`] with the same share of each class in all, as near as whole samples are.
    ///
    /// # Errors
    /// If a fraction is not between 0 and 1, both are more than 1 together, or a class would be missing from a part.
    pub fn stratified_split3(&self, first: f64, second: f64, seed: Seed) -> Result<Three<Self>> {
        let parts = splits::stratified(self, [first, second], seed)?;
        Ok(parts.map(|part| self.select(&part)).into())
    }

    /// [`InMemory::k_fold`] with as many samples of each class in every fold, to within one.
    ///
    /// # Errors
    /// If `k` is less than 2, or a class has fewer than `k` samples.
    pub fn stratified_k_fold(
        &self,
        k: usize,
        seed: Seed,
    ) -> Result<impl ExactSizeIterator<Item = (Self, Self)>> {
        let folds = splits::stratified_folds(self, k, seed)?;
        Ok(folds.pairs(move |train, test| (self.select(&train), self.select(&test))))
    }
}

impl<X: SampleShape, Y: SampleShape, E: Element, T: Float> InMemory<X, Y, E, T> {
    /// The same data set with targets of another element type.
    pub fn cast_targets<F: Float>(&self) -> InMemory<X, Y, E, F> {
        InMemory {
            inputs: self.inputs.clone(),
            targets: cast(&self.targets),
            class_names: self.class_names.clone(),
            columns: self.columns.clone(),
            scaled: self.scaled,
            shapes: PhantomData,
        }
    }
}

impl<X: SampleShape, Y: SampleShape, E: Element, T: Element> Dataset for InMemory<X, Y, E, T> {
    type Input = X;
    type Target = Y;
    type Element = E;
    type TargetElement = T;

    fn len(&self) -> usize {
        // `new` let no shape without elements pass.
        self.inputs.len() / X::NUMEL
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [E],
        targets: &mut [T],
    ) -> Result<()> {
        copy_samples(&self.inputs, X::NUMEL, indices, inputs);
        self.gather_targets(pass, indices, targets)
    }

    fn gather_targets(&self, _: Seed, indices: &[usize], targets: &mut [T]) -> Result<()> {
        copy_samples(&self.targets, Y::NUMEL, indices, targets);
        Ok(())
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    fn is_scaled(&self) -> Option<bool> {
        self.scaled
    }
}

impl<X: Shape, Y: Shape, E, T> fmt::Debug for InMemory<X, Y, E, T> {
    /// Shapes and sizes, not thousands of numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory")
            .field("input", &X::describe())
            .field("target", &Y::describe())
            .field("input_elements", &self.inputs.len())
            .field("target_elements", &self.targets.len())
            .field("class_names", &self.class_names)
            .finish()
    }
}

/// How many samples of shape `S` have `numel` elements together.
pub(super) fn samples<S: SampleShape>(what: &str, numel: usize) -> Result<usize> {
    if S::NUMEL > 0 && numel.is_multiple_of(S::NUMEL) {
        return Ok(numel / S::NUMEL);
    }
    Err(Error::Size {
        what: format!("the {what} of a data set, of shape {}", S::describe()),
        expected: match S::NUMEL {
            0 => "a shape with at least one element".to_owned(),
            n => format!("a multiple of {n} elements"),
        },
        found: format!("{numel} elements"),
    })
}

fn cast<A: Float, B: Float>(from: &[A]) -> Vec<B> {
    from.iter().map(|x| B::from_f64(x.to_f64())).collect()
}

pub(super) fn copy_samples<A: Copy>(from: &[A], numel: usize, indices: &[usize], to: &mut [A]) {
    for (to, &index) in to.chunks_exact_mut(numel).zip(indices) {
        to.copy_from_slice(&from[index * numel..][..numel]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dim::D;

    type Points = InMemory<(D<2>,), ()>;

    fn points(n: usize) -> Points {
        let inputs = (0..2 * n).map(|i| i as f32).collect();
        Points::new(inputs, (0..n as u32).collect()).unwrap()
    }

    #[test]
    fn sizes_are_checked() {
        let odd = Points::new(vec![0.0; 5], vec![0, 0]).unwrap_err().to_string();
        assert_eq!(
            odd,
            "the inputs of a data set, of shape [2]: expected a multiple of 2 elements, found 5 elements"
        );
        let few = Points::new(vec![0.0; 6], vec![0, 0]).unwrap_err().to_string();
        assert!(few.contains("expected 3 targets, one for each input, found 2"), "{few}");
        assert!(InMemory::<(D<0>,), ()>::new(vec![], vec![]).is_err());
        assert!(Points::new(vec![], vec![]).unwrap().is_empty());
    }

    #[test]
    fn a_split_keeps_every_sample_and_repeats() {
        let all = points(10);
        let (train, test) = all.split(0.8, Seed(7)).unwrap();
        assert_eq!((train.len(), test.len()), (8, 2));
        let mut seen: Vec<u32> = train.targets().iter().chain(test.targets()).copied().collect();
        assert_ne!(seen, all.targets(), "the samples are shuffled");
        seen.sort_unstable();
        assert_eq!(seen, all.targets());
        for (x, &t) in train.inputs().chunks(2).zip(train.targets()) {
            assert_eq!(x, [2.0 * t as f32, 2.0 * t as f32 + 1.0], "inputs stay with targets");
        }
        let (again, _) = all.split(0.8, Seed(7)).unwrap();
        assert_eq!(again.targets(), train.targets());
        let (other, _) = all.split(0.8, Seed(8)).unwrap();
        assert_ne!(other.targets(), train.targets());
    }

    #[test]
    fn a_split_needs_a_fraction() {
        for fraction in [-0.1, 1.1, 80.0, f64::NAN, f64::INFINITY] {
            let error = points(3).split(fraction, Seed(0)).unwrap_err().to_string();
            assert!(error.contains("a fraction from 0 to 1"), "{error}");
        }
        let (all, none) = points(3).split(1.0, Seed(0)).unwrap();
        assert_eq!((all.len(), none.len()), (3, 0));
    }

    #[test]
    fn take_cast_and_reshape() {
        let few = points(4).take(3);
        assert_eq!((few.len(), few.targets()), (3, &[0, 1, 2][..]));
        assert_eq!(few.clone().take(9).len(), 3);
        let wide: InMemory<(D<2>,), (), f64> = few.cast();
        assert_eq!(wide.inputs(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let line = InMemory::<(D<1>,), (), f32, f32>::new(vec![1.0], vec![0.5]).unwrap();
        assert_eq!(line.cast_targets::<f64>().targets(), [0.5f64]);
        assert_eq!(few.clone().reshape_inputs::<(D<1>, D<2>)>().unwrap().inputs(), few.inputs());
        let error = few.reshape_inputs::<(D<3>,)>().unwrap_err().to_string();
        assert_eq!(error, "inputs of shape [2] as [3]: expected 3 elements, found 2");
    }
}
