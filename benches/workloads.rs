//! The time of one training step, or of one inference, on workloads that other frameworks are measured
//! with too: `cargo bench --bench workloads -- --help`.
//!
//! Each workload prints one line of JSON: `{"peer", "workload", "median_us", "min_us", "runs"}`. A step is
//! forward, loss, backward and update on data that is already there. Blocks of about 50 ms are timed, so
//! that a frame of the clock or of the scheduler weighs nothing.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use netform::loss::Loss;
use netform::prelude::*;
use netform::shape::{BatchedShape, SameSample, SampleShape};
use netform::step::InputBatch;
use netform::{Error, Result};

network! {
    /// Four measurements, three classes.
    Iris: [4] -> [3] { Linear(16), Relu, Linear(3) }
}

network! {
    /// Softmax regression of digits.
    Softmax: [784] -> [10] { Linear(10) }
}

network! {
    /// One hidden layer.
    Mlp: [784] -> [10] { Linear(128), Relu, Linear(10) }
}

network! {
    /// Two wide hidden layers.
    MlpWide: [784] -> [10] { Linear(1024), Relu, Linear(1024), Relu, Linear(10) }
}

network! {
    /// LeNet with ReLU and max pooling.
    LeNet: [1, 28, 28] -> [10] {
        Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
        Flatten, Linear(120), Relu, Linear(84), Relu, Linear(10),
    }
}

network! {
    /// Two convolutions with more channels.
    ConvNet: [1, 28, 28] -> [10] {
        Conv2d(32, kernel = 3), Relu, MaxPool2d(2),
        Conv2d(64, kernel = 3), Relu, MaxPool2d(2),
        Flatten, Linear(10),
    }
}

/// A name, what it is, and the measurement: microseconds of a step, block after block.
type Workload = (&'static str, &'static str, fn(&Options) -> Result<Vec<f64>>);

const WORKLOADS: [Workload; 8] = [
    ("iris", "4-16-3, batch 16, SGD", |o| train::<Iris, _>(o, 16, 3, Sgd::new(0.01))),
    ("softmax", "784-10, batch 64, SGD", |o| train::<Softmax, _>(o, 64, 10, Sgd::new(0.01))),
    ("mlp", "784-128-10, batch 64, Adam", |o| train::<Mlp, _>(o, 64, 10, Adam::new(1e-3))),
    ("mlp_wide", "784-1024-1024-10, batch 256, Adam", |o| {
        train::<MlpWide, _>(o, 256, 10, Adam::new(1e-3))
    }),
    ("lenet", "LeNet, batch 64, SGD with momentum", |o| {
        train::<LeNet, _>(o, 64, 10, Sgd::new(0.01).momentum(0.9))
    }),
    ("convnet", "convolutions of 32 and 64 channels, batch 64, Adam", |o| {
        train::<ConvNet, _>(o, 64, 10, Adam::new(1e-3))
    }),
    ("mlp_infer1", "784-128-10, one sample", infer::<Mlp>),
    ("lenet_infer1", "LeNet, one sample", infer::<LeNet>),
];

/// Training steps on one batch. The loss has to fall.
fn train<N, O>(options: &Options, batch: usize, classes: usize, optimizer: O) -> Result<Vec<f64>>
where
    N: Network<Elem = f32, InputElement = f32, Device = Cpu>,
    N::Input: SameSample<N::Input>,
    InputBatch<N>: BatchedShape<Sample = N::Input>,
    CrossEntropy: Loss<f32, N::Output, (), u32>,
    O: Optimizer,
{
    let (device, mut rng) = (options.device(), Rng::new(Seed(42), 0));
    let mut net: N = netform::network::build(device.clone(), Seed(42))?;
    let inputs = normal::<N>(device.clone(), &mut rng, batch)?;
    let labels: Vec<u32> = (0..batch).map(|_| rng.below(classes) as u32).collect();
    let labels = Tensor::<(Batch,), u32>::from_slice_on(device, &labels)?;
    let mut step = net.train_step(CrossEntropy, optimizer, batch)?;
    let first = step.run_on(&inputs, &labels)?;
    let mut last = first;
    let times = options.measure(|| {
        last = step.run_on(&inputs, &labels)?;
        Ok(())
    })?;
    if last.is_finite() && (last < first || !options.measured) {
        return Ok(times);
    }
    Err(Error::Invalid(format!("the loss did not fall: from {first} to {last}")))
}

/// Inference of one sample.
fn infer<N>(options: &Options) -> Result<Vec<f64>>
where
    N: Network<Elem = f32, InputElement = f32, Device = Cpu>,
    N::Input: SameSample<N::Input>,
    InputBatch<N>: BatchedShape<Sample = N::Input>,
{
    let device = options.device();
    let net: N = netform::network::build(device.clone(), Seed(42))?;
    let input = normal::<N>(device, &mut Rng::new(Seed(42), 0), 1)?;
    let mut predictor = net.predictor(1)?;
    options.measure(|| predictor.run(&input).map(|_| ()))
}

