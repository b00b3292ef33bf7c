//! The file of a model: its weights under their names, scalings beside them, and in the header what they are of.

use std::path::Path;

use super::{BATCH, Model, Task};
use crate::data::{Columns, Scaling};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::InputElement;
use crate::io::header::Header;
use crate::io::safetensors::{self, Contents, NamedTensor};
use crate::network::{LayerSpec, Network, build};
use crate::random::Seed;
use crate::shape::{SampleShape, Shape};
use crate::weights::{BESIDE, check, tensors, write};

/// The version of the file that is written, and the only one that is read.
const VERSION: u64 = 2;
/// The entry of the header that says it is such a file.
const MARK: &str = "netform.model";

/// The entry of the header with the layers, in the order of the declaration.
const LAYERS: &str = "layers";

/// The entry of the header with the columns that inputs are made of; there may be none.
const COLUMNS: &str = "columns";

/// What a scaling is of.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Inputs,
    Targets,
}

impl Part {
    /// The beginning of the names of its tensors.
    fn prefix(self) -> String {
        match self {
            Part::Inputs => format!("{BESIDE}inputs."),
            Part::Targets => format!("{BESIDE}targets."),
        }
    }

    pub fn put<X: SampleShape, E: Float>(
        self,
        scaling: Option<&Scaling<X, E>>,
        beside: &mut Vec<NamedTensor>,
    ) {
        for mut tensor in scaling.into_iter().flat_map(Scaling::to_tensors) {
            tensor.name.insert_str(0, &self.prefix());
            beside.push(tensor);
        }
    }

    pub fn take<X: SampleShape, E: Float>(
        self,
        path: &Path,
        beside: &[NamedTensor],
    ) -> Result<Option<Scaling<X, E>>> {
        let prefix = self.prefix();
        let own = beside.iter().filter_map(|tensor| {
            let name = tensor.name.strip_prefix(&prefix)?.to_owned();
            Some(NamedTensor { name, ..tensor.clone() })
        });
        let own: Vec<NamedTensor> = own.collect();
        match own.is_empty() {
            true => Ok(None),
            false => Scaling::from_tensors(&own, path).map(Some),
        }
    }
}

pub(super) fn to_bytes<N: Network, T: Task<N>>(model: &Model<N, T>) -> Result<Vec<u8>> {
    let mut all = tensors(&model.net)?;
    let mut header = Header::default();
    header.set(MARK, VERSION);
    header.set("netform.version", env!("CARGO_PKG_VERSION"));
    header.set("network", N::NAME);
    header.set("input", N::INPUTS[0]);
    header.set("output", N::OUTPUTS[0]);
    header.set(LAYERS, serde_json::json!(layers::<N>()));
    for (name, value) in N::SETTINGS.iter().zip(model.net.store().settings) {
        header.set(&format!("setting.{name}"), value);
    }
    header.set("task", T::NAMES.0);
    if let Some(columns) = &model.columns {
        header.set(COLUMNS, columns.to_json());
    }
    Part::Inputs.put(model.scaling.as_ref(), &mut all);
    model.task.write(&mut header, &mut all);
    safetensors::to_bytes(&all, &header.0)
}

pub(super) fn from_contents<N: Network, T: Task<N>>(
    contents: Contents,
    path: &Path,
    device: N::Device,
) -> Result<Model<N, T>> {
    let Contents { tensors, metadata } = contents;
    let header = Header(metadata);
    check_kind::<N, T>(path, &header)?;
    let (beside, weights): (Vec<_>, Vec<_>) =
        tensors.into_iter().partition(|tensor| tensor.name.starts_with(BESIDE));
    check::<N>(&weights)?;
    let scaling: Option<Scaling<N::Input, N::Elem>> = Part::Inputs.take(path, &beside)?;
    if scaling.is_some() && N::InputElement::INTEGER {
        let problem = "found a scaling of inputs, but those of the network are integers";
        return Err(Error::format(path, "`inputs.scaling`", problem));
    }
    let columns = columns::<N>(path, &header)?;
    let task = T::read(path, &header, &beside)?;
    let mut net: N = build(device, Seed(0))?;
    for name in N::SETTINGS {
        net.set(name, header.get(path, &format!("setting.{name}"))?)?;
    }
    write(&mut net, &weights)?;
    Ok(Model { net, scaling, columns, task, batch: BATCH })
}

