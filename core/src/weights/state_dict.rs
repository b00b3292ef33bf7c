//! Files whose layers have other names, such as PyTorch's, and files of which some layers are wanted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::{find_problems, misfits, tensors, write};
use crate::error::{Error, Result};
use crate::io::safetensors::{self, NamedTensor, Values};
use crate::module::Module;
use crate::network::{ParamSpec, check_choice, chooses};

/// The last part of the name of PyTorch's counter of batches, beside running statistics.
pub(super) const COUNTER: &str = "num_batches_tracked";

/// PyTorch's `state_dict` in a safetensors file, and how its names differ from the network's.
///
/// Layouts are the same: [`Weights::load`](super::Weights::load) reads the file of a module whose layers have the
/// network's names. In PyTorch
/// [safetensors.torch](https://huggingface.co/docs/safetensors/api/torch) writes and reads it:
///
/// ```python
/// safetensors.torch.save_file(model.state_dict(), "digits.safetensors")
/// model.load_state_dict(safetensors.torch.load_file("digits.safetensors"))
/// ```
///
/// A `Sequential` numbers its layers, so that they get names here:
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(3), Relu, fc2: Linear(2) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::random::Seed;
/// use netform::weights::StateDict;
/// # let file = std::env::temp_dir().join(format!("netform-doc-dict-{}", std::process::id()));
///
/// let mut net = Net::new(Seed(1));
/// let names = StateDict::new().rename("0", "fc1").rename("2", "fc2");
/// names.save(&net, &file)?; // with the tensors `0.weight`, `0.bias`, `2.weight` and `2.bias`
/// names.load(&mut net, &file)?;
/// # std::fs::remove_file(file).ok();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict {
    /// The beginning of names in the file, and of the network's.
    renames: Vec<(String, String)>,
    ignored: Vec<String>,
}

/// What [`StateDict::load_some`] did, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The network's tensors that have values from the file.
    pub loaded: Vec<&'static str>,
    /// The network's tensors that have kept theirs.
    pub kept: Vec<&'static str>,
    /// The tensors of the file, under its names, that nothing was taken from.
    pub unused: Vec<String>,
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "loaded: {}", self.loaded.join(", "))?;
        writeln!(f, "kept:   {}", self.kept.join(", "))?;
        write!(f, "unused: {}", self.unused.join(", "))
    }
}

impl StateDict {
    /// A file with the network's names.
    pub fn new() -> Self {
        Self::default()
    }

    /// What begins with `theirs` in the file begins with `ours` in the network: a layer, a part of the network, or a
    /// whole name. Nothing, `""`, stands before every name. Where several fit a name, the longest counts.
    #[must_use]
    pub fn rename(mut self, theirs: impl Into<String>, ours: impl Into<String>) -> Self {
        self.renames.push((theirs.into(), ours.into()));
        self
    }

    /// Leaves tensors of the file out, which are chosen by its names as in [`Rules`](crate::update::Rules):
    /// `head`, `*.attn.mask`. They may be of types that no network has, such as BOOL.
    #[must_use]
    pub fn ignore(mut self, theirs: impl Into<String>) -> Self {
        self.ignored.push(theirs.into());
        self
    }

    /// Replaces all weights and running statistics of `net` by the file's, as `load_state_dict(.., strict=True)` does.
    ///
    /// # Errors
    /// If the file cannot be read, or [`Error::Weights`] with every tensor that is missing, not the network's or of
    /// another shape. The network keeps its old values then.
    #[doc(alias = "from_torch")]
    #[doc(alias = "load_state_dict")]
    pub fn load<N: Module>(&self, net: &mut N, path: impl AsRef<Path>) -> Result<()> {
        let renamed = self.read(path.as_ref(), &|_| true)?;
        let mut problems = renamed.twice::<N>();
        problems.extend(find_problems::<N>(&renamed.tensors, &|name| self.label(name)));
        fits::<N>(problems)?;
        write(net, &renamed.tensors)
    }

