//! Batches that are prepared on threads of their own while others are trained on: for data sets whose samples are
//! expensive to make, such as images that are decoded and augmented.
//!
//! A loader announces the order of a pass. Threads then prepare the batches in that order, a few ahead of the one that is
//! wanted next. What a batch holds does not depend on the thread that prepares it.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::data::columns::Columns;
use crate::data::dataset::Dataset;
use crate::error::{Error, Result};
use crate::random::Seed;
use crate::shape::SampleShape;

/// How many batches are prepared ahead for each thread.
const AHEAD: usize = 2;

/// A data set whose batches are prepared ahead: [`Dataset::prefetch`].
pub struct Prefetch<D: Dataset> {
    shared: Arc<Shared<D>>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared<D: Dataset> {
    data: D,
    state: Mutex<State<D>>,
    /// Something may be there to prepare, or to stop for.
    work: Condvar,
    /// A batch is prepared.
    done: Condvar,
}

/// The announced pass, and how far it has got.
struct State<D: Dataset> {
    /// Counts announcements: what belongs to an older one is dropped.
    announced: u64,
    pass: Seed,
    order: Vec<usize>,
    batch: usize,
    /// The batches that a thread has begun.
    begun: usize,
    /// The batches that were asked for.
    taken: usize,
    /// Batch `k` is in slot `k % slots.len()`.
    slots: Vec<Slot<D>>,
    stop: bool,
}

struct Slot<D: Dataset> {
    room: Room<D>,
    /// How preparing went, once it is over.
    outcome: Option<std::result::Result<Result<()>, Box<dyn Any + Send>>>,
}

/// Memory for a batch.
struct Room<D: Dataset> {
    inputs: Vec<D::Element>,
    targets: Vec<D::TargetElement>,
}

impl<D: Dataset> Default for Room<D> {
    fn default() -> Self {
        Room { inputs: Vec::new(), targets: Vec::new() }
    }
}

impl<D: Dataset> State<D> {
    /// The samples of batch `k`.
    fn indices(&self, k: usize) -> Option<&[usize]> {
        let start = k.checked_mul(self.batch).filter(|start| *start < self.order.len())?;
        Some(&self.order[start..self.order.len().min(start.saturating_add(self.batch))])
    }

    fn has_work(&self) -> bool {
        self.begun < self.taken + self.slots.len() && self.indices(self.begun).is_some()
    }

