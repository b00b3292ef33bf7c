//! The trainer: what is trained with what, for how long, and who watches.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::callback::{Callback, Flow, Lent};
use super::epoch::{Epochs, Feed, saved};
use super::history::{EpochRecord, History};
use super::resume::{self, Begun, Resumed};
use super::session::{Autosave, Session};
use super::validation::{NoValidation, Validation};
use crate::data::Dataset;
use crate::device::Memory;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::module::Module;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::random::Seed;
use crate::schedule::Schedule;
use crate::shape::SameSample;
use crate::step::{OptimizerState, TrainStep};
use crate::update::Rules;

/// Trains networks: epochs of shuffled batches, validation after each epoch, callbacks between them.
///
/// ```
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
/// # fn main() -> netform_core::error::Result<()> {
/// use netform_core::data::InMemory;
/// use netform_core::dim::D;
/// use netform_core::loss::CrossEntropy;
/// use netform_core::optim::Adam;
/// use netform_core::random::Seed;
/// use netform_core::train::{EarlyStopping, Trainer};
///
/// let points = vec![0.1, 0.9, 0.8, 0.3, 0.2, 0.7, 0.9, 0.1];
/// let data = InMemory::<(D<2>,)>::new(points, vec![0, 1, 0, 1])?;
/// let (train, test) = data.split(0.5, Seed(1))?;
/// let mut net = Net::new(Seed(1));
/// let history = Trainer::new(CrossEntropy, Adam::new(1e-2))
///     .epochs(10)
///     .batch(2)
///     .validate(&test)
///     .callback(EarlyStopping::patience(3))
///     .fit(&mut net, &train)?;
/// println!("{history}");
/// # Ok(())
/// # }
/// ```
///
/// A trainer that is kept goes on where it stopped: a second call of [`Trainer::fit`] continues with the
/// optimiser's state and with the next epoch's number, as one longer call would have.
pub struct Trainer<'c, L, O, V = NoValidation> {
    loss: L,
    optimizer: O,
    rules: Rules,
    epochs: usize,
    batch: usize,
    seed: Option<Seed>,
    validation: V,
    callbacks: Vec<Box<dyn Callback + 'c>>,
    autosave: Option<Autosave>,
    resume: Option<PathBuf>,
    /// Flags that end training.
    stops: Vec<Arc<AtomicBool>>,
    /// Epochs trained by earlier calls.
    done: usize,
    kept: Option<Kept>,
}

/// What is kept between calls of `fit`.
struct Kept {
    network: &'static str,
    id: u64,
    /// An [`OptimizerState`] of the buffers of the network's device, which the trainer's type does not name.
    state: Box<dyn Any>,
}

type StateOf<N> = OptimizerState<<<N as Module>::Device as Memory>::Buffer<<N as Module>::Elem>>;

impl<L, O> Trainer<'_, L, O> {
    /// A trainer of one epoch in batches of 32 samples, unless more is set.
    pub fn new(loss: L, optimizer: O) -> Self {
        Trainer {
            loss,
            optimizer,
            rules: Rules::new(),
            epochs: 1,
            batch: 32,
            seed: None,
            validation: NoValidation,
            callbacks: Vec::new(),
            autosave: None,
            resume: None,
            stops: Vec::new(),
            done: 0,
            kept: None,
        }
    }
}

impl<'c, L, O, V> Trainer<'c, L, O, V> {
    /// How many epochs each call of [`Trainer::fit`] trains; 1 unless set.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// How many samples a batch has; 32 unless set. The last batch of an epoch has what is left.
    #[must_use]
    pub fn batch(mut self, samples: usize) -> Self {
        self.batch = samples;
        self
    }

