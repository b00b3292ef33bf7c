//! Solves a differential equation by a network with derivatives in its loss: `cargo run --release --example physics`.

mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use netform::data::Unlabelled;
use netform::device::Device;
use netform::plot::Plot;
use netform::prelude::*;
use netform::report::Report;
use netform::schedule::Cosine;
use shared::{Rate, Training, in_repository, on_device, print};

/// For how long the weight is watched, in seconds.
const SECONDS: f32 = 6.0;

network! {
    /// How far a weight on a spring is from its place of rest after t seconds. It is let go at 1: u(0) = 1 and
    /// u'(0) = 0, whatever the parameters are.
    pub Spring: (t: [1]) -> [1] {
        let fc1 = Linear(32);
        let fc2 = Linear(32);
        let out = Linear(1);
        1 + square(tanh(t)) * out(tanh(fc2(tanh(fc1(t - 3)))))
    }

    /// By how much the damped spring's equation, u'' + u' / 2 + 4 u = 0, does not hold at t, squared.
    pub Equation: (t: [1]) -> [] {
        let spring = Spring;
        let u = spring(t);
        let velocity = grad(sum(u), t);
        let acceleration = grad(sum(velocity), t);
        sum(square(acceleration + velocity / 2 + 4 * u))
    }
}

/// Solves the equation of a damped spring by a network that sees only moments, and no solution.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("1000")),
    mut_arg("batch", shared::default("32")),
    mut_arg("rate", shared::default("0.01"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// The folder to write the report and draw the curve into; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/physics"))]
    out: PathBuf,
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| solve(options, device))
    })
}

fn solve<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let Training { epochs, batch, seed, .. } = options.training;
    let plot = shared::file(&options.out, "spring.svg")?;
    let report = shared::file(&options.out, "report.html")?;
    let moments: Vec<f32> = (0..256).map(|i| SECONDS * i as f32 / 255.0).collect();
    let data = Unlabelled::<(D<1>,)>::without_targets(moments.clone())?;
    let mut equation = Equation::<f32, _>::on(device.clone(), Seed(seed))?;
    print(equation.summary())?;
    let updates = epochs.get().saturating_mul(data.len().div_ceil(batch.get()));
    let history = Trainer::new(OwnOutput, Adam::new(options.rate.rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .schedule(Cosine::new(updates as u64))
        .fit(&mut equation, &data)?;
    for epoch in history.epochs.iter().step_by(epochs.get().div_ceil(10)).chain(history.last()) {
        print(format!("epoch {:>4}: loss {:.5}", epoch.epoch, epoch.train_loss))?;
    }

    Report::new(&history).network(&equation).save(&report)?;
    let mut spring = Spring::<f32, _>::on(device.clone(), Seed(seed))?;
    spring.copy_part(&equation, "spring")?;
    let t = Tensor::<(Batch, D<1>), f32, _>::from_slice_on(device, &moments)?;
    let found = spring.forward(&t)?.to_vec();
    let mut largest = 0.0_f32;
    for (i, (&t, &u)) in moments.iter().zip(&found).enumerate() {
        largest = largest.max((u - exact(t)).abs());
        if i % 51 == 0 {
            print(format!("t = {t:.2}: u = {u:7.4}, exact {:7.4}", exact(t)))?;
        }
    }
    Plot::new("A weight on a spring")
        .axes("seconds", "u")
        .line("network", moments.iter().copied().zip(found))
        .function("exact", |t| exact(t as f32).into())
        .svg()?
        .save(&plot)?;
    print(format!("report: {}", report.display()))?;
    print(format!("plot: {}", plot.display()))?;
    print(format!("largest error: {largest:.4}"))
}

/// The solution of the equation: e^(-t/4) (cos wt + sin(wt) / 4w), where w^2 = 4 - 1/16.
fn exact(t: f32) -> f32 {
    let w = (4.0_f32 - 1.0 / 16.0).sqrt();
    (-t / 4.0).exp() * ((w * t).cos() + (w * t).sin() / (4.0 * w))
}
