//! A layer that the library does not have, inside a network of layers: `cargo run --release --example custom_layer`.

mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use netform::device::Device;
use netform::prelude::*;
use netform::train::evaluate;
use shared::{Rate, Training, in_repository, on_device, print, print_accuracy};

network! {
    /// K bumps in a space of N dimensions: 1 at a centre, and less with the distance from it. Where the centres are
    /// and how wide the bumps are is learned. (Radial basis functions.)
    pub Bumps<N, K>: (x: [N]) -> [K] {
        let centre = Param([K, N], init = Normal(0.0, 1.0));
        let narrowness = Param([K], init = Ones);
        let distance = sum(square(x - centre), axis = 1); // squared, [K]
        exp(-distance * square(narrowness))
    }

    /// A classifier of flowers by how near they are to places in the space of measurements.
    pub Iris: [4] -> [3] {
        bumps: Bumps<4, 8>,
        out: Linear(3),
    }
}

/// A layer that the library does not have, written by hand, inside a network that tells irises apart.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("60")),
    mut_arg("batch", shared::default("8")),
    mut_arg("rate", shared::default("0.02"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// The CSV file with the flowers: columns of numbers, and one called species
    #[arg(long, value_name = "FILE", default_value_os_t = in_repository("examples/data/iris.csv"))]
    data: PathBuf,
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| train(options, device))
    })
}

fn train<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let Training { epochs, batch, seed, .. } = options.training;
    let (train, test) = shared::irises(&options.data, Seed(seed))?;

    let mut net = Iris::<f32, _>::on(device, Seed(seed))?;
    print(net.summary())?;
    Trainer::new(CrossEntropy, Adam::new(options.rate.rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .callback(Progress::bar())
        .fit(&mut net, &train)?;

    print("\nthe centres of the bumps, in units of the scaled measurements:")?;
    for centre in net.parameter("bumps.centre")?.chunks(4) {
        print(format!("{centre:6.2?}"))?;
    }
    print_accuracy(evaluate(&net, &CrossEntropy, &test, batch.get())?)
}