    /// What the order of the samples is drawn from; the network's own seed unless set.
    #[must_use]
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The data set on which loss and accuracy are taken after each epoch, in evaluation mode.
    #[must_use]
    pub fn validate<D: Dataset>(self, data: &D) -> Trainer<'c, L, O, &D> {
        Trainer {
            loss: self.loss,
            optimizer: self.optimizer,
            rules: self.rules,
            epochs: self.epochs,
            batch: self.batch,
            seed: self.seed,
            validation: data,
            callbacks: self.callbacks,
            autosave: self.autosave,
            resume: self.resume,
            stops: self.stops,
            done: self.done,
            kept: self.kept,
        }
    }

    /// Adds a callback; they are called in the order in which they were added. `&mut callback` lends one.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'c) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Saves the training after each epoch, so that [`Trainer::resume`] can go on from there: weights, running
    /// statistics, the optimiser's state, counters, callbacks and the figures so far. The file is replaced as a
    /// whole: whatever happens, the old one or the new one is there.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
    /// # fn main() -> netform_core::error::Result<()> {
    /// # use netform_core::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed, train::Trainer};
    /// # let data = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
    /// # let file = std::env::temp_dir().join(format!("netform-doc-{}", std::process::id()));
    /// let mut trainer = Trainer::new(CrossEntropy, Adam::new(1e-2)).epochs(10).autosave(&file);
    /// if file.exists() {
    ///     trainer = trainer.resume(&file);
    /// }
    /// trainer.fit(&mut Net::new(Seed(1)), &data)?;
    /// # std::fs::remove_file(file).ok();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn autosave(mut self, path: impl Into<PathBuf>) -> Self {
        let every = self.autosave.and_then(|autosave| autosave.every);
        self.autosave = Some(Autosave { path: path.into(), every });
        self
    }

    /// As [`Trainer::autosave`], and after every `batches` batches, counted over all epochs.
    #[must_use]
    pub fn autosave_every(mut self, batches: usize, path: impl Into<PathBuf>) -> Self {
        self.autosave = Some(Autosave { path: path.into(), every: Some(batches) });
        self
    }

    /// Makes the next call of [`Trainer::fit`] go on from a file of [`Trainer::autosave`], bit for bit as if training
    /// had never stopped, up to the epoch up to which it would have gone.
    ///
    /// The trainer, the network and the data are to be what they were; the network's weights and the seeds come from
    /// the file, and the settings of optimiser and rules from the trainer.
    #[must_use]
    pub fn resume(mut self, path: impl Into<PathBuf>) -> Self {
        self.resume = Some(path.into());
        self
    }

    /// Ends training after the batch under way once the flag is set, by another thread or a signal's handler. The
    /// training is saved, where there is a file for it ([`Trainer::autosave`]), and `fit` returns the figures so far.
    #[must_use]
    pub fn stop_when(mut self, flag: Arc<AtomicBool>) -> Self {
        self.stops.push(flag);
        self
    }

    /// Ends training after the batch under way when Ctrl-C is pressed, as [`Trainer::stop_when`] does; pressed once
    /// more, or while no such training is under way, it ends the program at once, with the exit code 130. Trainings that
    /// come after one that it has ended do not begin.
    ///
    /// ```no_run
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
    /// # fn main() -> netform_core::error::Result<()> {
    /// # use netform_core::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed, train::Trainer};
    /// # let data = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
    /// let history = Trainer::new(CrossEntropy, Adam::new(1e-2))
    ///     .epochs(100)
    ///     .autosave("net.training")
    ///     .stop_on_ctrl_c()?
    ///     .fit(&mut Net::new(Seed(1)), &data)?;
    /// if history.interrupted {
    ///     println!("`resume` goes on from net.training");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the program has another handler of Ctrl-C, or the system refuses one.
    #[cfg(feature = "ctrlc")]
    pub fn stop_on_ctrl_c(self) -> Result<Self> {
        Ok(self.stop_when(super::interrupt::flag()?))
    }

    crate::update::ruled! { |trainer| &mut trainer.rules }

    /// [`Rules::schedule`], counting epochs instead of updates: the rate changes between epochs only.
    #[must_use]
    pub fn schedule_by_epoch(mut self, schedule: impl Schedule + 'static) -> Self {
        self.rules = self.rules.schedule_by_epoch(schedule);
        self
    }

    /// The optimiser, to change its learning rate between calls of [`Trainer::fit`].
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.optimizer
    }

    /// Trains `net` on `data`, and returns the figures of this call's epochs.
    ///
    /// A device with memory of its own keeps data sets there that it has room for, where there is more than one epoch
    /// and the samples do not vary ([`Dataset::is_fixed`]). The results are those of batches that are copied one by one.
    ///
    /// # Errors
    /// - If a data set is empty, a setting makes no sense, or the device has not enough memory.
    /// - [`Error::NotFinite`] if the loss becomes infinite or not a number.
    /// - If a label is out of range, a callback returns an error, or the device is lost.
    pub fn fit<N, D>(&mut self, net: &mut N, data: &D) -> Result<History>
    where
        N: Network,
        D: Dataset<Element = N::InputElement>,
        D::Input: SameSample<N::Input>,
        L: Loss<N::Elem, N::Output, D::Target, D::TargetElement> + Clone,
        O: Optimizer,
        V: Validation<N, L>,
    {
        self.optimizer.check()?;
        #[cfg(feature = "ctrlc")]
        let _under_way = super::interrupt::Training::begin(&self.stops);
        let again = self.epochs > 1;
        let feed = Feed::new(net, data, self.batch)?;
        let mut pass = self.validation.prepare(net, &self.loss, self.batch, again)?;
        let sizes = [feed.loader().samples(), feed.loader().batch_size()];
        let resumed = match self.resume.take() {
            Some(path) => Some(Resumed::read::<N, O>(&path, &self.optimizer, sizes)?),
            None => None,
        };
        let plan = resume::plan::<N>(resumed.as_ref(), self.done, self.epochs, sizes);
        self.done = plan.first_epoch - 1;
        let id = net.store().id;
        let state = match &resumed {
            Some(resumed) => resumed.apply(net)?,
            None => self.take_state::<N>(id)?,
        };
        let own = self.seed.unwrap_or(net.store().seed);
        let seed = resumed.as_ref().map_or(own, |resumed| resumed.seed);
        let (loss, optimizer) = (self.loss.clone(), self.optimizer.clone());
        let step = TrainStep::resume(net, loss, optimizer, plan.batch, state)?;
        let step = step.rules(self.rules.clone()).prepared()?;
        let mut epochs = feed.train(step, seed, again);
        let mut session = Session {
            callbacks: &mut self.callbacks,
            autosave: self.autosave.as_ref(),
            stops: &self.stops,
            plan: &plan,
            seed,
            history: History::default(),
        };
        let outcome = watched::<N, D, L, O, V>(&mut session, &mut epochs, &mut pass, resumed);
        let history = session.history;
        self.done = history.last().map_or(self.done, |last| last.epoch);
        let (_, optimizer, state) = epochs.step.into_state();
        self.optimizer = optimizer;
        self.kept = Some(Kept { network: N::NAME, id, state: Box::new(state) });
        outcome.map(|()| history)
    }

    /// The optimiser's state for the network, from before or new.
    fn take_state<N: Network>(&mut self, id: u64) -> Result<StateOf<N>> {
        let Some(kept) = &self.kept else { return Ok(OptimizerState::default()) };
        if kept.id != id || !kept.state.is::<StateOf<N>>() {
            return Err(Error::Invalid(format!(
                "this trainer has trained another network (`{}`), whose optimiser's state it holds, and cannot go on with this one (`{}`); a new Trainer can",
                kept.network,
                N::NAME
            )));
        }
        let state = self.kept.take().and_then(|kept| kept.state.downcast().ok());
        Ok(state.map_or_else(OptimizerState::default, |state| *state))
    }
}

