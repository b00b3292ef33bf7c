//! The file of a model: its weights under their names, scalings beside them, and in the header what they are of.

use std::path::Path;

use super::{BATCH, Model, Task};
use crate::data::Scaling;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::InputElement;
use crate::io::header::Header;
use crate::io::safetensors::{self, Contents, NamedTensor};
use crate::network::{Network, build};
use crate::random::Seed;
use crate::shape::SampleShape;
use crate::weights::{BESIDE, check, tensors, write};

/// The version of the file that is written, and the only one that is read.
const VERSION: u64 = 1;
/// The entry of the header that says it is such a file.
const MARK: &str = "netform.model";

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
    for (name, value) in N::SETTINGS.iter().zip(model.net.store().settings) {
        header.set(&format!("setting.{name}"), value);
    }
    header.set("task", T::NAMES.0);
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
    let task = T::read(path, &header, &beside)?;
    let mut net: N = build(device, Seed(0))?;
    for name in N::SETTINGS {
        net.set(name, header.get(path, &format!("setting.{name}"))?)?;
    }
    write(&mut net, &weights)?;
    Ok(Model { net, scaling, task, batch: BATCH })
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
            let problem = format!("a model of another network: expected {expected}, found {found}");
            return error(what, problem);
        }
    }
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
