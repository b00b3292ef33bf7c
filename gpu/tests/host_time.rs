//! What the processor does for a training step on Vulkan: netform's part, and the driver's own for submitting. Once where
//! the device has nothing to do and is woken, and once where steps are under way.
//!
//! A driver that computes on the processor disturbs what is measured: it interrupts the thread and takes its caches. So
//! the thread has one core for itself and the driver's threads share the others, and there are two clocks, of which one
//! only counts the time that the thread had of its core.

extern crate netform_core as netform;

mod common;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use common::vulkan;
use core_affinity::CoreId;
use netform_core::data::MiniBatch;
use netform_core::dim::D;
use netform_core::loss::CrossEntropy;
use netform_core::network::Network;
use netform_core::optim::Adam;
use netform_core::random::Seed;
use netform_gpu::Vulkan;
use netform_macros::network;

network! {
    Mlp: [784] -> [10] { Linear(128), Relu, Linear(10) }
}

fn clock() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn processor() -> Duration {
    cpu_time::ThreadTime::now().as_duration()
}

/// The least, and the one in the middle, in microseconds.
fn figures(name: &str, times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    format!("{name} {:.2} us at best, {:.2} us in the middle", times[0], times[times.len() / 2])
}

fn measure(name: &str, now: fn() -> Duration, cores: &[CoreId]) {
    // Threads begin on the core of the thread that starts them.
    let apart = cores.len() > 1 && core_affinity::set_for_current(cores[1]);
    let vulkan = Vulkan::new().unwrap();
    let mut net = Mlp::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
    let batch = MiniBatch::<(D<784>,), (), f32, u32, _>::zeros_on(vulkan.clone(), 64).unwrap();
    let mut step = net.train_step(CrossEntropy, Adam::new(1e-3), 64).unwrap();
    for _ in 0..20 {
        step.run(&batch).unwrap();
    }
    let apart = apart && core_affinity::set_for_current(cores[0]);
    println!("{name}: a core for the thread alone: {apart}");
    // What it costs to read the clock is in the figures: twice in the driver's, three times in netform's.
    let mut reads: Vec<f64> = (0..1000).map(|_| micros(now().abs_diff(now()))).collect();
    println!("{name}: {}", figures("one reading", &mut reads));
    for (what, burst) in [("one after another", 1), ("two at once", 2), ("without a pause", 60)] {
        let (mut own, mut submits) = (vec![], vec![]);
        for _ in 0..1200 / burst {
            for _ in 0..burst {
                let before = vulkan.time_in_driver(now);
                let start = now();
                step.submit(&batch).unwrap();
                let all = now() - start;
                let after = vulkan.time_in_driver(now);
                let [submit, wait] = [0, 1].map(|i| after[i] - before[i]);
                own.push(micros(all.saturating_sub(submit + wait)));
                submits.push(micros(submit));
            }
            while step.receive().unwrap().is_some() {}
        }
        let own = figures("netform", &mut own);
        println!("{name}, {what}: {own}; {}", figures("vkQueueSubmit", &mut submits));
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[test]
#[ignore = "measures: `cargo test --release -p netform-gpu --test host_time -- --ignored --nocapture`"]
fn host_time_of_a_step() {
    if vulkan("host_time_of_a_step").is_some() {
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        measure("clock", clock, &cores);
        measure("processor", processor, &cores);
    }
}
