//! A call of `fit`: epochs with validation and callbacks between them, from wherever training is.

use std::any::Any;
use std::path::PathBuf;
use std::time::Instant;

use super::callback::{Flow, Lent};
use super::check;
use super::epoch::{Epochs, Feed, TRAINING, saved};
use super::history::{EpochRecord, History};
use super::metrics::{self, Metrics};
use super::norms;
use super::resume::{self, Begun, Resumed, Terms};
use super::session::{Session, is_any_set};
use super::tally::Evaluation;
use super::trainer::Trainer;
use super::validation::{Validated, Validation};
use crate::data::Dataset;
use crate::device::Memory;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::module::Module;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::shape::SameSample;
use crate::step::{OptimizerState, TrainStep};

/// What is kept between calls of `fit`.
pub(super) struct Kept {
    network: &'static str,
    id: u64,
    /// An [`OptimizerState`] of the buffers of the network's device, which the trainer's type does not name.
    state: Box<dyn Any>,
}

type StateOf<N> = OptimizerState<<<N as Module>::Device as Memory>::Buffer<<N as Module>::Elem>>;

/// [`Trainer::fit`].
pub(super) fn fit<N, D, L, O, V, M>(
    trainer: &mut Trainer<'_, L, O, V, M>,
    net: &mut N,
    data: &D,
) -> Result<History>
where
    N: Network,
    D: Dataset<Element = N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement> + Clone,
    O: Optimizer,
    V: Validation<N, L, M>,
    M: Metrics<N::Elem, D::TargetElement>,
{
    trainer.optimizer.check()?;
    let settings = &mut trainer.settings;
    #[cfg(feature = "ctrlc")]
    let _under_way = super::interrupt::Training::begin(&settings.stops);
    let again = settings.epochs > 1;
    let feed = Feed::new(net, data, settings.batch)?;
    check::together::<N, D, L>(&trainer.loss, data, TRAINING)?;
    check::alike(data, trainer.validation.made())?;
    let pass = trainer.validation.prepare(net, &trainer.loss, settings.batch, again)?;
    let names = metrics::names(&mut trainer.metrics)?;
    let sizes = [feed.loader().samples(), feed.loader().batch_size()];
    let described =
        Loss::<N::Elem, N::Output, D::Target, D::TargetElement>::described(&trainer.loss);
    let terms = Terms::of::<N, L, O>(described, &trainer.optimizer, &settings.rules, sizes);
    trainer.metrics.check::<N::Output>()?;
    let batches = feed.loader().batches();
    let resumed = match &settings.resume {
        Some(path) => {
            Some(Resumed::read::<N, O>(path, &trainer.optimizer, &terms, batches, &names)?)
        }
        None => None,
    };
    if let Some(resumed) = &resumed {
        resumed.check(&settings.callbacks, &mut trainer.metrics)?;
    }
    let plan = resume::plan::<N>(resumed.as_ref(), settings.done, settings.epochs, sizes, names);
    settings.done = plan.first_epoch - 1;
    let id = net.store().id;
    let state = match &resumed {
        Some(resumed) => resumed.apply(net)?,
        None => take_state::<N>(&mut settings.kept, id)?,
    };
    let own = settings.seed.unwrap_or(net.store().seed);
    let seed = resumed.as_ref().map_or(own, |resumed| resumed.seed);
    let (loss, optimizer) = (trainer.loss.clone(), trainer.optimizer.clone());
    let step = TrainStep::resume(net, loss, optimizer, plan.batch, state)?;
    let step = step.rules(settings.rules.clone()).halting().prepared()?;
    metrics::clear(&mut trainer.metrics);
    let session = Session {
        callbacks: &mut settings.callbacks,
        autosave: settings.autosave.as_ref(),
        stops: &settings.stops,
        plan: &plan,
        seed,
        history: History::default(),
        terms,
        keeps_steps: settings.keep_steps,
        metrics: &mut trainer.metrics,
    };
    let epochs = feed.train(step, seed, [again, !V::ANY])?;
    let weight_norms = settings.weight_norms;
    let resume = &mut settings.resume;
    let mut training = Training::<N, D, L, O, V, M> { session, epochs, pass, weight_norms, resume };
    let outcome = training.watched(resumed);
    let Training { session, epochs, .. } = training;
    let history = session.history;
    settings.done = history.last().map_or(settings.done, |last| last.epoch);
    let (_, optimizer, state) = epochs.step.into_state();
    trainer.optimizer = optimizer;
    settings.kept = Some(Kept { network: N::NAME, id, state: Box::new(state) });
    outcome.map(|()| history)
}

/// The optimiser's state for the network, from before or new.
fn take_state<N: Network>(held: &mut Option<Kept>, id: u64) -> Result<StateOf<N>> {
    let Some(kept) = &held else { return Ok(OptimizerState::default()) };
    if kept.id != id || !kept.state.is::<StateOf<N>>() {
        return Err(Error::Invalid(format!(
            "this trainer has trained another network (`{}`), whose optimiser's state it holds, and cannot go on with this one (`{}`); a new Trainer can",
            kept.network,
            N::NAME
        )));
    }
    let state = held.take().and_then(|kept| kept.state.downcast().ok());
    let mut state: StateOf<N> = state.map_or_else(OptimizerState::default, |state| *state);
    // Of a training that ended in the middle of an epoch, which is begun anew.
    state.gathered = 0;
    Ok(state)
}

