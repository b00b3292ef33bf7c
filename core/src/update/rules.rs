//! What surrounds an optimiser's formula: which parameters it changes and how fast, and what becomes of the
//! gradients before.

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::Result;
use crate::optim::in_range;
use crate::schedule::Schedule;

/// What surrounds an optimiser's formula. The trainer, [`TrainStep`](crate::step::TrainStep),
/// [`LossStep`](crate::loss_step::LossStep) and [`Updater`](crate::update::Updater) have the same methods, and
/// `rules(..)` to set all at once.
///
/// In each update, in this order:
/// 1. Gradients of [`Rules::accumulate`] batches are averaged.
/// 2. The gradients of frozen parameters count as 0.
/// 3. [`Rules::clip_norm`], then [`Rules::clip_value`].
/// 4. The optimiser's formula, with the rate times [`Rules::schedule`] times [`Rules::rate_factor`], and its
///    weight decay times [`Rules::decay_factor`].
/// 5. [`Rules::average`].
///
/// All of it is part of the step's one submission to the device.
///
/// # Names
/// Parameters are chosen by name: `conv1` is a layer or a part of the network with all its parameters,
/// `conv1.weight` one of them, and `*` stands for any one part of a name: `*.bias`, `blocks.*.norm`. A name that
/// chooses nothing is an error of the first step. Where several choose a parameter, the last one counts.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::schedule::Cosine;
/// use netform::update::Rules;
/// let rules = Rules::new()
///     .clip_norm(1.0)
///     .freeze("conv1")
///     .rate_factor("encoder", 0.1)
///     .decay_factor("embedding", 0.0)
///     .schedule(Cosine::new(10_000));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub(super) clip_norm: Option<f64>,
    pub(super) clip_value: Option<f64>,
    pub(super) frozen: Vec<String>,
    pub(super) rates: Vec<(String, f64)>,
    pub(super) decays: Vec<(String, f64)>,
    pub(super) schedule: Option<(Arc<dyn Schedule>, Count)>,
    /// How many batches make an update, where that is not one.
    pub(super) accumulate: Option<u64>,
    pub(super) average: Option<f64>,
    /// Whether the norm of the gradients is wanted.
    pub(super) norms: bool,
}

/// What a schedule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Updates,
    Epochs,
}

impl Rules {
    /// None: the optimiser's formula alone. Biases and norms have no weight decay.
    pub fn new() -> Self {
        Self::default()
    }

    /// Scales the gradients of all parameters that are not frozen where their norm, as of one vector, is larger than
    /// `max`: by `max / (norm + 1e-6)`, as
    /// [torch.nn.utils.clip_grad_norm_](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html).
    #[must_use]
    pub fn clip_norm(mut self, max: f64) -> Self {
        self.clip_norm = Some(max);
        self
    }

    /// Brings each element of the gradients into `-max..=max`.
    #[must_use]
    pub fn clip_value(mut self, max: f64) -> Self {
        self.clip_value = Some(max);
        self
    }

    /// Keeps parameters as they are, bit for bit, and the running statistics of their layers. In training mode a
    /// batch norm that is frozen still divides by what it finds in the batch.
    #[must_use]
    pub fn freeze(mut self, name: impl Into<String>) -> Self {
        self.frozen.push(name.into());
        self
    }

    /// Multiplies the learning rate of some parameters; 1 unless set.
    #[must_use]
    pub fn rate_factor(mut self, name: impl Into<String>, factor: f64) -> Self {
        self.rates.push((name.into(), factor));
        self
    }

    /// Multiplies the optimiser's weight decay for some parameters. Unless set it is 0 for biases and the weights of
    /// norms, which are not to become small, and 1 for all others; PyTorch's is 1 for all.
    #[must_use]
    pub fn decay_factor(mut self, name: impl Into<String>, factor: f64) -> Self {
        self.decays.push((name.into(), factor));
        self
    }

