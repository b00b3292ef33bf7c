//! Mini-batches: as an iterator for loops written by hand, and as a loader that fills one batch again and
//! again for the trainer.

use std::fmt;

use crate::cpu::Cpu;
use crate::data::dataset::Dataset;
use crate::device::Memory;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::random::{Rng, Seed};
use crate::shape::{BatchedShape, SampleShape};
use crate::tensor::Tensor;

/// Some samples of a data set on a device.
pub struct MiniBatch<
    X: SampleShape,
    Y: SampleShape,
    E: Element = f32,
    T: Element = u32,
    Dev: Memory = Cpu,
> {
    /// What the network gets.
    pub inputs: Tensor<X::Batched, E, Dev>,
    /// What it should answer.
    pub targets: Tensor<Y::Batched, T, Dev>,
}

impl<X: SampleShape, Y: SampleShape, E: Element, T: Element, Dev: Memory>
    MiniBatch<X, Y, E, T, Dev>
{
    /// A mini-batch of `size` samples, all zero.
    ///
    /// # Errors
    /// If the device has no memory for it.
    pub fn zeros_on(device: Dev, size: usize) -> Result<Self> {
        Ok(MiniBatch {
            inputs: Tensor::zeros_on(device.clone(), batched::<X>(size)?)?,
            targets: Tensor::zeros_on(device, batched::<Y>(size)?)?,
        })
    }

    /// The number of samples.
    pub fn size(&self) -> usize {
        self.inputs.batch()
    }
}

impl<X, Y, E, T, Dev> fmt::Debug for MiniBatch<X, Y, E, T, Dev>
where
    X: SampleShape,
    Y: SampleShape,
    E: Element,
    T: Element,
    Dev: Memory,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniBatch")
            .field("inputs", &self.inputs)
            .field("targets", &self.targets)
            .finish()
    }
}

/// `S` with a batch axis of `size` in front.
fn batched<S: SampleShape>(size: usize) -> Result<S::Batched> {
    // A sample's shape has a batch of any size; the error keeps that a promise of shape.rs alone.
    S::Batched::with_batch(size).ok_or_else(|| Error::Size {
        what: format!("a batch of samples of shape {}", S::describe()),
        expected: "a shape whose batch is known at run time".to_owned(),
        found: format!("a batch of {size}"),
    })
}

/// A mini-batch of the samples of `D`.
pub type BatchOf<D, Dev = Cpu> = MiniBatch<
    <D as Dataset>::Input,
    <D as Dataset>::Target,
    <D as Dataset>::Element,
    <D as Dataset>::TargetElement,
    Dev,
>;

/// The mini-batches of one pass over a data set, each in memory of its own:
/// [`Dataset::batches`] and [`Dataset::batches_in_order`].
///
/// An item is an error where a sample cannot be read or made, or the memory is not enough for a batch.
pub struct Batches<'a, D: Dataset> {
    dataset: &'a D,
    pass: Seed,
    order: Vec<usize>,
    size: usize,
    taken: usize,
}

impl<'a, D: Dataset> Batches<'a, D> {
    pub(crate) fn new(dataset: &'a D, pass: Seed, order: Vec<usize>, size: usize) -> Self {
        let size = size.max(1);
        dataset.announce(pass, &order, size);
        Batches { dataset, pass, order, size, taken: 0 }
    }

    fn batch(&self, indices: &[usize]) -> Result<BatchOf<D>> {
        let cpu = Cpu::default();
        let mut batch = MiniBatch::zeros_on(cpu.clone(), indices.len())?;
        let (inputs, targets) = (batch.inputs.as_mut_slice(), batch.targets.as_mut_slice());
        gather(self.dataset, Some(&cpu), self.pass, indices, inputs, targets)?;
        Ok(batch)
    }
}

/// So many bytes of inputs are worth a thread of their own: a few microseconds.
const PIECE: usize = 1 << 14;

