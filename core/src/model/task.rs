//! What the outputs of a network mean: classes or numbers.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::file::Part;
use super::prediction::Prediction;
use crate::data::Scaling;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::io::header::Header;
use crate::io::safetensors::NamedTensor;
use crate::network::Network;
use crate::shape::{SampleShape, Shape};

/// What a model does with outputs, and what its file says of that: [`Classes`] or [`Numbers`].
pub trait Task<N: Network>: Sized {
    /// What is said of a sample.
    type Prediction;
    /// The name in files, and that of the type of such models.
    #[doc(hidden)]
    const NAMES: (&'static str, &'static str);
    /// What is said of a sample with finite outputs.
    #[doc(hidden)]
    fn prediction(&self, outputs: &[N::Elem]) -> Self::Prediction;
    #[doc(hidden)]
    fn write(&self, header: &mut Header, beside: &mut Vec<NamedTensor>);
    #[doc(hidden)]
    fn read(path: &Path, header: &Header, beside: &[NamedTensor]) -> Result<Self>;
}

/// What the outputs of a classifier are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// Logits: their softmax, or the sigmoid of a single one, are probabilities.
    #[default]
    Logits,
    /// Logarithms of probabilities, as of a last layer `LogSoftmax`.
    LogProbabilities,
    /// Probabilities, as of a last layer `Softmax` or `Sigmoid`.
    Probabilities,
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

/// Outputs tell classes apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Classes {
    pub(super) names: Arc<[String]>,
    pub(super) outputs: Outputs,
}

impl Classes {
    pub(super) fn new<N: Network>(names: Vec<String>) -> Result<Self> {
        // A single output tells two classes apart.
        let (found, expected) = (names.len(), N::Output::NUMEL.max(2));
        if N::Output::RANK > 1 || found != expected {
            return Err(Error::Size {
                what: format!(
                    "names of classes for network `{}` with outputs {}",
                    N::NAME,
                    N::Output::describe()
                ),
                expected: match N::Output::RANK {
                    2.. => "outputs of one axis, one for each class".to_owned(),
                    _ => format!("{expected} names"),
                },
                found: format!("{found} names"),
            });
        }
        for (i, name) in names.iter().enumerate() {
            if name.is_empty() || names[..i].contains(name) {
                return Err(Error::Invalid(format!(
                    "the names of classes: name {} is `{name}`, expected names that differ and are not empty",
                    i + 1
                )));
            }
        }
        Ok(Classes { names: names.into(), outputs: Outputs::default() })
    }
}

impl<N: Network> Task<N> for Classes {
    type Prediction = Prediction;
    const NAMES: (&'static str, &'static str) = ("classes", "Classifier");

    fn prediction(&self, outputs: &[N::Elem]) -> Prediction {
        let outputs: Vec<f64> = outputs.iter().map(|output| output.to_f64()).collect();
        // Of a single output: of the second class, and of the first.
        let pair = |second: f64, first: f64| vec![first, second];
        let probabilities = match (self.outputs, &outputs[..]) {
            (Outputs::Logits, &[z]) => pair(1.0 / (1.0 + (-z).exp()), 1.0 / (1.0 + z.exp())),
            (Outputs::LogProbabilities, &[log]) => pair(log.exp(), -log.exp_m1()),
            (Outputs::Probabilities, &[p]) => pair(p, 1.0 - p),
            (Outputs::Logits, logits) => softmax(logits),
            (Outputs::LogProbabilities, logs) => logs.iter().map(|log| log.exp()).collect(),
            (Outputs::Probabilities, p) => p.to_vec(),
        };
        Prediction { names: self.names.clone(), probabilities }
    }

    fn write(&self, header: &mut Header, _: &mut Vec<NamedTensor>) {
        header.set("classes", serde_json::json!(&*self.names));
        header.set("outputs", self.outputs);
    }

    fn read(path: &Path, header: &Header, _: &[NamedTensor]) -> Result<Self> {
        let text: String = header.get(path, "classes")?;
        let at = |problem: String| Error::format(path, "`classes`", problem);
        let names: Vec<String> = serde_json::from_str::<serde_json::Value>(&text)
            .ok()
            .and_then(|value| {
                let names = value.as_array()?.iter();
                names.map(|name| Some(name.as_str()?.to_owned())).collect()
            })
            .ok_or_else(|| at(format!("expected a list of names in JSON, found `{text}`")))?;
        let classes = Classes::new::<N>(names).map_err(|error| at(error.to_string()))?;
        let outputs: String = header.get(path, "outputs")?;
        let outputs = outputs.parse().map_err(|()| {
            let problem =
                format!("expected logits, log_probabilities or probabilities, found `{outputs}`");
            Error::format(path, "`outputs`", problem)
        })?;
        Ok(Classes { outputs, ..classes })
    }
}

/// `exp(z) / sum(exp(z))`; the largest is taken off first, so that nothing overflows.
fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|z| (z - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// Outputs are numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers<Y, E> {
    pub(super) scaling: Option<Scaling<Y, E>>,
}

impl<Y, E> Default for Numbers<Y, E> {
    fn default() -> Self {
        Numbers { scaling: None }
    }
}

impl<N: Network> Task<N> for Numbers<N::Output, N::Elem> {
    type Prediction = Vec<N::Elem>;
    const NAMES: (&'static str, &'static str) = ("numbers", "Regressor");

    fn prediction(&self, outputs: &[N::Elem]) -> Vec<N::Elem> {
        let mut numbers = outputs.to_vec();
        if let Some(scaling) = &self.scaling {
            scaling.undo(&mut numbers);
        }
        numbers
    }

    fn write(&self, _: &mut Header, beside: &mut Vec<NamedTensor>) {
        Part::Targets.put(self.scaling.as_ref(), beside);
    }

    fn read(path: &Path, _: &Header, beside: &[NamedTensor]) -> Result<Self> {
        Ok(Numbers { scaling: Part::Targets.take(path, beside)? })
    }
}
