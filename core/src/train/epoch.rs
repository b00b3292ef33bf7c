//! One epoch: every sample once, in an order of its own.
//!
//! A device that works on steps while the next one is prepared gets several batches in turn: the memory of one that it
//! still reads is not written to, which would wait for it. Where the device keeps the whole data set, it makes the batch
//! in the same pass that trains on it.

use super::callback::{BatchRecord, Callback};
use super::check;
use super::history::StepRecord;
use super::metrics::Metrics;
use super::norms;
use super::resume::Begun;
use super::session::Session;
use super::tally::{Evaluation, Yardstick};
use super::validation::{BatchFor, not_empty, told};
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

/// What messages call the data set.
pub(super) const TRAINING: &str = "training set";

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
    /// What the network is measured by, where there is no validation.
    yardstick: Yardstick,
    /// The epoch and the batch of the last update, in this call.
    updated: Option<[usize; 2]>,
    /// The parameters that were not finite before the first one, which is no update's doing: masks, or frozen ones.
    spoilt: Vec<&'static str>,
}

/// A batch on the device, with its targets here if they are compared with outputs.
struct Place<N: Network, D: Dataset> {
    batch: BatchFor<N, D>,
    /// The learning rate of the step that trains on it.
    rate: f64,
    targets: Vec<D::TargetElement>,
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
        [again, measured]: [bool; 2],
    ) -> Result<Epochs<'n, 'd, N, D, L, O>>
    where
        L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
        O: Optimizer,
    {
        let Feed { source, places } = self;
        let outputs = vec![N::Elem::ZERO; source.loader().batch_size() * N::Output::NUMEL];
        let spoilt = norms::not_finite(step.net())?;
        let (judged, updated) = (true, None);
        let yardstick = Yardstick::new(D::Target::NUMEL, measured);
        Ok(Epochs {
            step,
            source,
            places,
            outputs,
            seed,
            again,
            judged,
            yardstick,
            updated,
            spoilt,
        })
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
    /// and on the epoch's number, so that a continued training goes on as a long one would. Says whether that is all of
    /// the epoch: it is not where training is to stop.
    pub fn run<M>(&mut self, begun: &mut Begun, session: &mut Session<'_, '_, M>) -> Result<bool>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        if self.again {
            let (loss, error) =
                (self.step.loss(), |misfit| check::misfit::<D>(misfit, TRAINING, |i| i));
            self.source.keep(|targets| loss.misfit(targets).map(error))?;
        }
        let Begun { epoch, batch: first, .. } = *begun;
        let order = (epoch as u64) << 32 | u64::from(ORDER);
        self.source.epoch_order(&mut Rng::new(self.seed, order))?;
        let batches = self.source.loader().batches();
        if session.history.constant_loss.is_some() {
            // It was measured before the training was resumed.
            self.yardstick.end();
        }
        // An epoch that another call has begun is not whole here.
        let measured = first == 0 && self.yardstick.is_wanted();
        if measured {
            self.yardstick.begin();
        }
        if session.keeps_steps {
            // Now, so that no step waits for memory; and for some epochs, so that few of them do.
            let epochs = session.plan.last_epoch.saturating_sub(epoch).saturating_add(1);
            let left = epochs.saturating_mul(batches).min(MANY).max(batches - first);
            session.history.steps.reserve(left);
        }
        for k in first..batches {
            let stop = session.is_to_stop();
            if stop || k > first && session.saves_after(epoch, k) {
                self.drain(begun, session)?;
                self.check_weights(begun, session)?;
                session.save(&self.step, *begun)?;
            }
            if stop {
                return Ok(false);
            }
            let of = k % self.places.len();
            let place = &mut self.places[of];
            let compared = self.judged || M::ANY;
            let wanted = compared || self.yardstick.is_wanted();
            let targets = self.source.fill(k, &mut place.batch, wanted)?;
            if let Some(misfit) = self.step.loss().misfit(targets) {
                let sample = |i| self.source.loader().sample(k, i);
                let error = check::misfit::<D>(misfit, TRAINING, sample);
                // Those under way count, and what is wrong with one of them comes first.
                self.drain(begun, session)?;
                return Err(error);
            }
            if measured {
                self.yardstick.add::<_, N::Output, D::Target, _, _>(self.step.loss(), targets);
            }
            if compared {
                place.targets.clear();
                place.targets.extend_from_slice(targets);
            }
            place.rate = self.step.rate();
            let loss = self.step.submit_keeping(&place.batch, compared, k + 1 == batches);
            if let Some(loss) = loss.map_err(|error| at(error, epoch, begun.batch + 1))? {
                self.received(loss, begun, session)?;
            }
        }
        self.drain(begun, session)?;
        if measured && let Some(loss) = self.yardstick.end() {
            session.history.constant_loss = Some(loss);
        }
        if epoch == session.plan.last_epoch || session.keeps_weights() {
            self.check_weights(begun, session)?;
        }
        Ok(true)
    }

    /// That the updates have left parameters of finite numbers. Their gradients are looked at only where they are clipped
    /// by norm or their norms are wanted: that takes time at each step. This takes memory and a pass of its own, so it is
    /// left to where weights are kept and to the end of training: elsewhere, the next batch's loss finds them.
    pub fn check_weights<M>(&self, begun: &Begun, session: &Session<'_, '_, M>) -> Result<()> {
        if self.updated.is_none() {
            return Ok(());
        }
        let found = norms::not_finite(self.step.net())?;
        let Some(name) = found.iter().find(|name| !self.spoilt.contains(name)) else {
            return Ok(());
        };
        let cause = format!(
            "`{name}` has numbers that are infinite or not a number, from an update that this batch or one before it made: its gradients were not finite, or its step was too large; with `gradient_norms()` such gradients are found before the update"
        );
        let (Begun { epoch, batch, .. }, saved) = (*begun, saved(session.callbacks));
        Err(Error::UpdateNotFinite { epoch, batch, cause, saved })
    }

    /// Waits for the batches under way.
    fn drain<M>(&mut self, begun: &mut Begun, session: &mut Session<'_, '_, M>) -> Result<()>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        loop {
            let loss = self.step.receive();
            match loss.map_err(|error| at(error, begun.epoch, begun.batch + 1))? {
                Some(loss) => self.received(loss, begun, session)?,
                None => return Ok(()),
            }
        }
    }

    /// Counts the oldest batch whose loss had not come in.
    fn received<M>(
        &mut self,
        loss: N::Elem,
        begun: &mut Begun,
        session: &mut Session<'_, '_, M>,
    ) -> Result<()>
    where
        M: Metrics<N::Elem, D::TargetElement>,
    {
        let loss = loss.to_f64();
        let Begun { epoch, tally, batch: done, .. } = begun;
        let place = &self.places[*done % self.places.len()];
        *done += 1;
        let (at_epoch, at_batch) = (*epoch, *done);
        if !loss.is_finite() {
            let saved = saved(session.callbacks);
            let (updated, spoilt) = (self.updated, &self.spoilt);
            let changes = |name: &str| {
                N::PARAMS.iter().any(|spec| spec.name == name) && !spoilt.contains(&name)
            };
            let found = self.step.culprit(&place.batch);
            let found = found.map(|found| found.after(updated, changes));
            let cause = told(found, TRAINING, &self.source, at_batch - 1)?;
            let (epoch, batch) = (at_epoch, at_batch);
            return Err(Error::NotFinite { loss, epoch, batch, cause, saved });
        }
        if self.step.gradient_norm().is_some_and(|norm| !norm.is_finite()) {
            let saved = saved(session.callbacks);
            let found = self.step.culprit_of_gradients(&place.batch);
            let found = told(found, TRAINING, &self.source, at_batch - 1)?;
            let cause = format!("this batch has changed nothing: {found}");
            let (epoch, batch) = (at_epoch, at_batch);
            return Err(Error::UpdateNotFinite { epoch, batch, cause, saved });
        }
        if self.step.has_updated() {
            self.updated = Some([at_epoch, at_batch]);
            // Those of the middle of an epoch, until it is at its end.
            session.history.weights_of = None;
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
        Error::IndexOutOfRange { what, index, size, of } => {
            let what = format!("epoch {epoch}, batch {batch}, {what} of the batch");
            Error::IndexOutOfRange { what, index, size, of }
        }
        other => other,
    }
}
