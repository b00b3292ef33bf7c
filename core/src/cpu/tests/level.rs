//! The instructions that kernels use, chosen by a test: for its own thread, and for the tasks that it starts.

use std::cell::Cell;

use crate::cpu::simd::{Level, levels};

thread_local! {
    static CHOSEN: Cell<Option<Level>> = const { Cell::new(None) };
}

/// What was chosen for this thread.
pub(crate) fn chosen() -> Option<Level> {
    CHOSEN.get()
}

/// What `f` returns with each level of the processor, the best one last.
pub(crate) fn with_each<R>(f: impl Fn() -> R) -> Vec<(Level, R)> {
    levels().iter().map(|&level| (level, with(Some(level), &f))).collect()
}

/// The task with the level of the thread that starts it.
pub(crate) fn inherited<F: Fn(usize) + Sync>(task: F) -> impl Fn(usize) + Sync {
    let level = chosen();
    move |i| with(level, || task(i))
}

fn with<R>(level: Option<Level>, f: impl FnOnce() -> R) -> R {
    /// Goes back also when `f` panics.
    struct Before(Option<Level>);
    impl Drop for Before {
        fn drop(&mut self) {
            CHOSEN.set(self.0);
        }
    }
    let _before = Before(CHOSEN.replace(level));
    f()
}

#[test]
fn tasks_have_the_level_of_their_caller() {
    let cpus = [1, 3].map(super::Cpu::with_threads);
    for &level in levels() {
        with(Some(level), || {
            for cpu in &cpus {
                cpu.pool.run(50, |_| assert_eq!(crate::cpu::simd::level(), level));
            }
        });
    }
    assert_eq!(chosen(), None);
}
