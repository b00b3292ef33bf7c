//! What the trainer costs beside the steps that it makes.

extern crate netform_core as netform;

use std::time::Instant;

use netform_core::cpu::Cpu;
use netform_core::data::{Dataset, InMemory};
use netform_core::dim::D;
use netform_core::loss::CrossEntropy;
use netform_core::metric::{F1, TopK};
use netform_core::network::Network;
use netform_core::optim::Adam;
use netform_core::random::{Rng, Seed};
use netform_core::train::{Progress, Trainer};
use netform_macros::network;

network! {
    /// The workload `mlp`.
    pub Mlp: [784] -> [10] { fc1: Linear(128), Relu, fc2: Linear(10) }
}

const BATCH: usize = 64;
const BATCHES: usize = 100;

/// Nanoseconds that this thread has computed: other processes do not count. The clock, where nothing tells that.
fn computed(start: Instant) -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat");
    let told = told.ok().and_then(|text| text.split(' ').next().and_then(|ns| ns.parse().ok()));
    told.unwrap_or_else(|| clock(start))
}

fn clock(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}

/// Epochs of the trainer, with metrics and a line of progress each, and the same steps on batches that are already there,
/// in turn; the least of each.
#[test]
#[ignore = "measures: `cargo test --release -p netform-core --test overhead -- --ignored --nocapture`"]
fn an_epoch_beside_its_steps() {
    measure("1 thread, time of the processor", &Cpu::with_threads(1), computed);
    let cpu = Cpu::default();
    measure(&format!("{} threads, by the clock", cpu.threads()), &cpu, clock);
}

fn measure(how: &str, cpu: &Cpu, now: fn(Instant) -> u64) {
    let mut rng = Rng::new(Seed(1), 1);
    let samples = BATCH * BATCHES;
    let pixels = (0..samples * 784).map(|_| rng.uniform() as f32).collect();
    let labels = (0..samples).map(|_| rng.below(10) as u32).collect();
    let data = InMemory::<(D<784>,)>::new(pixels, labels).unwrap();
    let start = Instant::now();
    let batches: Vec<_> = data.batches(BATCH, &mut rng).collect::<Result<_, _>>().unwrap();
    let mut bare = Mlp::<f32>::on(cpu.clone(), Seed(1)).unwrap();
    let mut step = bare.train_step(CrossEntropy, Adam::new(1e-3), BATCH).unwrap();
    let trainer = || Trainer::new(CrossEntropy, Adam::new(1e-3)).batch(BATCH);
    let mut plain = trainer();
    let mut shown = trainer()
        .metric("f1", F1::macro_average(10))
        .metric("top-3", TopK::new(3))
        .callback(Progress::bar());
    let mut normed = trainer().gradient_norms().weight_norms();
    let mut nets = [(); 3].map(|()| Mlp::<f32>::on(cpu.clone(), Seed(1)).unwrap());
    let mut least = [u64::MAX; 4];
    for _ in 0..20 {
        let mut before = now(start);
        let mut lap = |least: &mut u64| {
            let after = now(start);
            *least = (*least).min(after - before);
            before = after;
        };
        for batch in &batches {
            step.run(batch).unwrap();
        }
        lap(&mut least[0]);
        plain.fit(&mut nets[0], &data).unwrap();
        lap(&mut least[1]);
        shown.fit(&mut nets[1], &data).unwrap();
        lap(&mut least[2]);
        normed.fit(&mut nets[2], &data).unwrap();
        lap(&mut least[3]);
    }
    let steps = least.map(|ns| ns as f64 / 1e3 / BATCHES as f64);
    for (what, step) in
        ["bare steps", "trainer", "with metrics and progress", "with norms"].iter().zip(steps)
    {
        println!(
            "{how}: {what}: {step:.1} microseconds a step, {:.3} of bare steps",
            step / steps[0]
        );
    }
}
