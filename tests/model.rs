//! Models: files of networks with scalings and names, what they predict, and files that are something else.

#[path = "../core/tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::{Folder, says};
use netform::cpu::Cpu;
use netform::data::{InMemory, Scaling};
use netform::dim::D;
use netform::error::Error;
use netform::io::safetensors::{self, Contents, NamedTensor, Values};
use netform::loss::{CrossEntropy, Mse};
use netform::model::{Classifier, Model, Outputs, Regressor};
use netform::module::Module;
use netform::network;
use netform::optim::Adam;
use netform::random::Seed;
use netform::train::Trainer;
use netform::weights::Weights;

network! {
    /// Three classes of points, with running statistics and a setting.
    pub Points(rate: f32): [2] -> [3] {
        fc1: Linear(8), norm: BatchNorm1d, Relu, Dropout(rate), fc2: Linear(3),
    }

    /// The same weights as `Fours`, of other inputs.
    pub Nines: [1, 9, 9] -> [2] { conv: Conv2d(2, kernel = 3), AdaptiveAvgPool2d(1), Flatten }

    /// The same weights as `Nines`, of other inputs.
    pub Fours: [1, 4, 4] -> [2] { conv: Conv2d(2, kernel = 3), AdaptiveAvgPool2d(1), Flatten }

    /// One number for each sample.
    pub One: [2] -> [1] { fc: Linear(1) }

    /// Two numbers for each sample.
    pub Two: [2] -> [2] { fc: Linear(2) }

    /// Its inputs.
    pub Bare: [3] -> [3] { LeakyRelu(1.0) }

    /// The weights of `Two`, with probabilities of its classes.
    pub Softly: [2] -> [2] { fc: Linear(2), Softmax }

    /// The weights of `Two`, with logarithms of its probabilities.
    pub Logs: [2] -> [2] { fc: Linear(2), LogSoftmax }

    /// The weights of `One`, with the probability of the second of two classes.
    pub Sure: [2] -> [1] { fc: Linear(1), Sigmoid }

    /// As `Sure`, as an expression.
    pub Surely: (x: [2]) -> [1] { let fc = Linear(1); sigmoid(fc(x)) }

    /// As `Sure`, which is a part of it, in another shape.
    pub Within: (x: [2]) -> [1] { let sure = Sure; sure(x).reshape([1, 1]).reshape([1]) }

    /// As `Softly`, as an expression.
    pub Softening: (x: [2]) -> [2] { let fc = Linear(2); softmax(fc(x), axis = -1) }

    /// As `Logs`, as an expression.
    pub Logging: (x: [2]) -> [2] { let fc = Linear(2); log_softmax(fc(x), axis = -1) }

    /// Its last layer is a sigmoid, and its outputs are not.
    pub Beside: [2] -> [2] { fc: Linear(2), Residual { Sigmoid } }

    /// The weights of `Two`, with numbers from 0 to 1 that are no probabilities of classes.
    pub Both: [2] -> [2] { fc: Linear(2), Sigmoid }

    /// The weights of `Smooth`.
    pub Sharp: [2] -> [2] { fc1: Linear(2), Relu, fc2: Linear(2) }

    /// The weights of `Sharp`.
    pub Smooth: [2] -> [2] { fc1: Linear(2), Tanh, fc2: Linear(2) }

    /// Classes of each position.
    pub Positions: u32[4] -> [4, 3] { emb: Embedding(5, features = 3) }

    /// Classes of sequences of tokens.
    pub Tokens: u32[4] -> [2] { emb: Embedding(5, features = 3), Flatten, fc: Linear(2) }
}

const NAMES: [&str; 3] = ["near", "middle", "far"];

/// Points at distances of about 100, 300 and 500.
fn points(n: usize) -> InMemory<(D<2>,)> {
    let class = |i: usize| i as u32 * 5 % 3;
    let inputs = (0..n).flat_map(|i| {
        let (angle, distance) = (i as f32 * 0.7, 100.0 + 200.0 * class(i) as f32);
        [(distance + 10.0 * (i as f32).sin()) * angle.cos().abs(), distance * angle.sin().abs()]
    });
    InMemory::new(inputs.collect(), (0..n).map(class).collect()).unwrap()
}

