//! What the outputs of a network are, where they tell classes apart: logits, probabilities, or logarithms of these.

use std::fmt;
use std::str::FromStr;

/// What the outputs of a classifier are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// Logits: their softmax, or the sigmoid of a single one, are probabilities.
    #[default]
    Logits,
    /// Logarithms of probabilities, as a network yields that ends in `LogSoftmax` or `log_softmax(..)`.
    LogProbabilities,
    /// Probabilities, as a network yields that ends in `Softmax`, `Sigmoid`, `softmax(..)` or `sigmoid(..)`.
    Probabilities,
}

impl Outputs {
    /// How probable each class is.
    pub(crate) fn probabilities(self, outputs: &[f64]) -> Vec<f64> {
        // Of a single output: of the second class, and of the first.
        let pair = |second: f64, first: f64| vec![first, second];
        match (self, outputs) {
            (Outputs::Logits, &[z]) => pair(1.0 / (1.0 + (-z).exp()), 1.0 / (1.0 + z.exp())),
            (Outputs::LogProbabilities, &[log]) => pair(log.exp(), -log.exp_m1()),
            (Outputs::Probabilities, &[p]) => pair(p, 1.0 - p),
            (Outputs::Logits, logits) => softmax(logits),
            (Outputs::LogProbabilities, logs) => logs.iter().map(|log| log.exp()).collect(),
            (Outputs::Probabilities, p) => p.to_vec(),
        }
    }
}

impl fmt::Display for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outputs::Logits => "logits",
            Outputs::LogProbabilities => "log_probabilities",
            Outputs::Probabilities => "probabilities",
        })
    }
}

impl FromStr for Outputs {
    type Err = ();
    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let all = [Outputs::Logits, Outputs::LogProbabilities, Outputs::Probabilities];
        all.into_iter().find(|outputs| outputs.to_string() == text).ok_or(())
    }
}

/// `exp(z) / sum(exp(z))`; the largest is taken off first, so that nothing overflows.
fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|z| (z - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
