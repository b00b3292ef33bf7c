//! Trains a small network to tell three species of iris apart: `cargo run --release --example iris`.

#[path = "compare/irises.rs"]
mod compare;
mod shared;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use netform::data::{Scaling, Table};
use netform::device::Device;
use netform::model::Classifier;
use netform::prelude::*;
use netform::report::Report;
use netform::train::evaluate;
use shared::{Rate, Training, Written, advise, in_repository, on_device, print, print_accuracy};

network! {
    /// A classifier of four measurements of a flower, in centimetres.
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(16), Relu,
        fc3: Linear(3),
    }
}

/// Flowers: four measurements and a species.
type Flowers = InMemory<(D<4>,)>;

/// Trains a small network to tell three species of iris apart.
///
/// The flowers are split at random: 90 to train on, 30 to validate after each epoch, 30 to test at the
/// end. What the measurements are scaled by is taken from the first 90 alone, and is part of the model that is written.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("200")),
    mut_arg("batch", shared::default("8")),
    mut_arg("rate", shared::default("0.003"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// The CSV file with the flowers: columns of numbers, and one called species
    #[arg(long, value_name = "FILE", default_value_os_t = in_repository("examples/data/iris.csv"))]
    data: PathBuf,
    /// The folder to write weights, history, report and model into, or plot and reports of `--compare`; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/iris"))]
    out: PathBuf,
    /// Train four networks instead, from plain to rich, and compare them
    #[arg(long)]
    compare: bool,
    /// Do not train: say by the model in the output folder which species has these four measurements, `5.1,3.5,1.4,0.2`
    #[arg(long, value_name = "NUMBERS", value_parser = measurement, value_delimiter = ',', allow_negative_numbers = true, conflicts_with = "compare")]
    predict: Option<Vec<f32>>,
}

fn measurement(text: &str) -> Result<f32, String> {
    text.parse()
        .map_err(|_| "expected numbers with commas between them, 5.1,3.5,1.4,0.2".to_owned())
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| match &options.predict {
            Some(flower) => predict(options, device, flower),
            None => train(options, device),
        })
    })
}

fn train<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let Training { epochs, batch, seed, .. } = options.training;
    let flowers = load(&options.data).map_err(advise("--data FILE names a CSV file of irises"))?;
    shared::at_least(5, flowers.len(), &options.data)?;
    let ([train, validation, test], scaling) = split_and_scale(&flowers, Seed(seed))?;
    if options.compare {
        return compare::compare(options, device, &train, &validation);
    }
    let written = Written::into_folder(&options.out)?;

    let mut net = Iris::<f32, _>::on(device, Seed(seed))?;
    print(net.summary())?;
    let sizes = [train.len(), validation.len(), test.len()];
    print(format!("flowers to train on, to validate and to test: {sizes:?}\n"))?;

    let history = Trainer::new(CrossEntropy, Adam::new(options.rate.rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .validate(&validation)
        .callback(EarlyStopping::patience(20))
        .callback(Checkpoint::best(&written.weights))
        .callback(Progress::bar())
        .fit(&mut net, &train)?;

    // EarlyStopping gave the network its best weights back.
    written.conclude(&history, &Report::new(&history).network(&net).tested(&net, &test)?)?;
    let accuracy = evaluate(&net, &CrossEntropy, &test, batch.get())?;
    let model = model_in(&options.out);
    Classifier::new(net, SPECIES)?.scaling(scaling).save(&model)?;
    print(format!("model: {}", model.display()))?;
    print_accuracy(accuracy)
}

fn predict<Dev: Device<f32>>(
    options: &Options,
    device: Dev,
    flower: &[f32],
) -> netform::Result<()> {
    let model = Classifier::<Iris<f32, Dev>>::load_on(model_in(&options.out), device)
        .map_err(advise("--out DIR names the folder that this example has written a model into"))?;
    let predictions = model
        .predict([flower])
        .map_err(advise("--predict wants four numbers with commas between them"))?;
    predictions.iter().try_for_each(print)
}

/// The file of the model.
fn model_in(folder: &Path) -> PathBuf {
    folder.join("model.safetensors")
}

/// What the column of species may say.
const SPECIES: [&str; 3] = ["setosa", "versicolor", "virginica"];

fn load(path: &Path) -> netform::Result<Flowers> {
    Table::read(path)?.classes_named("species", &SPECIES)?.into_samples()
}

/// Three fifths of the flowers to train on, a fifth to validate and a fifth to test.
fn split_and_scale(
    flowers: &Flowers,
    seed: Seed,
) -> netform::Result<([Flowers; 3], Scaling<(D<4>,)>)> {
    let (mut train, others) = flowers.split(0.6, seed)?;
    let (mut validation, mut test) = others.split(0.5, seed)?;
    let scaling = Scaling::standard(&train)?;
    for part in [&mut train, &mut validation, &mut test] {
        scaling.apply(part);
    }
    Ok(([train, validation, test], scaling))
}
