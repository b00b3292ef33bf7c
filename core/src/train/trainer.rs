//! The trainer: what is trained with what, for how long, and who watches.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::callback::Callback;
use super::fit::Kept;
use super::history::History;
use super::metrics::{Metrics, Named};
use super::session::Autosave;
use super::validation::{NoValidation, Validation};
use crate::data::{Dataset, DatasetOf};
use crate::error::Result;
use crate::loss::Loss;
use crate::metric::Figure;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::random::Seed;
use crate::schedule::Schedule;
use crate::shape::SameSample;
use crate::update::Rules;

/// Trains networks: epochs of shuffled batches, validation after each epoch, callbacks between them.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # use netform_macros::network;
/// use netform::data::InMemory;
/// use netform::dim::D;
/// use netform::loss::CrossEntropy;
/// use netform::optim::Adam;
/// use netform::random::Seed;
/// use netform::train::{EarlyStopping, Trainer};
///
/// network! { Net: [2] -> [2] { fc1: Linear(2) } }
///
/// # fn main() -> netform::error::Result<()> {
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
pub struct Trainer<'c, L, O, V = NoValidation, M = ()> {
    pub(super) loss: L,
    pub(super) optimizer: O,
    pub(super) validation: V,
    pub(super) metrics: M,
    pub(super) settings: Settings<'c>,
}

/// What a trainer has whatever it trains.
pub(super) struct Settings<'c> {
    pub rules: Rules,
    pub epochs: usize,
    pub batch: usize,
    pub seed: Option<Seed>,
    pub callbacks: Vec<Box<dyn Callback + 'c>>,
    pub autosave: Option<Autosave>,
    pub resume: Option<PathBuf>,
    /// Flags that end training.
    pub stops: Vec<Arc<AtomicBool>>,
    pub keep_steps: bool,
    pub weight_norms: bool,
    /// Epochs trained by earlier calls.
    pub done: usize,
    pub kept: Option<Kept>,
}

impl<L, O> Trainer<'_, L, O> {
    /// A trainer of one epoch in batches of 32 samples, unless more is set.
    pub fn new(loss: L, optimizer: O) -> Self {
        let settings = Settings {
            rules: Rules::new(),
            epochs: 1,
            batch: 32,
            seed: None,
            callbacks: Vec::new(),
            autosave: None,
            resume: None,
            stops: Vec::new(),
            keep_steps: true,
            weight_norms: false,
            done: 0,
            kept: None,
        };
        Trainer { loss, optimizer, validation: NoValidation, metrics: (), settings }
    }
}