/// All epochs, between the callbacks' begin and end: what began also ends where training fails.
fn watched<N, D, L, O, V>(
    session: &mut Session<'_, '_>,
    epochs: &mut Epochs<'_, '_, N, D, L, O>,
    pass: &mut V::Pass,
    resumed: Option<Resumed>,
) -> Result<()>
where
    N: Network,
    D: Dataset<Element = N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
    O: Optimizer,
    V: Validation<N, L>,
{
    let plan = session.plan;
    let mut outcome =
        session.callbacks.iter_mut().try_for_each(|callback| callback.on_train_begin(plan));
    let mut begun = Begun::at(plan.first_epoch);
    if let (Some(resumed), Ok(())) = (resumed, &outcome) {
        begun = resumed.begun;
        outcome = resumed.restore(session.callbacks);
        session.history = resumed.history;
    }
    if outcome.is_ok() {
        outcome = all::<N, D, L, O, V>(session, epochs, pass, begun);
    }
    epochs.step.keep_average();
    for callback in session.callbacks.iter_mut() {
        let end = callback.on_train_end(&session.history, &mut Lent(epochs.step.net_mut()));
        outcome = outcome.and(end);
    }
    outcome
}

/// The epochs from one that has begun on.
fn all<N, D, L, O, V>(
    session: &mut Session<'_, '_>,
    epochs: &mut Epochs<'_, '_, N, D, L, O>,
    pass: &mut V::Pass,
    mut begun: Begun,
) -> Result<()>
where
    N: Network,
    D: Dataset<Element = N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
    O: Optimizer,
    V: Validation<N, L>,
{
    let last = session.plan.last_epoch;
    while begun.epoch <= last && !begun.stopped {
        let epoch = begun.epoch;
        let begin = Instant::now();
        epochs.step.set_epochs(epoch as u64 - 1);
        let rate = begun.rate.unwrap_or_else(|| epochs.step.rate());
        begun.rate = Some(rate);
        let Some(train) = epochs.run(begun, session)? else {
            session.history.interrupted = true;
            return Ok(());
        };
        let record = EpochRecord {
            epoch,
            train_loss: train.loss,
            train_accuracy: train.accuracy,
            validation_loss: None,
            validation_accuracy: None,
            seconds: 0.0,
            rate,
        };
        begun = Begun::at(epoch + 1);
        // Validation and callbacks see the average of the weights, where there is one.
        epochs.step.exchange_average();
        let stopped = after::<N, D, L, O, V>(session, epochs, pass, record, begin);
        epochs.step.exchange_average();
        begun.stopped = stopped?;
        session.save(&epochs.step, begun)?;
    }
    session.history.stopped_early = begun.stopped && begun.epoch <= last;
    Ok(())
}