/// Inputs drawn from N(0, 1).
fn normal<N: Network<Elem = f32, InputElement = f32, Device = Cpu>>(
    device: Cpu,
    rng: &mut Rng,
    batch: usize,
) -> Result<Tensor<InputBatch<N>>> {
    let values: Vec<f32> = (0..batch * N::Input::NUMEL).map(|_| rng.normal() as f32).collect();
    Tensor::from_slice_on(device, &values)
}

/// What the command line says.
struct Options {
    only: Vec<String>,
    seconds: f64,
    threads: Option<usize>,
    /// Whether to measure, or to run each workload once to see that it works.
    measured: bool,
    help: bool,
}

impl Options {
    /// Cargo passes `--bench` to `cargo bench` and nothing to `cargo test`.
    fn parse(arguments: impl Iterator<Item = String>) -> std::result::Result<Options, String> {
        let mut options =
            Options { only: vec![], seconds: 2.0, threads: None, measured: false, help: false };
        let mut arguments = arguments;
        let (mut bench, mut test) = (false, false);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => {
                    let names: String = value(&argument, "names of workloads", &mut arguments)?;
                    options.only.extend(names.split(',').map(|name| name.trim().to_owned()));
                }
                "--seconds" => options.seconds = value(&argument, "a number", &mut arguments)?,
                "--threads" => {
                    options.threads = Some(value(&argument, "a whole number", &mut arguments)?);
                }
                "--help" | "-h" => options.help = true,
                "--bench" => bench = true,
                "--test" => test = true,
                _ => {
                    return Err(format!(
                        "unknown argument {argument:?}; --help lists those there are"
                    ));
                }
            }
        }
        options.measured = bench && !test;
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> std::result::Result<(), String> {
        if let Some(name) = self.only.iter().find(|name| WORKLOADS.iter().all(|w| w.0 != **name)) {
            let known = WORKLOADS.map(|(name, ..)| name).join(", ");
            return Err(format!("unknown workload {name:?}; known: {known}"));
        }
        if !(0.0..=1e6).contains(&self.seconds) {
            return Err(format!("--seconds is {}; it must be from 0 to 1000000", self.seconds));
        }
        if self.threads.is_some_and(|n| !(1..=1024).contains(&n)) {
            return Err("--threads must be from 1 to 1024".to_owned());
        }
        Ok(())
    }

    fn device(&self) -> Cpu {
        self.threads.map_or_else(Cpu::default, Cpu::with_threads)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }

    /// Microseconds of one call of `step`, as the mean of each block; one call where nothing is measured.
    fn measure(&self, mut step: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
        let mut timed = |steps: usize| -> Result<f64> {
            let start = Instant::now();
            (0..steps).try_for_each(|_| step())?;
            Ok(start.elapsed().as_secs_f64() / steps as f64)
        };
        if !self.measured {
            return Ok(vec![timed(1)? * 1e6]);
        }
        timed(10)?;
        let block = ((0.05 / timed(1)?.max(1e-7)) as usize).max(1);
        let end = Instant::now() + Duration::from_secs_f64(self.seconds);
        let mut times = vec![];
        while Instant::now() < end || times.len() < 5 {
            times.push(timed(block)? * 1e6);
        }
        Ok(times)
    }
}

/// The value after `option`.
fn value<T: FromStr>(
    option: &str,
    what: &str,
    arguments: &mut impl Iterator<Item = String>,
) -> std::result::Result<T, String> {
    let text = arguments.next().ok_or_else(|| format!("{option} needs {what}"))?;
    text.parse().map_err(|_| format!("{option} needs {what}; found {text:?}"))
}

/// The line of JSON of a workload.
struct Line<'a> {
    workload: &'a str,
    times: Vec<f64>,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.times.clone();
        sorted.sort_by(f64::total_cmp);
        let runs = sorted.len();
        let median = (sorted[(runs - 1) / 2] + sorted[runs / 2]) / 2.0;
        let (workload, min) = (self.workload, sorted[0]);
        write!(
            f,
            r#"{{"peer": "netform", "workload": "{workload}", "median_us": {median:.2}, "min_us": {min:.2}, "runs": {runs}}}"#
        )
    }
}

fn help() {
    println!(
        "The time of one training step, or of one inference, in microseconds: a line of JSON each.\n"
    );
    println!(
        "usage: cargo bench --bench workloads -- [--only NAMES] [--seconds S] [--threads N]\n"
    );
    println!("  --only NAMES   workloads between commas; all of them unless given");
    println!("  --seconds S    how long each is measured; 2 unless given");
    println!("  --threads N    threads of the CPU; one a core unless given");
    println!("  --test         run each workload once and measure nothing\n");
    for (name, what, _) in WORKLOADS {
        println!("  {name:<14} {what}");
    }
}

fn run(options: &Options) -> std::result::Result<(), String> {
    for (workload, _, measure) in WORKLOADS.iter().filter(|w| options.wants(w.0)) {
        let times = measure(options).map_err(|error| format!("{workload}: {error}"))?;
        println!("{}", Line { workload, times });
    }
    Ok(())
}

fn main() -> ExitCode {
    let options = Options::parse(std::env::args().skip(1));
    let done = options.and_then(|options| {
        if options.help {
            help();
            return Ok(());
        }
        run(&options)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
