//! Evaluation of a whole data set, once or after every epoch.

use super::metrics::Metrics;
use super::tally::{Evaluation, Tally};
use crate::data::{Dataset, DatasetOf, Loader, MiniBatch, Source};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::inference::Evaluator;
use crate::loss::Loss;
use crate::module::Module;
use crate::network::Network;
use crate::shape::{SameSample, SampleShape};

/// The mini-batches of `D`, in the shape of `N`'s inputs. That they are the same shape is what
/// [`SameSample`] says; rustc is not told, so that a mismatch is reported in its words.
pub(super) type BatchFor<N, D> = MiniBatch<
    <N as Network>::Input,
    <D as Dataset>::Target,
    <N as Network>::InputElement,
    <D as Dataset>::TargetElement,
    <N as Module>::Device,
>;

/// The mean loss and the accuracy of a network on a data set, in evaluation mode, `batch` samples at a time.
///
/// # Errors
/// If the data set is empty, `batch` is 0, a label is out of range, or the device has not enough memory or
/// is lost.
pub fn evaluate<N, L, D>(net: &N, loss: &L, data: &D, batch: usize) -> Result<Evaluation>
where
    N: Network,
    D: DatasetOf<N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
{
    EvaluationPass::new(net, loss, data, batch, false)?.run(net, loss, &mut ())
}

/// All the memory that evaluating a data set needs; the trainer uses it again after every epoch.
pub struct EvaluationPass<'d, N: Network, D: Dataset, L> {
    source: Source<'d, D, N::Device>,
    batch: BatchFor<N, D>,
    evaluator: Evaluator<N, L>,
    outputs: Vec<N::Elem>,
    /// Whether there is more than one run.
    again: bool,
    /// Whether the loss judges answers, as far as is known.
    judged: bool,
}

impl<'d, N, D, L> EvaluationPass<'d, N, D, L>
where
    N: Network,
    D: DatasetOf<N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
{
    fn new(net: &N, loss: &L, data: &'d D, batch: usize, again: bool) -> Result<Self> {
        not_empty("the data set to evaluate on", data)?;
        let loader = Loader::new(data, batch)?;
        let (device, capacity) = (net.store().device.clone(), loader.batch_size());
        Ok(EvaluationPass {
            batch: MiniBatch::zeros_on(device.clone(), capacity)?,
            evaluator: Evaluator::new::<D::Target, D::TargetElement>(net, loss, capacity)?,
            outputs: vec![N::Elem::ZERO; capacity * N::Output::NUMEL],
            source: Source::new(loader, device),
            again,
            judged: true,
        })
    }

    fn run<M>(&mut self, net: &N, loss: &L, metrics: &mut M) -> Result<Evaluation>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        if self.again {
            self.source.keep()?;
        }
        let mut tally = Tally::default();
        for k in 0..self.source.loader().batches() {
            let targets = self.source.fill(k, &mut self.batch, self.judged || M::ANY)?;
            let samples = self.batch.size();
            let value = self.evaluator.run(net, loss, &self.batch, &mut self.outputs)?;
            tally.add_loss(value.to_f64(), samples);
            let outputs = &self.outputs[..samples * N::Output::NUMEL];
            if M::ANY {
                metrics.add(outputs, targets)?;
            }
            self.judged = self.judged
                && tally.add_answers::<_, N::Output, D::Target, _, _>(loss, outputs, targets);
        }
        Ok(tally.evaluation())
    }
}

pub(super) fn not_empty<D: Dataset>(what: &str, data: &D) -> Result<()> {
    match data.len() {
        0 => Err(Error::Size {
            what: what.to_owned(),
            expected: "at least one sample".to_owned(),
            found: "none".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// No data set to validate on.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoValidation;

/// What a trainer validates on: a data set that fits the network, the loss and the metrics, or [`NoValidation`].
pub trait Validation<N: Network, L, M> {
    /// Memory that is used again after every epoch.
    #[doc(hidden)]
    type Pass;
    /// The memory, for batches of up to `batch` samples, to be run more than once where `again`.
    #[doc(hidden)]
    fn prepare(&self, net: &N, loss: &L, batch: usize, again: bool) -> Result<Self::Pass>;
    /// Loss and accuracy of the network as it is; metrics add the samples.
    #[doc(hidden)]
    fn run(pass: &mut Self::Pass, net: &N, loss: &L, metrics: &mut M)
    -> Result<Option<Evaluation>>;
}

// Not a hint for whoever validates on data of the wrong shape.
#[diagnostic::do_not_recommend]
impl<N: Network, L, M> Validation<N, L, M> for NoValidation {
    type Pass = ();

    fn prepare(&self, _: &N, _: &L, _: usize, _: bool) -> Result<()> {
        Ok(())
    }

    fn run((): &mut (), _: &N, _: &L, _: &mut M) -> Result<Option<Evaluation>> {
        Ok(None)
    }
}

impl<'d, N, L, M, D> Validation<N, L, M> for &'d D
where
    N: Network,
    D: DatasetOf<N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
    M: Metrics<N::Elem, D::TargetElement>,
{
    type Pass = EvaluationPass<'d, N, D, L>;

    fn prepare(&self, net: &N, loss: &L, batch: usize, again: bool) -> Result<Self::Pass> {
        EvaluationPass::new(net, loss, *self, batch, again)
    }

    fn run(
        pass: &mut Self::Pass,
        net: &N,
        loss: &L,
        metrics: &mut M,
    ) -> Result<Option<Evaluation>> {
        pass.run(net, loss, metrics).map(Some)
    }
}
