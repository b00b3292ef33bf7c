//! Goes down into a bowl, step by step: `cargo run --release --example gradient_descent`.

mod shared;

use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::Parser;
use netform::Error;
use netform::prelude::*;
use shared::{Rate, print};

network! {
    /// A bowl that is deepest at (3, -2).
    pub fn bowl(x: [2]) -> [] {
        square(x[0] - 3) + square(x[1] + 2)
    }
}

/// Goes down into a bowl, step by step, against the gradient that is written at compile time.
#[derive(Parser)]
#[command(mut_arg("rate", shared::default("0.1")))]
struct Options {
    #[command(flatten)]
    rate: Rate,
    /// How many steps to go
    #[arg(long, value_name = "N", value_parser = shared::count, default_value = "15", allow_negative_numbers = true)]
    steps: NonZeroUsize,
}

fn main() -> ExitCode {
    shared::run(descend)
}

fn descend(options: &Options) -> netform::Result<()> {
    let mut x = tensor!(f64; [0.0, 0.0]);
    let start = bowl(&x).item();
    for step in 1..=options.steps.get() {
        x = &x - bowl::gradient(&x) * options.rate.rate;
        let depth = bowl(&x).item();
        if depth > start {
            let problem = format!("step {step} led up, out of the bowl; --rate should be smaller");
            return Err(Error::Invalid(problem));
        }
        print(format!("step {step:>2}: bowl{} = {depth:.6}", shown(&x)))?;
    }
    print(format!("lowest point: {}", shown(&x)))
}

/// The point to six decimals.
fn shown(x: &Tensor<(D<2>,), f64>) -> String {
    let [x, y] = [x[[0]], x[[1]]].map(|x| (x * 1e6).round() / 1e6);
    format!("({x}, {y})")
}
