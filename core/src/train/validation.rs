//! Evaluation of a whole data set, once or after every epoch.

use super::check;
use super::check::Made;
use super::metrics::Metrics;
use super::tally::{Evaluation, Tally, Yardstick};
use crate::data::{Dataset, DatasetOf, Loader, MiniBatch, Source};
use crate::device::Memory;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::inference::Evaluator;
use crate::loss::Loss;
use crate::module::Module;
use crate::network::Network;
use crate::shape::{SameSample, SampleShape};
use crate::step::Culprit;

/// The mini-batches of `D`, in the shape of `N`'s inputs. That they are the same shape is what
/// [`SameSample`] says; rustc is not told, so that a mismatch is reported in its words.
pub(super) type BatchFor<N, D> = MiniBatch<
    <N as Network>::Input,
    <D as Dataset>::Target,
    <N as Network>::InputElement,
    <D as Dataset>::TargetElement,
    <N as Module>::Device,
>;

/// What messages call the data set: the trainer's, and one that is given to [`evaluate`].
const VALIDATION: &str = "validation set";
const EVALUATED: &str = "data set";

/// The mean loss and the accuracy of a network on a data set, in evaluation mode, `batch` samples at a time.
///
/// # Errors
/// If the data set is empty, `batch` is 0, the network's outputs or the targets are not what the loss takes, or the device
/// has not enough memory or is lost.
pub fn evaluate<N, L, D>(net: &N, loss: &L, data: &D, batch: usize) -> Result<Evaluation>
where
    N: Network,
    D: DatasetOf<N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
{
    let mut pass = EvaluationPass::new(net, loss, data, batch, EVALUATED)?;
    let mut tally = Tally::default();
    for k in 0..pass.source.loader().batches() {
        pass.add(k, net, loss, &mut (), &mut tally)?;
    }
    Ok(tally.evaluation())
}

/// All the memory that evaluating a data set needs; the trainer uses it again after every epoch.
pub struct EvaluationPass<'d, N: Network, D: Dataset, L> {
    source: Source<'d, D, N::Device>,
    batch: BatchFor<N, D>,
    evaluator: Evaluator<N, L>,
    /// What messages call the data set.
    set: &'static str,
    outputs: Vec<N::Elem>,
    /// Whether there is more than one run.
    again: bool,
    /// Whether the loss judges answers, as far as is known.
    judged: bool,
    /// What the first run measures the network by.
    yardstick: Yardstick,
}

impl<'d, N, D, L> EvaluationPass<'d, N, D, L>
where
    N: Network,
    D: DatasetOf<N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
{
    fn new(net: &N, loss: &L, data: &'d D, batch: usize, set: &'static str) -> Result<Self> {
        not_empty("the data set to evaluate on", data)?;
        check::together::<N, D, L>(loss, data, set)?;
        let loader = Loader::new(data, batch)?;
        let (device, capacity) = (net.store().device.clone(), loader.batch_size());
        Ok(EvaluationPass {
            batch: MiniBatch::zeros_on(device.clone(), capacity)?,
            evaluator: Evaluator::new::<D::Target, D::TargetElement>(net, loss, capacity)?,
            outputs: vec![N::Elem::ZERO; capacity * N::Output::NUMEL],
            source: Source::new(loader, device),
            set,
            again: false,
            judged: true,
            yardstick: Yardstick::new(D::Target::NUMEL, false),
        })
    }

    /// Adds batch `k`, and returns its loss.
    fn add<M>(
        &mut self,
        k: usize,
        net: &N,
        loss: &L,
        metrics: &mut M,
        tally: &mut Tally,
    ) -> Result<f64>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        let wanted = self.judged || M::ANY || self.yardstick.is_wanted();
        let targets = self.source.fill(k, &mut self.batch, wanted)?;
        if let Some(misfit) = loss.misfit(targets) {
            let sample = |i| self.source.loader().sample(k, i);
            return Err(check::misfit::<D>(misfit, self.set, sample));
        }
        self.yardstick.add::<_, N::Output, D::Target, _, _>(loss, targets);
        let samples = self.batch.size();
        let value = self.evaluator.run(net, loss, &self.batch, &mut self.outputs)?.to_f64();
        tally.add_loss(value, samples);
        let outputs = &self.outputs[..samples * N::Output::NUMEL];
        if M::ANY {
            metrics.add(outputs, targets)?;
        }
        self.judged = self.judged
            && tally.add_answers::<_, N::Output, D::Target, _, _>(loss, outputs, targets);
        Ok(value)
    }

    fn run<M>(
        &mut self,
        net: &N,
        loss: &L,
        metrics: &mut M,
        is_to_stop: &dyn Fn() -> bool,
    ) -> Result<Validated>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        if self.again {
            let set = self.set;
            let error = |misfit| check::misfit::<D>(misfit, set, |i| i);
            self.source.keep(|targets| loss.misfit(targets).map(error))?;
        }
        if self.yardstick.is_wanted() {
            self.yardstick.begin();
        }
        let mut tally = Tally::default();
        for k in 0..self.source.loader().batches() {
            if is_to_stop() {
                return Ok(Validated::Interrupted);
            }
            let value = self.add(k, net, loss, metrics, &mut tally)?;
            if !value.is_finite() {
                let found = self.evaluator.culprit(net, loss, &self.batch);
                let cause = told(found, self.set, &self.source, k)?;
                return Ok(Validated::NotFinite { loss: value, cause });
            }
        }
        Ok(Validated::Whole(tally.evaluation(), self.yardstick.end()))
    }
}

