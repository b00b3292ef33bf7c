//! The time of one training step, or of one inference, on workloads that other frameworks are measured
//! with too: `cargo bench --bench workloads -- --help`.
//!
//! Each workload prints one line of JSON: `{"peer", "workload", "median_us", "min_us", "runs"}`, and "tflops" where it is a
//! product of matrices. A step is
//! forward, loss, backward and update on data that is already there. Blocks of about 50 ms are timed, so
//! that a frame of the clock or of the scheduler weighs nothing.

#[path = "workloads/instructions.rs"]
mod instructions;

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use netform::data::MiniBatch;
use netform::device::Memory;
use netform::element::Element;
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

network! {
    /// A pre-norm block of a transformer: causal attention with 8 heads over 128 positions, then two layers.
    Transformer: (x: [128, 256]) -> [128, 256] {
        let norm1 = LayerNorm;
        let qkv = Linear(768);
        let out = Linear(256);
        let norm2 = LayerNorm;
        let up = Linear(1024);
        let down = Linear(256);
        let [q, k, v] = qkv(norm1(x)).reshape([128, 3, 8, 32]).permute([1, 2, 0, 3]).unstack(0);
        let heads = attention(q, k, v, causal = true);
        let y = x + out(heads.permute([1, 0, 2]).reshape([128, 256]));
        y + down(gelu(up(norm2(y)), approximate = tanh))
    }
}

network! {
    /// A product of square matrices, where a batch has as many samples.
    Product<N>: [N] -> [N] { Linear(N, bias = false) }
}

/// A name, what it is, and the measurement.
type Workload = (&'static str, &'static str, fn(&Options) -> Result<Measured>);

/// Microseconds of a step, block after block.
struct Measured {
    times: Vec<f64>,
    /// The floating-point operations of a step, where the rate of them is of interest.
    operations: Option<f64>,
}

/// A measurement on the device that the command line names.
macro_rules! on_device {
    (|$options:ident, $device:ident| $measure:expr) => {
        |$options| match $options.device {
            Kind::Cpu => {
                let $device = $options.cpu();
                $measure
            }
            Kind::Vulkan => {
                let $device = vulkan()?;
                $measure
            }
        }
    };
}

#[cfg(feature = "vulkan")]
fn vulkan() -> Result<netform::gpu::Vulkan> {
    netform::gpu::Vulkan::new()
}

#[cfg(not(feature = "vulkan"))]
fn vulkan() -> Result<Cpu> {
    Err(Error::Invalid(
        "built without Vulkan; `cargo bench --features vulkan ..` builds with it".to_owned(),
    ))
}

const WORKLOADS: [Workload; 12] = [
    (
        "iris",
        "4-16-3, batch 16, SGD",
        on_device!(|o, d| train::<Iris<f32, _>, _>(o, d, 16, 3, Sgd::new(0.01))),
    ),
    (
        "softmax",
        "784-10, batch 64, SGD",
        on_device!(|o, d| train::<Softmax<f32, _>, _>(o, d, 64, 10, Sgd::new(0.01))),
    ),
    (
        "mlp",
        "784-128-10, batch 64, Adam",
        on_device!(|o, d| train::<Mlp<f32, _>, _>(o, d, 64, 10, Adam::new(1e-3))),
    ),
    (
        "mlp_wide",
        "784-1024-1024-10, batch 256, Adam",
        on_device!(|o, d| train::<MlpWide<f32, _>, _>(o, d, 256, 10, Adam::new(1e-3))),
    ),
    (
        "lenet",
        "LeNet, batch 64, SGD with momentum",
        on_device!(|o, d| train::<LeNet<f32, _>, _>(o, d, 64, 10, Sgd::new(0.01).momentum(0.9))),
    ),
    (
        "convnet",
        "convolutions of 32 and 64 channels, batch 64, Adam",
        on_device!(|o, d| train::<ConvNet<f32, _>, _>(o, d, 64, 10, Adam::new(1e-3))),
    ),
    (
        "transformer",
        "a pre-norm block, 128 x 256, 8 heads, batch 8, Adam",
        on_device!(|o, d| regress::<Transformer<f32, _>, _>(o, d, 8, Adam::new(1e-3))),
    ),
    ("mlp_infer1", "784-128-10, one sample", on_device!(|o, d| infer::<Mlp<f32, _>>(o, d, 1))),
    ("lenet_infer1", "LeNet, one sample", on_device!(|o, d| infer::<LeNet<f32, _>>(o, d, 1))),
    (
        "gemm_512",
        "a product of matrices of 512 x 512",
        on_device!(|o, d| product::<Product<D<512>, f32, _>>(o, d)),
    ),
    (
        "gemm_2048",
        "a product of matrices of 2048 x 2048",
        on_device!(|o, d| product::<Product<dim!(2048), f32, _>>(o, d)),
    ),
    (
        "gemm_4096",
        "a product of matrices of 4096 x 4096",
        on_device!(|o, d| product::<Product<dim!(4096), f32, _>>(o, d)),
    ),
];