/// Into how many pieces a batch is cut for each thread, so that one that comes late does not keep the others waiting.
const PIECES: usize = 2;

/// [`Dataset::gather`], on several threads where the batch is large. A sample does not depend on who makes it.
fn gather<D: Dataset>(
    dataset: &D,
    cpu: Option<&Cpu>,
    pass: Seed,
    indices: &[usize],
    inputs: &mut [D::Element],
    targets: &mut [D::TargetElement],
) -> Result<()> {
    let (x, y) = (D::Input::NUMEL, D::Target::NUMEL);
    let pieces = cpu.map_or(1, Cpu::threads).saturating_mul(PIECES);
    let pieces = pieces.min(size_of_val(inputs) / PIECE).min(indices.len());
    let cpu = cpu.filter(|cpu| cpu.threads() > 1 && pieces > 1 && x > 0 && y > 0);
    let Some(cpu) = cpu.filter(|_| dataset.is_divisible()) else {
        return dataset.gather(pass, indices, inputs, targets);
    };
    let samples = indices.len().div_ceil(pieces);
    let room = inputs.chunks_mut(samples * x).zip(targets.chunks_mut(samples * y));
    cpu.for_each(indices.chunks(samples).zip(room), |(indices, (inputs, targets))| {
        dataset.gather(pass, indices, inputs, targets)
    })
}

impl<D: Dataset> Iterator for Batches<'_, D> {
    type Item = Result<BatchOf<D>>;

    fn next(&mut self) -> Option<Self::Item> {
        let indices = chunk(&self.order[self.taken..], 0, self.size)?;
        let batch = self.batch(indices);
        self.taken += indices.len();
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.order.len() - self.taken).div_ceil(self.size);
        (left, Some(left))
    }
}

impl<D: Dataset> ExactSizeIterator for Batches<'_, D> {}

/// Fills one mini-batch again and again with the samples of a data set: an epoch allocates nothing.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::cpu::Cpu;
/// use netform::data::{InMemory, Loader};
/// use netform::dim::D;
/// use netform::random::{Rng, Seed};
///
/// let points = InMemory::<(D<2>,), ()>::new(vec![0.0; 10], vec![0, 1, 0, 1, 0])?;
/// let mut loader = Loader::new(&points, 2)?;
/// let mut batch = loader.mini_batch_on(Cpu::default())?;
/// let mut sizes = vec![];
/// loader.epoch_order(&mut Rng::new(Seed(42), 0));
/// for k in 0..loader.batches() {
///     sizes.push(loader.fill(k, &mut batch)?);
/// }
/// assert_eq!(sizes, [2, 2, 1]);
/// # Ok::<(), netform::error::Error>(())
/// ```
pub struct Loader<'a, D: Dataset> {
    pub(super) dataset: &'a D,
    pass: Seed,
    pub(super) order: Vec<usize>,
    size: usize,
    inputs: Vec<D::Element>,
    pub(super) targets: Vec<D::TargetElement>,
}

impl<'a, D: Dataset> Loader<'a, D> {
    /// A loader of mini-batches of `size` samples, in the order of the data set.
    ///
    /// # Errors
    /// If `size` is 0.
    pub fn new(dataset: &'a D, size: usize) -> Result<Self> {
        if size == 0 {
            return Err(Error::Invalid("a batch size of 0: expected at least 1".to_owned()));
        }
        // Room for more samples than there are would never be used.
        let size = size.min(dataset.len().max(1));
        Ok(Loader {
            dataset,
            pass: Seed::default(),
            order: (0..dataset.len()).collect(),
            size,
            inputs: vec![D::Element::default(); size * D::Input::NUMEL],
            targets: vec![D::TargetElement::default(); size * D::Target::NUMEL],
        })
    }

    /// The number of samples of an epoch.
    pub fn samples(&self) -> usize {
        self.order.len()
    }