/// That the file is a model, of this version, network and task.
fn check_kind<N: Network, T: Task<N>>(path: &Path, header: &Header) -> Result<()> {
    let error = |name: &str, problem| Err(Error::format(path, format!("`{name}`"), problem));
    if !header.0.contains_key(MARK) {
        let problem = "this is not a file of `Model::save`: weights alone are read by `net.load`, from which `Classifier::new` or `Regressor::new` make a model";
        return error(MARK, problem.to_owned());
    }
    let version: String = header.get(path, MARK)?;
    if version != VERSION.to_string() {
        let by = header.get::<String>(path, "netform.version").unwrap_or("another version".into());
        return error(
            MARK,
            format!(
                "a model of format {version}, written by netform {by}, and this version of netform reads format {VERSION}; load it with the version that saved it, or take its weights: `net.load`"
            ),
        );
    }
    for (what, expected) in [
        ("network", N::NAME.to_owned()),
        ("input", N::INPUTS[0].to_string()),
        ("output", N::OUTPUTS[0].to_string()),
    ] {
        let found: String = header.get(path, what)?;
        if found != expected {
            let problem = format!(
                "a model of another network: expected {expected}, found {found}; `net.load` takes its weights where they fit"
            );
            return error(what, problem);
        }
    }
    check_layers::<N>(path, header)?;
    let task: String = header.get(path, "task")?;
    if task != T::NAMES.0 {
        let problem = format!(
            "found a model of {task}, expected one of {}, which is what a {} is",
            T::NAMES.0,
            T::NAMES.1
        );
        return error("task", problem);
    }
    Ok(())
}

/// What inputs are made of, where the file says it.
fn columns<N: Network>(path: &Path, header: &Header) -> Result<Option<Columns>> {
    if !header.0.contains_key(COLUMNS) {
        return Ok(None);
    }
    let text: String = header.get(path, COLUMNS)?;
    let error = |problem| Error::format(path, format!("`{COLUMNS}`"), problem);
    let columns = Columns::from_json(&text).map_err(error)?;
    check_columns::<N>(&columns).map_err(|problem| error(problem.to_string()))?;
    Ok(Some(columns))
}

/// That inputs have as many numbers as columns make.
pub(super) fn check_columns<N: Network>(columns: &Columns) -> Result<()> {
    if columns.len() == N::Input::NUMEL {
        return Ok(());
    }
    Err(Error::Size {
        what: format!("the columns of the inputs of network `{}`", N::NAME),
        expected: format!("{} numbers, {}", N::Input::NUMEL, N::Input::describe()),
        found: format!("{} ({columns})", columns.len()),
    })
}

/// The layers as they are declared: `fc1: Linear(16)`, `Relu`.
fn layers<N: Network>() -> Vec<String> {
    let named = |layer: &LayerSpec| match layer.name {
        "" => layer.text.to_owned(),
        name => format!("{name}: {}", layer.text),
    };
    N::LAYERS.iter().map(named).collect()
}

/// That the file's layers are the network's: others may have weights of the same shapes.
fn check_layers<N: Network>(path: &Path, header: &Header) -> Result<()> {
    let text: String = header.get(path, LAYERS)?;
    let error = |problem| Err(Error::format(path, format!("`{LAYERS}`"), problem));
    let Ok(found) = serde_json::from_str::<serde_json::Value>(&text) else {
        return error(format!("expected a list of layers in JSON, found `{text}`"));
    };
    let expected = layers::<N>();
    if found == serde_json::json!(expected) {
        return Ok(());
    }
    let found = found.as_array().map(Vec::as_slice).unwrap_or_default();
    let at = |i: usize| found.get(i).and_then(|layer| layer.as_str());
    let most = found.len().max(expected.len());
    let first = (0..most).find(|&i| at(i) != expected.get(i).map(String::as_str)).unwrap_or(0);
    let shown = |layer: Option<&str>| layer.map_or("none".to_owned(), |layer| format!("`{layer}`"));
    error(format!(
        "a model of other layers: layer {} is {} in the file and {} in the network; `net.load` takes its weights where they fit",
        first + 1,
        shown(at(first)),
        shown(expected.get(first).map(String::as_str))
    ))
}