/// A training while it runs.
struct Training<'t, 'c, 'd, N: Network, D: Dataset, L, O, V: Validation<N, L, M>, M> {
    session: Session<'t, 'c, M>,
    epochs: Epochs<'t, 'd, N, D, L, O>,
    pass: V::Pass,
    /// Whether the history has the norms of the parameters.
    weight_norms: bool,
    /// The file that training goes on from, until it does.
    resume: &'t mut Option<PathBuf>,
}

impl<N, D, L, O, V, M> Training<'_, '_, '_, N, D, L, O, V, M>
where
    N: Network,
    D: Dataset<Element = N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
    O: Optimizer,
    V: Validation<N, L, M>,
    M: Metrics<N::Elem, D::TargetElement>,
{
    /// All epochs, between the callbacks' begin and end: what began also ends where training fails.
    fn watched(&mut self, resumed: Option<Resumed>) -> Result<()> {
        let Training { session, .. } = self;
        let plan = session.plan;
        let mut outcome =
            session.callbacks.iter_mut().try_for_each(|callback| callback.on_train_begin(plan));
        let mut begun = Begun::at(plan.first_epoch);
        if let (Some(resumed), Ok(())) = (resumed, &outcome) {
            begun = resumed.begun;
            outcome = resumed.restore(session.callbacks, session.metrics);
            session.history = resumed.history;
            if outcome.is_ok() {
                *self.resume = None;
            }
        }
        if outcome.is_ok() {
            outcome = self.all(begun);
        }
        let Training { session, epochs, .. } = self;
        session.history.failure = outcome.as_ref().err().map(ToString::to_string);
        epochs.step.keep_average();
        // They come one after another: the last one's weights stay.
        let given = session.callbacks.iter().rev().find_map(|it| it.gives_weights_of());
        session.history.weights_of = given.or(session.history.weights_of);
        for callback in session.callbacks.iter_mut() {
            let end = callback.on_train_end(&session.history, &mut Lent(epochs.step.net_mut()));
            outcome = outcome.and(end);
        }
        outcome
    }

    /// The epochs from one that has begun on.
    fn all(&mut self, mut begun: Begun) -> Result<()> {
        let last = self.session.plan.last_epoch;
        while begun.epoch <= last && !begun.stopped {
            let Training { session, epochs, .. } = self;
            begun.since = Instant::now();
            epochs.step.set_epochs(begun.epoch as u64 - 1);
            begun.rate = Some(begun.rate.unwrap_or_else(|| epochs.step.rate()));
            if !epochs.run(&mut begun, session)? {
                session.history.interrupted = true;
                return Ok(());
            }
            // Validation and callbacks see the average of the weights, where there is one.
            epochs.step.exchange_average();
            let after = self.after(&begun);
            let Training { session, epochs, .. } = self;
            epochs.step.exchange_average();
            let Some(flow) = after? else {
                // The epoch is at its end, but for what comes after its batches.
                epochs.check_weights(&begun, session)?;
                session.save(&epochs.step, begun)?;
                session.history.interrupted = true;
                return Ok(());
            };
            if flow == Flow::Stop {
                epochs.check_weights(&begun, session)?;
            }
            begun = Begun { stopped: flow == Flow::Stop, ..Begun::at(begun.epoch + 1) };
            session.save(&epochs.step, begun)?;
        }
        self.session.history.interrupted = self.session.is_to_stop();
        self.session.history.stopped_early = begun.stopped && begun.epoch <= last;
        Ok(())
    }

    /// Validates after an epoch, notes its figures and tells the callbacks, who may end training. Nothing has happened
    /// where training is to end before the validation does.
    fn after(&mut self, begun: &Begun) -> Result<Option<Flow>> {
        let Training { session, epochs, pass, weight_norms, .. } = self;
        let Evaluation { loss, accuracy } = begun.tally.evaluation();
        let added = (!session.stops.is_empty()).then(|| resume::added(session.metrics));
        let mut record = EpochRecord {
            epoch: begun.epoch,
            train_loss: loss,
            train_accuracy: accuracy,
            rate: begun.rate.unwrap_or_default(),
            metrics: metrics::of_training(session.metrics),
            ..EpochRecord::default()
        };
        let (net, loss) = (epochs.step.net(), epochs.step.loss());
        let is_to_stop = || is_any_set(session.stops);
        match V::run(pass, net, loss, session.metrics, &is_to_stop)? {
            Validated::Nothing => {}
            Validated::Interrupted => {
                metrics::clear(session.metrics);
                resume::put_back(session.metrics, &added.unwrap_or_default());
                return Ok(None);
            }
            Validated::NotFinite { loss, cause } => {
                let (epoch, saved) = (record.epoch, saved(session.callbacks));
                return Err(Error::ValidationNotFinite { loss, epoch, cause, saved });
            }
            Validated::Whole(Evaluation { loss, accuracy }, constant) => {
                session.history.constant_loss = constant;
                record.validation_loss = Some(loss);
                record.validation_accuracy = accuracy;
                metrics::of_validation(session.metrics, &mut record.metrics);
            }
        }
        if *weight_norms {
            record.weight_norms = norms::of_weights(epochs.step.net())?;
        }
        record.seconds = begun.elapsed();
        session.history.push(record.clone());
        let mut flow = Flow::Continue;
        for callback in session.callbacks.iter_mut() {
            let mut net = Lent(epochs.step.net_mut());
            if callback.on_epoch_end(&record, &mut net)? == Flow::Stop {
                flow = Flow::Stop;
            }
        }
        Ok(Some(flow))
    }
}
