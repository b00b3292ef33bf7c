//! The time that calls of the driver take, where somebody measures it: what is left is our own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nanoseconds in the driver.
#[derive(Default)]
pub(crate) struct Clock {
    /// Whether somebody has asked.
    runs: AtomicBool,
    submitting: AtomicU64,
    waiting: AtomicU64,
}

impl Clock {
    fn measure<T>(&self, sum: &AtomicU64, f: impl FnOnce() -> T) -> T {
        if !self.runs.load(Ordering::Relaxed) {
            return f();
        }
        let start = Instant::now();
        let result = f();
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        sum.fetch_add(nanos, Ordering::Relaxed);
        result
    }

    pub fn submitting<T>(&self, f: impl FnOnce() -> T) -> T {
        self.measure(&self.submitting, f)
    }

    pub fn waiting<T>(&self, f: impl FnOnce() -> T) -> T {
        self.measure(&self.waiting, f)
    }

    /// The time of submitting and of waiting so far; from the first call on it is measured.
    pub fn read(&self) -> [Duration; 2] {
        self.runs.store(true, Ordering::Relaxed);
        [&self.submitting, &self.waiting]
            .map(|sum| Duration::from_nanos(sum.load(Ordering::Relaxed)))
    }
}
