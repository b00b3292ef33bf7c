//! A training as a file, from which it goes on as if it had never stopped.
//!
//! The file is one of weights, with more: the optimiser's state is a tensor of its own, and the header says in
//! words and numbers where training was. Random numbers are counted, so that their counter is all there is of them,
//! and the order of an epoch's samples follows from the seed and the epoch.

mod terms;

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Instant;

use super::callback::{Callback, Plan, Snapshot};
use super::history::{History, packed, unpacked};
use super::metrics::Figures;
use super::session::Session;
use super::state::State;
use super::tally::Tally;
use crate::device::Memory;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::io::header::Header;
use crate::io::safetensors::{self, Contents, NamedTensor, Values};
use crate::metric::Answers;
use crate::module::{Module, check_setting};
use crate::network::Network;
use crate::optim::Optimizer;
use crate::random::Seed;
use crate::step::{Buffer, OptimizerState, TrainStep};
use crate::update::SCALARS;
use crate::weights::{BESIDE, check, tensors, write};

pub(super) use terms::Terms;

/// The tensor that holds the history's steps.
const STEPS: &str = "steps";
/// What the entries of the header begin with that are sums of metrics.
const METRIC: &str = "metric.";
/// What a count of a file may be: a whole number that `f64` holds, far from where counting on would overflow.
const COUNTS: RangeInclusive<u64> = 0..=1 << 53;
/// The most epochs: the order of an epoch's samples is drawn from a stream with 32 bits for its number.
const EPOCHS: usize = u32::MAX as usize;

/// An epoch that has begun: what is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    /// The epoch, from 1.
    pub epoch: usize,
    /// How many of its batches have been trained on.
    pub batch: usize,
    pub tally: Tally,
    /// The learning rate that it began with, once it has.
    pub rate: Option<f64>,
    /// The seconds that it took where it was trained before, and since when it is trained here.
    pub seconds: f64,
    pub since: Instant,
    /// Whether a callback has ended training before this epoch.
    pub stopped: bool,
}

impl Begun {
    /// The beginning of an epoch.
    pub fn at(epoch: usize) -> Self {
        Begun {
            epoch,
            batch: 0,
            tally: Tally::default(),
            rate: None,
            seconds: 0.0,
            since: Instant::now(),
            stopped: false,
        }
    }

    /// Where the training was that a file is of, in epochs of so many batches. It is a place that there is, whoever has
    /// changed the file.
    fn read(path: &Path, header: &Header, first_epoch: usize, batches: usize) -> Result<Self> {
        let count = |name| Ok(header.within(path, name, COUNTS)? as usize);
        let answers = Answers { correct: count("epoch_correct")?, judged: count("epoch_judged")? };
        let loss = header.get(path, "epoch_loss")?;
        let rate = match header.0.contains_key("epoch_rate") {
            true => Some(header.get(path, "epoch_rate")?),
            false => None,
        };
        Ok(Begun {
            epoch: header.within(path, "epoch", first_epoch..=EPOCHS)?,
            batch: header.within(path, "batch", 0..=batches)?,
            stopped: header.get(path, "stopped")?,
            tally: Tally { loss, samples: count("epoch_samples")?, answers },
            rate,
            seconds: header.get(path, "epoch_seconds")?,
            since: Instant::now(),
        })
    }

    /// The seconds that it has taken so far.
    pub fn elapsed(&self) -> f64 {
        self.seconds + self.since.elapsed().as_secs_f64()
    }
}