    /// Makes one update of every `batches` batches, by the mean of their gradients, in which a batch counts by its
    /// samples: that of a batch so many times as large, where the loss is a mean over samples and no layer looks at the
    /// whole batch. The trainer makes an update at each epoch's end, too, of what is left.
    ///
    /// A batch whose loss is not finite has no part in the mean; where it is the last one, there is no update. Running
    /// statistics move with each batch.
    #[must_use]
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.accumulate = Some(batches as u64);
        self
    }

    /// Keeps a moving average of the parameters, `decay * average + (1 - decay) * parameters` after each update, which
    /// begins as the parameters after the first one, as
    /// [torch.optim.swa_utils](https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema) has it.
    ///
    /// [`TrainStep::exchange_average`](crate::step::TrainStep::exchange_average) puts it into the network. With the
    /// trainer, validation and callbacks see the average, and `fit` leaves it in the network, from where a further call
    /// goes on.
    #[must_use]
    pub fn average(mut self, decay: f64) -> Self {
        self.average = Some(decay);
        self
    }

    /// Takes the norm of each update's gradients, as of one vector: that of all parameters that are not frozen, over the
    /// batches that are accumulated, before clipping. [`TrainStep::gradient_norm`](crate::step::TrainStep::gradient_norm)
    /// has the last one, and the trainer keeps each in its history. It costs a pass over the gradients on the device,
    /// which clipping by norm makes anyway, and no wait for the device: it comes with the loss. The squares are added up in
    /// the network's element: of `f32`, a norm above about 1.8e19 is infinite.
    ///
    /// A training step makes no update by gradients whose norm is taken and is infinite or not a number, and the trainer
    /// ends there. Without a norm, an update by such gradients is noticed by the parameters that it has left: with the
    /// next loss that they make infinite or not a number, before weights are kept, or at the end of training. An
    /// [`Updater`](crate::update::Updater) does not look at the norm: the update that it is told to make, it makes.
    #[must_use]
    pub fn gradient_norms(mut self) -> Self {
        self.norms = true;
        self
    }

    /// Multiplies the learning rate by a schedule, which counts updates.
    #[must_use]
    pub fn schedule(mut self, schedule: impl Schedule + 'static) -> Self {
        self.schedule = Some((Arc::new(schedule), Count::Updates));
        self
    }

    /// A schedule that counts the trainer's epochs instead.
    pub(crate) fn schedule_by_epoch(mut self, schedule: impl Schedule + 'static) -> Self {
        self.schedule = Some((Arc::new(schedule), Count::Epochs));
        self
    }

    /// The schedule's factor after so many updates and whole epochs.
    pub(crate) fn factor(&self, updates: u64, epochs: u64) -> f64 {
        match &self.schedule {
            Some((schedule, Count::Updates)) => schedule.factor(updates),
            Some((schedule, Count::Epochs)) => schedule.factor(epochs),
            None => 1.0,
        }
    }

    /// The rules that training depends on, by name, as text: equal ones have equal texts.
    pub(crate) fn described(&self) -> [(&'static str, String); 8] {
        fn listed<T: Debug>(all: &[T]) -> Option<String> {
            (!all.is_empty()).then(|| format!("{all:?}"))
        }
        let schedule = self.schedule.as_ref().map(|(schedule, count)| match count {
            Count::Updates => format!("{schedule:?}"),
            Count::Epochs => format!("{schedule:?} by epochs"),
        });
        [
            ("clip_norm", self.clip_norm.map(|max| max.to_string())),
            ("clip_value", self.clip_value.map(|max| max.to_string())),
            ("freeze", listed(&self.frozen)),
            ("rate_factor", listed(&self.rates)),
            ("decay_factor", listed(&self.decays)),
            ("schedule", schedule),
            ("accumulate", self.accumulate.map(|batches| batches.to_string())),
            ("average", self.average.map(|decay| decay.to_string())),
        ]
        .map(|(name, text)| (name, text.unwrap_or_else(|| "none".to_owned())))
    }

    /// Whether the squares of the gradients are added up before an update.
    pub(super) fn adds_squares(&self) -> bool {
        self.clip_norm.is_some() || self.norms
    }

    /// Whether gradients of several batches make an update.
    pub(super) fn gathers(&self) -> bool {
        self.accumulate.is_some_and(|batches| batches > 1)
    }

    /// Whether the settings make sense.
    pub(crate) fn check(&self) -> Result<()> {
        let clips = [("largest norm", self.clip_norm), ("largest value", self.clip_value)];
        for (setting, max) in clips {
            let max = max.unwrap_or(1.0);
            in_range("clipping of gradients", setting, max, "more than 0", |x| x > 0.0)?;
        }
        let batches = self.accumulate.unwrap_or(1) as f64;
        in_range("accumulation", "number of batches", batches, "1 or more", |x| x >= 1.0)?;
        let decay = self.average.unwrap_or(0.0);
        in_range("average of weights", "decay", decay, "in [0, 1)", |x| (0.0..1.0).contains(&x))?;
        for (of, factors) in [("learning rate", &self.rates), ("weight decay", &self.decays)] {
            for (name, factor) in factors {
                let setting = format!("factor of `{name}`");
                let text = "0 or more, and finite";
                in_range(of, &setting, *factor, text, |x| x >= 0.0 && x.is_finite())?;
            }
        }
        self.schedule.as_ref().map_or(Ok(()), |(schedule, _)| schedule.check())
    }
}

/// The methods of [`Rules`] on what has some, as `$rules` of `$it`.
macro_rules! ruled {
    (|$it:ident| $rules:expr) => {
        /// Sets all rules at once.
        #[must_use]
        pub fn rules(mut self, rules: crate::update::Rules) -> Self {
            let $it = &mut self;
            *$rules = rules;
            self
        }

        crate::update::ruled! { @each |$it| $rules;
            clip_norm(max: f64);
            clip_value(max: f64);
            freeze(name: impl Into<String>);
            rate_factor(name: impl Into<String>, factor: f64);
            decay_factor(name: impl Into<String>, factor: f64);
            schedule(schedule: impl crate::schedule::Schedule + 'static);
            accumulate(batches: usize);
            average(decay: f64);
            gradient_norms();
        }
    };
    (@each |$it:ident| $rules:expr; $($method:ident($($arg:ident: $t:ty),*);)*) => { $(
        #[doc = concat!("[`Rules::", stringify!($method), "`](crate::update::Rules::", stringify!($method), ").")]
        #[must_use]
        pub fn $method(mut self, $($arg: $t),*) -> Self {
            let $it = &mut self;
            let rules = $rules;
            *rules = std::mem::take(rules).$method($($arg),*);
            self
        }
    )* };
}
pub(crate) use ruled;
