//! What the examples share: options, messages, the folder they write into, and how they end.

// Each example is a program of its own, and uses what it needs of this.
#![allow(dead_code, unused_macros, unused_imports)]

pub mod comparison;

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, Args, Parser, ValueEnum};
use netform::data::{Scaling, Table};
use netform::io::write_atomically;
use netform::prelude::*;
use netform::report::Report;
use netform::train::{Evaluation, History};
use netform::{Error, Result};

/// The settings of a training; each example has defaults of its own.
#[derive(Args)]
pub struct Training {
    /// How many epochs to train at most
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub epochs: NonZeroUsize,
    /// How many samples a batch has
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub batch: NonZeroUsize,
    /// What weights, split, order and dropout are drawn from: the same seed gives the same run
    #[arg(long, value_name = "N", value_parser = seed, default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u64,
    /// Where to compute; NETFORM_DEVICE names one of several Vulkan devices
    #[arg(long, value_enum, default_value_t = Kind::Cpu)]
    pub device: Kind,
}

/// How fast to learn; each example has a default of its own.
#[derive(Args)]
pub struct Rate {
    /// The learning rate
    #[arg(long, value_name = "R", value_parser = rate, allow_negative_numbers = true)]
    pub rate: f64,
}

/// A kind of devices.
#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// The processor
    Cpu,
    /// A GPU, or what else there is with a Vulkan driver
    Vulkan,
}

/// The Vulkan device, in an example that was built with the feature for it.
#[cfg(feature = "vulkan")]
pub fn vulkan() -> Result<netform::gpu::Vulkan> {
    netform::gpu::Vulkan::new()
}

/// The error of an example that was built without Vulkan.
#[cfg(not(feature = "vulkan"))]
pub fn vulkan() -> Result<netform::prelude::Cpu> {
    Err(Error::Invalid(
        "this example was built without Vulkan; `cargo run --release --features vulkan --example ..` builds it with it"
            .to_owned(),
    ))
}

/// Evaluates an expression with a device of the kind that was asked for.
macro_rules! on_device {
    ($kind:expr, |$device:ident| $body:expr) => {
        match $kind {
            $crate::shared::Kind::Cpu => {
                let $device = netform::prelude::Cpu::default();
                $body
            }
            $crate::shared::Kind::Vulkan => {
                let $device = $crate::shared::vulkan()?;
                $body
            }
        }
    };
}
pub(crate) use on_device;

/// Gives an option of [`Training`] or [`Rate`] its default: `mut_arg("epochs", default("10"))`.
pub fn default(value: &'static str) -> impl FnOnce(Arg) -> Arg {
    move |option| option.required(false).default_value(value)
}

/// Reads an option that counts something.
pub fn count(text: &str) -> std::result::Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number of at least 1".to_owned())
}

fn seed(text: &str) -> std::result::Result<u64, String> {
    text.parse().map_err(|_| "expected a whole number from 0 to 18446744073709551615".to_owned())
}

fn rate(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
        _ => Err("expected a number above 0, for example 0.001".to_owned()),
    }
}

/// Reads the options and runs the example. What goes wrong becomes one line on standard error.
pub fn run<O: Parser>(example: fn(&O) -> Result<()>) -> ExitCode {
    let options = match O::try_parse() {
        Ok(options) => options,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => error.exit(),
        Err(error) => {
            // What is wrong and which values there are; not how the example is called.
            let text = error.to_string();
            let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
            let said = lines.filter(|line| !line.is_empty() && !line.starts_with("For more"));
            eprintln!("{}; --help lists the options", said.collect::<Vec<_>>().join("; "));
            return ExitCode::from(2);
        }
    };
    match example(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// The message of an error that may list several problems, each on a line of its own.
fn one_line(error: &Error) -> String {
    error.to_string().replace(":\n  - ", ": ").replace("\n  - ", "; ")
}

/// Adds what to do to the message of an error.
pub fn advise(advice: &str) -> impl Fn(Error) -> Error {
    move |error| Error::Invalid(format!("{}; {advice}", one_line(&error)))
}

/// That there is enough data for every part that it is split into.
pub fn at_least(needed: usize, found: usize, path: &Path) -> Result<()> {
    if found >= needed {
        return Ok(());
    }
    let path = path.display();
    Err(Error::Invalid(format!(
        "{path}: {found} samples, expected at least {needed}, to train on, to validate and to test"
    )))
}

/// Irises: four measurements and a species each.
pub type Irises = InMemory<(D<4>,)>;

/// Irises in two parts: four fifths to train on, the others to test. Both are
/// scaled by means and deviations of the first.
pub fn irises(path: &Path, seed: Seed) -> Result<(Irises, Irises)> {
    let flowers: Irises = Table::read(path)
        .and_then(|table| table.classes("species")?.into_samples())
        .map_err(advise("--data FILE names a CSV file of irises"))?;
    let (mut train, mut test) = flowers.stratified_split(0.8, seed)?;
    let scaling = Scaling::standard(&train)?;
    scaling.apply(&mut train);
    scaling.apply(&mut test);
    Ok((train, test))
}

/// A path in this repository, as seen from the working directory where that is the shorter way.
pub fn in_repository(path: &str) -> PathBuf {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let here = std::env::current_dir().unwrap_or_default();
    whole.strip_prefix(here).map(Path::to_owned).unwrap_or(whole)
}

/// The path of a file in the folder that `--out` names. The folder is created, and the file, still empty: where that
/// fails, no time has gone into training.
pub fn file(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .map_err(|error| Error::io(folder, error))
        .and_then(|()| write_atomically(&path, b""))
        .map_err(advise("--out DIR names a folder that can be written into"))?;
    Ok(path)
}

/// The name of a file for something with a name: `convolutions_d_0_2.html`.
pub fn name_of_file(name: &str, ending: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    format!("{}.{ending}", words.collect::<Vec<_>>().join("_"))
}

/// The files that a training leaves.
pub struct Written {
    pub weights: PathBuf,
    history: PathBuf,
    report: PathBuf,
}

impl Written {
    /// The files; history and report are there already, still empty, as of [`file`].
    pub fn into_folder(folder: &Path) -> Result<Self> {
        Ok(Written {
            weights: folder.join("best.safetensors"),
            history: file(folder, "history.csv")?,
            report: file(folder, "report.html")?,
        })
    }

    /// Writes the history and the report, and says what is where.
    pub fn conclude(&self, history: &History, report: &Report<'_>) -> Result<()> {
        write_atomically(&self.history, history.to_csv().as_bytes())?;
        report.save(&self.report)?;
        if history.best_epoch.is_some() {
            print(format!("weights: {}", self.weights.display()))?;
        }
        print(format!("history: {}", self.history.display()))?;
        print(format!("report: {}", self.report.display()))
    }
}

/// Prints a line; unlike `println!`, it does not panic where the reader of a pipe has gone.
pub fn print(line: impl Display) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| Error::io("standard output", error))
}

/// Prints the line that every example ends with.
pub fn print_accuracy(test: Evaluation) -> Result<()> {
    print(format!("test accuracy: {:.4}", test.accuracy.unwrap_or(0.0)))
}