/// Writes the training as it is between two batches.
pub(super) fn save<N: Network, L, O: Optimizer, Y, T, M: Figures>(
    path: &Path,
    step: &TrainStep<'_, N, L, O, Y, T>,
    session: &mut Session<'_, '_, M>,
    begun: Begun,
) -> Result<()> {
    let (net, updates) = step.parts();
    let store = net.store();
    let mut all = tensors(net)?;
    for (name, buffer) in updates.state.buffers() {
        let Some(buffer) = buffer else { continue };
        let mut values = vec![N::Elem::default(); store.device.len(buffer)];
        store.device.read(buffer, 0, &mut values)?;
        all.push(NamedTensor {
            name: format!("{BESIDE}{name}"),
            shape: vec![values.len()],
            data: Values::from_floats(&values),
        });
    }
    let mut header = session.terms.header();
    header.set("updates", updates.state.steps);
    header.set("gathered", updates.state.gathered);
    header.set("averaged", updates.state.averaged);
    header.set("steps", store.steps);
    header.set("network_seed", store.seed.0);
    for (name, value) in N::SETTINGS.iter().zip(store.settings) {
        header.set(&format!("setting.{name}"), value);
    }
    header.set("seed", session.seed.0);
    header.set("first_epoch", session.plan.first_epoch);
    header.set("epoch", begun.epoch);
    header.set("batch", begun.batch);
    header.set("stopped", begun.stopped);
    header.set("epoch_seconds", begun.elapsed());
    if let Some(rate) = begun.rate {
        header.set("epoch_rate", rate);
    }
    let Tally { loss, samples, answers } = begun.tally;
    header.set("epoch_loss", loss);
    header.set("epoch_samples", samples);
    header.set("epoch_correct", answers.correct);
    header.set("epoch_judged", answers.judged);
    session.metrics.each(&mut |name, figure| {
        let sums: Vec<String> = figure.sums().iter().map(f64::to_string).collect();
        header.set(&format!("{METRIC}{name}"), sums.join(" "));
    });
    header.set("metrics", session.plan.metrics.join(", "));
    header.set("history", session.history.to_json_without_steps());
    all.push(NamedTensor {
        name: format!("{BESIDE}{STEPS}"),
        shape: vec![session.history.steps.len() * 6],
        data: Values::F64(packed(&session.history.steps)),
    });
    let states = session.callbacks.iter().filter_map(|callback| callback.state());
    for (i, state) in states.enumerate() {
        header.set(&format!("callback.{i}"), &state.callback);
        for (name, value) in &state.values {
            header.set(&format!("callback.{i}.{name}"), value);
        }
        if let Some(weights) = state.weights {
            all.push(NamedTensor {
                name: format!("{BESIDE}callback.{i}"),
                shape: vec![weights.bytes().len()],
                data: Values::U8(weights.into_bytes()),
            });
        }
    }
    safetensors::write(path, &all, &header.0)
}

/// A training that was saved, checked against the network that is to go on with it.
pub(super) struct Resumed {
    pub begun: Begun,
    pub first_epoch: usize,
    pub seed: Seed,
    pub history: History,
    states: Vec<State>,
    /// What the metrics have added up, in their order.
    sums: Vec<Vec<f64>>,
    /// Updates, batches since the last one, and updates of the average.
    counts: [u64; 3],
    steps: u64,
    network_seed: Seed,
    settings: Vec<f64>,
    weights: Vec<NamedTensor>,
    /// What the optimiser and its rules keep, by name.
    buffers: BTreeMap<String, Values>,
}

impl Resumed {
    /// Reads a training of `N` by `optimizer` on the same terms, in epochs of so many batches. Nothing is changed yet.
    pub fn read<N: Network, O: Optimizer>(
        path: &Path,
        optimizer: &O,
        terms: &Terms,
        batches: usize,
        metrics: &[String],
    ) -> Result<Self> {
        let Contents { tensors, metadata } = safetensors::read(path)?;
        let header = Header(metadata);
        terms.check(path, &header)?;
        let (beside, weights): (Vec<_>, Vec<_>) =
            tensors.into_iter().partition(|tensor| tensor.name.starts_with(BESIDE));
        check::<N>(&weights)?;
        if let Some(tensor) = weights.iter().find(|it| it.data.dtype() != N::Elem::NAME) {
            return Err(Error::format(
                path,
                format!("`{}`", tensor.name),
                format!(
                    "a training goes on with the elements it was saved with: expected {}, found {}",
                    N::Elem::NAME,
                    tensor.data.dtype()
                ),
            ));
        }
        let mut beside: BTreeMap<String, Values> =
            beside.into_iter().map(|tensor| (tensor.name, tensor.data)).collect();
        let kept = beside.iter().filter_map(|(name, values)| {
            Some((name.strip_prefix(BESIDE)?.to_owned(), values.clone()))
        });
        let buffers: BTreeMap<String, Values> = kept.collect();
        check_buffers::<N, O>(path, &buffers, optimizer)?;
        let first_epoch = header.within(path, "first_epoch", 1..=EPOCHS)?;
        let begun = Begun::read(path, &header, first_epoch, batches)?;
        let mut history = history(path, &header, first_epoch..begun.epoch)?;
        let steps = buffers.get(STEPS).map_or_else(Vec::new, Values::to_floats);
        history.steps = unpacked(&steps).ok_or_else(|| {
            let found = format!("expected the figures of steps, found {} numbers", steps.len());
            Error::format(path, format!("`{BESIDE}{STEPS}`"), found)
        })?;
        let count = |name| header.within(path, name, COUNTS);
        Ok(Resumed {
            begun,
            first_epoch,
            seed: Seed(header.get(path, "seed")?),
            history,
            states: states::<N>(&header, &mut beside),
            sums: sums(path, &header, metrics)?,
            counts: [count("updates")?, count("gathered")?, count("averaged")?],
            steps: count("steps")?,
            network_seed: Seed(header.get(path, "network_seed")?),
            settings: settings::<N>(path, &header)?,
            weights,
            buffers,
        })
    }