/// Training steps on one batch, with labels drawn from all classes.
fn train<N, O>(
    options: &Options,
    device: N::Device,
    batch: usize,
    classes: usize,
    optimizer: O,
) -> Result<Measured>
where
    N: Network<Elem = f32, InputElement = f32>,
    N::Input: SameSample<N::Input>,
    InputBatch<N>: BatchedShape<Sample = N::Input>,
    CrossEntropy: Loss<f32, N::Output, (), u32>,
    O: Optimizer,
{
    let mut rng = Rng::new(Seed(42), 0);
    let net = netform::network::build(device.clone(), Seed(42))?;
    let inputs = normal::<N::Input, _>(device.clone(), &mut rng, batch)?;
    let labels: Vec<u32> = (0..batch).map(|_| rng.below(classes) as u32).collect();
    let targets = Tensor::<(Batch,), u32, _>::from_slice_on(device, &labels)?;
    let data = MiniBatch { inputs, targets };
    steps::<N, _, (), u32, _>(options, net, CrossEntropy, optimizer, data, batch)
}

/// Training steps on one batch, towards outputs drawn from N(0, 1).
fn regress<N, O>(
    options: &Options,
    device: N::Device,
    batch: usize,
    optimizer: O,
) -> Result<Measured>
where
    N: Network<Elem = f32, InputElement = f32>,
    N::Input: SameSample<N::Input>,
    InputBatch<N>: BatchedShape<Sample = N::Input>,
    Mse: Loss<f32, N::Output, N::Output, f32>,
    O: Optimizer,
{
    let mut rng = Rng::new(Seed(42), 0);
    let net = netform::network::build(device.clone(), Seed(42))?;
    let inputs = normal::<N::Input, _>(device.clone(), &mut rng, batch)?;
    let targets = normal::<N::Output, _>(device, &mut rng, batch)?;
    let data = MiniBatch { inputs, targets };
    steps::<N, _, N::Output, f32, _>(options, net, Mse, optimizer, data, batch)
}

/// Training steps on one batch. The loss has to fall. As in the trainer, a device may still work on a step when the
/// next one begins.
fn steps<N, L, Y, T, O>(
    options: &Options,
    mut net: N,
    loss: L,
    optimizer: O,
    batch: MiniBatch<N::Input, Y, f32, T, N::Device>,
    samples: usize,
) -> Result<Measured>
where
    N: Network<Elem = f32, InputElement = f32>,
    N::Input: SameSample<N::Input>,
    InputBatch<N>: BatchedShape<Sample = N::Input>,
    Y: SampleShape,
    T: Element,
    L: Loss<f32, N::Output, Y, T>,
    O: Optimizer,
{
    let mut step = net.train_step(loss, optimizer, samples)?;
    let first = step.run(&batch)?;
    let mut last = first;
    let times = options.measure(|| {
        last = step.submit(&batch)?.unwrap_or(last);
        Ok(())
    })?;
    while let Some(loss) = step.receive()? {
        last = loss;
    }
    if last.is_finite() && (last < first || !options.measured) {
        return Ok(Measured { times, operations: None });
    }
    Err(Error::Invalid(format!("the loss did not fall: from {first} to {last}")))
}

/// Inference of some samples.
fn infer<N>(options: &Options, device: N::Device, batch: usize) -> Result<Measured>
where
    N: Network<Elem = f32, InputElement = f32>,
    N::Input: SameSample<N::Input>,
    InputBatch<N>: BatchedShape<Sample = N::Input>,
{
    let net: N = netform::network::build(device.clone(), Seed(42))?;
    let input = normal::<N::Input, _>(device, &mut Rng::new(Seed(42), 0), batch)?;
    let mut predictor = net.predictor(batch)?;
    let times = options.measure(|| predictor.run(&input).map(|_| ()))?;
    Ok(Measured { times, operations: None })
}

/// A product of square matrices: as many samples as there are features.
fn product<N>(options: &Options, device: N::Device) -> Result<Measured>
where
    N: Network<Elem = f32, InputElement = f32>,
    N::Input: SameSample<N::Input>,
    InputBatch<N>: BatchedShape<Sample = N::Input>,
{
    let size = N::Input::NUMEL;
    let measured = infer::<N>(options, device, size)?;
    Ok(Measured { operations: Some(2.0 * (size as f64).powi(3)), ..measured })
}