/// A model that has learned them.
fn trained() -> Classifier<Points> {
    let mut train = points(120);
    let scaling = Scaling::standard(&train).unwrap();
    scaling.apply(&mut train);
    let mut net = Points::new(Seed(1), 0.1);
    Trainer::new(CrossEntropy, Adam::new(0.02)).epochs(30).fit(&mut net, &train).unwrap();
    Classifier::new(net, NAMES).unwrap().scaling(scaling)
}

#[test]
fn a_model_comes_back_from_its_file_and_predicts_the_same() {
    let folder = Folder::new("model-back");
    let path = folder.0.join("points.safetensors");
    let model = trained();
    model.save(&path).unwrap();
    let loaded = Classifier::<Points>::load(&path).unwrap();
    assert_eq!(loaded.class_names(), NAMES);
    assert_eq!(loaded.net().setting("rate").unwrap(), model.net().setting("rate").unwrap());
    assert_eq!(loaded.to_bytes().unwrap(), model.to_bytes().unwrap());

    let test = points(50);
    let predictions = loaded.predict_data(&test).unwrap();
    assert_eq!(predictions, model.predict_data(&test).unwrap());
    let right = predictions.iter().zip(test.targets());
    let right = right.filter(|(prediction, label)| prediction.class() as u32 == **label).count();
    assert!(right > 45, "{right} of 50");

    let bytes = std::fs::read(&path).unwrap();
    let shipped = Classifier::<Points>::from_bytes(&bytes, Cpu::default()).unwrap();
    assert_eq!(shipped.predict_data(&test).unwrap(), predictions);
    // Its weights alone are those of a network.
    let mut net = Points::new(Seed(9), 0.0);
    net.load(&path).unwrap();
    assert_eq!(net.to_bytes().unwrap(), model.into_net().to_bytes().unwrap());

    let header = safetensors::read(&path).unwrap().metadata;
    assert_eq!(header["classes"], r#"["near","middle","far"]"#);
    assert_eq!(header["network"], "Points");
    assert_eq!(header["netform.version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn samples_come_in_any_form_and_number() {
    let model = trained();
    let test = points(50);
    let expected = model.predict_data(&test).unwrap();
    let samples = || test.inputs().chunks(2);
    assert_eq!(model.predict(samples()).unwrap(), expected);
    assert_eq!(model.predict(samples().map(<[f32]>::to_vec)).unwrap(), expected);
    // Neither the size of a batch nor what else is in it makes a difference.
    let model = model.batch(7);
    assert_eq!(model.predict(samples()).unwrap(), expected);
    let lazy = samples().filter(|sample| sample[0] >= 0.0);
    assert_eq!(model.predict(lazy).unwrap(), expected);
    for (sample, expected) in samples().zip(&expected).take(3) {
        assert_eq!(&model.predict([sample]).unwrap()[0], expected);
    }
    assert_eq!(model.predict(samples().take(14)).unwrap(), expected[..14], "two whole batches");
    let none: [[f32; 2]; 0] = [];
    assert!(model.predict(none).unwrap().is_empty());
    assert!(model.predict_data(&points(0)).unwrap().is_empty());

    says(model.predict([vec![0.0; 2], vec![0.0; 3]]), &["sample 2", "2 elements, [2]", "found 3"]);
    let ninth = (0..12).map(|i| [if i == 9 { f32::NAN } else { 0.0 }, 0.0]);
    says(model.predict(ninth), &["`Points` answers sample 10 with NaN", "not finite"]);
}

#[test]
fn probabilities_are_the_softmax_of_logits() {
    let bare =
        |outputs| Classifier::new(Bare::new(Seed(1)), ["a", "b", "c"]).unwrap().outputs(outputs);
    let logits = [1.0f32.ln() + 700.0, 3.0f32.ln() + 700.0, 2.0f32.ln() + 700.0];
    let prediction = &bare(Outputs::Logits).predict([logits]).unwrap()[0];
    for (found, expected) in prediction.probabilities().iter().zip([1.0, 3.0, 2.0]) {
        assert!((found - expected / 6.0).abs() < 1e-4, "{prediction:?}");
    }
    assert_eq!((prediction.class(), prediction.name()), (1, "b"));
    assert!((prediction.probability() - 0.5).abs() < 1e-4);
    assert_eq!(prediction.to_string(), "b (50.0%)");
    let names = |k| prediction.top(k).iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!((names(0), names(2), names(9)), (vec![], vec!["b", "c"], vec!["b", "c", "a"]));
    // The first of several that are equally probable.
    let all = bare(Outputs::Logits).predict([[2.0, 5.0, 5.0]]).unwrap();
    assert_eq!(all[0].top(2).iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["b", "c"]);

    let given = [0.125, 0.25, 0.625];
    let found = bare(Outputs::Probabilities).predict([given.map(|p| p as f32)]).unwrap();
    assert_eq!(found[0].probabilities(), given);
    let logs =
        bare(Outputs::LogProbabilities).predict([given.map(|p: f64| p.ln() as f32)]).unwrap();
    for (found, expected) in logs[0].probabilities().iter().zip(given) {
        assert!((found - expected).abs() < 1e-6);
    }
}

#[test]
fn one_output_tells_two_classes_apart() {
    let mut net = One::new(Seed(1));
    net.set_parameter("fc.weight", &[1.0, 0.0]).unwrap();
    net.set_parameter("fc.bias", &[0.0]).unwrap();
    let model = Classifier::new(net, ["no", "yes"]).unwrap();
    let found = model.predict([[3f32.ln(), 0.0], [-3f32.ln(), 0.0], [-800.0, 0.0]]).unwrap();
    for (prediction, (name, yes)) in found.iter().zip([("yes", 0.75), ("no", 0.25), ("no", 0.0)]) {
        assert_eq!(prediction.name(), name);
        let [first, second] = prediction.probabilities() else { panic!("{prediction:?}") };
        assert!((second - yes).abs() < 1e-6 && (first + second - 1.0).abs() < 1e-9);
    }
    let model = model.outputs(Outputs::Probabilities);
    assert_eq!(model.predict([[0.75, 0.0]]).unwrap()[0].probabilities(), [0.25, 0.75]);
    let bytes = model.to_bytes().unwrap();
    let loaded = Classifier::<One>::from_bytes(&bytes, Cpu::default()).unwrap();
    assert_eq!(loaded.predict([[0.75, 0.0]]).unwrap()[0].probability(), 0.75);
}

/// Its outputs are its inputs, and then what its last layer makes of them.
fn identity<N: Weights<Elem = f32>>(mut net: N) -> N {
    net.set_parameter("fc.weight", &[1.0, 0.0, 0.0, 1.0]).unwrap();
    net.set_parameter("fc.bias", &[0.0, 0.0]).unwrap();
    net
}

#[test]
fn the_end_of_the_graph_says_what_outputs_are() {
    fn of<N: Module>(_: &N) -> Outputs {
        N::OUTPUTS_ARE
    }
    let seed = Seed(1);
    assert_eq!(of(&Surely::new(seed)), Outputs::Probabilities);
    assert_eq!(of(&Within::new(seed)), Outputs::Probabilities);
    assert_eq!(of(&Softening::new(seed)), Outputs::Probabilities);
    assert_eq!(of(&Logging::new(seed)), Outputs::LogProbabilities);
    assert_eq!(of(&Beside::new(seed)), Outputs::Logits);
    assert_eq!(of(&Two::new(seed)), Outputs::Logits);
    let mut net = Surely::new(seed);
    net.set_parameter("fc.weight", &[0.0, 1.0]).unwrap();
    net.set_parameter("fc.bias", &[0.0]).unwrap();
    let model = Classifier::new(net, ["a", "b"]).unwrap();
    let found = &model.predict([[0.0, 3f32.ln()], [0.0, -3f32.ln()]]).unwrap();
    assert!((found[0].probabilities()[1] - 0.75).abs() < 1e-6, "{found:?}");
    assert_eq!((found[0].name(), found[1].name()), ("b", "a"));
}

#[test]
fn the_last_layer_says_what_outputs_are() {
    let near = |found: &[f64], expected: [f64; 2]| {
        assert!(found.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6), "{found:?}");
    };
    let sample = [[0.0, 3f32.ln()]];
    let softly = Classifier::new(identity(Softly::new(Seed(1))), ["a", "b"]).unwrap();
    near(softly.predict(sample).unwrap()[0].probabilities(), [0.25, 0.75]);
    let logs = Classifier::new(identity(Logs::new(Seed(1))), ["a", "b"]).unwrap();
    near(logs.predict(sample).unwrap()[0].probabilities(), [0.25, 0.75]);
    let mut sure = Sure::new(Seed(1));
    sure.set_parameter("fc.weight", &[0.0, 1.0]).unwrap();
    sure.set_parameter("fc.bias", &[0.0]).unwrap();
    let sure = Classifier::new(sure, ["a", "b"]).unwrap();
    near(sure.predict(sample).unwrap()[0].probabilities(), [0.25, 0.75]);
    // What is set counts, as what a file says does.
    let bytes = softly.outputs(Outputs::Logits).to_bytes().unwrap();
    let loaded = Classifier::<Softly>::from_bytes(&bytes, Cpu::default()).unwrap();
    assert!(loaded.predict(sample).unwrap()[0].probability() < 0.7);
}

#[test]
fn outputs_that_are_no_probabilities_are_refused() {
    let says_so = ["answers sample 2 with", "that add up to 1", "`.outputs(..)`"];
    let both = Classifier::new(identity(Both::new(Seed(1))), ["a", "b"]).unwrap();
    says(both.predict([[-1.0, 1.0], [2.0, 3.0]]), &says_so);
    let bare = |outputs| {
        let net = identity(Two::new(Seed(1)));
        Classifier::new(net, ["a", "b"]).unwrap().outputs(outputs)
    };
    let probabilities = bare(Outputs::Probabilities);
    says(probabilities.predict([[0.5, 0.5], [1.5, -0.5]]), &says_so);
    says(probabilities.predict([[0.5, 0.5], [0.5, 0.6]]), &says_so);
    assert!(probabilities.predict([[0.5, 0.5004], [1.0, 0.0]]).is_ok());
    says(bare(Outputs::LogProbabilities).predict([[0.0, -800.0], [0.0, 0.0]]), &says_so);
    says(bare(Outputs::Logits).predict([[0.0, f32::INFINITY]]), &["not finite"]);
}

#[test]
fn a_probability_of_zero_has_a_logarithm() {
    let names = ["a", "b", "c"];
    let model = Classifier::new(Bare::new(Seed(1)), names).unwrap();
    let model = model.outputs(Outputs::LogProbabilities);
    let found = model.predict([[f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]]).unwrap();
    assert_eq!(found[0].probabilities(), [0.0, 1.0, 0.0]);
    says(model.predict([[f32::NAN, 0.0, 0.0]]), &["sample 1 with NaN", "not finite"]);
    let logits = model.outputs(Outputs::Logits);
    says(logits.predict([[f32::NEG_INFINITY, 0.0, 0.0]]), &["with -inf", "not finite"]);
}

#[test]
fn other_layers_of_the_same_shapes_are_refused() {
    let sharp = Classifier::new(Sharp::new(Seed(1)), ["a", "b"]).unwrap();
    let smooth = |change: &dyn Fn(&mut Contents)| {
        let bytes = changed(&sharp, |file| {
            file.metadata.insert("network".into(), "Smooth".into());
            change(file);
        });
        Classifier::<Smooth>::from_bytes(&bytes, Cpu::default())
    };
    let layers = |text: &'static str| {
        smooth(&move |file| drop(file.metadata.insert("layers".into(), text.into())))
    };
    says(
        smooth(&|_| ()),
        &["`layers`", "layer 2 is `Relu` in the file and `Tanh` in the network", "`net.load`"],
    );
    assert!(layers(r#"["fc1: Linear(2)", "Tanh", "fc2: Linear(2)"]"#).is_ok());
    says(layers(r#"["fc1: Linear(2)", "Tanh"]"#), &["layer 3 is none in the file"]);
    says(layers("Tanh"), &["`layers`", "a list of layers in JSON, found `Tanh`"]);
    says(layers("{}"), &["layer 1 is none in the file"]);
    says(smooth(&|file| drop(file.metadata.remove("layers"))), &["expected a text, found nothing"]);
}

#[test]
fn numbers_are_in_the_units_of_the_targets() {
    let inputs: Vec<f32> = (0..200).map(|i| 1000.0 + 300.0 * (i as f32 * 0.7).sin()).collect();
    let targets = inputs.chunks(2).map(|x| 2.0 * x[0] - x[1] + 5000.0).collect();
    let measured: InMemory<(D<2>,), (D<1>,), f32, f32> = InMemory::new(inputs, targets).unwrap();
    let scaling = Scaling::standard(&measured).unwrap();
    let target_scaling = Scaling::min_max_targets(&measured).unwrap();
    let mut train = measured.clone();
    scaling.apply(&mut train);
    target_scaling.apply_to(train.targets_mut());
    assert!(train.targets().iter().all(|y| (0.0..=1.0).contains(y)));
    let mut net = One::new(Seed(1));
    Trainer::new(Mse, Adam::new(0.05)).epochs(40).fit(&mut net, &train).unwrap();

    let model = Regressor::new(net).scaling(scaling).target_scaling(target_scaling);
    let loaded = Regressor::<One>::from_bytes(&model.to_bytes().unwrap(), Cpu::default()).unwrap();
    let found = loaded.predict_data(&measured).unwrap();
    assert_eq!(found, model.predict_data(&measured).unwrap());
    for (found, expected) in found.iter().zip(measured.targets()) {
        assert!((found[0] - expected).abs() < 5.0, "{found:?} is not {expected}");
    }
}

#[test]
fn tokens_are_predicted_and_checked() {
    let model = Classifier::new(Tokens::new(Seed(1)), ["a", "b"]).unwrap().batch(2);
    let found = model.predict([[0u32, 1, 2, 3], [4, 4, 4, 4], [1, 1, 1, 1]]).unwrap();
    assert_eq!(found.len(), 3);
    says(model.predict([[0u32, 1, 2, 5]]), &["index 5 is out of range"]);
}

#[test]
fn names_are_as_many_as_outputs() {
    let two = |names: &[&str]| Classifier::new(Two::new(Seed(1)), names.iter().copied());
    assert!(two(&["a", "b"]).is_ok());
    says(two(&["a"]), &["network `Two` with outputs [2]", "expected 2 names", "found 1 names"]);
    says(two(&["a", "b", "c"]), &["found 3 names"]);
    says(two(&["a", "a"]), &["name 2 is `a`", "differ"]);
    says(two(&["a", ""]), &["name 2 is ``"]);
    says(Classifier::new(One::new(Seed(1)), ["a"]), &["expected 2 names", "found 1"]);
    let positions = Positions::new(Seed(1));
    says(Classifier::new(positions, ["a", "b", "c"]), &["outputs [4, 3]", "outputs of one axis"]);
}

/// The model's file with something changed.
fn changed<N, T>(model: &Model<N, T>, change: impl FnOnce(&mut Contents)) -> Vec<u8>
where
    N: netform::network::Network,
    T: netform::model::Task<N>,
{
    let bytes = model.to_bytes().unwrap();
    let mut contents = safetensors::from_bytes(&bytes, "memory").unwrap();
    change(&mut contents);
    safetensors::to_bytes(&contents.tensors, &contents.metadata).unwrap()
}

#[test]
fn other_files_are_refused_by_name() {
    let model = trained();
    let load = |bytes: &[u8]| Classifier::<Points>::from_bytes(bytes, Cpu::default());
    let set = |name: &str, value: &str| {
        load(&changed(&model, |file| drop(file.metadata.insert(name.into(), value.into()))))
    };
    assert!(set("comment", "more is no harm").is_ok());
    says(set("netform.model", "1"), &["of format 1", "reads format 2", "`net.load`"]);
    says(set("network", "Other"), &["`network`", "expected Points, found Other"]);
    says(set("classes", r#"["a","b"]"#), &["`classes`", "expected 3 names", "found 2 names"]);
    says(set("classes", r#"["a","b","b"]"#), &["`classes`", "name 3 is `b`"]);
    says(set("classes", "a,b,c"), &["`classes`", "a list of names in JSON, found `a,b,c`"]);
    says(set("classes", "[1,2,3]"), &["a list of names in JSON"]);
    says(set("outputs", "guesses"), &["`outputs`", "found `guesses`"]);
    says(set("task", "numbers"), &["a model of numbers", "what a Classifier is"]);
    says(set("setting.rate", "2"), &["setting `rate`", "from 0 to 1, found 2"]);
    says(set("setting.rate", "x"), &["`setting.rate`", "expected a number, found `x`"]);
    let without = changed(&model, |file| drop(file.metadata.remove("task")));
    says(load(&without), &["`task`", "found nothing"]);

    says(
        load(&changed(&model, |file| file.tensors.retain(|it| it.name != "fc2.bias"))),
        &["`fc2.bias` is missing: expected shape [3]"],
    );
    let shapes = changed(&model, |file| {
        let tensor = file.tensors.iter_mut().find(|it| it.name == "fc2.weight").unwrap();
        tensor.shape = vec![8, 3];
    });
    let outcome = load(&shapes);
    assert!(matches!(outcome, Err(Error::Weights { .. })));
    says(outcome, &["`fc2.weight` has another shape: expected [3, 8], found [8, 3]"]);
    let half = changed(&model, |file| file.tensors.retain(|it| !it.name.ends_with("unit")));
    says(load(&half), &["`scaling.unit`: it is missing"]);
    let zero = changed(&model, |file| {
        let unit = file.tensors.iter_mut().find(|it| it.name.ends_with("unit")).unwrap();
        unit.data = Values::F32(vec![0.0; 2]);
    });
    says(load(&zero), &["units above 0"]);

    says(load(&model.net().to_bytes().unwrap()), &["not a file of `Model::save`", "`net.load`"]);
    says(load(b"nothing"), &["model in memory: byte 0"]);
    says(Classifier::<Points>::load("none.safetensors"), &["none.safetensors: "]);
    says(Classifier::<Points>::load(Path::new("/")), &["/: "]);
    let numbers = Regressor::new(Points::new(Seed(1), 0.0)).to_bytes().unwrap();
    says(load(&numbers), &["a model of numbers"]);
    // The same weights for images of another size, which the weights do not show.
    let nines = Regressor::new(Nines::new(Seed(1)));
    let fours =
        changed(&nines, |file| drop(file.metadata.insert("network".into(), "Fours".into())));
    says(
        Regressor::<Fours>::from_bytes(&fours, Cpu::default()),
        &["`input`", "expected [1, 4, 4], found [1, 9, 9]"],
    );
}

#[test]
fn a_scaling_of_tokens_is_refused() {
    let model = Classifier::new(Tokens::new(Seed(1)), ["a", "b"]).unwrap();
    let scaled = changed(&model, |file| {
        for name in ["shift", "unit"] {
            file.tensors.push(NamedTensor {
                name: format!("netform/inputs.scaling.{name}"),
                shape: vec![4],
                data: Values::F32(vec![1.0; 4]),
            });
        }
    });
    let outcome = Classifier::<Tokens>::from_bytes(&scaled, Cpu::default());
    says(outcome, &["those of the network are integers"]);
}

#[test]
fn random_damage_to_models() {
    let model = Classifier::new(Two::new(Seed(1)), ["a", "b"]).unwrap();
    let good = model.to_bytes().unwrap();
    common::survives(&good, 2000, |bytes| {
        Classifier::<Two>::from_bytes(bytes, Cpu::default()).map(|_| ())
    });
}
