//! Weights that PyTorch has trained, and files that it reads: `tests/data/torch` has both sides' story.

#[path = "../core/tests/common/mod.rs"]
mod common;

use std::path::{Path, PathBuf};

use common::{Folder, says};
use netform::data::InMemory;
use netform::dim::{Batch, D};
use netform::error::Error;
use netform::io::safetensors::{self, NamedTensor, Values};
use netform::loss::{CrossEntropy, Loss};
use netform::network;
use netform::network::Network;
use netform::optim::Adam;
use netform::random::Seed;
use netform::tensor::Tensor;
use netform::train::Trainer;
use netform::weights::{StateDict, Weights};

network! {
    /// Layers of images.
    pub Images: [3, 8, 8] -> [5] {
        conv1: Conv2d(4, kernel = 3, padding = 1, bias = false), bn1: BatchNorm2d, Relu, MaxPool2d(2),
        up: ConvTranspose2d(6, kernel = 2, stride = 2), norm: GroupNorm(2), Relu,
        conv2: Conv2d(4, kernel = 3, groups = 2),
        Flatten,
        fc1: Linear(7), bn2: BatchNorm1d, Relu,
        fc2: Linear(5),
    }

    /// Layers of sequences; the names are those of the module in PyTorch.
    pub Tokens: u32[6] -> [3] {
        emb: Embedding(11, features = 8),
        attn: MultiHeadAttention(2),
        norm: LayerNorm,
        gru: Gru(5),
        lstm: Lstm(4, last = true),
        fc: Linear(3),
    }

    /// Other classes of the same images.
    pub Pair: [3, 8, 8] -> [2] {
        conv1: Conv2d(4, kernel = 3, padding = 1, bias = false), bn1: BatchNorm2d, Relu,
        Flatten,
        out: Linear(2),
    }

    /// A network around another.
    pub Around: [3, 8, 8] -> [3] { pair: Pair, fc: Linear(3) }
}

/// How the layers of PyTorch's `Sequential`s are called here.
fn sequential() -> StateDict {
    StateDict::new()
        .rename("features.0", "conv1")
        .rename("features.1", "bn1")
        .rename("features.4", "up")
        .rename("features.5", "norm")
        .rename("features.7", "conv2")
        .rename("head.1", "fc1")
        .rename("head.2", "bn2")
        .rename("head.4", "fc2")
}

fn fixture(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/torch");
    Path::new(folder).join(format!("{name}.safetensors"))
}

/// A tensor of the file of inputs and outputs.
fn case(name: &str) -> Values {
    let tensors = safetensors::read(fixture("cases")).unwrap().tensors;
    tensors.into_iter().find(|tensor| tensor.name == name).unwrap().data
}

fn images() -> Vec<f32> {
    case("images.inputs").to_floats()
}

