//! One epoch: every sample once, in an order of its own.
//!
//! A device that works on steps while the next one is prepared gets several batches in turn: the memory of one that it
//! still reads is not written to, which would wait for it. Where the device keeps the whole data set, it makes the batch
//! in the same pass that trains on it.

use super::callback::{BatchRecord, Callback};
use super::history::StepRecord;
use super::metrics::Metrics;
use super::resume::Begun;
use super::session::Session;
use super::tally::{Evaluation, Tally};
use super::validation::{BatchFor, not_empty};
use crate::data::{Dataset, Loader, MiniBatch, Source};
use crate::device::Device;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::random::{Rng, Seed, stream};
use crate::shape::{SameSample, SampleShape};
use crate::step::TrainStep;

/// The stream of random numbers that orders the samples; the epoch is added in the upper half, which no
/// other stream uses.
const ORDER: u32 = stream("netform: order of samples");

/// Of how many steps the history takes room at once, where there are so many.
const MANY: usize = 1 << 16;

/// What an epoch needs, used again by the next one: an epoch allocates nothing.
pub(super) struct Epochs<'n, 'd, N: Network, D: Dataset, L, O> {
    pub step: TrainStep<'n, N, L, O, D::Target, D::TargetElement>,
    source: Source<'d, D, N::Device>,
    places: Vec<Place<N, D>>,
    /// The outputs of a batch, if the loss judges answers or there are metrics.
    outputs: Vec<N::Elem>,
    seed: Seed,
    /// Whether there is more than one epoch.
    again: bool,
    /// Whether the loss judges answers, as far as is known.
    judged: bool,
}

/// A batch on the device, with its targets here if they are compared with outputs.
struct Place<N: Network, D: Dataset> {
    batch: BatchFor<N, D>,
    /// The learning rate of the step that trains on it.
    rate: f64,
    targets: Vec<D::TargetElement>,
}

/// What is known of an epoch that runs.
struct Progress {
    /// As it was where this call began.
    begun: Begun,
    epoch: usize,
    tally: Tally,
    /// How many batches' losses have come in.
    done: usize,
}

impl Progress {
    /// The epoch as it is where no batch is under way.
    fn begun(&self) -> Begun {
        Begun { batch: self.done, tally: self.tally, ..self.begun }
    }
}

/// The data and the memory for training on it, before the network is borrowed.
pub(super) struct Feed<'d, N: Network, D: Dataset> {
    source: Source<'d, D, N::Device>,
    places: Vec<Place<N, D>>,
}

impl<'d, N, D> Feed<'d, N, D>
where
    N: Network,
    D: Dataset<Element = N::InputElement>,
{
    pub fn new(net: &N, data: &'d D, batch: usize) -> Result<Self> {
        not_empty("the training set", data)?;
        let loader = Loader::new(data, batch)?;
        let (device, size) = (&net.store().device, loader.batch_size());
        let place = |_| {
            let batch = MiniBatch::zeros_on(device.clone(), size)?;
            Ok(Place { batch, rate: 0.0, targets: Vec::with_capacity(size * D::Target::NUMEL) })
        };
        let places = (0..=N::Device::AHEAD).map(place).collect::<Result<_>>()?;
        Ok(Feed { source: Source::new(loader, device.clone()), places })
    }

    pub fn loader(&self) -> &Loader<'d, D> {
        self.source.loader()
    }

    pub fn train<'n, L, O>(
        self,
        step: TrainStep<'n, N, L, O, D::Target, D::TargetElement>,
        seed: Seed,
        again: bool,
    ) -> Epochs<'n, 'd, N, D, L, O> {
        let Feed { source, places } = self;
        let outputs = vec![N::Elem::ZERO; source.loader().batch_size() * N::Output::NUMEL];
        Epochs { step, source, places, outputs, seed, again, judged: true }
    }
}