/// Samples drawn from N(0, 1).
fn normal<S: SampleShape, Dev: Memory>(
    device: Dev,
    rng: &mut Rng,
    batch: usize,
) -> Result<Tensor<S::Batched, f32, Dev>> {
    let values: Vec<f32> = (0..batch * S::NUMEL).map(|_| rng.normal() as f32).collect();
    Tensor::from_slice_on(device, &values)
}

/// A kind of devices.
#[derive(Clone, Copy)]
enum Kind {
    Cpu,
    Vulkan,
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(name: &str) -> std::result::Result<Self, ()> {
        match name {
            "cpu" => Ok(Kind::Cpu),
            "vulkan" => Ok(Kind::Vulkan),
            _ => Err(()),
        }
    }
}

/// What the command line says.
struct Options {
    only: Vec<String>,
    device: Kind,
    seconds: f64,
    threads: Option<usize>,
    /// How many steps to take, without a look at the clock.
    steps: Option<u64>,
    /// Whether to measure, or to run each workload once to see that it works.
    measured: bool,
    /// Whether to count instructions instead.
    instructions: bool,
    help: bool,
}

impl Options {
    /// Cargo passes `--bench` to `cargo bench` and nothing to `cargo test`.
    fn parse(arguments: impl Iterator<Item = String>) -> std::result::Result<Options, String> {
        let mut options = Options {
            only: vec![],
            device: Kind::Cpu,
            seconds: 2.0,
            threads: None,
            steps: None,
            measured: false,
            instructions: false,
            help: false,
        };
        let mut arguments = arguments;
        let (mut bench, mut test) = (false, false);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => {
                    let names: String = value(&argument, "names of workloads", &mut arguments)?;
                    options.only.extend(names.split(',').map(|name| name.trim().to_owned()));
                }
                "--device" => options.device = value(&argument, "cpu or vulkan", &mut arguments)?,
                "--seconds" => options.seconds = value(&argument, "a number", &mut arguments)?,
                "--threads" => {
                    options.threads = Some(value(&argument, "a whole number", &mut arguments)?);
                }
                "--steps" => options.steps = Some(value(&argument, "a number", &mut arguments)?),
                "--instructions" => options.instructions = true,
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

    fn cpu(&self) -> Cpu {
        self.threads.map_or_else(Cpu::default, Cpu::with_threads)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }

    /// Microseconds of a call of `step`, the mean of each block; of one where nothing is measured; none of a given number.
    fn measure(&self, mut step: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
        if let Some(steps) = self.steps {
            (0..steps).try_for_each(|_| step())?;
            return Ok(vec![]);
        }
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
    measured: Measured,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.measured.times.clone();
        sorted.sort_by(f64::total_cmp);
        let runs = sorted.len();
        let median = (sorted[(runs - 1) / 2] + sorted[runs / 2]) / 2.0;
        let (workload, min) = (self.workload, sorted[0]);
        write!(
            f,
            r#"{{"peer": "netform", "workload": "{workload}", "median_us": {median:.2}, "min_us": {min:.2}, "runs": {runs}"#
        )?;
        if let Some(operations) = self.measured.operations {
            write!(f, r#", "tflops": {:.4}"#, operations / median / 1e6)?;
        }
        f.write_str("}")
    }
}

fn help() {
    println!(
        "The time of one training step, or of one inference, in microseconds: a line of JSON each.\n"
    );
    println!(
        "usage: cargo bench --bench workloads -- [--only NAMES] [--device cpu|vulkan] [--seconds S] [--threads N]\n"
    );
    println!("  --only NAMES   workloads between commas; all of them unless given");
    println!("  --device D     cpu unless given; vulkan where built with `--features vulkan`");
    println!("  --seconds S    how long each is measured; 2 unless given");
    println!("  --threads N    threads of the CPU; one a core unless given");
    println!("  --test         run each workload once and measure nothing");
    println!("  --steps N      take N steps of each workload and measure nothing");
    println!(
        "  --instructions count those of a step and compare them with what is kept; needs valgrind\n"
    );
    for (name, what, _) in WORKLOADS {
        println!("  {name:<14} {what}");
    }
}

fn run(options: &Options) -> std::result::Result<(), String> {
    for (workload, _, measure) in WORKLOADS.iter().filter(|w| options.wants(w.0)) {
        let measured = measure(options).map_err(|error| format!("{workload}: {error}"))?;
        if options.steps.is_none() {
            println!("{}", Line { workload, measured });
        }
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
        if options.instructions { instructions::check() } else { run(&options) }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