    /// The number of mini-batches of an epoch, the last, smaller one included.
    pub fn batches(&self) -> usize {
        self.order.len().div_ceil(self.size)
    }

    /// The samples of each mini-batch but the last: the size that was asked for, or the number of samples
    /// where that is smaller.
    pub fn batch_size(&self) -> usize {
        self.size
    }

    /// A new random order of the samples. It depends on `rng` alone, not on the order before.
    pub fn epoch_order(&mut self, rng: &mut Rng) {
        self.original_order();
        rng.shuffle(&mut self.order);
        self.pass = next_pass(self.dataset, rng);
    }

    /// The order of the data set. Samples that vary at random are the same in every such pass.
    pub fn original_order(&mut self) {
        self.pass = Seed::default();
        for (i, index) in self.order.iter_mut().enumerate() {
            *index = i;
        }
    }

    /// A mini-batch with room for every batch of this loader.
    ///
    /// # Errors
    /// If the device has no memory for it.
    pub fn mini_batch_on<Dev: Memory>(&self, device: Dev) -> Result<BatchOf<D, Dev>> {
        MiniBatch::zeros_on(device, self.size)
    }

    /// Makes `batch` the `k`th mini-batch of the epoch, and returns the number of its samples.
    ///
    /// # Errors
    /// If there are not so many mini-batches, a sample cannot be read or made, `batch` has no room for them, or the
    /// device is lost.
    pub fn fill<Dev: Memory>(&mut self, k: usize, batch: &mut BatchOf<D, Dev>) -> Result<usize> {
        self.fill_as(k, batch)?;
        Ok(batch.size())
    }

    /// [`Loader::fill`] into a mini-batch of the shape that a network takes, which the caller has found to
    /// be the data set's; returns the targets.
    pub(crate) fn fill_as<X: SampleShape, Dev: Memory>(
        &mut self,
        k: usize,
        batch: &mut MiniBatch<X, D::Target, D::Element, D::TargetElement, Dev>,
    ) -> Result<&[D::TargetElement]> {
        let (first, indices) = self.indices(k)?;
        let indices = &self.order[first..][..indices.len()];
        if k == 0 {
            self.dataset.announce(self.pass, &self.order, self.size);
        }
        let numel = indices.len() * D::Input::NUMEL;
        let targets = &mut self.targets[..indices.len() * D::Target::NUMEL];
        batch.inputs.set_batch(indices.len())?;
        batch.targets.set_batch(indices.len())?;
        let device = batch.inputs.device().clone();
        // Samples go where they are wanted at once if the program can write there.
        if let Some(inputs) = device.host_mut(batch.inputs.buffer_mut()) {
            let inputs = &mut inputs[..numel];
            gather(self.dataset, device.cpu(), self.pass, indices, inputs, targets)?;
        } else {
            let inputs = &mut self.inputs[..numel];
            gather(self.dataset, device.cpu(), self.pass, indices, inputs, targets)?;
            batch.inputs.write(inputs)?;
        }
        batch.targets.write(targets)?;
        Ok(targets)
    }

    /// The number in the data set of sample `i` of the `k`th mini-batch.
    pub(crate) fn sample(&self, k: usize, i: usize) -> usize {
        self.indices(k).ok().and_then(|(_, indices)| indices.get(i).copied()).unwrap_or(i)
    }

    /// The samples of the `k`th mini-batch of the epoch, and how many come before them.
    pub(crate) fn indices(&self, k: usize) -> Result<(usize, &[usize])> {
        let indices = chunk(&self.order, k, self.size).ok_or_else(|| {
            let batches = self.order.len().div_ceil(self.size);
            Error::Invalid(format!("mini-batch {k} of an epoch of {batches}, counted from 0"))
        })?;
        Ok((k * self.size, indices))
    }
}

/// The `k`th piece of `size` elements; the last one is shorter. `None` where there is none.
fn chunk(order: &[usize], k: usize, size: usize) -> Option<&[usize]> {
    let start = k.checked_mul(size).filter(|&start| start < order.len())?;
    Some(&order[start..order.len().min(start.saturating_add(size))])
}