impl<N, D, L, O> Epochs<'_, '_, N, D, L, O>
where
    N: Network,
    D: Dataset<Element = N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
    O: Optimizer,
{
    /// Trains on every sample once, or on those that an epoch which has begun has left. The order depends on the seed
    /// and on the epoch's number, so that a continued training goes on as a long one would. Nothing is returned where
    /// training is to stop.
    pub fn run<M>(
        &mut self,
        begun: Begun,
        session: &mut Session<'_, '_, M>,
    ) -> Result<Option<Evaluation>>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        if self.again {
            self.source.keep()?;
        }
        let Begun { epoch, batch: first, .. } = begun;
        let order = (epoch as u64) << 32 | u64::from(ORDER);
        self.source.epoch_order(&mut Rng::new(self.seed, order))?;
        let mut progress = Progress { begun, epoch, tally: begun.tally, done: first };
        let batches = self.source.loader().batches();
        if session.keeps_steps {
            // Now, so that no step waits for memory; and for some epochs, so that few of them do.
            let epochs = session.plan.last_epoch.saturating_sub(epoch).saturating_add(1);
            let left = epochs.saturating_mul(batches).min(MANY).max(batches - first);
            session.history.steps.reserve(left);
        }
        for k in first..batches {
            let stop = session.is_to_stop();
            if stop || k > first && session.saves_after(epoch, k) {
                self.drain(&mut progress, session)?;
                session.save(&self.step, progress.begun())?;
            }
            if stop {
                return Ok(None);
            }
            let of = k % self.places.len();
            let place = &mut self.places[of];
            let compared = self.judged || M::ANY;
            let targets = self.source.fill(k, &mut place.batch, compared)?;
            if compared {
                place.targets.clear();
                place.targets.extend_from_slice(targets);
            }
            place.rate = self.step.rate();
            let loss = self.step.submit_keeping(&place.batch, compared, k + 1 == batches);
            if let Some(loss) = loss.map_err(|error| at(error, epoch, progress.done + 1))? {
                self.received(loss, &mut progress, session)?;
            }
        }
        self.drain(&mut progress, session)?;
        Ok(Some(progress.tally.evaluation()))
    }

    /// Waits for the batches under way.
    fn drain<M>(&mut self, progress: &mut Progress, session: &mut Session<'_, '_, M>) -> Result<()>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        loop {
            let loss = self.step.receive();
            match loss.map_err(|error| at(error, progress.epoch, progress.done + 1))? {
                Some(loss) => self.received(loss, progress, session)?,
                None => return Ok(()),
            }
        }
    }

    /// Counts the oldest batch whose loss had not come in.
    fn received<M>(
        &mut self,
        loss: N::Elem,
        progress: &mut Progress,
        session: &mut Session<'_, '_, M>,
    ) -> Result<()>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        let loss = loss.to_f64();
        let Progress { epoch, tally, done, .. } = progress;
        let place = &self.places[*done % self.places.len()];
        *done += 1;
        if !loss.is_finite() {
            let (epoch, batch, saved) = (*epoch, *done, saved(session.callbacks));
            let cause = match self.step.culprit(&place.batch) {
                Ok(cause) => {
                    // The number in the data set says more than that in the batch.
                    let (_, indices) = self.source.loader().indices(batch - 1)?;
                    cause.among("training set", indices).to_string()
                }
                Err(error) => format!("what first was not finite could not be found: {error}"),
            };
            return Err(Error::NotFinite { loss, epoch, batch, cause, saved });
        }
        tally.add_loss(loss, place.batch.size());
        if self.judged || M::ANY {
            let len = self.step.read_outputs(&mut self.outputs)?;
            let (outputs, targets) = (&self.outputs[..len], &place.targets);
            let added = session.metrics.add(outputs, targets);
            added.map_err(|error| at(error, *epoch, *done))?;
            self.judged = self.judged
                && tally.add_answers::<_, N::Output, D::Target, _, _>(
                    self.step.loss(),
                    outputs,
                    targets,
                );
        }
        let Evaluation { loss: mean_loss, accuracy } = tally.evaluation();
        let (epoch, batch, rate) = (*epoch, *done, place.rate);
        let gradient_norm = self.step.gradient_norm();
        if session.keeps_steps {
            let samples = place.batch.size();
            let record = StepRecord { epoch, batch, samples, loss, rate, gradient_norm };
            session.history.steps.push(record);
        }
        let samples = tally.samples;
        let record =
            BatchRecord { epoch, batch, samples, loss, mean_loss, accuracy, rate, gradient_norm };
        session.callbacks.iter_mut().try_for_each(|callback| callback.on_batch_end(&record))
    }
}

/// Where the best weights so far are, as text for an error.
pub(super) fn saved(callbacks: &[Box<dyn Callback + '_>]) -> String {
    callbacks
        .iter()
        .find_map(|callback| callback.best_weights())
        .map(|path| format!("; the best weights so far are in {}", path.display()))
        .unwrap_or_default()
}

/// The error of a step, with the place of the batch where it is about the batch's data.
fn at(error: Error, epoch: usize, batch: usize) -> Error {
    match error {
        Error::IndexOutOfRange { what, index, size } => {
            let what = format!("epoch {epoch}, batch {batch}, {what} of the batch");
            Error::IndexOutOfRange { what, index, size }
        }
        other => other,
    }
}
