//! A network's weights by name: one at a time, and all of them as a safetensors file with PyTorch's
//! names and layouts.

mod state_dict;

use std::collections::BTreeMap;
use std::path::Path;

use crate::device::Memory;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::io::safetensors::{self, NamedTensor, Values};
use crate::io::write_atomically;
use crate::module::Module;
use crate::network::{ParamSpec, Store, build, check_choice};
use crate::random::Seed;

pub use state_dict::{Loaded, StateDict};

/// The beginning of the names of tensors that a saved training has beside the weights; no parameter's name has a slash.
pub(crate) const BESIDE: &str = "netform/";

/// Whether a tensor is no weight: part of a saved training, or PyTorch's counter of batches beside running statistics, which belongs to no formula
/// of ours: files may have it or not.
fn ignored<N: Module>(name: &str) -> bool {
    let layer = name.strip_suffix(state_dict::COUNTER);
    name.starts_with(BESIDE)
        || layer.is_some_and(|layer| N::STATES.iter().any(|state| state.name.starts_with(layer)))
}

/// The weights of a network by name, in files and in memory.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::random::Seed;
/// use netform::weights::Weights;
///
/// let mut net = Net::new(Seed(1));
/// let bytes = net.to_bytes()?;
/// net.set_parameter("fc1.bias", &[0.5, -0.5])?;
/// assert_eq!(net.parameter("fc1.bias")?, [0.5, -0.5]);
/// net.load_bytes(&bytes)?;
/// assert_ne!(net.parameter("fc1.bias")?, [0.5, -0.5]);
/// # Ok(())
/// # }
/// ```
pub trait Weights: Module {
    /// Writes the weights and the running statistics to a safetensors file, whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written, or the device is lost.
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path, &self.to_bytes()?)
    }

    /// Reads the weights from a safetensors file. F32, F64, F16 and BF16 become the network's element type.
    ///
    /// # Errors
    /// If the file cannot be read, or [`Error::Weights`] with every tensor that is missing, not the
    /// network's or of another shape. The network keeps its old values then.
    fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        replace(self, safetensors::read(path)?.tensors)
    }

    /// Reads from a safetensors file those weights and running statistics that are chosen, by name as in
    /// [`Rules`](crate::update::Rules); [`StateDict::load_some`] does it where names differ.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! {
    /// #     Pretrained: [4] -> [9] { fc1: Linear(8), Relu, fc2: Linear(9) }
    /// #     Net: [4] -> [2] { fc1: Linear(8), Relu, fc2: Linear(2) }
    /// # }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed, train::Trainer};
    /// # use netform::weights::Weights;
    /// # let data = InMemory::<(D<4>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![1])?;
    /// # let file = std::env::temp_dir().join(format!("netform-doc-some-{}", std::process::id()));
    /// # Pretrained::new(Seed(1)).save(&file)?;
    /// let mut net = Net::new(Seed(1));
    /// println!("{}", net.load_some(&file, ["fc1"])?);
    /// // The rest learns.
    /// Trainer::new(CrossEntropy, Adam::new(1e-2)).freeze("fc1").fit(&mut net, &data)?;
    /// # std::fs::remove_file(file).ok();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`StateDict::load_some`].
    fn load_some(
        &mut self,
        path: impl AsRef<Path>,
        chosen: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Loaded> {
        StateDict::new().load_some(self, path, chosen)
    }

    /// Copies the weights and the running statistics of a part of another network, which may be on another device: of
    /// the network that is called `part` in its declaration.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! {
    /// #     Encoder: [4] -> [2] { fc1: Linear(2) }
    /// #     Net: [4] -> [3] { encoder: Encoder, fc2: Linear(3) }
    /// # }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{random::Seed, weights::Weights};
    /// let (net, mut encoder) = (Net::new(Seed(1)), Encoder::new(Seed(2)));
    /// encoder.copy_part(&net, "encoder")?;
    /// assert_eq!(encoder.parameter("fc1.bias")?, net.parameter("encoder.fc1.bias")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the other network has no such part, [`Error::Weights`] where the part is not such a network, or a device is
    /// lost. The network keeps its old values then.
    fn copy_part<M: Module<Elem = Self::Elem>>(&mut self, whole: &M, part: &str) -> Result<()> {
        check_choice::<M>([part])?;
        let inside = |tensor: NamedTensor| {
            let name = tensor.name.strip_prefix(part)?.strip_prefix('.')?.to_owned();
            Some(NamedTensor { name, ..tensor })
        };
        replace(self, tensors(whole)?.into_iter().filter_map(inside).collect())
    }

    /// The bytes of the file that [`Weights::save`] writes.
    ///
    /// # Errors
    /// If the device is lost.
    fn to_bytes(&self) -> Result<Vec<u8>> {
        safetensors::to_bytes(&tensors(self)?, &BTreeMap::new())
    }

    /// Reads the weights from the bytes of a safetensors file.
    ///
    /// # Errors
    /// As [`Weights::load`].
    fn load_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        replace(self, safetensors::from_bytes(bytes, "weights in memory")?.tensors)
    }

    /// The values of the parameter called `name`, in row order.
    ///
    /// # Errors
    /// If there is no such parameter, or the device is lost.
    fn parameter(&self, name: &str) -> Result<Vec<Self::Elem>> {
        let spec = find::<Self>(name)?;
        let mut values = vec![Self::Elem::ZERO; spec.numel()];
        let store = self.store();
        store.device.read(&store.params, spec.offset, &mut values)?;
        Ok(values)
    }

    /// Gives the parameter called `name` new values, in row order.
    ///
    /// # Errors
    /// If there is no such parameter, it has another number of values, or the device is lost.
    fn set_parameter(&mut self, name: &str, values: &[Self::Elem]) -> Result<()> {
        let spec = find::<Self>(name)?;
        if values.len() != spec.numel() {
            return Err(Error::Size {
                what: format!("parameter `{name}` of network `{}`", Self::NAME),
                expected: format!("{} values for its shape {:?}", spec.numel(), spec.shape),
                found: values.len().to_string(),
            });
        }
        let store = self.store_mut();
        store.device.write(&mut store.params, spec.offset, values)
    }
}

