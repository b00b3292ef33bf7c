//! A small pool of threads: the caller and n - 1 workers share the tasks of one job.
//!
//! Each begins with a range of its own, and takes from the others' when it has done that. So the parts of a tensor that
//! one thread has written are, mostly, what it reads in the next job: they are in its own cache.
//!
//! A job costs no allocation and, while the workers are awake, no system call. Workers spin for a
//! moment after a job, because the next kernel of a step follows soon, and then sleep. A pool runs one
//! job at a time; a caller that finds it busy (another user thread, or a task that starts a job itself)
//! runs its tasks alone. Which thread runs a task never changes a result.

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a worker waits awake for the next job.
const SPIN: Duration = Duration::from_micros(40);

// The state of a pool in one word: the number of the job, whether it may be entered, who is in it.
const OPEN: u64 = 1 << 31;
const JOB: u64 = 1 << 32;
const INSIDE: u64 = OPEN - 1;

/// A job: a closure on the caller's stack, with its type erased.
#[derive(Clone, Copy)]
struct Job {
    closure: *const (),
    call: unsafe fn(*const (), usize),
    tasks: usize,
}

/// How many tasks of a thread's range have been taken, on a cache line of its own.
#[repr(align(64))]
struct Taken(AtomicUsize);

/// What the threads of a pool share.
struct Shared {
    state: AtomicU64,
    taken: Box<[Taken]>,
    job: UnsafeCell<Job>,
    busy: AtomicBool,
    stop: AtomicBool,
    asleep: Box<[AtomicBool]>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is written only by the thread that holds `busy` while nobody is inside, and read only by
// threads that have entered; entering and opening are ordered by `state`. The rest is Sync by itself.
unsafe impl Sync for Shared {}
// SAFETY: the pointers in `job` are used only while the caller that made them waits in `Pool::run`.
unsafe impl Send for Shared {}

/// A pool of threads.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// A pool of `threads` threads, the caller included. Fewer where the system refuses to start more.
    pub fn new(threads: usize) -> Self {
        let count = threads.max(1) - 1;
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            taken: (0..=count).map(|_| Taken(AtomicUsize::new(0))).collect(),
            job: UnsafeCell::new(Job { closure: std::ptr::null(), call: |_, _| (), tasks: 0 }),
            busy: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            asleep: (0..count).map(|_| AtomicBool::new(false)).collect(),
            panic: Mutex::new(None),
        });
        let start = |i| {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("netform-{}", i + 1));
            builder.spawn(move || shared.work(i)).ok()
        };
        let workers = (0..count).map_while(start).collect();
        Pool { shared, workers }
    }

    /// The number of threads, the caller included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `task(i)` for every `i` below `tasks`, in any order and on any thread, and returns when all
    /// have returned. A panic in a task reaches the caller.
    pub fn run<F: Fn(usize) + Sync>(&self, tasks: usize, task: F) {
        #[cfg(test)]
        let task = super::tests::level::inherited(task);
        self.share(tasks, task);
    }

    fn share<F: Fn(usize) + Sync>(&self, tasks: usize, task: F) {
        let alone = tasks <= 1 || self.workers.is_empty();
        if alone || self.shared.busy.swap(true, Ordering::Acquire) {
            (0..tasks).for_each(task);
            return;
        }
        /// # Safety
        /// `closure` must point to a live `F`.
        unsafe fn call<F: Fn(usize)>(closure: *const (), i: usize) {
            // SAFETY: the caller's promise.
            unsafe { (*closure.cast::<F>())(i) }
        }
        let job = Job { closure: (&raw const task).cast(), call: call::<F>, tasks };
        let shared = &*self.shared;
        // SAFETY: this thread holds `busy`, and the job before was closed and left by all workers.
        unsafe { *shared.job.get() = job };
        shared.taken.iter().for_each(|taken| taken.0.store(0, Ordering::Relaxed));
        shared.state.fetch_add(JOB | OPEN, Ordering::SeqCst);
        self.wake(tasks - 1);
        shared.take_tasks(0, job);
        shared.close();
        let panic = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        shared.busy.store(false, Ordering::Release);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    /// Wakes at most `count` sleeping workers.
    fn wake(&self, count: usize) {
        for (asleep, worker) in self.shared.asleep.iter().zip(&self.workers).take(count) {
            if asleep.swap(false, Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches the panics of tasks, so that joining cannot fail.
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// Takes tasks until none is left, those of a thread's own range first.
    fn take_tasks(&self, thread: usize, job: Job) {
        let threads = self.taken.len();
        let start = |thread: usize| thread * job.tasks / threads;
        for range in (thread..threads).chain(0..thread) {
            self.take_range(job, start(range)..start(range + 1), &self.taken[range]);
        }
    }

    /// Takes tasks of a range until none is left.
    fn take_range(&self, job: Job, range: Range<usize>, taken: &Taken) {
        // Looked at before, so that a range that is done is not written to.
        while taken.0.load(Ordering::Relaxed) < range.len() {
            let i = range.start + taken.0.fetch_add(1, Ordering::Relaxed);
            if i >= range.end {
                return;
            }
            // SAFETY: the closure lives on the stack of the caller, which is this thread or waits in
            // `close` until this thread has left the job.
            let result = catch_unwind(AssertUnwindSafe(|| unsafe { (job.call)(job.closure, i) }));
            if let Err(payload) = result {
                let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
                match *first {
                    // Never dropped: dropping may panic in its turn, and nothing would catch that here.
                    Some(_) => std::mem::forget(payload),
                    None => *first = Some(payload),
                }
            }
        }
    }

    /// Lets nobody in any more and waits until everybody has left.
    fn close(&self) {
        self.state.fetch_and(!OPEN, Ordering::AcqRel);
        let mut spins = 0_u32;
        while self.state.load(Ordering::Acquire) & INSIDE != 0 {
            spins += 1;
            if spins < 10_000 {
                spin_loop();
            } else {
                // The worker may have lost its core to another program.
                thread::yield_now();
            }
        }
    }

    /// The life of worker `i`.
    fn work(&self, i: usize) {
        let mut done = 0;
        while !self.stop.load(Ordering::SeqCst) {
            let state = self.state.load(Ordering::SeqCst);
            if state & OPEN == 0 || state / JOB == done {
                self.wait(i, done);
                continue;
            }
            let entered = state + 1;
            let order = (Ordering::AcqRel, Ordering::Relaxed);
            if self.state.compare_exchange_weak(state, entered, order.0, order.1).is_ok() {
                done = state / JOB;
                // SAFETY: inside, `job` does not change, and entering has made it visible.
                self.take_tasks(i + 1, unsafe { *self.job.get() });
                self.state.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    /// Waits for a job after number `done`: awake at first, then asleep.
    fn wait(&self, i: usize, done: u64) {
        let is_new = || {
            let state = self.state.load(Ordering::SeqCst);
            state & OPEN != 0 && state / JOB != done || self.stop.load(Ordering::SeqCst)
        };
        let start = Instant::now();
        while start.elapsed() < SPIN {
            for _ in 0..64 {
                if is_new() {
                    return;
                }
                spin_loop();
            }
        }
        // Said before looking a last time: a caller opens its job before it looks who is asleep.
        self.asleep[i].store(true, Ordering::SeqCst);
        while self.asleep[i].load(Ordering::SeqCst) && !is_new() {
            thread::park();
        }
        self.asleep[i].store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pool: &Pool, tasks: usize) -> Vec<usize> {
        let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
        pool.run(tasks, |i| {
            counts[i].fetch_add(1, Ordering::Relaxed);
        });
        counts.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn every_task_runs_once() {
        for threads in [1, 2, 3, 5] {
            let pool = Pool::new(threads);
            for round in 0..300 {
                let tasks = round % 20;
                assert_eq!(counts(&pool, tasks), vec![1; tasks]);
                if round % 100 == 0 {
                    thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    #[test]
    fn a_panic_whose_payload_panics_leaves_the_pool_as_it_was() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let pool = Pool::new(3);
        let outcome =
            catch_unwind(AssertUnwindSafe(|| pool.run(8, |_| std::panic::panic_any(Bomb))));
        let payload = outcome.expect_err("every task panics");
        assert!(payload.is::<Bomb>());
        std::mem::forget(payload);
        let sum = AtomicUsize::new(0);
        pool.run(8, |i| {
            sum.fetch_add(i, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 28);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = Pool::new(3);
        for _ in 0..20 {
            let result = catch_unwind(AssertUnwindSafe(|| {
                pool.run(10, |i| assert!(i != 7, "task seven"));
            }));
            assert!(result.is_err());
            assert_eq!(counts(&pool, 10), vec![1; 10]);
        }
    }

    #[test]
    fn jobs_may_nest_and_come_from_many_threads() {
        let pool = Pool::new(3);
        let total = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        pool.run(5, |_| {
                            pool.run(3, |_| {
                                total.fetch_add(1, Ordering::Relaxed);
                            });
                        });
                    }
                });
            }
        });
        assert_eq!(total.into_inner(), 4 * 100 * 5 * 3);
    }
}