/// Validates after an epoch, notes its figures and tells the callbacks; whether one of them ends training.
fn after<N, D, L, O, V>(
    session: &mut Session<'_, '_>,
    epochs: &mut Epochs<'_, '_, N, D, L, O>,
    pass: &mut V::Pass,
    mut record: EpochRecord,
    begin: Instant,
) -> Result<bool>
where
    N: Network,
    D: Dataset<Element = N::InputElement>,
    D::Input: SameSample<N::Input>,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
    O: Optimizer,
    V: Validation<N, L>,
{
    if let Some(validation) = V::run(pass, epochs.step.net(), epochs.step.loss())? {
        let (loss, epoch) = (validation.loss, record.epoch);
        if !loss.is_finite() {
            return Err(Error::ValidationNotFinite {
                loss,
                epoch,
                saved: saved(session.callbacks),
            });
        }
        record.validation_loss = Some(loss);
        record.validation_accuracy = validation.accuracy;
    }
    record.seconds = begin.elapsed().as_secs_f64();
    session.history.push(record.clone());
    let mut stop = false;
    for callback in session.callbacks.iter_mut() {
        let mut net = Lent(epochs.step.net_mut());
        stop |= callback.on_epoch_end(&record, &mut net)? == Flow::Stop;
    }
    Ok(stop)
}