impl<N: Module> Weights for N {}

/// A network with weights from the bytes of a safetensors file.
///
/// # Errors
/// As [`Weights::load`], or if the device has not enough memory.
#[doc(hidden)]
pub fn from_bytes<N: Module>(bytes: &[u8], device: N::Device) -> Result<N> {
    let mut net: N = build(device, Seed(0))?;
    net.load_bytes(bytes)?;
    Ok(net)
}

/// The parameter called `name`.
pub(crate) fn find<N: Module>(name: &str) -> Result<&'static ParamSpec> {
    N::PARAMS.iter().find(|spec| spec.name == name).ok_or_else(|| {
        let names: Vec<&str> = N::PARAMS.iter().map(|spec| spec.name).collect();
        let known = match names.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has {}", names.join(", ")),
        };
        Error::Invalid(format!("network `{}` has no parameter `{name}`; {known}", N::NAME))
    })
}

/// Weights and running statistics, as a file holds them.
pub(crate) fn tensors<N: Module>(net: &N) -> Result<Vec<NamedTensor>> {
    let store = net.store();
    let mut tensors = named::<N>(N::PARAMS, &store.params, store)?;
    tensors.extend(named::<N>(N::STATES, &store.state, store)?);
    Ok(tensors)
}

/// The tensors that `specs` name in a buffer, as a file holds them.
fn named<N: Module>(
    specs: &[ParamSpec],
    buffer: &<N::Device as Memory>::Buffer<N::Elem>,
    store: &Store<N::Elem, N::Device>,
) -> Result<Vec<NamedTensor>> {
    let tensor = |spec: &ParamSpec| {
        let mut values = vec![N::Elem::ZERO; spec.numel()];
        store.device.read(buffer, spec.offset, &mut values)?;
        let data = Values::from_floats(&values);
        Ok(NamedTensor { name: spec.name.to_owned(), shape: spec.shape.to_vec(), data })
    };
    specs.iter().map(tensor).collect()
}

/// Replaces all weights by `tensors`, or none.
fn replace<N: Module>(net: &mut N, tensors: Vec<NamedTensor>) -> Result<()> {
    check::<N>(&tensors)?;
    write(net, &tensors)
}

/// That `tensors` are the weights of `N`.
pub(crate) fn check<N: Module>(tensors: &[NamedTensor]) -> Result<()> {
    let problems = find_problems::<N>(tensors, &|name| format!("`{name}`"));
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Weights { network: N::NAME, problems })
}

/// Replaces all weights by `tensors`, which have been checked.
pub(crate) fn write<N: Module>(net: &mut N, tensors: &[NamedTensor]) -> Result<()> {
    let store = net.store_mut();
    for tensor in tensors {
        let values: Vec<N::Elem> = match ignored::<N>(&tensor.name) {
            true => continue,
            false => tensor.data.to_floats(),
        };
        if let Some(spec) = spec(N::PARAMS, &tensor.name) {
            store.device.write(&mut store.params, spec.offset, &values)?;
        } else if let Some(spec) = spec(N::STATES, &tensor.name) {
            store.device.write(&mut store.state, spec.offset, &values)?;
        }
    }
    Ok(())
}

