//! Five noisy points, a model of two parameters and one of seven: `cargo run --release --example overfitting`.

mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use netform::device::Device;
use netform::network::NetworkOf;
use netform::plot::Plot;
use netform::prelude::*;
use netform::report::Report;
use netform::train::evaluate;
use shared::{Rate, Training, in_repository, on_device, print};

network! {
    /// A line: 2 parameters.
    pub Line: [1] -> [1] { fc: Linear(1) }

    /// A polynomial of degree 6: 7 parameters.
    pub Polynomial: (x: [1]) -> [1] {
        let fc = Linear(1);
        fc(pow(x, arange(6) + 1))
    }
}

/// Points: x and y.
type Points = InMemory<(D<1>,), (D<1>,), f32, f32>;

/// Fits a line and a polynomial to five noisy points, and the polynomial again with weight decay and with early stopping.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("5000")),
    mut_arg("batch", shared::default("5")),
    mut_arg("rate", shared::default("0.05")),
    mut_arg("seed", shared::default("5"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// Half of this times the squares of the polynomial's parameters is added to the loss, where there is weight decay
    #[arg(long, value_name = "X", value_parser = decay, default_value_t = 0.3, allow_negative_numbers = true)]
    decay: f64,
    /// The folder to draw the curves and write the reports into; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/overfitting"))]
    out: PathBuf,
}

fn decay(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(decay) if decay >= 0.0 && f64::is_finite(decay) => Ok(decay),
        _ => Err("expected a number of at least 0, for example 0.3".to_owned()),
    }
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| compare(options, device))
    })
}

fn compare<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let seed = Seed(options.training.seed);
    let plot = shared::file(&options.out, "curves.svg")?;
    let mut rng = Rng::new(seed, 0);
    let (train, validation) = (points(5, &mut rng)?, points(20, &mut rng)?);
    let data = Data { train, validation, test: points(1000, &mut rng)? };
    let adam = Adam::new(options.rate.rate);
    let stopping = EarlyStopping::patience(100);
    let line = Line::<f32, _>::on(device.clone(), seed)?;
    let polynomial = || Polynomial::<f32, _>::on(device.clone(), seed);
    let fits = [
        data.fit(options, "line", line, adam, None)?,
        data.fit(options, "polynomial", polynomial()?, adam, None)?,
        data.fit(options, "weight decay", polynomial()?, adam.weight_decay(options.decay), None)?,
        data.fit(options, "stopped early", polynomial()?, adam, Some(stopping))?,
    ];

    print("model           parameters   epochs   training error   validation error   test error")?;
    for Fit { name, parameters, epochs, errors: [train, validation, test], .. } in &fits {
        print(format!(
            "{name:<13} {parameters:>12} {epochs:>8} {train:>16.2} {validation:>18.2} {test:>12.2}"
        ))?;
    }
    let dots = |points: &Points| -> Vec<(f32, f32)> {
        points.inputs().iter().copied().zip(points.targets().iter().copied()).collect()
    };
    let mut curves = Plot::new("Five points, and what is made of them")
        .axes("x", "y")
        .points("training", dots(&data.train))
        .points("validation", dots(&data.validation));
    for Fit { name, curve, .. } in &fits {
        curves = curves.line(*name, curve.iter().copied());
    }
    curves.svg()?.save(&plot)?;
    print(format!("\nplot: {}", plot.display()))?;
    print(format!(
        "reports: beside it, {}",
        fits.each_ref().map(|fit| shared::name_of_file(fit.name, "html")).join(", ")
    ))?;
    let error = |fit: &Fit| format!("{} {:.2}", fit.name, fit.errors[2]);
    print(format!("test error: {}", fits.each_ref().map(error).join(", ")))
}

/// The points to learn from, those to choose by, decay and when to stop, and those to judge by.
struct Data {
    train: Points,
    validation: Points,
    test: Points,
}

/// What became of a model.
struct Fit {
    name: &'static str,
    parameters: usize,
    epochs: usize,
    /// Mean squares, of training, validation and test points.
    errors: [f64; 3],
    curve: Vec<(f32, f32)>,
}

impl Data {
    fn fit<N>(
        &self,
        options: &Options,
        name: &'static str,
        mut net: N,
        adam: Adam,
        stopping: Option<EarlyStopping>,
    ) -> netform::Result<Fit>
    where
        N: NetworkOf<(D<1>,), (D<1>,)>,
    {
        let Training { epochs, batch, .. } = options.training;
        let mut trainer = Trainer::new(Mse, adam)
            .epochs(epochs.get())
            .batch(batch.get())
            .validate(&self.validation);
        if let Some(stopping) = stopping {
            trainer = trainer.callback(stopping);
        }
        let history = trainer.fit(&mut net, &self.train)?;
        let report = shared::file(&options.out, &shared::name_of_file(name, "html"))?;
        Report::new(&history).title(name).network(&net).save(report)?;
        let error = |points| Ok(evaluate(&net, &Mse, points, batch.get())?.loss);
        Ok(Fit {
            name,
            parameters: N::PARAM_LEN,
            epochs: history.epochs.len(),
            errors: [error(&self.train)?, error(&self.validation)?, error(&self.test)?],
            curve: curve(&net)?,
        })
    }
}

/// The network's values between -1 and 1.
fn curve<N>(net: &N) -> netform::Result<Vec<(f32, f32)>>
where
    N: NetworkOf<(D<1>,), (D<1>,)>,
{
    let x: Vec<f32> = (-100..=100).map(|i| i as f32 / 100.0).collect();
    let inputs = Tensor::<(Batch, D<1>), f32, _>::from_slice_on(net.store().device.clone(), &x)?;
    let y = net.predictor(x.len())?.run(&inputs)?.to_vec();
    Ok(x.into_iter().zip(y).collect())
}

/// Points around the line y = 2 + 3 x, x from -1 to 1.
fn points(n: usize, rng: &mut Rng) -> netform::Result<Points> {
    let x: Vec<f32> = (0..n).map(|i| 2.0 * (i as f32 + 0.5) / n as f32 - 1.0).collect();
    let y = x.iter().map(|x| 2.0 + 3.0 * x + 2.2 * rng.normal() as f32).collect();
    InMemory::new(x, y)
}
