//! Fits a line to points, batch by batch in a loop of its own: `cargo run --release --example linear_regression`.

mod shared;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use netform::Error;
use netform::data::{Loader, Table};
use netform::device::Device;
use netform::element::Float;
use netform::plot::Plot;
use netform::prelude::*;
use shared::{Kind, Rate, Training, advise, in_repository, print};

network! {
    /// A line: y = w x + b.
    pub Line: [1] -> [1] { fc: Linear(1) }
}

/// Points: x and y.
type Points<E> = InMemory<(D<1>,), (D<1>,), E, E>;

/// Fits a line to points, batch by batch in the file's order, by gradient descent from a line that is far off.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("10")),
    mut_arg("batch", shared::default("4")),
    mut_arg("rate", shared::default("0.1"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// The CSV file with the points: columns x and y
    #[arg(long, value_name = "FILE", default_value_os_t = in_repository("examples/data/linear-regression.csv"))]
    data: PathBuf,
    /// The folder to draw points and line into; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/linear_regression"))]
    out: PathBuf,
}

fn main() -> ExitCode {
    // A GPU computes in f32; the processor, in f64, comes to the same digits everywhere.
    shared::run(|options: &Options| match options.training.device {
        Kind::Cpu => train::<f64, _>(options, Cpu::default()),
        Kind::Vulkan => train::<f32, _>(options, shared::vulkan()?),
    })
}

fn train<E: Float, Dev: Device<E>>(options: &Options, device: Dev) -> netform::Result<()> {
    let Training { epochs, batch, seed, .. } = options.training;
    let points: Points<E> =
        load(&options.data).map_err(advise("--data FILE names a CSV file of points"))?;
    let plot = shared::file(&options.out, "line.svg")?;
    let mut line = Line::<E, _>::on(device.clone(), Seed(seed))?;
    line.set_parameter("fc.weight", &[E::from_f64(100.0)])?;
    line.set_parameter("fc.bias", &[E::ZERO])?;

    let mut loader = Loader::new(&points, batch.get())?;
    let mut some = loader.mini_batch_on(device)?;
    let mut step = line.train_step(Mse, Sgd::new(options.rate.rate), batch.get())?;
    for epoch in 1..=epochs.get() {
        let mut loss = E::ZERO;
        for k in 0..loader.batches() {
            loader.fill(k, &mut some)?;
            // Forward, loss, backward and update.
            loss = step.run(&some)?;
        }
        if !loss.is_finite() {
            let problem = "the line is further off with each step; --rate should be smaller";
            return Err(Error::Invalid(problem.to_owned()));
        }
        print(format!("epoch {epoch:>2}: loss of the last batch {loss:.4}"))?;
    }

    let [w, b] = [line.parameter("fc.weight")?[0], line.parameter("fc.bias")?[0]].map(E::to_f64);
    let numbers = |values: &[E]| values.iter().map(|x| x.to_f64()).collect::<Vec<_>>();
    Plot::new("A line through points")
        .axes("x", "y")
        .points("points", numbers(points.inputs()).into_iter().zip(numbers(points.targets())))
        .function("line", |x| w * x + b)
        .svg()?
        .save(&plot)?;
    print(format!("plot: {}", plot.display()))?;
    print(format!("line: y = {w:.7} x + {b:.7}"))
}

fn load<E: Float>(path: &Path) -> netform::Result<Points<E>> {
    Table::read(path)?.features(&["x"])?.targets(&["y"])?.into_samples()
}
