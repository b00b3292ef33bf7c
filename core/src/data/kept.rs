//! A data set as batches are made of it: from the memory of the CPU, where each is put together and copied to the
//! device, or in the device's own, where the whole data set is copied once and each batch is gathered.

use crate::data::batches::{Loader, MiniBatch};
use crate::data::dataset::Dataset;
use crate::data::memory::copy_samples;
use crate::device::Memory;
use crate::error::{Error, Result};
use crate::random::{Rng, Seed};
use crate::shape::SampleShape;

/// About so many bytes are put together at once where a data set is copied to a device.
const CHUNK: usize = 16 << 20;

/// A data set for the mini-batches of a device.
pub(crate) struct Source<'d, D: Dataset, Dev: Memory> {
    loader: Loader<'d, D>,
    device: Dev,
    kept: Option<Kept<D, Dev>>,
    /// Whether [`Source::keep`] has been called.
    asked: bool,
}

/// A whole data set in the memory of a device.
struct Kept<D: Dataset, Dev: Memory> {
    inputs: Dev::Buffer<D::Element>,
    targets: Dev::Buffer<D::TargetElement>,
    /// The samples in the order of the epoch; and the same numbers here, on their way there.
    order: Dev::Buffer<u32>,
    numbers: Vec<u32>,
    /// All targets, as long as somebody wants them on the CPU too.
    here: Vec<D::TargetElement>,
}

impl<'d, D: Dataset, Dev: Memory> Source<'d, D, Dev> {
    pub fn new(loader: Loader<'d, D>, device: Dev) -> Self {
        Source { loader, device, kept: None, asked: false }
    }

    pub fn loader(&self) -> &Loader<'d, D> {
        &self.loader
    }

    /// Copies the data set into the device's memory, where that is worth it and there is room: for who has all other
    /// memory already, and goes through the samples more than once. `wrong` sees all targets then.
    pub fn keep(&mut self, wrong: impl FnOnce(&[D::TargetElement]) -> Option<Error>) -> Result<()> {
        if std::mem::replace(&mut self.asked, true) || !self.is_to_be_kept() {
            return Ok(());
        }
        let kept = match Kept::new(self.loader.dataset, &self.device) {
            // Batches are copied one by one, as those of a data set that is too large.
            Err(Error::OutOfMemory { .. }) => return Ok(()),
            kept => kept?,
        };
        if let Some(error) = wrong(&kept.here) {
            return Err(error);
        }
        self.kept = Some(kept);
        self.write_order()
    }

    fn is_to_be_kept(&self) -> bool {
        let data = self.loader.dataset;
        let bytes = |size: usize, numel: usize| data.len().checked_mul(numel)?.checked_mul(size);
        let inputs = bytes(size_of::<D::Element>(), D::Input::NUMEL);
        let targets = bytes(size_of::<D::TargetElement>(), D::Target::NUMEL);
        let sizes = inputs.zip(targets).zip(bytes(size_of::<u32>(), 1));
        data.is_fixed()
            && u32::try_from(data.len()).is_ok()
            && sizes.is_some_and(|((inputs, targets), order)| {
                self.device.keeps(&[inputs, targets, order])
            })
    }

    /// A new random order of the samples: [`Loader::epoch_order`].
    pub fn epoch_order(&mut self, rng: &mut Rng) -> Result<()> {
        self.loader.epoch_order(rng);
        self.write_order()
    }

    fn write_order(&mut self) -> Result<()> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        kept.numbers.clear();
        // There are not more samples than such numbers.
        kept.numbers.extend(self.loader.order.iter().map(|&index| index as u32));
        self.device.write(&mut kept.order, 0, &kept.numbers)
    }

    /// Makes `batch` the `k`th mini-batch of the epoch, and returns its targets, where they are `wanted`. From the first
    /// time on that they are not, they never are.
    pub fn fill<X: SampleShape>(
        &mut self,
        k: usize,
        batch: &mut MiniBatch<X, D::Target, D::Element, D::TargetElement, Dev>,
        wanted: bool,
    ) -> Result<&[D::TargetElement]> {
        let Some(kept) = &mut self.kept else { return self.loader.fill_as(k, batch) };
        let (first, indices) = self.loader.indices(k)?;
        let count = indices.len();
        batch.inputs.set_batch(count)?;
        batch.targets.set_batch(count)?;
        let (device, order, numel) = (&self.device, &kept.order, D::Target::NUMEL);
        let inputs = batch.inputs.buffer_mut();
        device.gather(&kept.inputs, D::Input::NUMEL, order, first, count, inputs)?;
        let targets = batch.targets.buffer_mut();
        device.gather(&kept.targets, numel, order, first, count, targets)?;
        if !wanted {
            kept.here = Vec::new();
            return Ok(&[]);
        }
        let targets = &mut self.loader.targets[..count * numel];
        copy_samples(&kept.here, numel.max(1), &self.loader.order[first..][..count], targets);
        Ok(targets)
    }
}

impl<D: Dataset, Dev: Memory> Kept<D, Dev> {
    fn new(data: &D, device: &Dev) -> Result<Self> {
        let (len, [x, y]) = (data.len(), [D::Input::NUMEL, D::Target::NUMEL]);
        let mut kept = Kept {
            inputs: device.zeros(len * x)?,
            targets: device.zeros(len * y)?,
            order: device.zeros(len)?,
            numbers: Vec::with_capacity(len),
            here: vec![D::TargetElement::default(); len * y],
        };
        let bytes = size_of::<D::Element>() * x + size_of::<D::TargetElement>() * y;
        let samples = (CHUNK / bytes.max(1)).clamp(1, len.max(1));
        let mut inputs = vec![D::Element::default(); samples * x];
        let mut indices = Vec::with_capacity(samples);
        for first in (0..len).step_by(samples) {
            indices.clear();
            indices.extend(first..len.min(first + samples));
            let inputs = &mut inputs[..indices.len() * x];
            let targets = &mut kept.here[first * y..][..indices.len() * y];
            data.gather(Seed::default(), &indices, inputs, targets)?;
            device.write(&mut kept.inputs, first * x, inputs)?;
            device.write(&mut kept.targets, first * y, targets)?;
        }
        Ok(kept)
    }
}
