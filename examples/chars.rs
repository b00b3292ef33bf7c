//! Trains a small transformer on the characters of a book, and lets it write: `cargo run --release --example chars`.

mod shared;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use netform::Error;
use netform::device::Device;
use netform::metric::argmax;
use netform::prelude::*;
use netform::report::Report;
use netform::train::evaluate;
use shared::{Rate, Training, Written, advise, in_repository, on_device, print, print_accuracy};

/// How many characters the network sees at once.
const CONTEXT: usize = 64;
/// How many numbers stand for a character.
const FEATURES: usize = 96;
const HEADS: usize = 4;
/// A line feed, and the printable characters of ASCII.
const SYMBOLS: usize = 96;

network! {
    /// Causal attention of T positions with D features to each other, by H heads.
    pub Attention<T, D, H>: (x: [T, D]) -> [T, D] {
        let qkv = Linear(3 * D);
        let proj = Linear(D);
        let heads = qkv(x).reshape([T, 3, H, D / H]).permute([1, 2, 0, 3]);
        let [q, k, v] = heads.unstack(0); // [H, T, D / H]
        let scores = softmax(causal(q @ k.transpose() / sqrt(D / H)), axis = -1);
        proj((scores @ v).permute([1, 0, 2]).reshape([T, D]))
    }

    /// A block of a transformer: attention, then two layers for each position, both after a norm.
    pub Block<T, D, H>: [T, D] -> [T, D] {
        Residual { norm1: LayerNorm, attention: Attention<T, D, H>, Dropout(0.1) },
        Residual { norm2: LayerNorm, up: Linear(4 * D), Gelu(approximate = tanh), down: Linear(D), Dropout(0.1) },
    }

    /// For each position of a text the logits of the character that follows.
    pub Chars: u32[CONTEXT] -> [CONTEXT, SYMBOLS] {
        characters: Embedding(SYMBOLS, features = FEATURES),
        positions: PositionalEmbedding,
        blocks: [Block<CONTEXT, FEATURES, HEADS>; 4],
        norm: LayerNorm,
        head: Linear(SYMBOLS),
    }
}

/// Trains a small transformer on the characters of a book, and lets it write.
///
/// The last tenth of the text is for the test at the end, the tenth before it for validation after each
/// epoch. A table of pairs of characters, counted in the same training text, shows what little goes without
/// a network.
#[derive(Parser)]
#[command(
    mut_arg("epochs", shared::default("8")),
    mut_arg("batch", shared::default("16")),
    mut_arg("rate", shared::default("0.001"))
)]
struct Options {
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    rate: Rate,
    /// The text to train on, of ASCII characters
    #[arg(long, value_name = "FILE", default_value_os_t = in_repository("examples/data/alice.txt"))]
    data: PathBuf,
    /// The folder to write weights, history and report into; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/chars"))]
    out: PathBuf,
    /// What the generated text goes on from
    #[arg(long, value_name = "TEXT", default_value = "Alice ")]
    prompt: String,
    /// How many characters to generate
    #[arg(long, value_name = "N", default_value_t = 400)]
    length: usize,
    /// How daring to be: the logits are divided by it, so that near 0 the likeliest character is taken
    #[arg(long, value_name = "X", value_parser = temperature, default_value_t = 0.8, allow_negative_numbers = true)]
    temperature: f64,
    /// Do not train: take the weights from this safetensors file
    #[arg(long, value_name = "WEIGHTS")]
    evaluate: Option<PathBuf>,
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(temperature) if temperature >= 0.0 && f64::is_finite(temperature) => Ok(temperature),
        _ => Err("expected a number of at least 0, for example 0.8".to_owned()),
    }
}

fn main() -> ExitCode {
    shared::run(|options: &Options| {
        on_device!(options.training.device, |device| run(options, device))
    })
}

fn run<Dev: Device<f32>>(options: &Options, device: Dev) -> netform::Result<()> {
    let Training { batch, seed, .. } = options.training;
    let text = read(&options.data)?;
    let prompt = symbols(&options.prompt).map_err(advise("--prompt TEXT is what to go on from"))?;
    let tenth = text.len() / 10;
    let (train, rest) = text.split_at(text.len() - 2 * tenth);
    let (validation, test) = rest.split_at(tenth);
    // Pieces that overlap, so that characters come at several positions of the context.
    let [train, validation, test] = [(train, CONTEXT / 4), (validation, CONTEXT), (test, CONTEXT)]
        .map(|(symbols, stride)| Pieces { symbols, stride });
    if test.len() == 0 {
        let (path, found, needed) = (options.data.display(), text.len(), 10 * (CONTEXT + 1));
        return Err(Error::Invalid(format!(
            "{path}: {found} characters, expected at least {needed}; --data FILE names a longer text"
        )));
    }

    let mut net = Chars::<f32, _>::on(device, Seed(seed))?;
    match &options.evaluate {
        Some(weights) => {
            net.load(weights)
                .map_err(advise("--evaluate wants a file that this example has written"))?;
            print(format!("weights: {}\n", weights.display()))?;
        }
        None => fit(options, &mut net, &train, &validation)?,
    }

    let model = evaluate(&net, &CrossEntropy, &test, batch.get())?;
    print(format!("text that goes on from \"{}\":\n", options.prompt.escape_debug()))?;
    print(write(&net, &prompt, options)?)?;
    print(format!(
        "\ntest loss of a table of pairs: {:.4}",
        Pairs::count(train.symbols).loss(&test)
    ))?;
    print(format!("test loss: {:.4}", model.loss))?;
    print_accuracy(model)
}

