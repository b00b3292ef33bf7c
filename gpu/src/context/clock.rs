//! The time that calls of the driver take, where somebody measures it: what is left is our own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Nanoseconds in the driver.
#[derive(Default)]
pub(crate) struct Clock {
    /// The clock of who has asked: its time since any moment.
    now: OnceLock<fn() -> Duration>,
    submitting: AtomicU64,
    waiting: AtomicU64,
}

impl Clock {
    fn measure<T>(&self, sum: &AtomicU64, f: impl FnOnce() -> T) -> T {
        let Some(now) = self.now.get() else { return f() };
        let start = now();
        let result = f();
        let nanos = now().saturating_sub(start).as_nanos();
        sum.fetch_add(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
        result
    }

    pub fn submitting<T>(&self, f: impl FnOnce() -> T) -> T {
        self.measure(&self.submitting, f)
    }

    pub fn waiting<T>(&self, f: impl FnOnce() -> T) -> T {
        self.measure(&self.waiting, f)
    }

    /// The time of submitting and of waiting so far; it is measured from the first call on, by the clock given there.
    pub fn read(&self, now: fn() -> Duration) -> [Duration; 2] {
        self.now.get_or_init(|| now);
        [&self.submitting, &self.waiting]
            .map(|sum| Duration::from_nanos(sum.load(Ordering::Relaxed)))
    }
}