/// What was found of batch `k`, in the data set's own numbers.
pub(super) fn told<D: Dataset, Dev: Memory>(
    found: Result<Culprit>,
    set: &'static str,
    source: &Source<'_, D, Dev>,
    k: usize,
) -> Result<String> {
    Ok(match found {
        Ok(culprit) => culprit.among(set, source.loader().indices(k)?.1).to_string(),
        Err(error) => format!("what first was not finite could not be found: {error}"),
    })
}

/// What came of a validation.
#[doc(hidden)]
pub enum Validated {
    /// There is nothing to validate on.
    Nothing,
    /// Training is to end before its end.
    Interrupted,
    /// Over all samples, and the loss of the best constant answer to them.
    Whole(Evaluation, Option<f64>),
    /// The loss of a batch is infinite or not a number: what made it so, as text.
    NotFinite { loss: f64, cause: String },
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
    /// Whether there are samples.
    #[doc(hidden)]
    const ANY: bool;
    /// How its samples were made.
    #[doc(hidden)]
    fn made(&self) -> Made<'_> {
        Made::default()
    }
    /// Memory that is used again after every epoch.
    #[doc(hidden)]
    type Pass;
    /// The memory, for batches of up to `batch` samples, to be run more than once where `again`.
    #[doc(hidden)]
    fn prepare(&self, net: &N, loss: &L, batch: usize, again: bool) -> Result<Self::Pass>;
    /// Loss and accuracy of the network as it is; metrics add the samples. It ends at the next batch once it is to stop.
    #[doc(hidden)]
    fn run(
        pass: &mut Self::Pass,
        net: &N,
        loss: &L,
        metrics: &mut M,
        is_to_stop: &dyn Fn() -> bool,
    ) -> Result<Validated>;
}

// Not a hint for whoever validates on data of the wrong shape.
#[diagnostic::do_not_recommend]
impl<N: Network, L, M> Validation<N, L, M> for NoValidation {
    type Pass = ();
    const ANY: bool = false;

    fn prepare(&self, _: &N, _: &L, _: usize, _: bool) -> Result<()> {
        Ok(())
    }

    fn run((): &mut (), _: &N, _: &L, _: &mut M, _: &dyn Fn() -> bool) -> Result<Validated> {
        Ok(Validated::Nothing)
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
    const ANY: bool = true;

    fn made(&self) -> Made<'_> {
        let (columns, classes) = (self.columns(), self.class_names());
        Made { columns, classes, scaled: self.is_scaled() }
    }

    fn prepare(&self, net: &N, loss: &L, batch: usize, again: bool) -> Result<Self::Pass> {
        let pass = EvaluationPass::new(net, loss, *self, batch, VALIDATION)?;
        let yardstick = Yardstick::new(D::Target::NUMEL, true);
        Ok(EvaluationPass { again, yardstick, ..pass })
    }

    fn run(
        pass: &mut Self::Pass,
        net: &N,
        loss: &L,
        metrics: &mut M,
        is_to_stop: &dyn Fn() -> bool,
    ) -> Result<Validated> {
        pass.run(net, loss, metrics, is_to_stop)
    }
}
