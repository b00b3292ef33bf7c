//! What is remembered of training steps, so that one that is like an earlier one is repeated without its calls of kernels.

use super::Batch;
use crate::device::{Device, Slot, Span};
use crate::module::{MAX_SETTINGS, MAX_SIZES, Module};
use crate::update::Pass;

/// How many steps are remembered: batches in turn, smaller ones among them, the first and the last of those that are
/// accumulated.
const MOST: usize = 16;

/// What a step's calls depend on beside the buffers that are bound, which the device compares, and the calls of
/// [`Pass::finish`], which are made each time. What else there is does not change while a step lives: the network's code,
/// the loss, which a step lends for reading only, and sizes of buffers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    batch: usize,
    sizes: [usize; MAX_SIZES],
    /// As bits: of numbers that are equal, 0 has two signs.
    settings: [u64; MAX_SETTINGS],
    kept: bool,
    first: bool,
    updates: bool,
    halts: bool,
    /// The number of the rules, which are as they were where it is.
    rules: u64,
}

impl Case {
    pub fn new<O>(batch: &Batch, pass: &Pass<'_, O>) -> Self {
        let Batch { extent, kept, .. } = batch;
        Case {
            batch: extent.batch,
            sizes: extent.sizes,
            settings: extent.settings.map(f64::to_bits),
            kept: *kept,
            first: pass.first,
            updates: pass.updates,
            halts: pass.halts,
            rules: pass.revision,
        }
    }
}

/// What is remembered of one step.
pub(super) struct Memo<N: Module> {
    pub case: Case,
    pub pass: <N::Device as Device<N::Elem>>::Memo,
    /// Where the outputs are in the workspace.
    pub outputs: Span,
    /// When it was used last, counted in steps.
    used: u64,
}

/// What is remembered of some steps.
pub(super) struct Memos<N: Module> {
    all: Vec<Memo<N>>,
    /// Behind the one that was used last, where the search begins: steps come in turn.
    next: usize,
    /// How many steps there were.
    steps: u64,
}

impl<N: Module> Memos<N> {
    pub fn new() -> Self {
        Memos { all: Vec::new(), next: 0, steps: 0 }
    }

    /// The memo of such a step that `fits` what is bound; or, where there is none (`false`), the one that is to become
    /// it.
    pub fn find(
        &mut self,
        case: &Case,
        fits: impl Fn(&<N::Device as Device<N::Elem>>::Memo) -> bool,
    ) -> (bool, &mut Memo<N>) {
        let repeats = <N::Device as Device<N::Elem>>::REPEATS;
        let (before, behind) = (0..self.next, self.next..self.all.len());
        let is_it = |i: &usize| self.all[*i].case == *case && fits(&self.all[*i].pass);
        let known = behind.chain(before).filter(|_| repeats).find(is_it);
        let i = match known {
            Some(i) => i,
            None if self.all.len() < if repeats { MOST } else { 1 } => {
                let (pass, outputs) = (Default::default(), Span::new(Slot::Workspace, 0, 0));
                self.all.push(Memo { case: *case, pass, outputs, used: 0 });
                self.all.len() - 1
            }
            // The one that has been used longest ago.
            None => (0..self.all.len()).min_by_key(|&i| self.all[i].used).unwrap_or(0),
        };
        self.next = (i + 1) % self.all.len();
        self.steps += 1;
        self.all[i].used = self.steps;
        (known.is_some(), &mut self.all[i])
    }
}