impl<'c, L, O, V, M> Trainer<'c, L, O, V, M> {
    /// How many epochs each call of [`Trainer::fit`] trains; 1 unless set.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.settings.epochs = epochs;
        self
    }

    /// How many samples a batch has; 32 unless set. The last batch of an epoch has what is left.
    #[must_use]
    #[doc(alias = "batch_size")]
    pub fn batch(mut self, samples: usize) -> Self {
        self.settings.batch = samples;
        self
    }

    /// What the order of the samples is drawn from; the network's own seed unless set.
    #[must_use]
    pub fn seed(mut self, seed: Seed) -> Self {
        self.settings.seed = Some(seed);
        self
    }

    /// The data set on which loss, accuracy and metrics are taken after each epoch, in evaluation mode.
    #[must_use]
    #[doc(alias = "validation_data")]
    pub fn validate<D: Dataset>(self, data: &D) -> Trainer<'c, L, O, &D, M> {
        let Trainer { loss, optimizer, metrics, settings, .. } = self;
        Trainer { loss, optimizer, validation: data, metrics, settings }
    }

    /// Takes a metric of each epoch, over training and validation samples, and keeps it in the history by its name; the
    /// progress lines, tables and files show it. [`EarlyStopping::monitor`](super::EarlyStopping::monitor) and
    /// [`Checkpoint::monitor`](super::Checkpoint::monitor) can watch it.
    ///
    /// Of training samples it is taken from the outputs of the steps themselves, as accuracy is: in training mode, each
    /// from before its batch's update. A device with memory of its own copies these outputs to the processor with the
    /// step, without waiting for it; the metric itself is computed by the processor.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed};
    /// use netform::metric::{Confusion, F1};
    /// use netform::train::{EarlyStopping, Trainer};
    ///
    /// # let data = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
    /// let history = Trainer::new(CrossEntropy, Adam::new(1e-2))
    ///     .epochs(10)
    ///     .validate(&data)
    ///     .metric("f1", F1::macro_average(2))
    ///     .metric("classes", Confusion::new(2))
    ///     .callback(EarlyStopping::patience(3).monitor("f1"))
    ///     .fit(&mut Net::new(Seed(1)), &data)?;
    /// let best = history.best_by("f1").and_then(|epoch| epoch.metric("classes"));
    /// println!("{}", best.and_then(|it| it.validation_confusion.as_ref()).unwrap());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn metric<F: Figure>(
        self,
        name: impl Into<String>,
        metric: F,
    ) -> Trainer<'c, L, O, V, (M, Named<F>)> {
        let Trainer { loss, optimizer, validation, metrics, settings } = self;
        let metrics = (metrics, Named { name: name.into(), metric });
        Trainer { loss, optimizer, validation, metrics, settings }
    }

    /// Adds a callback, such as [`EarlyStopping`](super::EarlyStopping); they are called in the order in which they were added. `&mut callback` lends one.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'c) -> Self {
        self.settings.callbacks.push(Box::new(callback));
        self
    }

    /// Saves the training after each epoch, so that [`Trainer::resume`] can go on from there: weights, running
    /// statistics, the optimiser's state, counters, callbacks and the figures so far. The file is replaced as a
    /// whole: whatever happens, the old one or the new one is there.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed, train::Trainer};
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
        let every = self.settings.autosave.and_then(|autosave| autosave.every);
        self.settings.autosave = Some(Autosave { path: path.into(), every });
        self
    }

    /// As [`Trainer::autosave`], and after every `batches` batches, counted over all epochs.
    #[must_use]
    pub fn autosave_every(mut self, batches: usize, path: impl Into<PathBuf>) -> Self {
        self.settings.autosave = Some(Autosave { path: path.into(), every: Some(batches) });
        self
    }

    /// Makes the next call of [`Trainer::fit`] go on from a file of [`Trainer::autosave`], bit for bit as if training
    /// had never stopped, up to the epoch up to which it would have gone.
    ///
    /// The trainer, the network and the data are to be what they were; the network's weights and the seeds come from
    /// the file. Another loss, optimiser, batch, number of samples or rule of updates, or another setting of one, is an
    /// error that names both. A loss that is implemented by hand is known by its type alone.
    ///
    /// Where `fit` fails before it goes on, the network is as it was, unless a callback refused its state, and the next
    /// call tries again.
    #[must_use]
    pub fn resume(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.resume = Some(path.into());
        self
    }

    /// Ends training after the batch under way once the flag is set, by another thread or a signal's handler. The
    /// training is saved, where there is a file for it ([`Trainer::autosave`]), and `fit` returns the figures so far. In
    /// a validation that is after its batch under way too; the epoch is then not yet among the figures, and a resumed
    /// training validates anew. Without a file, the next call of `fit` counts that epoch as none, and trains it again.
    #[must_use]
    pub fn stop_when(mut self, flag: Arc<AtomicBool>) -> Self {
        self.settings.stops.push(flag);
        self
    }

    /// Ends training after the batch under way when Ctrl-C is pressed, as [`Trainer::stop_when`] does;
    /// pressed once more, or while no such training is under way, it ends the program at once, with the exit code 130.
    /// Trainings that come after one that it has ended do not begin. A program that was started with Ctrl-C ignored, as
    /// by `program &` in a script, goes on ignoring it on Linux; elsewhere that is an error.
    ///
    /// ```no_run,standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed, train::Trainer};
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
    /// If the program has another handler of Ctrl-C, ignores it (not on Linux), or the system refuses a handler.
    #[cfg(feature = "ctrlc")]
    pub fn stop_on_ctrl_c(self) -> Result<Self> {
        Ok(self.stop_when(super::interrupt::flag()?))
    }

    /// Whether the history has every step ([`History::steps`](super::History::steps)), as it does unless this is unset:
    /// 56 bytes a step, and 48 in a file of [`Trainer::autosave`].
    #[must_use]
    pub fn keep_steps(mut self, keep: bool) -> Self {
        self.settings.keep_steps = keep;
        self
    }

    /// Takes the norm of each parameter after each epoch, of the average of the weights where there is one; the history
    /// has them ([`EpochRecord::weight_norms`](super::EpochRecord::weight_norms)). It costs a pass over the parameters an
    /// epoch. [`Rules::gradient_norms`] takes those of gradients, at each step.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed, train::Trainer};
    /// # let data = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
    /// let history = Trainer::new(CrossEntropy, Adam::new(1e-2))
    ///     .gradient_norms()
    ///     .weight_norms()
    ///     .fit(&mut Net::new(Seed(1)), &data)?;
    /// assert!(history.steps[0].gradient_norm.is_some_and(|norm| norm > 0.0));
    /// assert_eq!(history.epochs[0].weight_norms[0].name, "fc1.weight");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn weight_norms(mut self) -> Self {
        self.settings.weight_norms = true;
        self
    }

    crate::update::ruled! { |trainer| &mut trainer.settings.rules }

    /// [`Rules::schedule`], counting epochs instead of updates: the rate changes between epochs only.
    #[must_use]
    pub fn schedule_by_epoch(mut self, schedule: impl Schedule + 'static) -> Self {
        self.settings.rules = self.settings.rules.schedule_by_epoch(schedule);
        self
    }

    /// The optimiser, to change its learning rate between calls of [`Trainer::fit`].
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.optimizer
    }

    /// Trains `net` on `data`, and returns the figures of this call's epochs.
    ///
    /// The network has the weights of the last epoch then, or those of the best one where a callback puts these back, as
    /// [`EarlyStopping`](super::EarlyStopping) does: [`History::weights_of`] says which, and [`History::best_epoch`] which
    /// are the best. [`Checkpoint::best`](super::Checkpoint::best) keeps these in a file.
    ///
    /// A device with memory of its own keeps data sets there that it has room for, where there is more than one epoch
    /// and the samples do not vary ([`Dataset::is_fixed`]). The results are those of batches that are copied one by one.
    ///
    /// # Errors
    /// - If a data set is empty, a setting makes no sense, or the device has not enough memory.
    /// - [`Error::NotFinite`](crate::error::Error::NotFinite) if the loss of a batch becomes infinite or not a number, and
    ///   [`Error::ValidationNotFinite`](crate::error::Error::ValidationNotFinite) if that of the validation data does.
    /// - [`Error::UpdateNotFinite`](crate::error::Error::UpdateNotFinite) if the norm of an update's gradients is so, where
    ///   it is taken, or an update has left parameters that are, where they are looked at: before they are kept, and at the
    ///   end of training.
    /// - If the network ends in something else than what the loss takes, as in a `Softmax` before
    ///   [`CrossEntropy`](crate::loss::CrossEntropy), or has more or fewer outputs than the data set names classes.
    /// - If a target is not what the loss takes: a label that is out of range, or a number.
    /// - If a callback returns an error, or the device is lost.
    #[doc(alias = "train")]
    pub fn fit<N, D>(&mut self, net: &mut N, data: &D) -> Result<History>
    where
        N: Network,
        D: DatasetOf<N::InputElement>,
        D::Input: SameSample<N::Input>,
        L: Loss<N::Elem, N::Output, D::Target, D::TargetElement> + Clone,
        O: Optimizer,
        V: Validation<N, L, M>,
        M: Metrics<N::Elem, D::TargetElement>,
    {
        super::fit::fit(self, net, data)
    }
}
