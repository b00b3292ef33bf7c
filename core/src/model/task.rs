//! What the outputs of a network mean: classes or numbers.

use std::path::Path;
use std::sync::Arc;

use super::file::Part;
use super::prediction::Prediction;
use crate::data::{Scaling, check_names};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::io::header::Header;
use crate::io::safetensors::NamedTensor;
use crate::network::Network;
use crate::outputs::Outputs;
use crate::shape::{SampleShape, Shape};

/// What a model does with outputs, and what its file says of that: [`Classes`] or [`Numbers`].
pub trait Task<N: Network>: Sized {
    /// What is said of a sample.
    type Prediction;
    /// The name in files, and that of the type of such models.
    #[doc(hidden)]
    const NAMES: (&'static str, &'static str);
    /// What is said of a sample, or what is wrong with its outputs.
    #[doc(hidden)]
    fn prediction(&self, outputs: &[N::Elem]) -> std::result::Result<Self::Prediction, String>;
    #[doc(hidden)]
    fn write(&self, header: &mut Header, beside: &mut Vec<NamedTensor>);
    #[doc(hidden)]
    fn read(path: &Path, header: &Header, beside: &[NamedTensor]) -> Result<Self>;
}

/// How far probabilities may be from adding up to 1, for they are rounded.
const ROUNDING: f64 = 1e-3;
/// How many outputs a message shows.
const SHOWN: usize = 10;

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
        check_names("classes", &names)?;
        Ok(Classes { names: names.into(), outputs: N::OUTPUTS_ARE })
    }
}

/// That numbers are finite.
fn check_finite<E: Float>(mut outputs: impl Iterator<Item = E>) -> std::result::Result<(), String> {
    match outputs.find(|output| !output.is_finite()) {
        Some(output) => Err(format!("{output}: look for inputs or weights that are not finite")),
        None => Ok(()),
    }
}

impl<N: Network> Task<N> for Classes {
    type Prediction = Prediction;
    const NAMES: (&'static str, &'static str) = ("classes", "Classifier");

    fn prediction(&self, outputs: &[N::Elem]) -> std::result::Result<Prediction, String> {
        let outputs: Vec<f64> = outputs.iter().map(|output| output.to_f64()).collect();
        // The logarithm of a probability of 0 is -inf.
        let may_be = |&x: &f64| self.outputs == Outputs::LogProbabilities && x == f64::NEG_INFINITY;
        check_finite(outputs.iter().copied().filter(|output| !may_be(output)))?;
        let mut probabilities = self.outputs.probabilities(&outputs);
        let sum: f64 = probabilities.iter().sum();
        let is_one = (sum - 1.0).abs() <= ROUNDING;
        if !is_one || probabilities.iter().any(|p| !(-ROUNDING..=1.0 + ROUNDING).contains(p)) {
            let first = &outputs[..outputs.len().min(SHOWN)];
            let more = if first.len() < outputs.len() { " and more" } else { "" };
            return Err(format!(
                "{first:?}{more}, which are no {}: expected probabilities from 0 to 1 that add up to 1; `.outputs(..)` of the classifier says what else the outputs are",
                self.outputs
            ));
        }
        probabilities.iter_mut().for_each(|p| *p = p.clamp(0.0, 1.0));
        Ok(Prediction { names: self.names.clone(), probabilities })
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

    fn prediction(&self, outputs: &[N::Elem]) -> std::result::Result<Vec<N::Elem>, String> {
        check_finite(outputs.iter().copied())?;
        let mut numbers = outputs.to_vec();
        if let Some(scaling) = &self.scaling {
            scaling.undo(&mut numbers);
        }
        Ok(numbers)
    }

    fn write(&self, _: &mut Header, beside: &mut Vec<NamedTensor>) {
        Part::Targets.put(self.scaling.as_ref(), beside);
    }

    fn read(path: &Path, _: &Header, beside: &[NamedTensor]) -> Result<Self> {
        Ok(Numbers { scaling: Part::Targets.take(path, beside)? })
    }
}