    /// Makes the network what it was, and returns the optimiser's state.
    pub fn apply<N: Module>(&self, net: &mut N) -> Result<OptimizerState<Buffer<N>>> {
        let device = net.store().device.clone();
        let mut state = OptimizerState::default();
        [state.steps, state.gathered, state.averaged] = self.counts;
        for (name, buffer) in state.buffers_mut() {
            let Some(values) = self.buffers.get(name) else { continue };
            let values: Vec<N::Elem> = values.to_floats();
            let mut filled = device.zeros(values.len())?;
            device.write(&mut filled, 0, &values)?;
            *buffer = Some(filled);
        }
        write(net, &self.weights)?;
        let store = net.store_mut();
        store.steps = self.steps;
        store.seed = self.network_seed;
        store.settings[..self.settings.len()].copy_from_slice(&self.settings);
        Ok(state)
    }

    /// That metrics and callbacks are those that it was saved with: callbacks that keep something by name, in the same
    /// order. Nothing is changed.
    pub fn check<M: Figures>(
        &self,
        callbacks: &[Box<dyn Callback + '_>],
        metrics: &mut M,
    ) -> Result<()> {
        let mut sums = self.sums.iter();
        let mut outcome = Ok(());
        metrics.each(&mut |name, figure| {
            let (now, then) = (figure.sums().len(), sums.next().map_or(0, Vec::len));
            if now != then {
                outcome = Err(Error::Invalid(format!(
                    "metric `{name}` of a resumed training: it adds up {now} numbers, and {then} were saved; give it the metric that it was saved with"
                )));
            }
        });
        outcome?;
        let names = |states: &[State]| {
            let names: Vec<&str> = states.iter().map(|state| state.callback.as_str()).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        let now: Vec<State> = callbacks.iter().filter_map(|callback| callback.state()).collect();
        if names(&now) != names(&self.states) {
            return Err(Error::Invalid(format!(
                "a resumed training has the callbacks that it was saved with: expected {}, found {}",
                names(&self.states),
                names(&now)
            )));
        }
        Ok(())
    }

    /// Gives metrics and callbacks, which have been checked, what they had.
    pub fn restore<M: Figures>(
        &self,
        callbacks: &mut [Box<dyn Callback + '_>],
        metrics: &mut M,
    ) -> Result<()> {
        put_back(metrics, &self.sums);
        let keeping = callbacks.iter_mut().filter(|callback| callback.state().is_some());
        keeping.zip(&self.states).try_for_each(|(callback, state)| callback.restore(state))
    }
}

/// The figures of the epochs that have ended, which are those before the one that has begun.
fn history(path: &Path, header: &Header, epochs: Range<usize>) -> Result<History> {
    let error = |problem| Error::format(path, "`history`", problem);
    let text: String = header.get(path, "history")?;
    let history = History::from_json(&text).map_err(|e| error(e.to_string()))?;
    if history.epochs.iter().map(|record| record.epoch).eq(epochs.clone()) {
        return Ok(history);
    }
    Err(error(format!(
        "expected the figures of {} epochs, counted from {}, found {} that are not these",
        epochs.len(),
        epochs.start,
        history.epochs.len()
    )))
}

/// The settings of the network.
fn settings<N: Module>(path: &Path, header: &Header) -> Result<Vec<f64>> {
    let setting = |name: &&'static str| {
        let entry = format!("setting.{name}");
        let value = header.get(path, &entry)?;
        let error = |e: Error| Error::format(path, format!("`{entry}`"), e.to_string());
        check_setting::<N>(name, value).map(|()| value).map_err(error)
    };
    N::SETTINGS.iter().map(setting).collect()
}

/// That what the optimiser and its rules keep is of the right sizes.
fn check_buffers<N: Network, O: Optimizer>(
    path: &Path,
    buffers: &BTreeMap<String, Values>,
    optimizer: &O,
) -> Result<()> {
    let slots = optimizer.slots() * N::PARAM_LEN;
    let sizes = [("optimizer", slots), ("sum", N::PARAM_LEN), ("average", N::PARAM_LEN)];
    for (name, expected) in sizes.into_iter().chain([("scalars", SCALARS)]) {
        let found = buffers.get(name);
        let len = found.map_or(0, Values::len);
        let right = len == expected && found.is_none_or(|it| it.dtype() == N::Elem::NAME);
        if !right && (found.is_some() || name == "optimizer") {
            return Err(Error::format(
                path,
                format!("`{BESIDE}{name}`"),
                format!(
                    "{} with these settings keeps {expected} numbers of type {}, found {len}",
                    optimizer.name(),
                    N::Elem::NAME
                ),
            ));
        }
    }
    Ok(())
}

/// What the metrics have added up, in their order.
pub(super) fn added<M: Figures>(metrics: &mut M) -> Vec<Vec<f64>> {
    let mut all = Vec::new();
    metrics.each(&mut |_, figure| all.push(figure.sums().to_vec()));
    all
}

/// Gives metrics what they had added up.
pub(super) fn put_back<M: Figures>(metrics: &mut M, sums: &[Vec<f64>]) {
    let mut sums = sums.iter();
    metrics.each(&mut |_, figure| {
        if let Some(then) = sums.next() {
            figure.sums().copy_from_slice(then);
        }
    });
}

/// What the metrics had added up, which are to be those of the file.
fn sums(path: &Path, header: &Header, metrics: &[String]) -> Result<Vec<Vec<f64>>> {
    let then: String = header.get(path, "metrics")?;
    let now = metrics.join(", ");
    if then != now {
        let all = |names: &str| if names.is_empty() { "none".to_owned() } else { names.to_owned() };
        return Err(Error::format(
            path,
            "`metrics`",
            format!("the training that was saved has {}, this one {}", all(&then), all(&now)),
        ));
    }
    let sums = |name: &String| {
        let name = format!("{METRIC}{name}");
        let text: String = header.get(path, &name)?;
        let sums = text.split_whitespace().map(|number| number.parse().ok());
        sums.collect::<Option<_>>().ok_or_else(|| {
            Error::format(path, format!("`{name}`"), format!("expected numbers, found `{text}`"))
        })
    };
    metrics.iter().map(sums).collect()
}

/// The states of callbacks, in order.
fn states<N: Module>(header: &Header, beside: &mut BTreeMap<String, Values>) -> Vec<State> {
    let state = |i: usize| {
        let mut state = State::new(header.0.get(&format!("callback.{i}"))?);
        let prefix = format!("callback.{i}.");
        for (name, value) in &header.0 {
            if let Some(name) = name.strip_prefix(&prefix) {
                state = state.set(name, value);
            }
        }
        if let Some(Values::U8(bytes)) = beside.remove(&format!("{BESIDE}callback.{i}")) {
            state = state.with_weights(Snapshot::of_bytes(N::NAME, bytes));
        }
        Some(state)
    };
    (0..).map_while(state).collect()
}

/// The plan of a training: a new one, or one that goes on.
pub(super) fn plan<N: Module>(
    resumed: Option<&Resumed>,
    done: usize,
    epochs: usize,
    [samples, batch]: [usize; 2],
    metrics: Vec<String>,
) -> Plan {
    let first_epoch = resumed.map_or(done + 1, |resumed| resumed.first_epoch);
    let last_epoch = (first_epoch - 1).saturating_add(epochs);
    Plan { network: N::NAME, first_epoch, last_epoch, samples, batch, metrics }
}
