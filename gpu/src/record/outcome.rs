//! What becomes of passes: the wait for their end, what was found wrong in them, and the values that are read of them.

use netform_core::device::VALUES;
use netform_core::error::{Error, Result};

use super::{Flight, Recording, Suspect, VulkanTicket};
use crate::context::{Context, lock};
use crate::memory::word;
use crate::shader::first_of_gather;

impl Context {
    /// Waits for a pass, if it is under way, and notes its outcome; then calls `then`.
    fn end<R>(&self, serial: u64, then: impl FnOnce(Option<&mut Recording>) -> R) -> R {
        let is_under_way = |r: &Recording| matches!(r.flight, Flight::UnderWay);
        let fence = match lock(&self.recordings).of(serial) {
            Some(recording) if is_under_way(recording) => Some(recording.fence.clone()),
            _ => None,
        };
        let waited = fence.map(|fence| self.wait(&fence));
        let mut recordings = lock(&self.recordings);
        let mut recording = recordings.of(serial);
        if let (Some(waited), Some(recording)) = (waited, &mut recording)
            && is_under_way(recording)
        {
            let outcome = waited.and_then(|()| recording.faults(self));
            recording.faulty = outcome.is_err();
            recording.flight = Flight::Ended(outcome.err().map(Box::new));
        }
        then(recording)
    }

    /// Waits for the passes under way that use a buffer.
    pub fn settle(&self, buffer: u64) -> Result<()> {
        let uses = |r: &Recording| matches!(r.flight, Flight::UnderWay) && r.ids.contains(&buffer);
        let last = || lock(&self.recordings).all.iter().rev().find(|r| uses(r)).map(|r| r.serial);
        while let Some(serial) = last() {
            self.end(serial, |_| ());
        }
        self.check_lost()
    }

    /// Waits for a pass and returns its outcome, once, or what else is read of it.
    fn ended<R>(&self, serial: u64, then: impl FnOnce(&Recording) -> Result<R>) -> Result<R> {
        self.end(serial, |recording| {
            let recording = recording.ok_or_else(|| self.forgotten())?;
            match std::mem::replace(&mut recording.flight, Flight::None) {
                Flight::Ended(Some(error)) => return Err(*error),
                Flight::Ended(None) => {}
                Flight::None | Flight::UnderWay => return Err(self.forgotten()),
            }
            then(recording)
        })
    }

    pub fn outcome(&self, serial: u64) -> Result<()> {
        self.ended(serial, |_| Ok(()))
    }

    fn forgotten(&self) -> Error {
        self.error("the outcome of a pass is asked for that others have followed since")
    }

    /// Waits for a posted pass and returns its values.
    pub fn values(&self, ticket: &VulkanTicket) -> Result<[f32; VALUES]> {
        let mut values = [0.0; VALUES];
        self.ended(ticket.serial, |r| r.kept(self, 0, &mut values[..ticket.values]))?;
        Ok(values)
    }

    /// What else was kept of a posted pass; `None` where there is nothing else.
    pub fn more(&self, ticket: &VulkanTicket, out: &mut [f32]) -> Result<Option<()>> {
        if !ticket.more {
            return Ok(None);
        }
        let mut recordings = lock(&self.recordings);
        let recording = recordings.of(ticket.serial).ok_or_else(|| self.forgotten())?;
        recording.kept(self, ticket.values, out).map(Some)
    }
}

impl Recording {
    /// Reads words that are kept of the pass, which has ended, from number `first` on.
    fn kept(&self, context: &Context, first: usize, out: &mut [f32]) -> Result<()> {
        let kept = self.kept.as_ref().ok_or_else(|| context.forgotten())?;
        if kept.count().saturating_sub(first) < out.len() {
            return Err(Error::Size {
                what: "what was kept of a pass".to_owned(),
                expected: format!("at most {} elements", kept.count() - first),
                found: out.len().to_string(),
            });
        }
        let copy = |kept: &[u8]| {
            (first..).zip(out).for_each(|(i, x)| *x = f32::from_bits(word(kept, i)));
        };
        // SAFETY: the pass has ended: its outcome has been asked for.
        unsafe { kept.read(context, copy) }
    }

    /// The error of the first check that found something.
    fn faults(&self, context: &Context) -> Result<()> {
        let first = |faults: &[u8]| {
            let all = (0..self.checks.len()).map(|i| (i, word(faults, 2 * i)));
            let found = all.into_iter().find(|(_, position)| *position != u32::MAX);
            found.map(|(i, position)| (i, position, word(faults, 2 * i + 1)))
        };
        // SAFETY: the commands have run.
        let Some((i, position, index)) = (unsafe { self.faults.read(context, first) })? else {
            return Ok(());
        };
        let (check, suspects) = (&self.checks[i], &self.suspects[i]);
        let index = match check.says_index {
            true => Some(index).filter(|index| *index != u32::MAX),
            false => {
                // The first checks are those of gathers, whose indices begin somewhere else each time.
                let first = |numbers: &[u8]| word(numbers, first_of_gather(&self.tape, i)) as usize;
                let first = match i < self.tape.gathers.len() {
                    // SAFETY: as above.
                    true => unsafe { self.numbers.read(context, first) }?,
                    false => 0,
                };
                integer(context, check.size, suspects, first, position as usize)?
            }
        };
        let index = index.map_or(usize::MAX, |index| index as usize);
        Err(check.of.error(position as usize, index, check.size))
    }
}

/// The integer that a row was given and that is too large; `None` where its index was computed.
fn integer(
    context: &Context,
    size: usize,
    suspects: &[Suspect],
    after: usize,
    row: usize,
) -> Result<Option<u32>> {
    for Suspect { storage, first, strides, grid } in suspects {
        let (mut rest, mut place) = (row, *first + after);
        for axis in (0..4).rev() {
            place += rest % grid[axis] * strides[axis];
            rest /= grid[axis];
        }
        let mut bytes = [0; 4];
        context.download(storage, 4 * place, &mut bytes)?;
        let integer = u32::from_ne_bytes(bytes);
        if integer as usize >= size {
            return Ok(Some(integer));
        }
    }
    Ok(None)
}
