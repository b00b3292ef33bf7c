//! Large batches, which several threads gather in pieces.

extern crate netform_core as netform;

mod common;

use std::collections::HashSet;
use std::sync::{Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use common::says;
use netform_core::cpu::Cpu;
use netform_core::data::augment::Noise;
use netform_core::data::{Dataset, InMemory, Loader};
use netform_core::dim::D;
use netform_core::error::{Error, Result};
use netform_core::random::{Rng, Seed};

/// Samples of 8 KB.
type Wide = (D<4>, D<512>);

fn samples(n: usize) -> InMemory<Wide> {
    let inputs = (0..n * 2048).map(|i| (i as f32 * 0.1).sin()).collect();
    InMemory::new(inputs, (0..n as u32).collect()).unwrap()
}

/// An epoch of a loader: the inputs and targets of each batch.
fn epoch<D>(data: &D, cpu: &Cpu) -> Vec<(Vec<f32>, Vec<u32>)>
where
    D: Dataset<Input = Wide, Target = (), Element = f32, TargetElement = u32>,
{
    let mut loader = Loader::new(data, 32).unwrap();
    let mut batch = loader.mini_batch_on(cpu.clone()).unwrap();
    loader.epoch_order(&mut Rng::new(Seed(4), 0));
    let all = (0..loader.batches()).map(|k| {
        loader.fill(k, &mut batch).unwrap();
        (batch.inputs.to_vec(), batch.targets.to_vec())
    });
    all.collect()
}

#[test]
fn a_batch_does_not_depend_on_the_number_of_threads() {
    let data = samples(75);
    let varied = (&data).skip(1).map(|x, y| x[0] = y[0] as f32).augment(Noise(0.1));
    let (plain, augmented) =
        (epoch(&data, &Cpu::with_threads(1)), epoch(&(&varied).take(70), &Cpu::with_threads(1)));
    for (inputs, targets) in &plain {
        for (x, &sample) in inputs.chunks(2048).zip(targets) {
            assert_eq!(x, &data.inputs()[sample as usize * 2048..][..2048]);
        }
    }
    for threads in [2, 3, 16] {
        let cpu = Cpu::with_threads(threads);
        assert!(epoch(&data, &cpu) == plain, "{threads} threads");
        assert!(epoch(&(&varied).take(70), &cpu) == augmented, "{threads} threads");
    }
}

/// Whoever gathers waits here for somebody else to do so, on another thread.
#[derive(Default)]
struct Meeting {
    here: Mutex<HashSet<ThreadId>>,
    came: Condvar,
    /// Samples that cannot be made.
    bad: Vec<usize>,
    /// How many samples were asked for.
    asked: Mutex<usize>,
}

impl Dataset for Meeting {
    type Input = Wide;
    type Target = ();
    type Element = f32;
    type TargetElement = u32;

    fn len(&self) -> usize {
        64
    }

    fn gather(&self, _: Seed, indices: &[usize], _: &mut [f32], _: &mut [u32]) -> Result<()> {
        *self.asked.lock().unwrap() += indices.len();
        if let Some(bad) = indices.iter().find(|index| self.bad.contains(index)) {
            return Err(Error::Invalid(format!("sample {bad} is broken")));
        }
        if self.bad.is_empty() {
            let mut here = self.here.lock().unwrap();
            here.insert(std::thread::current().id());
            self.came.notify_all();
            let limit = Duration::from_secs(60);
            let (here, _) = self.came.wait_timeout_while(here, limit, |it| it.len() < 2).unwrap();
            assert!(here.len() > 1, "nobody else came");
        }
        Ok(())
    }
}

#[test]
fn several_threads_gather_at_once() {
    let data = Meeting::default();
    epoch(&data, &Cpu::with_threads(2));
    assert_eq!(*data.asked.lock().unwrap(), 64);
}

#[test]
fn the_error_is_that_of_the_first_sample() {
    let data = Meeting { bad: vec![30, 3, 17], ..Meeting::default() };
    let cpu = Cpu::with_threads(3);
    let mut loader = Loader::new(&data, 64).unwrap();
    let mut batch = loader.mini_batch_on(cpu).unwrap();
    for _ in 0..20 {
        says(loader.fill(0, &mut batch), &["sample 3 is broken"]);
    }
}

#[test]
fn what_is_prepared_ahead_stays_whole() {
    let data = std::sync::Arc::new(Meeting { bad: vec![64], ..Meeting::default() });
    let ahead = data.clone().prefetch(1).unwrap();
    assert!(!ahead.is_divisible() && data.is_divisible());
    epoch(&ahead, &Cpu::with_threads(3));
    assert_eq!(*data.asked.lock().unwrap(), 64, "each sample was made once");
}
