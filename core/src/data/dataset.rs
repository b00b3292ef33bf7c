//! Data sets: samples with typed shapes that can be taken in any order, and what is made of them.

use crate::data::augment::{Augment, Augmented, Crop, Cropped};
use crate::data::batches::{Batches, next_pass};
use crate::data::columns::Columns;
use crate::data::kinds::{InMemoryOf, Three};
use crate::data::map::{Map, MapInputs, MapTargets, OneHot};
use crate::data::memory::InMemory;
use crate::data::prefetch::Prefetch;
use crate::data::splits;
use crate::data::subset::{Concat, Subset, Zip};
use crate::dim::Static;
use crate::element::{Element, Float};
use crate::error::Result;
use crate::random::{Rng, Seed};
use crate::shape::SampleShape;

/// So many samples are looked at together where only their targets are wanted.
const TOGETHER: usize = 64;

/// Samples that a trainer can take in any order, each an input and a target.
///
/// A data set knows its samples before it is trained on: files that are missing or not what they should be are errors of
/// its construction where they can be, and errors of [`Dataset::gather`] where a sample is read only when it is wanted.
///
/// It is [`Sync`], for the samples of a batch may be gathered by several threads at once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data set",
    note = "a data set has inputs and targets: `InMemory`, as `Table::into_samples` and `InMemory::new(inputs, targets)` make it, or what is made of one",
    note = "`fit(&mut net, &data)` takes the network first and then the data"
)]
pub trait Dataset: Sync {
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