fn fit<Dev: Device<f32>>(
    options: &Options,
    net: &mut Chars<f32, Dev>,
    train: &Pieces,
    validation: &Pieces,
) -> netform::Result<()> {
    let Training { epochs, batch, .. } = options.training;
    let written = Written::into_folder(&options.out)?;
    print(net.summary())?;
    print(format!("pieces of {CONTEXT} characters to train on: {}\n", train.len()))?;
    let history = Trainer::new(CrossEntropy, AdamW::new(options.rate.rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .validate(validation)
        .callback(EarlyStopping::patience(2))
        .callback(Checkpoint::best(&written.weights))
        .callback(Progress::bar())
        .fit(net, train)?;
    written.conclude(&history, &Report::new(&history).network(net))
}

/// A text as numbers.
fn read(path: &Path) -> netform::Result<Vec<u32>> {
    let advice = advise("--data FILE names the text");
    let text = fs::read_to_string(path).map_err(|error| Error::io(path, error)).map_err(&advice)?;
    symbols(&text).map_err(advise(&format!("{} has others", path.display())))
}

/// Characters as numbers: a line feed is 0, a space 1.
fn symbols(text: &str) -> netform::Result<Vec<u32>> {
    let symbol = |c: char| match c {
        '\n' => Ok(0),
        ' '..='~' => Ok(c as u32 - ' ' as u32 + 1),
        _ => Err(Error::Invalid(format!(
            "{c:?}: expected line feeds and printable characters of ASCII"
        ))),
    };
    text.chars().map(symbol).collect()
}

fn character(symbol: u32) -> char {
    match symbol {
        0 => '\n',
        _ => char::from_u32(symbol - 1 + ' ' as u32).unwrap_or('?'),
    }
}

/// Pieces of a text as samples: CONTEXT characters, and for each of them the one that follows.
struct Pieces<'t> {
    symbols: &'t [u32],
    /// How far the next piece begins after this one.
    stride: usize,
}

impl Dataset for Pieces<'_> {
    type Input = (D<CONTEXT>,);
    type Target = (D<CONTEXT>,);
    type Element = u32;
    type TargetElement = u32;

    fn len(&self) -> usize {
        self.symbols.len().checked_sub(CONTEXT + 1).map_or(0, |last| last / self.stride + 1)
    }

    fn gather(
        &self,
        _: Seed,
        indices: &[usize],
        inputs: &mut [u32],
        targets: &mut [u32],
    ) -> netform::Result<()> {
        let places = inputs.chunks_exact_mut(CONTEXT).zip(targets.chunks_exact_mut(CONTEXT));
        for ((input, target), index) in places.zip(indices) {
            let from = index * self.stride;
            input.copy_from_slice(&self.symbols[from..from + CONTEXT]);
            target.copy_from_slice(&self.symbols[from + 1..from + 1 + CONTEXT]);
        }
        Ok(())
    }
}

/// How often each character follows each other one.
struct Pairs(Vec<[f64; SYMBOLS]>);

impl Pairs {
    fn count(symbols: &[u32]) -> Self {
        // One of each pair to begin with, so that none is impossible.
        let mut counts = vec![[1.0; SYMBOLS]; SYMBOLS];
        for pair in symbols.windows(2) {
            counts[pair[0] as usize][pair[1] as usize] += 1.0;
        }
        Pairs(counts)
    }

    /// The mean of -ln of the probability of what follows, over the characters that a network is tested on.
    fn loss(&self, pieces: &Pieces) -> f64 {
        let tested = &pieces.symbols[..pieces.len() * pieces.stride + 1];
        let loss = |pair: &[u32]| {
            let row = &self.0[pair[0] as usize];
            -(row[pair[1] as usize] / row.iter().sum::<f64>()).ln()
        };
        tested.windows(2).map(loss).sum::<f64>() / (tested.len() - 1) as f64
    }
}

/// The prompt, and character after character what the network takes to follow.
fn write<Dev: Device<f32>>(
    net: &Chars<f32, Dev>,
    prompt: &[u32],
    options: &Options,
) -> netform::Result<String> {
    let mut rng = Rng::new(Seed(options.training.seed), 0);
    let mut predictor = net.predictor(1)?;
    let device = net.store().device.clone();
    let mut input = Tensor::zeros_on(device, (Batch(1), D::<CONTEXT>))?;
    let mut text = prompt.to_vec();
    for _ in 0..options.length {
        let seen = &text[text.len().saturating_sub(CONTEXT)..];
        // What is after the last character has no influence on it.
        let mut context = [0; CONTEXT];
        context[..seen.len()].copy_from_slice(seen);
        input.write(&context)?;
        let logits = predictor.run(&input)?.to_vec();
        let at = seen.len().saturating_sub(1) * SYMBOLS;
        text.push(draw(&logits[at..at + SYMBOLS], options.temperature, &mut rng));
    }
    Ok(text.into_iter().map(character).collect())
}

/// A symbol with probability softmax(logits / temperature); the likeliest one at 0.
fn draw(logits: &[f32], temperature: f64, rng: &mut Rng) -> u32 {
    let likeliest = argmax(logits);
    let weight = |x: &f32| (f64::from(x - logits[likeliest]) / temperature.max(1e-6)).exp();
    let mut left = rng.uniform() * logits.iter().map(weight).sum::<f64>();
    let drawn = logits.iter().position(|x| {
        left -= weight(x);
        left < 0.0
    });
    drawn.unwrap_or(likeliest) as u32
}
