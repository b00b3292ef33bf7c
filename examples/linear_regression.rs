//! Fits a line to points, batch by batch in a loop of its own: `cargo run --release --example linear_regression`.

mod shared;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use netform::Error;
use netform::data::{Loader, Table};
use netform::device::Device;
use netform::element::Float;
use netform::plot::Plot;
use netform::prelude::*;
use netform::train::evaluate;
use shared::{Kind, Rate, advise, in_repository, print};

network! {
    /// A line: y = w x + b.
    pub Line: [1] -> [1] { fc: Linear(1) }
}

/// Points: x and y.
type Points<E> = InMemory<(D<1>,), (D<1>,), E, E>;

/// Fits a line to points, batch by batch in the file's order, by gradient descent from a line that is far off.
#[derive(Parser)]
#[command(mut_arg("rate", shared::default("0.1")))]
struct Options {
    /// How many epochs to train
    #[arg(long, value_name = "N", value_parser = shared::count, default_value = "10", allow_negative_numbers = true)]
    epochs: NonZeroUsize,
    /// How many points a batch has
    #[arg(long, value_name = "N", value_parser = shared::count, default_value = "4", allow_negative_numbers = true)]
    batch: NonZeroUsize,
    #[command(flatten)]
    rate: Rate,
    /// Where to compute; NETFORM_DEVICE names one of several Vulkan devices
    #[arg(long, value_enum, default_value_t = Kind::Cpu)]
    device: Kind,
    /// The CSV file with the points: columns x and y
    #[arg(long, value_name = "FILE", default_value_os_t = in_repository("examples/data/linear-regression.csv"))]
    data: PathBuf,
    /// The folder to draw points and line into; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/linear_regression"))]
    out: PathBuf,
}

fn main() -> ExitCode {
    // A GPU computes in f32; the processor, in f64, comes to the same digits everywhere.
    shared::run(|options: &Options| match options.device {
        Kind::Cpu => train::<f64, _>(options, Cpu::default()),
        Kind::Vulkan => train::<f32, _>(options, shared::vulkan()?),
    })
}

fn train<E: Float, Dev: Device<E>>(options: &Options, device: Dev) -> netform::Result<()> {
    let batch = options.batch.get();
    let points: Points<E> =
        load(&options.data).map_err(advise("--data FILE names a CSV file of points"))?;
    let plot = shared::file(&options.out, "line.svg")?;
    let mut line = Line::<E, _>::on(device.clone(), Seed(1))?;
    line.set_parameter("fc.weight", &[E::from_f64(100.0)])?;
    line.set_parameter("fc.bias", &[E::ZERO])?;
    let loss_of_all = |line: &Line<E, Dev>| evaluate(line, &Mse, &points, 64).map(|it| it.loss);
    let start = loss_of_all(&line)?;
    print(format!("at first: loss of all points {start:.4}"))?;

    let mut loader = Loader::new(&points, batch)?;
    let mut some = loader.mini_batch_on(device)?;
    let mut step = line.train_step(Mse, Sgd::new(options.rate.rate), batch)?;
    for epoch in 1..=options.epochs.get() {
        let mut loss = E::ZERO;
        for k in 0..loader.batches() {
            loader.fill(k, &mut some)?;
            // Forward, loss, backward and update.
            loss = step.run(&some)?;
        }
        let all = loss_of_all(step.net())?;
        if all.is_nan() || all > start {
            let problem = "the line is further off with each step; --rate should be smaller";
            return Err(Error::Invalid(problem.to_owned()));
        }
        print(format!(
            "epoch {epoch:>2}: loss of the last batch {loss:.4}, of all points {all:.4}"
        ))?;
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
