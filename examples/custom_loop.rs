//! A network in a loop of one's own, with an update by hand: `cargo run --release --example custom_loop`.

mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use netform::Error;
use netform::data::Loader;
use netform::device::Device;
use netform::prelude::*;
use netform::train::evaluate;
use shared::{Rate, Training, in_repository, on_device, print, print_accuracy};

network! {
    /// A classifier of four measurements of a flower.
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(3),
    }
}

/// A network in a loop of one's own: gradients, and an update by hand.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("30")),
    mut_arg("batch", shared::default("8")),
    mut_arg("rate", shared::default("0.05"))
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

    let mut net = Iris::<f32, _>::on(device.clone(), Seed(seed))?;
    let mut loader = Loader::new(&train, batch.get())?;
    let mut some = loader.mini_batch_on(device)?;
    let mut rng = Rng::new(Seed(seed), 0);
    for epoch in 1..=epochs.get() {
        loader.epoch_order(&mut rng);
        let (mut sum, mut longest) = (0.0, 0.0_f32);
        for k in 0..loader.batches() {
            let samples = loader.fill(k, &mut some)?;
            let (loss, mut gradients) =
                net.value_and_gradients(&CrossEntropy, &some.inputs, &some.targets)?;
            sum += loss * samples as f32;
            longest = longest.max(gradients.norm()?);
            descend(&mut net, &gradients, options.rate.rate as f32)?;
        }
        let loss = sum / loader.samples() as f32;
        if !loss.is_finite() {
            let problem =
                format!("the loss became {loss} in epoch {epoch}; --rate should be smaller");
            return Err(Error::Invalid(problem));
        }
        print(format!("epoch {epoch:>2}: loss {loss:.4}, longest gradient {longest:.4}"))?;
    }
    print_accuracy(evaluate(&net, &CrossEntropy, &test, batch.get())?)
}

/// A step down: from each parameter its gradient, times the rate. `Updater::new(Sgd::new(rate))` does the same on any
/// device without copies, and other optimisers are as near.
fn descend<N>(net: &mut N, gradients: &Gradients<N>, rate: f32) -> netform::Result<()>
where
    N: Module<Elem = f32>,
{
    for parameter in N::PARAMS {
        let mut values = net.parameter(parameter.name)?;
        for (value, slope) in values.iter_mut().zip(gradients.get(parameter.name)?) {
            *value -= rate * slope;
        }
        net.set_parameter(parameter.name, &values)?;
    }
    Ok(())
}