    /// Whether a batch may be asked for in pieces, by several threads at once. Who prepares whole batches says no here.
    fn is_divisible(&self) -> bool {
        true
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

    /// The columns that the numbers of an input were made of, where they are known: of a [`Table`](super::Table)'s samples.
    fn columns(&self) -> Option<&Columns> {
        None
    }

    /// What each number of an input is; empty where nobody knows it.
    fn feature_names(&self) -> &[String] {
        self.columns().map_or(&[], Columns::names)
    }

    /// Whether a [`Scaling`](super::Scaling) was applied to the inputs, where that is known.
    fn is_scaled(&self) -> Option<bool> {
        None
    }

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Mini-batches of `size` samples in a new random order, each sample once; the last one holds what
    /// is left. A size of 0 is taken as 1. Large ones are gathered by the threads of the CPU's default pool.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{Dataset, InMemory};
    /// use netform::dim::{Batch, D};
    /// use netform::random::{Rng, Seed};
    ///
    /// let points = InMemory::<(D<2>,), ()>::new(vec![0.0; 10], vec![0, 1, 0, 1, 0])?;
    /// let mut rng = Rng::new(Seed(42), 0);
    /// for batch in points.batches(2, &mut rng) {
    ///     let (Batch(size), _) = batch?.inputs.shape();
    ///     assert!(size == 2 || size == 1);
    /// }
    /// # Ok::<(), netform::error::Error>(())
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

    /// The same samples with `f` done to each input and target when they are asked for, in their place, which keeps their names.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{data::{Dataset, InMemory}, dim::D};
    ///
    /// let points = InMemory::<(D<1>,), (D<1>,), f32, f32>::new(vec![1.0, 2.0], vec![10.0, 20.0])?;
    /// let halves = points.map(|x, y| (x[0], y[0]) = (x[0] / 2.0, y[0] / 2.0));
    /// assert_eq!(halves.to_memory()?.inputs(), [0.5, 1.0]);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    fn map<F>(self, f: F) -> Map<Self, F>
    where
        Self: Sized,
        F: Fn(&mut [Self::Element], &mut [Self::TargetElement]) + Sync,
    {
        Map::new(self, f)
    }

    /// The same samples with other inputs, of shape `X` and elements `E`: `f` makes the second from the first.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{data::{Dataset, InMemory}, dim::D};
    ///
    /// let points = InMemory::<(D<1>,)>::new(vec![2.0, 3.0], vec![0, 1])?;
    /// let powers = points.map_inputs::<(D<2>,), f32, _>(|x, y| y.copy_from_slice(&[x[0], x[0] * x[0]]));
    /// assert_eq!(powers.to_memory()?.inputs(), [2.0, 4.0, 3.0, 9.0]);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    fn map_inputs<X, E, F>(self, f: F) -> MapInputs<Self, X, E, F>
    where
        Self: Sized,
        X: SampleShape,
        E: Element,
        F: Fn(&[Self::Element], &mut [E]) + Sync,
    {
        MapInputs::new(self, f)
    }

    /// The same samples with other targets, of shape `Y` and elements `T`: `f` makes the second from the first. Names
    /// of classes are lost.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{data::{Dataset, InMemory}, dim::D};
    ///
    /// let digits = InMemory::<(D<1>,)>::new(vec![2.0, 3.0], vec![7, 4])?;
    /// let odd = digits.map_targets::<(), u32, _>(|digit, odd| odd[0] = digit[0] % 2);
    /// assert_eq!(odd.to_memory()?.targets(), [1, 0]);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    fn map_targets<Y, T, F>(self, f: F) -> MapTargets<Self, Y, T, F>
    where
        Self: Sized,
        Y: SampleShape,
        T: Element,
        F: Fn(&[Self::TargetElement], &mut [T]) + Sync,
    {
        MapTargets::new(self, f)
    }

    /// The same samples with classes as vectors of `C` numbers, 1 at the class and 0 elsewhere. A class that is `C` or
    /// more is an error where the sample is asked for.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{data::{Dataset, InMemory}, dim::D};
    ///
    /// let points = InMemory::<(D<1>,)>::new(vec![2.0, 3.0], vec![2, 0])?;
    /// let vectors = points.one_hot::<D<3>, f32>().to_memory()?;
    /// assert_eq!(vectors.targets(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    fn one_hot<C: Static, E: Float>(self) -> OneHot<Self, C, E>
    where
        Self: Sized + Dataset<Target = (), TargetElement = u32>,
    {
        OneHot::new(self)
    }

    /// The same samples with inputs that `augment` changes at random, otherwise in each pass: what is drawn depends on
    /// the seed of the training, on the epoch and on the sample.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::augment::{Noise, Shift};
    /// use netform::{data::{Dataset, InMemory}, dim::D, random::Rng};
    ///
    /// let digits = InMemory::<(D<1>, D<28>, D<28>)>::new(vec![0.5; 784], vec![3])?;
    /// let darker = |x: &mut [f32], rng: &mut Rng| {
    ///     let by = rng.uniform() as f32;
    ///     x.iter_mut().for_each(|x| *x *= by);
    /// };
    /// let train = digits.augment(Shift(2)).augment(Noise(0.05)).augment(darker);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    fn augment<A: Augment<Self::Input, Self::Element>>(self, augment: A) -> Augmented<Self, A>
    where
        Self: Sized,
    {
        Augmented::new(self, augment)
    }

    /// Windows of `H` by `W` of images `[channels, height, width]`, from another place in each pass.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{data::{Dataset, InMemory}, dim::D};
    ///
    /// let digits = InMemory::<(D<1>, D<28>, D<28>)>::new(vec![0.5; 784], vec![3])?;
    /// let train = (&digits).random_crop::<D<24>, D<24>>();
    /// let test = (&digits).center_crop::<D<24>, D<24>>();
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    fn random_crop<H: Static, W: Static>(self) -> Cropped<Self, H, W>
    where
        Self: Sized + Dataset<Input: Crop<H, W>>,
    {
        Cropped::new(self, true)
    }

    /// Windows of `H` by `W` in the middle of images `[channels, height, width]`.
    fn center_crop<H: Static, W: Static>(self) -> Cropped<Self, H, W>
    where
        Self: Sized + Dataset<Input: Crop<H, W>>,
    {
        Cropped::new(self, false)
    }

    /// The same samples with batches prepared ahead on so many threads, two for each: for samples that are expensive to
    /// make. It is the last thing to do to a data set: what is made of it asks for single samples, which nobody prepares.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::augment::Shift;
    /// use netform::{data::{Dataset, InMemory}, dim::D};
    /// use netform::random::{Rng, Seed};
    ///
    /// let digits = InMemory::<(D<1>, D<28>, D<28>)>::new(vec![0.5; 7840], vec![3; 10])?;
    /// let train = digits.augment(Shift(2)).prefetch(2)?;
    /// for batch in train.batches(4, &mut Rng::new(Seed(1), 0)) {
    ///     println!("{}", batch?.size());
    /// }
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the system has no more threads.
    fn prefetch(self, threads: usize) -> Result<Prefetch<Self>>
    where
        Self: Sized + Send + Sync + 'static,
    {
        Prefetch::new(self, threads)
    }

    /// The inputs of this data set with the inputs of `targets` as targets; the targets of both are left out.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{data::{Dataset, InMemory}, dim::D};
    ///
    /// // An autoencoder's targets are its inputs.
    /// let images = InMemory::<(D<2>,)>::new(vec![0.1, 0.2, 0.3, 0.4], vec![2, 0])?;
    /// let pairs = (&images).zip(&images)?.to_memory()?;
    /// assert_eq!(pairs.inputs(), pairs.targets());
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If one has more samples than the other.
    fn zip<B: Dataset>(self, targets: B) -> Result<Zip<Self, B>>
    where
        Self: Sized,
    {
        Zip::new(self, targets)
    }

    /// The samples of this data set, and then those of `other`.
    ///
    /// # Errors
    /// If the classes of the two, or their features, have different names.
    fn concat<B>(self, other: B) -> Result<Concat<Self, B>>
    where
        Self: Sized,
        B: Dataset<
                Input = Self::Input,
                Target = Self::Target,
                Element = Self::Element,
                TargetElement = Self::TargetElement,
            >,
    {
        Concat::new(self, other)
    }

    /// The samples `indices`, in their order; one may be there twice.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{data::{Dataset, InMemory}, dim::D};
    ///
    /// let points = InMemory::<(D<1>,)>::new(vec![1.0, 2.0, 3.0], vec![0, 1, 0])?;
    /// assert_eq!((&points).subset(vec![2, 0])?.to_memory()?.inputs(), [3.0, 1.0]);
    /// assert!(points.subset(vec![3]).is_err());
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If an index is [`Dataset::len`] or more.
    fn subset(self, indices: Vec<usize>) -> Result<Subset<Self>>
    where
        Self: Sized,
    {
        Subset::new(self, indices)
    }

    /// The first `n` samples; all of them where there are fewer.
    fn take(self, n: usize) -> Subset<Self>
    where
        Self: Sized,
    {
        let indices = (0..self.len().min(n)).collect();
        Subset::of(self, indices)
    }

    /// All samples but the first `n`.
    fn skip(self, n: usize) -> Subset<Self>
    where
        Self: Sized,
    {
        let indices = (n..self.len()).collect();
        Subset::of(self, indices)
    }

    /// All samples in random order, once and for all. A [`Trainer`](crate::train::Trainer) and [`Dataset::batches`] take
    /// a new order for each pass without this.
    fn shuffle(self, seed: Seed) -> Subset<Self>
    where
        Self: Sized,
    {
        let indices = splits::shuffled(self.len(), seed);
        Subset::of(self, indices)
    }

    /// Two parts of all samples in random order: the first gets `fraction` of them, rounded, the second the others. The
    /// same seed gives the same split.
    ///
    /// # Errors
    /// If `fraction` is not between 0 and 1, or one that is leaves a part without samples; of 0 or 1 one part is empty.
    fn split(&self, fraction: f64, seed: Seed) -> Result<(Subset<&Self>, Subset<&Self>)>
    where
        Self: Sized,
    {
        let parts = splits::random(self.len(), [fraction], seed)?;
        Ok(parts.map(|part| Subset::of(self, part)).into())
    }

    /// Three parts of all samples in random order: the first two get their `fractions`, rounded, the third the others:
    /// `split3(0.7, 0.15, seed)` to train on, to validate on and to test on.
    ///
    /// # Errors
    /// If a fraction is not between 0 and 1, both are more than 1 together, or a part is left without samples.
    fn split3(&self, first: f64, second: f64, seed: Seed) -> Result<Three<Subset<&Self>>>
    where
        Self: Sized,
    {
        let parts = splits::random(self.len(), [first, second], seed)?;
        Ok(parts.map(|part| Subset::of(self, part)).into())
    }

    /// [`Dataset::split`] with the same share of each class in both parts, as near as whole samples are.
    ///
    /// # Errors
    /// If `fraction` is not between 0 and 1, a class would be missing from a part, or a target cannot be read.
    fn stratified_split(&self, fraction: f64, seed: Seed) -> Result<(Subset<&Self>, Subset<&Self>)>
    where
        Self: Sized + Dataset<Target = (), TargetElement = u32>,
    {
        let parts = splits::stratified(self, [fraction], seed)?;
        Ok(parts.map(|part| Subset::of(self, part)).into())
    }

    /// [`Dataset::split3`] with the same share of each class in all parts, as near as whole samples are.
    ///
    /// # Errors
    /// If a fraction is not between 0 and 1, both are more than 1 together, a class would be missing from a part, or a
    /// target cannot be read.
    fn stratified_split3(&self, first: f64, second: f64, seed: Seed) -> Result<Three<Subset<&Self>>>
    where
        Self: Sized + Dataset<Target = (), TargetElement = u32>,
    {
        let parts = splits::stratified(self, [first, second], seed)?;
        Ok(parts.map(|part| Subset::of(self, part)).into())
    }

    /// The samples to train on and those to validate on, `k` times: each sample, in random order, is once among the
    /// latter.
    ///
    /// # Errors
    /// If `k` is less than 2 or more than there are samples.
    fn k_fold(
        &self,
        k: usize,
        seed: Seed,
    ) -> Result<impl ExactSizeIterator<Item = (Subset<&Self>, Subset<&Self>)>>
    where
        Self: Sized,
    {
        let folds = splits::folds(self.len(), k, seed)?;
        Ok(folds.pairs(move |train, test| (Subset::of(self, train), Subset::of(self, test))))
    }

    /// [`Dataset::k_fold`] with as many samples of each class in every fold, to within one.
    ///
    /// # Errors
    /// If `k` is less than 2, a class has fewer than `k` samples, or a target cannot be read.
    fn stratified_k_fold(
        &self,
        k: usize,
        seed: Seed,
    ) -> Result<impl ExactSizeIterator<Item = (Subset<&Self>, Subset<&Self>)>>
    where
        Self: Sized + Dataset<Target = (), TargetElement = u32>,
    {
        let folds = splits::stratified_folds(self, k, seed)?;
        Ok(folds.pairs(move |train, test| (Subset::of(self, train), Subset::of(self, test))))
    }

    /// All samples, read or made once, in memory. Those that vary at random stay as they are then.
    ///
    /// # Errors
    /// If a sample cannot be read or made.
    fn to_memory(&self) -> Result<InMemoryOf<Self>>
    where
        Self: Sized,
    {
        InMemory::of(self)
    }
}
