//! What a call of `fit` has at hand between batches: who watches, what has been so far, and where it is saved.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::callback::{Callback, Plan};
use super::history::History;
use super::metrics::Figures;
use super::resume::{self, Begun, Terms};
use crate::error::Result;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::random::Seed;
use crate::step::TrainStep;

/// Where a training is saved, and how often beside each epoch's end.
#[derive(Clone, Debug)]
pub(super) struct Autosave {
    pub path: PathBuf,
    /// After so many batches.
    pub every: Option<usize>,
}

pub(super) struct Session<'s, 'c, M> {
    pub callbacks: &'s mut [Box<dyn Callback + 'c>],
    pub autosave: Option<&'s Autosave>,
    pub stops: &'s [Arc<AtomicBool>],
    pub plan: &'s Plan,
    pub seed: Seed,
    pub history: History,
    /// What a resumed training has in common with this one.
    pub terms: Terms,
    /// Whether the history has every step.
    pub keeps_steps: bool,
    /// What has been added up of the epoch that runs.
    pub metrics: &'s mut M,
}

/// Whether one of the flags is set.
pub(super) fn is_any_set(stops: &[Arc<AtomicBool>]) -> bool {
    stops.iter().any(|stop| stop.load(Ordering::Relaxed))
}

impl<M: Figures> Session<'_, '_, M> {
    /// Whether somebody wants training to end after the batch under way.
    pub fn is_to_stop(&self) -> bool {
        is_any_set(self.stops)
    }

    /// Whether training is saved after so many batches of an epoch.
    pub fn saves_after(&self, epoch: usize, batches: usize) -> bool {
        let all = (epoch - 1) * self.plan.batches() + batches;
        let every = self.autosave.and_then(|autosave| autosave.every);
        every.is_some_and(|every| all.is_multiple_of(every.max(1)))
    }

    /// Whether weights are kept after each epoch, by autosave or by a callback.
    pub fn keeps_weights(&self) -> bool {
        self.autosave.is_some() || self.callbacks.iter().any(|callback| callback.keeps_weights())
    }

    /// Saves the training at a place between two batches, if it is saved at all. No step is under way.
    pub fn save<N: Network, L, O: Optimizer, Y, T>(
        &mut self,
        step: &TrainStep<'_, N, L, O, Y, T>,
        begun: Begun,
    ) -> Result<()> {
        match self.autosave {
            Some(autosave) => resume::save(&autosave.path, step, self, begun),
            None => Ok(()),
        }
    }
}
