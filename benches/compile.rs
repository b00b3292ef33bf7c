//! How long users wait for the compiler: `cargo check` and `cargo build --release` of a crate with one network that
//! trains, after a change in its file; the time of that crate alone, in a debug build's macro too. Beside it the same
//! network in typed layers written by hand (compile/typed.rs).
//!
//! `cargo bench --bench compile -- [NAME ..]` prints one line for each network: seconds of processor time and of
//! wall-clock time, the least of several runs.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{env, fs};

/// Where the bench, as the compiler's wrapper, notes what it measured.
const TIMES: &str = "NETFORM_COMPILE_TIMES";

/// How often a check is measured; builds with optimisation take minutes, and are measured once.
const RUNS: usize = 5;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    if env::var_os(TIMES).is_some() {
        return compile().unwrap_or(ExitCode::FAILURE);
    }
    let names: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if names.iter().any(|name| name.starts_with("--")) || cfg!(debug_assertions) {
        println!("usage: cargo bench --bench compile -- [NAME ..]");
        return ExitCode::SUCCESS;
    }
    match measure(&names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the compiler in the place of cargo, and notes how long it took.
fn compile() -> Result<ExitCode> {
    let mut args = env::args_os().skip(1);
    let start = Instant::now();
    let before = processor_time();
    let status = Command::new(args.next().ok_or("no compiler")?).args(args).status()?;
    let wall = start.elapsed().as_secs_f64();
    let processor = processor_time().zip(before).map_or(f64::NAN, |(after, before)| after - before);
    fs::write(env::var_os(TIMES).ok_or("no file")?, format!("{processor} {wall}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The processor time of processes that have ended, in seconds, where the system tells it.
fn processor_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// A network, as a declaration and as a type of hand-written layers.
struct Network {
    name: &'static str,
    what: &'static str,
    /// The dimension types of the input, and its elements.
    input: (&'static str, usize),
    declaration: String,
    typed: Option<String>,
}

/// Layers in both forms.
struct Layers {
    declared: String,
    typed: Vec<String>,
}

impl Layers {
    fn push(&mut self, declared: impl AsRef<str>, typed: impl Into<String>) {
        let _ = writeln!(self.declared, "        {},", declared.as_ref());
        self.typed.push(typed.into());
    }

    fn network(
        self,
        name: &'static str,
        what: &'static str,
        input: (&'static str, usize),
    ) -> Network {
        let Layers { declared, typed } = self;
        let shape = input.0.replace("D<", "").replace('>', "");
        let declaration =
            format!("    /// {what}.\n    pub Net: [{shape}] -> [10] {{\n{declared}    }}\n");
        let nested = |inner: String, layer: &String| format!("Then<{layer}, {inner}>");
        let typed = typed.split_last().filter(|_| !typed.iter().any(String::is_empty));
        let typed = typed.map(|(last, first)| first.iter().rev().fold(last.clone(), nested));
        Network { name, what, input, declaration, typed }
    }
}

/// A chain of convolutions on smaller and smaller images, and one fully connected layer: so many layers with weights,
/// and with `norm` as many norms, which have weights too.
fn convolutions(name: &'static str, what: &'static str, layers: usize, norm: bool) -> Network {
    let mut all = Layers { declared: String::new(), typed: vec![] };
    let stages = [(8, 32), (16, 16), (32, 8), (64, 4)];
    for i in 0..layers - 1 {
        let stage = |i: usize| i * stages.len() / (layers - 1);
        let (channels, size) = stages[stage(i)];
        let stride = if i > 0 && stage(i) != stage(i - 1) { 2 } else { 1 };
        all.push(
            format!("conv{i}: Conv2d({channels}, kernel = 3, padding = 1, stride = {stride})"),
            format!("Conv2d<D<{channels}>, D<{size}>, D<{size}>, 3, {stride}, 1>"),
        );
        if norm {
            all.push(format!("norm{i}: BatchNorm2d"), "");
        }
        all.push("Relu", "Relu");
    }
    all.push("Flatten", "Flatten<D<1, 24>>");
    all.push("fc: Linear(10)", "Linear<D<10>>");
    all.network(name, what, ("D<3>, D<32>, D<32>", 3 * 32 * 32))
}

/// A chain of fully connected layers.
fn fully_connected(name: &'static str, what: &'static str, layers: usize) -> Network {
    let mut all = Layers { declared: String::new(), typed: vec![] };
    for i in 0..layers - 1 {
        let size = 64 - i % 7;
        all.push(format!("fc{i}: Linear({size})"), format!("Linear<D<{size}>>"));
        all.push("Relu", "Relu");
    }
    all.push("fc: Linear(10)", "Linear<D<10>>");
    all.network(name, what, ("D<64>", 64))
}

fn lenet() -> Network {
    let mut all = Layers { declared: String::new(), typed: vec![] };
    all.push("conv1: Conv2d(6, kernel = 5, padding = 2)", "Conv2d<D<6>, D<28>, D<28>, 5, 1, 2>");
    all.push("Relu", "Relu");
    all.push("MaxPool2d(2)", "MaxPool2d<D<14>, D<14>>");
    all.push("conv2: Conv2d(16, kernel = 5)", "Conv2d<D<16>, D<10>, D<10>, 5, 1, 0>");
    all.push("Relu", "Relu");
    all.push("MaxPool2d(2)", "MaxPool2d<D<5>, D<5>>");
    all.push("Flatten", "Flatten<D<400>>");
    for (name, size) in [("fc1", 120), ("fc2", 84)] {
        all.push(format!("{name}: Linear({size})"), format!("Linear<D<{size}>>"));
        all.push("Relu", "Relu");
    }
    all.push("fc3: Linear(10)", "Linear<D<10>>");
    all.network("lenet", "LeNet", ("D<1>, D<28>, D<28>", 28 * 28))
}

fn networks() -> Vec<Network> {
    vec![
        lenet(),
        fully_connected("linear80", "80 fully connected layers with ReLU", 80),
        convolutions(
            "conv80",
            "79 convolutions with ReLU and one fully connected layer",
            80,
            false,
        ),
        convolutions(
            "norm40",
            "40 convolutions and 40 batch norms with ReLU, one fully connected layer",
            41,
            true,
        ),
        convolutions(
            "norm80",
            "79 convolutions and 79 batch norms with ReLU, one fully connected layer",
            80,
            true,
        ),
    ]
}

impl Network {
    /// A crate that trains the network.
    fn source(&self) -> String {
        let (input, len) = self.input;
        format!(
            "use netform::prelude::*;

network! {{
{}}}

fn main() -> netform::Result<()> {{
    let mut net = Net::new(Seed(1));
    let data = InMemory::<({input},)>::new(vec![0.5; 8 * {len}], vec![0; 8])?;
    let history = Trainer::new(CrossEntropy, Adam::new(1e-3)).epochs(1).batch(4).fit(&mut net, &data)?;
    println!(\"{{}}\", history.to_csv());
    Ok(())
}}
",
            self.declaration
        )
    }

    /// The same with layers written by hand.
    fn typed_source(&self) -> Option<String> {
        let (net, (input, len)) = (self.typed.as_ref()?, self.input);
        let input =
            if input.contains(", ") { format!("Image<{input}>") } else { format!("Row<{input}>") };
        Some(format!(
            "#![allow(unused)]
#![recursion_limit = \"1024\"]
mod typed;
use netform::dim::D;
use typed::*;

type Net = {net};

fn main() {{
    println!(\"{{}}\", step::<{input}, Net>(4, {len}));
}}
"
        ))
    }
}

/// The crates, beside each other in a workspace of their own.
struct Crates {
    root: PathBuf,
}

impl Crates {
    fn write(&self, name: &str, source: &str) -> Result<PathBuf> {
        let folder = self.root.join(name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nnetform = {{ path = {:?} }}\n",
            env!("CARGO_MANIFEST_DIR")
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/typed.rs"), include_str!("compile/typed.rs"))?;
        fs::write(folder.join("src/main.rs"), source)?;
        Ok(folder.join("src/main.rs"))
    }

    /// Processor and wall-clock seconds of the compiler for the crate, the least of some runs after the first.
    fn time(&self, name: &str, main: &Path, command: &[&str], runs: usize) -> Result<(f64, f64)> {
        let times = self.root.join("times");
        let source = fs::read_to_string(main)?;
        let mut least = (f64::INFINITY, f64::INFINITY);
        for run in 0..=runs {
            // A change in front of everything: all that is below has moved.
            fs::write(main, format!("// {run}\n{source}"))?;
            let output = Command::new(env!("CARGO"))
                .args(command)
                .args(["--quiet", "--offline", "--package", name])
                .current_dir(&self.root)
                .env("CARGO_TARGET_DIR", self.root.join("target"))
                .env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?)
                .env(TIMES, &times)
                .stdin(Stdio::null())
                .output()?;
            if !output.status.success() {
                return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
            }
            let text = fs::read_to_string(&times)?;
            let (processor, wall) = text.split_once(' ').ok_or("no times")?;
            // The first run may compile the dependencies beside it.
            if run > 0 {
                least = (least.0.min(processor.parse()?), least.1.min(wall.parse()?));
            }
        }
        fs::write(main, source)?;
        Ok(least)
    }
}

fn measure(names: &[String]) -> Result<()> {
    let crates = Crates { root: Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile") };
    fs::create_dir_all(&crates.root)?;
    fs::write(
        crates.root.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"crate-*\"]\n",
    )?;
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    fs::copy(lock, crates.root.join("Cargo.lock"))?;
    println!("| network | layers | check | build --release |\n|---|---|---|---|");
    for network in networks() {
        if !names.is_empty() && !names.iter().any(|name| name == network.name) {
            continue;
        }
        let typed = network.typed_source().map(|source| ("by hand", source));
        for (layers, source) in [("`network!`", network.source())].into_iter().chain(typed) {
            let name = format!(
                "crate-{}-{}",
                network.name,
                if layers == "by hand" { "typed" } else { "net" }
            );
            let main = crates.write(&name, &source)?;
            let check = crates.time(&name, &main, &["check"], RUNS)?;
            let build = crates.time(&name, &main, &["build", "--release"], 1)?;
            let text = |(processor, wall): (f64, f64)| format!("{processor:.2} s ({wall:.2} s)");
            println!("| {} | {layers} | {} | {} |", network.what, text(check), text(build));
        }
    }
    Ok(())
}