fn tokens() -> Vec<u32> {
    let Values::I32(ids) = case("tokens.inputs") else { panic!("expected integers") };
    ids.into_iter().map(|id| id as u32).collect()
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

fn outputs_of_images(net: &Images) -> Vec<f32> {
    let x = Tensor::<(Batch, D<3>, D<8>, D<8>)>::from_vec(images()).unwrap();
    net.forward(&x).unwrap().to_vec()
}

fn outputs_of_tokens(net: &Tokens) -> Vec<f32> {
    let x = Tensor::<(Batch, D<6>), u32>::from_vec(tokens()).unwrap();
    net.forward(&x).unwrap().to_vec()
}

#[test]
fn what_pytorch_has_trained_gives_its_outputs() {
    let mut net = Images::new(Seed(1));
    sequential().load(&mut net, fixture("images")).unwrap();
    assert_close(&outputs_of_images(&net), &case("images.outputs").to_floats::<f32>());

    let mut net = Tokens::new(Seed(1));
    net.load(fixture("tokens")).unwrap();
    assert_close(&outputs_of_tokens(&net), &case("tokens.outputs").to_floats::<f32>());
}

/// Everything of the file but the counters of batches, and those apart.
fn contents(path: &Path) -> (Vec<NamedTensor>, Vec<NamedTensor>) {
    let mut tensors = safetensors::read(path).unwrap().tensors;
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors.into_iter().partition(|tensor| !tensor.name.ends_with("num_batches_tracked"))
}

#[test]
fn what_was_read_is_written_as_pytorch_does() {
    let folder = Folder::new("torch-same");
    let path = folder.0.join("back.safetensors");
    let mut net = Images::new(Seed(1));
    sequential().load(&mut net, fixture("images")).unwrap();
    sequential().save(&net, &path).unwrap();
    let (tensors, counters) = contents(&path);
    let (theirs, their_counters) = contents(&fixture("images"));
    assert_eq!(tensors, theirs);
    for (counter, theirs) in counters.iter().zip(&their_counters) {
        assert_eq!((&counter.name, &counter.shape), (&theirs.name, &theirs.shape));
        assert_eq!(counter.data, Values::I64(vec![0]), "this network has made no step");
    }
    assert_eq!(counters.len(), their_counters.len());
    assert_eq!(safetensors::read(&path).unwrap().metadata["format"], "pt");
}

/// Trains a network some steps on.
fn train<N: Network>(net: &mut N, inputs: Vec<N::InputElement>, labels: Vec<u32>)
where
    CrossEntropy: Loss<N::Elem, N::Output, (), u32>,
{
    let data = InMemory::<N::Input, (), _>::new(inputs, labels).unwrap();
    let before = net.to_bytes().unwrap();
    Trainer::new(CrossEntropy, Adam::new(0.02)).epochs(4).batch(5).fit(net, &data).unwrap();
    assert_ne!(net.to_bytes().unwrap(), before);
}

/// Trains PyTorch's networks on and writes them for `make.py --check`, into the folder that `NETFORM_KEEP` names.
#[test]
fn what_was_trained_on_comes_back() {
    let folder = Folder::new("torch-back");
    let kept = std::env::var_os("NETFORM_KEEP").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(&folder.0);
    std::fs::create_dir_all(folder).unwrap();

    let mut images_net = Images::new(Seed(1));
    sequential().load(&mut images_net, fixture("images")).unwrap();
    train(&mut images_net, images(), vec![1, 1, 2, 0, 4]);
    let mut tokens_net = Tokens::new(Seed(1));
    StateDict::new().load(&mut tokens_net, fixture("tokens")).unwrap();
    train(&mut tokens_net, tokens(), vec![1, 1, 2, 0, 2]);

    let path = folder.join("images.safetensors");
    sequential().save(&images_net, &path).unwrap();
    StateDict::new().save(&tokens_net, folder.join("tokens.safetensors")).unwrap();
    let tensor = |name: &str, columns: usize, outputs: Vec<f32>| NamedTensor {
        name: name.to_owned(),
        shape: vec![outputs.len() / columns, columns],
        data: Values::F32(outputs),
    };
    let outputs = [
        tensor("images", 5, outputs_of_images(&images_net)),
        tensor("tokens", 3, outputs_of_tokens(&tokens_net)),
    ];
    safetensors::write(folder.join("outputs.safetensors"), &outputs, &Default::default()).unwrap();

    let (_, counters) = contents(&path);
    assert!(counters.iter().all(|counter| counter.data == Values::I64(vec![4])));
    let mut again = Images::new(Seed(2));
    sequential().load(&mut again, &path).unwrap();
    assert_eq!(again.to_bytes().unwrap(), images_net.to_bytes().unwrap());
}

#[test]
fn what_does_not_fit_is_listed_with_both_names() {
    let mut net = Images::new(Seed(1));
    let before = net.to_bytes().unwrap();
    let outcome = net.load(fixture("images"));
    says(
        outcome,
        &[
            "`conv1.weight` is missing: expected shape [4, 3, 3, 3]",
            "`features.0.weight` is not a tensor of the network: found shape [4, 3, 3, 3]",
        ],
    );
    let outcome = StateDict::new()
        .rename("features.0", "conv1")
        .rename("features.7", "conv1")
        .rename("head.4", "fc1")
        .load(&mut net, fixture("images"));
    assert!(matches!(outcome, Err(Error::Weights { .. })));
    says(
        outcome,
        &[
            "`conv1.weight` is the name given to several tensors of the file",
            "`fc1.weight` (`head.4.weight` in the file) has another shape: expected [7, 144], found [5, 7]",
            "`fc2.bias` is missing: expected shape [5]",
        ],
    );
    // The same file with a part that the network has no use for.
    let dict = sequential().ignore("head.4");
    says(dict.load(&mut net, fixture("images")), &["`fc2.weight` (`head.4.weight` in the file)"]);
    assert_eq!(net.to_bytes().unwrap(), before);
    says(StateDict::new().load(&mut net, "none.safetensors"), &["none.safetensors: "]);
    let folder = Folder::new("torch-twice");
    let twice = StateDict::new().rename("a", "fc1").rename("a", "fc2");
    says(twice.save(&net, folder.0.join("twice")), &["a tensor named `a."]);
    assert!(!folder.0.join("twice").exists());
}

fn parameters(net: &Pair, layer: &str) -> Vec<NamedTensor> {
    let mut tensors = safetensors::from_bytes(&net.to_bytes().unwrap(), "memory").unwrap().tensors;
    tensors.retain(|tensor| tensor.name.starts_with(layer));
    tensors
}

#[test]
fn some_layers_are_taken_and_frozen_and_the_rest_learns() {
    let dict = sequential();
    let mut net = Pair::new(Seed(1));
    let fresh = parameters(&net, "out");
    let report = dict.load_some(&mut net, fixture("images"), ["conv1", "bn1"]).unwrap();
    let expected =
        ["conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"];
    assert_eq!(report.loaded, expected);
    assert_eq!(report.kept, ["out.weight", "out.bias"]);
    assert!(report.unused.iter().any(|name| name == "features.4.weight"), "{report}");
    assert!(!report.unused.iter().any(|name| name == "features.0.weight"), "{report}");
    assert_eq!(parameters(&net, "out"), fresh);
    let (theirs, _) = contents(&fixture("images"));
    let conv = theirs.iter().find(|tensor| tensor.name == "features.0.weight").unwrap();
    assert_eq!(parameters(&net, "conv1")[0].data, conv.data);

    let before = [parameters(&net, "conv1"), parameters(&net, "bn1")];
    let data = InMemory::<(D<3>, D<8>, D<8>)>::new(images(), vec![0, 1, 1, 0, 1]).unwrap();
    let history = Trainer::new(CrossEntropy, Adam::new(0.01))
        .epochs(30)
        .batch(2)
        .freeze("conv1")
        .freeze("bn1")
        .fit(&mut net, &data)
        .unwrap();
    assert_eq!([parameters(&net, "conv1"), parameters(&net, "bn1")], before, "bit for bit");
    assert_ne!(parameters(&net, "out"), fresh);
    let losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.train_loss).collect();
    assert!(losses[29] < 0.2 * losses[0], "{losses:?}");
}