/// What the samples of a pass with a random order are drawn from. Only data that vary take from `rng`.
pub(super) fn next_pass<D: Dataset>(data: &D, rng: &mut Rng) -> Seed {
    if data.is_fixed() { Seed::default() } else { rng.seed() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::memory::InMemory;
    use crate::dim::{Batch, D};
    use crate::random::Seed;

    fn points(n: usize) -> InMemory<(D<2>,), ()> {
        let inputs = (0..2 * n).map(|i| i as f32).collect();
        InMemory::new(inputs, (0..n as u32).collect()).unwrap()
    }

    #[test]
    fn batches_in_order_end_with_a_smaller_one() {
        let points = points(5);
        let batches = points.batches_in_order(2);
        assert_eq!(batches.len(), 3);
        let batches: Vec<_> = batches.map(Result::unwrap).collect();
        assert_eq!(batches[0].inputs.to_vec(), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(batches[0].targets.to_vec(), [0, 1]);
        assert_eq!(batches[2].inputs.shape(), (Batch(1), D::<2>));
        assert_eq!(batches[2].targets.to_vec(), [4]);
    }

    #[test]
    fn shuffled_batches_hold_every_sample_once() {
        let points = points(50);
        let mut rng = Rng::new(Seed(3), 0);
        let order = |rng: &mut Rng| -> Vec<u32> {
            points.batches(8, rng).flat_map(|batch| batch.unwrap().targets.to_vec()).collect()
        };
        let first = order(&mut rng);
        assert_ne!(first, order(&mut rng), "each pass has an order of its own");
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, points.targets());
        assert_eq!(first, order(&mut Rng::new(Seed(3), 0)), "a seed gives an order");
    }

    #[test]
    fn odd_sizes() {
        assert_eq!(points(3).batches_in_order(0).count(), 3);
        assert_eq!(points(3).batches_in_order(usize::MAX).count(), 1);
        assert_eq!(points(0).batches_in_order(4).count(), 0);
        assert!(matches!(Loader::new(&points(3), 0), Err(Error::Invalid(_))));
        assert_eq!(Loader::new(&points(3), usize::MAX).unwrap().batch_size(), 3);
        assert_eq!(Loader::new(&points(0), 4).unwrap().batches(), 0);
    }

    #[test]
    fn a_loader_gives_what_the_iterator_gives() {
        let points = points(11);
        let mut loader = Loader::new(&points, 4).unwrap();
        let mut batch = loader.mini_batch_on(Cpu::default()).unwrap();
        for seed in [1, 2] {
            loader.epoch_order(&mut Rng::new(Seed(seed), 0));
            let expected = points.batches(4, &mut Rng::new(Seed(seed), 0));
            assert_eq!(expected.len(), loader.batches());
            for (k, expected) in expected.enumerate() {
                let expected = expected.unwrap();
                assert_eq!(loader.fill(k, &mut batch).unwrap(), expected.size());
                assert_eq!(batch.inputs.to_vec(), expected.inputs.to_vec());
                assert_eq!(batch.targets.to_vec(), expected.targets.to_vec());
            }
        }
    }

    #[test]
    fn a_loader_refuses_what_does_not_fit() {
        let points = points(11);
        let mut loader = Loader::new(&points, 4).unwrap();
        let mut batch = loader.mini_batch_on(Cpu::default()).unwrap();
        assert!(matches!(loader.fill(3, &mut batch), Err(Error::Invalid(_))));
        assert!(matches!(loader.fill(usize::MAX, &mut batch), Err(Error::Invalid(_))));
        let mut small = MiniBatch::zeros_on(Cpu::default(), 3).unwrap();
        assert!(matches!(loader.fill(0, &mut small), Err(Error::Size { .. })));
    }
}