    /// Replaces those weights and running statistics of `net` that are chosen, by name as in
    /// [`Rules`](crate::update::Rules), by the file's: what another network has learned, as a beginning.
    ///
    /// # Errors
    /// If a name chooses nothing, the file cannot be read, or [`Error::Weights`] with every tensor chosen that is
    /// missing in the file or has another shape. The network keeps its old values then.
    pub fn load_some<N: Module>(
        &self,
        net: &mut N,
        path: impl AsRef<Path>,
        chosen: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Loaded> {
        let chosen: Vec<_> = chosen.into_iter().collect();
        check_choice::<N>(&chosen)?;
        let is_chosen = |name: &str| chosen.iter().any(|chosen| chooses(chosen.as_ref(), name));
        let renamed = self.read(path.as_ref(), &is_chosen)?;
        let mut problems = renamed.twice::<N>();
        problems.extend(misfits::<N>(&renamed.tensors, &is_chosen, &|name| self.label(name)));
        fits::<N>(problems)?;
        write(net, &renamed.tensors)?;
        let (loaded, kept) = names::<N>().partition::<Vec<_>, _>(|name| is_chosen(name));
        let mut unused = renamed.theirs;
        unused.retain(|theirs| !loaded.contains(&&*self.ours(theirs)));
        Ok(Loaded { loaded, kept, unused })
    }

    /// Writes the weights and running statistics of `net` under the file's names, so that `load_state_dict` takes them
    /// all. Beside running statistics is PyTorch's counter of batches, of this network's training steps.
    ///
    /// # Errors
    /// If two tensors would have the same name, the file cannot be written, or the device is lost.
    #[doc(alias = "to_torch")]
    #[doc(alias = "state_dict")]
    pub fn save<N: Module>(&self, net: &N, path: impl AsRef<Path>) -> Result<()> {
        let mut all = tensors(net)?;
        let steps = i64::try_from(net.store().steps).unwrap_or(i64::MAX);
        for layer in N::STATES.iter().filter_map(|state| state.name.strip_suffix("running_mean")) {
            let (name, data) = (format!("{layer}{COUNTER}"), Values::I64(vec![steps]));
            all.push(NamedTensor { name, shape: vec![], data });
        }
        for tensor in &mut all {
            tensor.name = self.theirs(&tensor.name);
        }
        // What PyTorch's own writer says of its files; some readers ask for it.
        let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::write(path, &all, &metadata)
    }

    /// The file's tensors that are `wanted`, by the network's names, and not ignored.
    fn read(&self, path: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Renamed> {
        let is_ignored = |theirs: &str| self.ignored.iter().any(|chosen| chooses(chosen, theirs));
        let is_read = |theirs: &str| !is_ignored(theirs) && wanted(&self.ours(theirs));
        let (mut tensors, mut theirs) = safetensors::read_wanted(path, &is_read)?;
        theirs.retain(|theirs| !is_ignored(theirs));
        for tensor in &mut tensors {
            tensor.name = self.ours(&tensor.name);
        }
        Ok(Renamed { tensors, theirs })
    }

    fn ours(&self, theirs: &str) -> String {
        renamed(theirs, self.renames.iter().map(|(theirs, ours)| (&**theirs, &**ours)))
    }

    fn theirs(&self, ours: &str) -> String {
        renamed(ours, self.renames.iter().map(|(theirs, ours)| (&**ours, &**theirs)))
    }

    /// A tensor of the network in messages.
    fn label(&self, ours: &str) -> String {
        match self.theirs(ours) {
            theirs if theirs == ours => format!("`{ours}`"),
            theirs => format!("`{ours}` (`{theirs}` in the file)"),
        }
    }
}

/// What was read of a file.
struct Renamed {
    /// The tensors that are wanted, under the network's names.
    tensors: Vec<NamedTensor>,
    /// The names of all that are not ignored, as the file has them.
    theirs: Vec<String>,
}

impl Renamed {
    /// The network's tensors that two of the file were renamed to.
    fn twice<N: Module>(&self) -> Vec<String> {
        let count = |name: &str| self.tensors.iter().filter(|tensor| tensor.name == name).count();
        let twice = names::<N>().filter(|name| count(name) > 1);
        twice
            .map(|name| format!("`{name}` is the name given to several tensors of the file"))
            .collect()
    }
}

fn names<N: Module>() -> impl Iterator<Item = &'static str> {
    let specs: [&'static [ParamSpec]; 2] = [N::PARAMS, N::STATES];
    specs.into_iter().flatten().map(|spec| spec.name)
}

fn fits<N: Module>(problems: Vec<String>) -> Result<()> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Error::Weights { network: N::NAME, problems }),
    }
}

/// `name` with the longest beginning that one of the pairs has exchanged.
fn renamed<'a>(name: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rest = |from: &str| match name.strip_prefix(from)? {
        rest if from.is_empty() || rest.is_empty() => Some(rest),
        rest => rest.strip_prefix('.'),
    };
    let fitting = pairs.filter_map(|(from, to)| Some((from.len(), to, rest(from)?)));
    match fitting.max_by_key(|(len, ..)| *len) {
        None => name.to_owned(),
        Some((_, to, rest)) if to.is_empty() || rest.is_empty() => format!("{to}{rest}"),
        Some((_, to, rest)) => format!("{to}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exchanged_by_whole_parts() {
        let dict = StateDict::new()
            .rename("features", "conv")
            .rename("features.0", "first")
            .rename("rnn.weight_ih_l1", "rnn2.weight_ih_l0");
        for (theirs, ours) in [
            ("features.0.weight", "first.weight"),
            ("features.01.weight", "conv.01.weight"),
            ("features.bias", "conv.bias"),
            ("features10.bias", "features10.bias"),
            ("rnn.weight_ih_l1", "rnn2.weight_ih_l0"),
            ("rnn.weight_ih_l0", "rnn.weight_ih_l0"),
        ] {
            assert_eq!(dict.ours(theirs), ours);
            assert_eq!(dict.theirs(ours), theirs);
        }
        let inside = StateDict::new().rename("model", "").rename("", "other");
        assert_eq!(inside.ours("model.fc.weight"), "fc.weight");
        assert_eq!(inside.ours("fc.weight"), "other.fc.weight");
        assert_eq!(inside.theirs("other.fc.weight"), "fc.weight");
        assert_eq!(inside.theirs("fc.weight"), "model.fc.weight");
    }
}