    fn slot(&mut self, k: usize) -> &mut Slot<D> {
        let len = self.slots.len();
        &mut self.slots[k % len]
    }
}

impl<D: Dataset> Shared<D> {
    /// Nothing that is done under the lock can fail halfway.
    fn lock(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares batches until it is told to stop.
    fn work(&self) {
        let mut indices = Vec::new();
        loop {
            let waiting = |state: &mut State<D>| !state.stop && !state.has_work();
            let state = self.work.wait_while(self.lock(), waiting);
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            if state.stop {
                return;
            }
            let (announced, pass, k) = (state.announced, state.pass, state.begun);
            indices.clear();
            indices.extend_from_slice(state.indices(k).unwrap_or_default());
            state.begun += 1;
            let mut room = std::mem::take(&mut state.slot(k).room);
            drop(state);
            room.inputs.resize(indices.len() * D::Input::NUMEL, D::Element::default());
            room.targets.resize(indices.len() * D::Target::NUMEL, D::TargetElement::default());
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                self.data.gather(pass, &indices, &mut room.inputs, &mut room.targets)
            }));
            let mut state = self.lock();
            if state.announced == announced {
                *state.slot(k) = Slot { room, outcome: Some(outcome) };
                self.done.notify_all();
            }
        }
    }

    /// The next batch, if it is the one that is asked for; `None` where nobody prepares that one.
    fn prepared(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [D::Element],
        targets: &mut [D::TargetElement],
    ) -> Option<Result<()>> {
        let state = self.lock();
        let (announced, k) = (state.announced, state.taken);
        if state.slots.is_empty() || state.pass != pass || state.indices(k) != Some(indices) {
            return None;
        }
        let is_next = |state: &State<D>| state.announced == announced && state.taken == k;
        let waiting = |state: &mut State<D>| is_next(state) && state.slot(k).outcome.is_none();
        let state = self.done.wait_while(state, waiting);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if !is_next(&state) {
            return None;
        }
        let slot = state.slot(k);
        let outcome = slot.outcome.take()?;
        if let Ok(Ok(())) = outcome {
            inputs.copy_from_slice(&slot.room.inputs);
            targets.copy_from_slice(&slot.room.targets);
        }
        state.taken += 1;
        drop(state);
        self.work.notify_one();
        self.done.notify_all();
        Some(outcome.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl<D: Dataset + Send + Sync + 'static> Prefetch<D> {
    /// # Errors
    /// If the system has no more threads.
    pub(super) fn new(data: D, threads: usize) -> Result<Self> {
        let slot = |_| Slot { room: Room::default(), outcome: None };
        let state = State {
            announced: 0,
            pass: Seed::default(),
            order: Vec::new(),
            batch: 1,
            begun: 0,
            taken: 0,
            slots: (0..threads.saturating_mul(AHEAD)).map(slot).collect(),
            stop: false,
        };
        let (state, work, done) = (Mutex::new(state), Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { data, state, work, done });
        // What has begun also ends where a later thread does not begin.
        let mut prefetch = Prefetch { shared, workers: Vec::new() };
        for _ in 0..threads {
            let shared = prefetch.shared.clone();
            let thread = Builder::new().name("netform data".to_owned());
            let worker = thread.spawn(move || shared.work()).map_err(|e| {
                Error::Invalid(format!("no thread to prepare batches on, of {threads}: {e}"))
            })?;
            prefetch.workers.push(worker);
        }
        Ok(prefetch)
    }
}

impl<D: Dataset + Send> Dataset for Prefetch<D> {
    type Input = D::Input;
    type Target = D::Target;
    type Element = D::Element;
    type TargetElement = D::TargetElement;

    fn len(&self) -> usize {
        self.shared.data.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [D::Element],
        targets: &mut [D::TargetElement],
    ) -> Result<()> {
        let prepared = self.shared.prepared(pass, indices, inputs, targets);
        prepared.unwrap_or_else(|| self.shared.data.gather(pass, indices, inputs, targets))
    }

    fn gather_targets(
        &self,
        pass: Seed,
        indices: &[usize],
        targets: &mut [D::TargetElement],
    ) -> Result<()> {
        self.shared.data.gather_targets(pass, indices, targets)
    }

    fn announce(&self, pass: Seed, order: &[usize], batch: usize) {
        let mut state = self.shared.lock();
        state.announced += 1;
        state.pass = pass;
        state.order.clear();
        state.order.extend_from_slice(order);
        state.batch = batch.max(1);
        (state.begun, state.taken) = (0, 0);
        state.slots.iter_mut().for_each(|slot| slot.outcome = None);
        drop(state);
        self.shared.work.notify_all();
        self.shared.done.notify_all();
    }

    fn is_divisible(&self) -> bool {
        false
    }

    fn is_fixed(&self) -> bool {
        self.shared.data.is_fixed()
    }

    fn class_names(&self) -> &[String] {
        self.shared.data.class_names()
    }

    fn columns(&self) -> Option<&Columns> {
        self.shared.data.columns()
    }
}

impl<D: Dataset> Drop for Prefetch<D> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // A thread that panics has said so to whoever asked for its batch.
            let _ = worker.join();
        }
    }
}

impl<D: Dataset + fmt::Debug> fmt::Debug for Prefetch<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefetch")
            .field("data", &self.shared.data)
            .field("threads", &self.workers.len())
            .finish()
    }
}
