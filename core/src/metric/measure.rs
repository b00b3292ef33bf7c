//! A figure over a whole data set.

use super::{Metric, check_row};
use crate::data::{DatasetOf, Loader, MiniBatch, Source};
use crate::element::Float;
use crate::error::Result;
use crate::inference::Predictor;
use crate::network::Network;
use crate::shape::{SameSample, SampleShape};

/// Adds the network's outputs in evaluation mode for all samples of a data set to a figure, `batch` samples at a time.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::data::InMemory;
/// use netform::dim::D;
/// use netform::metric::{Confusion, measure};
/// use netform::random::Seed;
///
/// let data = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
/// let confusion = measure(&Net::new(Seed(1)), &data, 64, Confusion::new(2))?;
/// assert_eq!(confusion.samples(), 2);
/// println!("{confusion}");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If `batch` is 0, the outputs are not what the figure is of, a label is out of range, or the device has not enough
/// memory or is lost.
pub fn measure<N, D, M>(net: &N, data: &D, batch: usize, mut metric: M) -> Result<M>
where
    N: Network,
    D: DatasetOf<N::InputElement>,
    D::Input: SameSample<N::Input>,
    M: Metric<N::Elem, D::TargetElement>,
{
    check_row::<N::Output>("a metric", metric.row())?;
    let loader = Loader::new(data, batch)?;
    let (device, size) = (net.store().device.clone(), loader.batch_size());
    if data.is_empty() {
        return Ok(metric);
    }
    let mut samples = MiniBatch::<N::Input, D::Target, _, _, _>::zeros_on(device.clone(), size)?;
    let mut source = Source::new(loader, device);
    let mut predictor = Predictor::new(net, size)?;
    let mut outputs = vec![N::Elem::ZERO; size * N::Output::NUMEL];
    for k in 0..source.loader().batches() {
        let targets = source.fill(k, &mut samples, true)?;
        let outputs = &mut outputs[..samples.size() * N::Output::NUMEL];
        predictor.run_on(samples.size(), samples.inputs.buffer())?.read(outputs)?;
        metric.add(outputs, targets)?;
    }
    Ok(metric)
}
