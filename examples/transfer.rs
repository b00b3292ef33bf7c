//! Takes what a network has learned of some digits to learn others from few: `cargo run --release --example transfer`.

mod shared;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use netform::data::mnist::Mnist;
use netform::device::Device;
use netform::prelude::*;
use netform::train::evaluate;
use netform::update::Rules;
use shared::{Rate, Training, advise, in_repository, on_device, print, print_accuracy};

network! {
    /// A classifier of five digits.
    pub Five: [1, 28, 28] -> [5] {
        conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(64), Relu,
        fc2: Linear(5),
    }
}

/// Takes what a network has learned of the digits 0 to 4 to learn 5 to 9 from few.
///
/// The filters of the first network are loaded by name and stay as they are; only the dense layers learn. A network that
/// begins with nothing learns from the same few digits, for comparison.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("8")),
    mut_arg("batch", shared::default("16")),
    mut_arg("rate", shared::default("0.002"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// How many of the digits 5 to 9 to learn from
    #[arg(long, value_name = "N", value_parser = shared::count, default_value = "50", allow_negative_numbers = true)]
    few: NonZeroUsize,
    /// The folder with the four IDX files of MNIST, gzipped or not
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("examples/data"))]
    data: PathBuf,
    /// The folder to write the first network's weights into; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/transfer"))]
    out: PathBuf,
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| train(options, device))
    })
}

fn train<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let weights = shared::file(&options.out, "low.safetensors")?;
    let epochs = options.training.epochs.get();
    let (train, test) = data::mnist(&options.data)
        .map_err(advise("--data DIR names the folder with the digits"))?;
    let [low, high, test] = [five(&train, 0)?, five(&train, 5)?, five(&test, 5)?];
    let few = high.take(options.few.get());
    shared::at_least(1, few.len().min(test.len()), &options.data)?;
    let new = || Five::<f32, _>::on(device.clone(), Seed(options.training.seed));

    print(format!("{} of the digits 0 to 4, all layers:", low.len()))?;
    let mut first = new()?;
    fit(options, &mut first, &low, epochs, Rules::new())?;
    first.save(&weights)?;

    // As many updates as with all the digits would be too many for so few.
    let epochs = epochs.saturating_mul(4);
    print(format!("\n{} of the digits 5 to 9, all layers:", few.len()))?;
    let mut fresh = new()?;
    fit(options, &mut fresh, &few, epochs, Rules::new())?;

    print(format!(
        "\n{} of the digits 5 to 9, with filters from {}:",
        few.len(),
        weights.display()
    ))?;
    let mut second = new()?;
    print(second.load_some(&weights, ["conv1", "conv2"])?)?;
    fit(options, &mut second, &few, epochs, Rules::new().freeze("conv1").freeze("conv2"))?;

    let accuracy = |net: &Five<f32, Dev>| evaluate(net, &CrossEntropy, &test, 64);
    let without = accuracy(&fresh)?.accuracy.unwrap_or(0.0);
    print(format!("\ntest accuracy without transfer: {without:.4}"))?;
    print_accuracy(accuracy(&second)?)
}

fn fit<Dev: Device<f32>>(
    options: &Options,
    net: &mut Five<f32, Dev>,
    digits: &Mnist,
    epochs: usize,
    rules: Rules,
) -> netform::Result<()> {
    let history = Trainer::new(CrossEntropy, Adam::new(options.rate.rate))
        .epochs(epochs)
        .batch(options.training.batch.get())
        .rules(rules)
        .fit(net, digits)?;
    match history.last() {
        Some(last) => print(format!("epoch {}: loss {:.4}", last.epoch, last.train_loss)),
        None => Ok(()),
    }
}

/// The five digits from `first` on, as classes 0 to 4.
fn five(digits: &Mnist, first: u32) -> netform::Result<Mnist> {
    let wanted = |&i: &usize| (first..first + 5).contains(&digits.targets()[i]);
    let indices = (0..digits.len()).filter(wanted).collect();
    let classes = |digit: &[u32], class: &mut [u32]| class[0] = digit[0] - first;
    digits.subset(indices)?.map_targets::<(), u32, _>(classes).to_memory()
}