#[test]
fn elements_that_no_network_has_are_left_out() {
    let folder = Folder::new("torch-mask");
    let mut net = Pair::new(Seed(1));
    // The file that the network writes, with a BOOL of three elements behind its own.
    let good = net.to_bytes().unwrap();
    let (length, rest) = good.split_first_chunk::<8>().unwrap();
    let (header, elements) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mask = format!(
        r#"{{"attn.mask":{{"dtype":"BOOL","shape":[3],"data_offsets":[{0},{1}]}},"#,
        elements.len(),
        elements.len() + 3
    );
    let header = std::str::from_utf8(header).unwrap().replacen('{', &mask, 1);
    let length = (header.len() as u64).to_le_bytes();
    let bytes = [&length[..], header.as_bytes(), elements, &[1, 0, 1]].concat();
    let file = folder.file("mask.safetensors", &bytes);

    net.set_parameter("out.bias", &[5.0, 6.0]).unwrap();
    let error = &["tensor `attn.mask`", "type BOOL", "`StateDict::ignore` leaves it out"];
    says(StateDict::new().load(&mut net, &file), error);
    assert_eq!(net.parameter("out.bias").unwrap(), [5.0, 6.0]);
    let report = net.load_some(&file, ["conv1"]).unwrap();
    assert!(report.unused.iter().any(|name| name == "attn.mask"), "{report}");
    assert_eq!(net.parameter("out.bias").unwrap(), [5.0, 6.0]);
    StateDict::new().ignore("*.mask").load(&mut net, &file).unwrap();
    assert_eq!(net.to_bytes().unwrap(), good);
    // A weight of such a type is none.
    says(StateDict::new().rename("attn.mask", "out.bias").load(&mut net, &file), error);
}

#[test]
fn what_is_chosen_must_be_there() {
    let mut net = Pair::new(Seed(1));
    let before = net.to_bytes().unwrap();
    says(net.load_some(fixture("images"), ["conv2"]), &["`conv2`", "it has conv1.weight"]);
    says(net.load_some(fixture("images"), ["conv1"]), &["`conv1.weight` is missing"]);
    let dict = StateDict::new().rename("head.1", "out");
    says(
        dict.load_some(&mut net, fixture("images"), ["*.bias"]),
        &["`bn1.bias` is missing", "`out.bias` (`head.1.bias` in the file) has another shape"],
    );
    assert_eq!(net.to_bytes().unwrap(), before);
}

#[test]
fn a_part_of_another_network_is_copied() {
    let pixels = (0..4 * 192).map(|i| (i as f32 * 0.7).sin()).collect();
    let images = InMemory::<(D<3>, D<8>, D<8>)>::new(pixels, vec![0, 1, 2, 0]).unwrap();
    let (mut around, mut pair) = (Around::new(Seed(1)), Pair::new(Seed(2)));
    // So that the running statistics, too, are no longer those of every new network.
    Trainer::new(CrossEntropy, Adam::new(0.1)).fit(&mut around, &images).unwrap();
    pair.copy_part(&around, "pair").unwrap();
    let tensors = |bytes: Vec<u8>| safetensors::from_bytes(&bytes, "weights").unwrap().tensors;
    let whole = tensors(around.to_bytes().unwrap());
    for tensor in tensors(pair.to_bytes().unwrap()) {
        let name = format!("pair.{}", tensor.name);
        assert!(whole.contains(&NamedTensor { name, ..tensor.clone() }), "{}", tensor.name);
    }

    let before = pair.to_bytes().unwrap();
    says(pair.copy_part(&around, "fc2"), &["`fc2`", "it has pair.conv1.weight"]);
    says(pair.copy_part(&around, "fc"), &["`conv1.weight` is missing", "`weight` is not a tensor"]);
    assert_eq!(pair.to_bytes().unwrap(), before);
}
