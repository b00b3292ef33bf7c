//! Learns to draw digits: a variational autoencoder: `cargo run --release --example vae`.

mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use netform::data::Unlabelled;
use netform::device::Device;
use netform::plot;
use netform::prelude::*;
use netform::report::Report;
use netform::train::evaluate;
use shared::{Rate, Training, Written, advise, in_repository, on_device, print};

/// How many numbers a digit is told by.
const CODE: usize = 8;
/// How many digits to draw.
const SAMPLES: usize = 16;

network! {
    /// Where in the space of codes a picture is: the mean, and the logarithm of the variance.
    pub Encoder: (x: [784]) -> ([CODE], [CODE]) {
        let fc = Linear(256);
        let mean = Linear(CODE);
        let spread = Linear(CODE);
        let h = relu(fc(x));
        (mean(h), spread(h))
    }

    /// The picture of a code, as logits.
    pub Decoder: [CODE] -> [784] {
        fc1: Linear(256), Relu,
        fc2: Linear(784),
    }

    /// What the code does not tell of the picture, and how far the codes are from normal numbers; of pictures in black and
    /// white, a bound on -ln of their probability (D. Kingma, M. Welling, "Auto-Encoding Variational Bayes", 2013).
    pub Vae: (x: [784]) -> [] {
        let encoder = Encoder;
        let decoder = Decoder;
        let (mean, spread) = encoder(x);
        let code = mean + exp(spread / 2) * normal([CODE]);
        let untold = 784 * bce_with_logits(decoder(code), x);
        let divergence = sum(exp(spread) + square(mean) - 1 - spread) / 2;
        untold + divergence
    }
}

type Pictures = Unlabelled<(D<784>,)>;

/// Learns to draw digits, from pictures without labels.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("30")),
    mut_arg("batch", shared::default("64")),
    mut_arg("rate", shared::default("0.002"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// The folder with the four IDX files of MNIST, gzipped or not
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("examples/data"))]
    data: PathBuf,
    /// The folder to write weights, history, report and digits into; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/vae"))]
    out: PathBuf,
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| train(options, device))
    })
}

fn train<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let Training { epochs, batch, seed, .. } = options.training;
    let (train, test) = data::mnist(&options.data)
        .map_err(advise("--data DIR names the folder with the digits"))?;
    let [train, test] = [train, test].map(|it| Pictures::without_targets(it.inputs().to_vec()));
    let (train, validation) = train?.split(0.9, Seed(seed))?;
    let test = test?;
    let written = Written::into_folder(&options.out)?;
    let digits = shared::file(&options.out, "digits.svg")?;

    let mut vae = Vae::<f32, _>::on(device.clone(), Seed(seed))?;
    print(vae.summary())?;
    let history = Trainer::new(OwnOutput, Adam::new(options.rate.rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .validate(&validation)
        .callback(EarlyStopping::patience(10))
        .callback(Checkpoint::best(&written.weights))
        .callback(Progress::bar())
        .fit(&mut vae, &train)?;
    // EarlyStopping gave the network its best weights back.
    written.conclude(&history, &Report::new(&history).network(&vae))?;

    let mut decoder = Decoder::<f32, _>::on(device.clone(), Seed(seed))?;
    decoder.copy_part(&vae, "decoder")?;
    let codes = Tensor::<(D<SAMPLES>, D<CODE>)>::normal((D, D), Seed(seed));
    let codes = Tensor::<(D<SAMPLES>, D<CODE>), f32, _>::from_slice_on(device, codes.as_slice())?;
    let logits = decoder.forward(&codes)?.to_vec();
    let ink = Tensor::<(D<SAMPLES>, D<1>, D<28>, D<28>)>::from_vec(logits)?.sigmoid();
    plot::filters("Digits that nobody has written", &ink)?.save(&digits)?;
    print(format!("digits that nobody has written: {}", digits.display()))?;
    print(drawn(ink.as_slice()))?;
    print(format!("test loss of the mean picture: {:.2}", mean_picture(&train, &test)))?;
    let loss = evaluate(&vae, &OwnOutput, &test, batch.get())?.loss;
    print(format!("test loss: {loss:.2}"))
}

/// The first three pictures, side by side: a character for each two pixels, one above the other.
fn drawn(ink: &[f32]) -> String {
    let mut text = String::new();
    for y in (0..28).step_by(2) {
        for picture in ink.chunks(784).take(3) {
            for x in 0..28 {
                let both = picture[y * 28 + x] + picture[(y + 1) * 28 + x];
                text.push(b" .:-=+*#%@"[(both * 4.99) as usize] as char);
            }
        }
        text.push('\n');
    }
    text
}

/// The loss where every picture is taken for the mean of all.
fn mean_picture(train: &Pictures, test: &Pictures) -> f64 {
    let mut mean = [0.0_f64; 784];
    for picture in train.inputs().chunks(784) {
        for (mean, &x) in mean.iter_mut().zip(picture) {
            *mean += f64::from(x) / train.len() as f64;
        }
    }
    let loss = |(&x, &p): (&f32, &f64)| {
        let (x, p) = (f64::from(x), p.clamp(1e-6, 1.0 - 1e-6));
        -x * p.ln() - (1.0 - x) * (1.0 - p).ln()
    };
    let picture = |picture: &[f32]| picture.iter().zip(&mean).map(loss).sum::<f64>();
    test.inputs().chunks(784).map(picture).sum::<f64>() / test.len() as f64
}
