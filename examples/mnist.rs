//! Trains a LeNet-style network on handwritten digits: `cargo run --release --example mnist`.

#[path = "compare/digits.rs"]
mod compare;
mod shared;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use netform::data::augment::Shift;
use netform::data::mnist::Mnist;
use netform::device::Device;
use netform::plot;
use netform::prelude::*;
use netform::report::Report;
use netform::schedule::OneCycle;
use netform::train::evaluate;
use shared::{Rate, Training, Written, advise, in_repository, on_device, print, print_accuracy};

network! {
    /// A LeNet-style classifier of 28x28 digits.
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(120), Relu, Dropout(0.25),
        fc2: Linear(10),
    }
}

/// Trains a LeNet-style network on handwritten digits.
///
/// A tenth of the training digits is set aside for validation: after each epoch it tells whether the
/// network got better. The others are moved a little, differently in each epoch. The learning rate rises to the one that
/// is given and falls again. The test digits are looked at once, at the end.
#[derive(Parser)]
#[command(
    mut_arg("epochs", |it| shared::default("30")(it).default_value_if("compare", "true", "5")),
    mut_arg("batch", |it| shared::default("16")(it).default_value_if("compare", "true", "64")),
    mut_arg("rate", |it| shared::default("0.004")(it).default_value_if("compare", "true", "0.001"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// The folder with the four IDX files of MNIST, gzipped or not
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("examples/data"))]
    data: PathBuf,
    /// The folder to write weights, history, report and filters into, or plot and reports of `--compare`; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/mnist"))]
    out: PathBuf,
    /// Train other networks instead, of one to three dense layers and of convolutions with dropout, and compare them;
    /// [default: 5 epochs, batch 64, rate 0.001]
    #[arg(long)]
    compare: bool,
    /// Do not train: take the weights from this safetensors file and evaluate them on the test digits
    #[arg(long, value_name = "WEIGHTS", conflicts_with = "compare")]
    evaluate: Option<PathBuf>,
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| match &options.evaluate {
            Some(weights) => evaluate_weights(options, device, weights),
            None => train(options, device),
        })
    })
}

fn train<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let Training { epochs, batch, seed, .. } = options.training;
    let (digits, test) = load(&options.data)?;
    shared::at_least(10, digits.len(), &options.data)?;
    let (train, validation) = digits.split(0.9, Seed(seed))?;
    if options.compare {
        return compare::compare(options, device, &train, &validation);
    }
    let written = Written::into_folder(&options.out)?;
    let filters = shared::file(&options.out, "filters.svg")?;

    let mut net = Digits::<f32, _>::on(device, Seed(seed))?;
    print(net.summary())?;
    let sizes = [train.len(), validation.len(), test.len()];
    print(format!("digits to train on, to validate and to test: {sizes:?}\n"))?;

    let updates = epochs.get().saturating_mul(train.len().div_ceil(batch.get()));
    let history = Trainer::new(CrossEntropy, AdamW::new(options.rate.rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .schedule(OneCycle::new(updates as u64))
        .validate(&validation)
        .callback(EarlyStopping::patience(10))
        .callback(Checkpoint::best(&written.weights))
        .callback(Progress::bar())
        .fit(&mut net, &train.augment(Shift(2)))?;

    // EarlyStopping gave the network its best weights back.
    written.conclude(&history, &Report::new(&history).network(&net).tested(&net, &test)?)?;
    plot::filters("What the first layer looks for", &net.conv1().weight()?)?.save(&filters)?;
    print(format!("filters: {}", filters.display()))?;
    print_accuracy(evaluate(&net, &CrossEntropy, &test, batch.get())?)
}

fn evaluate_weights<Dev: Device<f32>>(
    options: &Options,
    device: Dev,
    weights: &Path,
) -> netform::Result<()> {
    let (_, test) = load(&options.data)?;
    let mut net = Digits::<f32, _>::on(device, Seed(options.training.seed))?;
    net.load(weights).map_err(advise("--evaluate wants a file that this example has written"))?;
    print(format!("weights: {}", weights.display()))?;
    print(format!("digits to test: {}", test.len()))?;
    let batch = options.training.batch.get();
    print_accuracy(evaluate(&net, &CrossEntropy, &test, batch)?)
}

/// The training and the test digits.
fn load(folder: &Path) -> netform::Result<(Mnist, Mnist)> {
    data::mnist(folder).map_err(advise("--data DIR names the folder with the digits"))
}