fn spec(specs: &'static [ParamSpec], name: &str) -> Option<&'static ParamSpec> {
    specs.iter().find(|spec| spec.name == name)
}

/// Why `tensors` are not the weights of `N`: nothing, if they are. `label` is a name as messages have it.
fn find_problems<N: Module>(
    tensors: &[NamedTensor],
    label: &dyn Fn(&str) -> String,
) -> Vec<String> {
    let mut problems = misfits::<N>(tensors, &|_| true, label);
    let mut extra: Vec<&NamedTensor> = tensors
        .iter()
        .filter(|tensor| {
            let name = &tensor.name;
            spec(N::PARAMS, name).or(spec(N::STATES, name)).is_none() && !ignored::<N>(name)
        })
        .collect();
    extra.sort_by_key(|tensor| &tensor.name);
    problems.extend(extra.into_iter().map(|NamedTensor { name, shape, .. }| {
        format!("{} is not a tensor of the network: found shape {shape:?}", label(name))
    }));
    problems
}

/// Why some weights of `N`, those that are `wanted`, are not among `tensors`.
fn misfits<N: Module>(
    tensors: &[NamedTensor],
    wanted: &dyn Fn(&str) -> bool,
    label: &dyn Fn(&str) -> String,
) -> Vec<String> {
    let found: BTreeMap<&str, &NamedTensor> =
        tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let specs = N::PARAMS.iter().chain(N::STATES).filter(|spec| wanted(spec.name));
    let problem = |&ParamSpec { name, shape, .. }: &ParamSpec| match found.get(name) {
        None => Some(format!("{} is missing: expected shape {shape:?}", label(name))),
        Some(tensor) if tensor.shape != shape => Some(format!(
            "{} has another shape: expected {shape:?}, found {:?}",
            label(name),
            tensor.shape
        )),
        Some(tensor) if !is_float(&tensor.data) => Some(format!(
            "{} has another element type: expected floats, found {}",
            label(name),
            tensor.data.dtype()
        )),
        Some(_) => None,
    };
    specs.filter_map(problem).collect()
}

fn is_float(values: &Values) -> bool {
    matches!(values, Values::F32(_) | Values::F64(_) | Values::F16(_) | Values::BF16(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::testing::Line;

    fn line(seed: u64) -> Line {
        build(Cpu::default(), Seed(seed)).unwrap()
    }

    fn tensor(name: &str, shape: &[usize], data: Values) -> NamedTensor {
        NamedTensor { name: name.to_owned(), shape: shape.to_vec(), data }
    }

    #[test]
    fn weights_come_back_from_bytes() {
        let net = line(1);
        let bytes = net.to_bytes().unwrap();
        let mut other = line(2);
        assert_ne!(other.to_bytes().unwrap(), bytes);
        other.load_bytes(&bytes).unwrap();
        assert_eq!(other.to_bytes().unwrap(), bytes);
        let shipped: Line = from_bytes(&bytes, Cpu::default()).unwrap();
        assert_eq!(shipped.parameter("fc.weight").unwrap(), net.parameter("fc.weight").unwrap());
    }

    #[test]
    fn other_floats_and_counters_are_taken() {
        let tensors = [
            tensor("fc.weight", &[1, 2], Values::F64(vec![0.25, -2.0])),
            tensor("fc.bias", &[1], Values::BF16(vec![0x3f80])),
            tensor("seen.sum", &[1], Values::F16(vec![0x4000])),
            tensor("seen.num_batches_tracked", &[], Values::I64(vec![7])),
        ];
        let mut net = line(1);
        net.load_bytes(&safetensors::to_bytes(&tensors, &BTreeMap::new()).unwrap()).unwrap();
        assert_eq!(net.parameter("fc.weight").unwrap(), [0.25, -2.0]);
        assert_eq!(net.parameter("fc.bias").unwrap(), [1.0]);
        let mut sum = [0.0];
        net.store().device.read(&net.store().state, 0, &mut sum).unwrap();
        assert_eq!(sum, [2.0]);
    }

    #[test]
    fn every_problem_is_listed_and_nothing_changes() {
        let tensors = [
            tensor("fc.weight", &[2, 1], Values::F32(vec![1.0, 2.0])),
            tensor("fc.bias", &[1], Values::I32(vec![1])),
            tensor("fc2.weight", &[3], Values::F32(vec![0.0; 3])),
        ];
        let mut net = line(1);
        let before = net.to_bytes().unwrap();
        let bytes = safetensors::to_bytes(&tensors, &BTreeMap::new()).unwrap();
        let message = net.load_bytes(&bytes).unwrap_err().to_string();
        assert_eq!(
            message,
            "weights do not fit network `Line`; it keeps its old values:\n  \
             - `fc.weight` has another shape: expected [1, 2], found [2, 1]\n  \
             - `fc.bias` has another element type: expected floats, found I32\n  \
             - `seen.sum` is missing: expected shape [1]\n  \
             - `fc2.weight` is not a tensor of the network: found shape [3]"
        );
        assert_eq!(net.to_bytes().unwrap(), before);
    }

    #[test]
    fn parameters_by_name() {
        let mut net = line(1);
        net.set_parameter("fc.bias", &[4.0]).unwrap();
        assert_eq!(net.parameter("fc.bias").unwrap(), [4.0]);
        let message = net.parameter("fc.wieght").unwrap_err().to_string();
        assert_eq!(
            message,
            "network `Line` has no parameter `fc.wieght`; it has fc.weight, fc.bias"
        );
        let message = net.set_parameter("fc.weight", &[1.0]).unwrap_err().to_string();
        assert_eq!(
            message,
            "parameter `fc.weight` of network `Line`: expected 2 values for its shape [1, 2], found 1"
        );
    }
}
