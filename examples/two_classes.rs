//! Three small networks that tell two classes of points apart: `cargo run --release --example two_classes`.

mod shared;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use netform::data::Table;
use netform::device::Device;
use netform::model::Classifier;
use netform::network::NetworkOf;
use netform::plot::Boundary;
use netform::prelude::*;
use netform::train::{History, evaluate};
use shared::{Training, advise, in_repository, on_device, print};

network! {
    /// Five neurons with sigmoids, and one output: the logit of the second class.
    pub Sigmoids: [2] -> [1] { fc1: Linear(5), Sigmoid, fc2: Linear(1) }

    /// Ten neurons with relus, and one output.
    pub Relus: [2] -> [1] { fc1: Linear(10), Relu, fc2: Linear(1) }

    /// Five neurons with relus, and an output for each class.
    pub Outputs: [2] -> [2] { fc1: Linear(5), Relu, fc2: Linear(2) }
}

/// Points in the plane, and the class of each.
type Points = InMemory<(D<2>,)>;
/// The same, with 0 or 1 in place of the class.
type Answers = InMemory<(D<2>,), (D<1>,), f32, f32>;

/// Three small networks that tell two classes of points apart, some of which are labelled wrongly.
#[derive(Parser)]
#[command(mut_arg("epochs", shared::default("10")), mut_arg("batch", shared::default("16")))]
struct Options {
    #[command(flatten)]
    training: Training,
    /// The folder with the CSV files of points, `two-classes-flip10.csv` and `two-classes-flip05.csv`
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("examples/data"))]
    data: PathBuf,
    /// The folder to draw the boundaries into; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/two_classes"))]
    out: PathBuf,
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| compare(options, device))
    })
}

fn compare<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let seed = Seed(options.training.seed);
    let flip10 = read(&options.data.join("two-classes-flip10.csv"))?;
    let flip05 = read(&options.data.join("two-classes-flip05.csv"))?;

    let (train, validation, test) = flip10.split3(0.7, 0.15, seed)?;
    let sizes = [train.len(), validation.len(), test.len()];
    print(format!("flip10, points to train on, to validate and to test: {sizes:?}"))?;
    let parts = [answers(&train)?, answers(&validation)?, answers(&test)?];
    let (sigmoids, relus) =
        (Sigmoids::<f32, _>::on(device.clone(), seed)?, Relus::<f32, _>::on(device.clone(), seed)?);
    let sigmoids = one_output(options, "sigmoids", sigmoids, 0.05, &parts, &flip10)?;
    let relus = one_output(options, "relus", relus, 0.005, &parts, &flip10)?;

    let (train, validation) = flip05.split(0.7, seed)?;
    let sizes = [train.len(), validation.len()];
    print(format!("flip05, points to train on and to validate: {sizes:?}"))?;
    let mut net = Outputs::<f32, _>::on(device, seed)?;
    let history = Trainer::new(CrossEntropy, Adam::new(0.01))
        .epochs(options.training.epochs.get())
        .batch(options.training.batch.get())
        .validate(&validation)
        .fit(&mut net, &train)?;
    let outputs = report("two outputs", &history)?;
    draw(options, "two outputs", net, &flip05)?;

    print(format!(
        "validation accuracy: {sigmoids:.4} sigmoids, {relus:.4} relus; of flip05, {outputs:.4} two outputs"
    ))
}

/// Trains a network of one output on the first part, and returns its accuracy on the second.
fn one_output<N>(
    options: &Options,
    name: &str,
    mut net: N,
    rate: f64,
    [train, validation, test]: &[Answers; 3],
    all: &Points,
) -> netform::Result<f64>
where
    N: NetworkOf<(D<2>,), (D<1>,)>,
{
    let Training { epochs, batch, .. } = options.training;
    let history = Trainer::new(BceWithLogits, Adam::new(rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .validate(validation)
        .fit(&mut net, train)?;
    let accuracy = report(name, &history)?;
    let test = evaluate(&net, &BceWithLogits, test, batch.get())?.accuracy;
    print(format!("  on the test points: {:.4}", test.unwrap_or(0.0)))?;
    draw(options, name, net, all)?;
    Ok(accuracy)
}

/// Says how a training ended, and returns the accuracy on the validation points.
fn report(name: &str, history: &History) -> netform::Result<f64> {
    let last = history.last().cloned().unwrap_or_default();
    let accuracies = [last.train_accuracy, last.validation_accuracy].map(|it| it.unwrap_or(0.0));
    let [train, validation] = accuracies;
    print(format!("{name}: accuracy {train:.4}, validation accuracy {validation:.4}"))?;
    Ok(validation)
}

/// Draws the points, and which class the network takes each place for.
fn draw<N>(options: &Options, name: &str, net: N, points: &Points) -> netform::Result<()>
where
    N: Network<Elem = f32, Input = (D<2>,), InputElement = f32>,
{
    let model = Classifier::new(net, points.class_names())?;
    let places = points.inputs().chunks_exact(2).map(|x| [x[0], x[1]]);
    let plot = shared::file(&options.out, &shared::name_of_file(name, "svg"))?;
    Boundary::new(name, places, points.targets().iter().copied())?
        .axes("x1", "x2")
        .by_model(&model)?
        .svg()?
        .save(&plot)?;
    print(format!("  plot: {}", plot.display()))
}

fn read(path: &Path) -> netform::Result<Points> {
    let points: Points = Table::read(path)
        .and_then(|table| table.classes("label")?.into_samples())
        .map_err(advise("--data DIR names the folder with the points"))?;
    shared::at_least(10, points.len(), path)?;
    Ok(points)
}

fn answers(points: &Points) -> netform::Result<Answers> {
    points.map_targets::<(D<1>,), f32, _>(|class, answer| answer[0] = class[0] as f32).to_memory()
}
