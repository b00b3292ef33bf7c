//! Training as users meet it: reproducible on any number of threads, honest about errors, in both element
//! types, with weights that move in and out.

use std::collections::BTreeMap;

use netform::Error;
use netform::data::MiniBatch;
use netform::init::Init;
use netform::io::safetensors::{self, NamedTensor, Values};
use netform::prelude::*;

network! {
    /// A LeNet-style classifier of 28x28 digits.
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(120), Relu, Dropout(0.25),
        fc2: Linear(10),
    }
}

network! {
    /// A network that is quick to train.
    pub Small: [2] -> [3] {
        fc1: Linear(5), Tanh,
        fc2: Linear(3),
    }
}

network! {
    /// A network without parameters.
    pub Dropped: [800] { Dropout(0.25) }
}

network! {
    /// The least that a network can do.
    pub Flat: [2, 3] -> [6] { Flatten }
}

type DigitsData = InMemory<(D<1>, D<28>, D<28>)>;
type SmallBatch = MiniBatch<(D<2>,), ()>;

/// `n` random images with random labels.
fn digits(n: usize) -> DigitsData {
    let mut rng = Rng::new(Seed(3), 1);
    let pixels = (0..n * 784).map(|_| rng.uniform() as f32).collect();
    let labels = (0..n).map(|_| rng.below(10) as u32).collect();
    InMemory::new(pixels, labels).unwrap()
}

fn small_batch(inputs: &[f32], labels: &[u32]) -> SmallBatch {
    MiniBatch {
        inputs: Tensor::from_vec(inputs.to_vec()).unwrap(),
        targets: Tensor::from_vec(labels.to_vec()).unwrap(),
    }
}

/// Nine batches of 64 samples and one of 17: the losses' bits and the weights at the end.
fn train_digits(threads: usize, seed: u64) -> (Vec<u32>, Vec<u8>) {
    let mut net = Digits::<f32>::on(Cpu::with_threads(threads), Seed(seed)).unwrap();
    let data = digits(9 * 64 + 17);
    let mut step = net.train_step(CrossEntropy, Adam::new(1e-3), 64).unwrap();
    let mut rng = Rng::new(Seed(seed), 2);
    let losses =
        data.batches(64, &mut rng).map(|batch| step.run(&batch.unwrap()).unwrap().to_bits());
    let losses: Vec<u32> = losses.collect();
    assert_eq!(losses.len(), 10);
    (losses, net.to_bytes().unwrap())
}

#[test]
fn a_seed_gives_the_same_bits_on_every_run_and_for_any_number_of_threads() {
    let first = train_digits(1, 42);
    for threads in [1, 2, 3] {
        assert!(train_digits(threads, 42) == first, "{threads} threads");
    }
}

#[test]
fn seeds_differ() {
    let [(losses, weights), (other_losses, other_weights)] =
        [1, 2].map(|seed| train_digits(2, seed));
    assert!(losses.iter().zip(&other_losses).all(|(a, b)| a != b));
    assert_ne!(weights, other_weights);
}

#[test]
fn dropout_is_inactive_in_evaluation() {
    let net = Digits::new(Seed(1));
    let batch = digits(8).batches_in_order(8).next().unwrap().unwrap();
    let once: Tensor<(Batch, D<10>)> = net.forward(&batch.inputs).unwrap();
    assert_eq!(net.forward(&batch.inputs).unwrap().to_vec(), once.to_vec());
    assert_eq!(net.predictor(8).unwrap().run(&batch.inputs).unwrap().to_vec(), once.to_vec());

    let ones = Tensor::<(Batch, D<800>)>::from_vec(vec![1.0; 1600]).unwrap();
    let dropped = Dropped::new(Seed(1));
    assert_eq!(dropped.forward(&ones).unwrap().to_vec(), ones.to_vec());
}

#[test]
fn dropout_in_training_drops_a_share_and_scales_the_rest() {
    let mut net = Dropped::new(Seed(1));
    let ones = Tensor::<(Batch, D<800>)>::from_vec(vec![1.0; 2400]).unwrap();
    let mut step = net.train_step(Mse, Sgd::new(0.1), 3).unwrap();
    let mut masks = vec![];
    for _ in 0..2 {
        step.run_on(&ones, &ones).unwrap();
        let mut out = vec![0.0; 2400];
        assert_eq!(step.read_outputs(&mut out).unwrap(), 2400);
        assert!(out.iter().all(|&x| x == 0.0 || (x - 4.0 / 3.0).abs() < 1e-6));
        masks.extend(out.chunks(800).map(<[f32]>::to_vec));
    }
    for (i, mask) in masks.iter().enumerate() {
        let dropped = mask.iter().filter(|&&x| x == 0.0).count();
        assert!((150..250).contains(&dropped), "{dropped} of 800 dropped at a rate of 0.25");
        assert!(!masks[..i].contains(mask), "samples and steps have masks of their own");
    }
}

#[test]
fn a_network_may_do_next_to_nothing() {
    let mut net = Flat::new(Seed(1));
    let x = Tensor::<(Batch, D<2>, D<3>)>::from_vec((0..12).map(|i| i as f32).collect()).unwrap();
    let y: Tensor<(Batch, D<6>)> = net.forward(&x).unwrap();
    assert_eq!(y.to_vec(), x.to_vec());
    assert!(Flat::<f32>::from_bytes(&net.to_bytes().unwrap(), Cpu::default()).is_ok());
    let mut step = net.train_step(Mse, Adam::new(0.1), 2).unwrap();
    assert_eq!(step.run_on(&x, &y).unwrap(), 0.0);
    let mut out = [0.0; 12];
    step.read_outputs(&mut out).unwrap();
    assert_eq!(out, *x.to_vec());
}

#[test]
fn networks_train_in_both_element_types() {
    // The classes are the quadrants' signs: a spiral would take longer.
    let mut rng = Rng::new(Seed(8), 0);
    let points: Vec<f64> = (0..120).map(|_| rng.normal()).collect();
    let class = |point: &[f64]| u32::from(point[0] > 0.0) + u32::from(point[0] * point[1] > 0.0);
    let labels: Vec<u32> = points.chunks(2).map(class).collect();
    let narrow = points.iter().map(|&x| x as f32).collect();
    let y = Tensor::<(Batch,), u32>::from_vec(labels).unwrap();

    macro_rules! train {
        ($element:ty, $points:expr) => {{
            let x = Tensor::<(Batch, D<2>), $element>::from_vec($points).unwrap();
            let mut net = Small::<$element>::on(Cpu::default(), Seed(4)).unwrap();
            let mut step = net.train_step(CrossEntropy, Adam::new(0.05), 60).unwrap();
            let losses: Vec<f64> =
                (0..300).map(|_| f64::from(step.run_on(&x, &y).unwrap())).collect();
            (losses[0], losses[299])
        }};
    }
    let (first, last) = train!(f32, narrow);
    let (first64, last64) = train!(f64, points);
    assert!(first > 0.8 && last < 0.2, "{first} to {last}");
    assert!(first64 > 0.8 && last64 < 0.2, "{first64} to {last64}");
    assert!((first - first64).abs() < 1e-5, "{first} and {first64}");
}

#[test]
fn networks_move_between_threads_and_predict_in_several_at_once() {
    const fn send_and_sync<T: Send + Sync>() {}
    const {
        send_and_sync::<Digits>();
        send_and_sync::<Digits<f64>>();
        send_and_sync::<Tensor<(Batch, D<10>)>>();
    }
    let net = Digits::<f32>::on(Cpu::with_threads(2), Seed(6)).unwrap();
    let batch = digits(16).batches_in_order(16).next().unwrap().unwrap();
    let predict = || {
        let mut predictor = net.predictor(16).unwrap();
        (0..5).map(|_| predictor.run(&batch.inputs).unwrap().to_vec()).collect::<Vec<_>>()
    };
    let alone = predict();
    assert!(alone.iter().all(|output| *output == alone[0]));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(predict)).collect();
        workers.into_iter().for_each(|worker| assert!(worker.join().unwrap() == alone));
    });
}

#[test]
fn a_smaller_batch_gives_what_it_gives_alone() {
    let net = Digits::new(Seed(6));
    let batch = digits(5).batches_in_order(5).next().unwrap().unwrap();
    let mut roomy = net.predictor(64).unwrap();
    let full = digits(64).batches_in_order(64).next().unwrap().unwrap();
    roomy.run(&full.inputs).unwrap();
    let found = roomy.run(&batch.inputs).unwrap();
    assert_eq!(found.batch(), 5);
    assert_eq!(found.to_vec(), net.predictor(5).unwrap().run(&batch.inputs).unwrap().to_vec());
}

#[test]
fn weights_come_back_from_bytes_and_files() {
    let net = Digits::new(Seed(1));
    let bytes = net.to_bytes().unwrap();
    let shipped = Digits::<f32>::from_bytes(&bytes, Cpu::default()).unwrap();
    assert_eq!(shipped.to_bytes().unwrap(), bytes);
    assert_eq!(shipped.fc1().weight().unwrap().to_vec(), net.fc1().weight().unwrap().to_vec());

    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/training.safetensors");
    net.save(path).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), bytes);
    let mut other = Digits::new(Seed(2));
    other.load(path).unwrap();
    assert_eq!(other.to_bytes().unwrap(), bytes);

    // From f32 to f64 nothing is lost.
    let wide = Digits::<f64>::from_bytes(&bytes, Cpu::default()).unwrap();
    let narrow =
        wide.parameter("conv2.weight").unwrap().iter().map(|&x| x as f32).collect::<Vec<_>>();
    assert_eq!(narrow, net.parameter("conv2.weight").unwrap());

    let missing = concat!(env!("CARGO_TARGET_TMPDIR"), "/no such file.safetensors");
    assert!(other.load(missing).unwrap_err().to_string().contains("no such file.safetensors"));
    assert_eq!(other.to_bytes().unwrap(), bytes);
}

#[test]
fn weights_that_do_not_fit_are_all_listed_and_change_nothing() {
    let tensor = |name: &str, shape: &[usize]| NamedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        data: Values::F32(vec![9.0; shape.iter().product()]),
    };
    let file = [tensor("fc1.bias", &[5]), tensor("fc2.weight", &[5, 3]), tensor("fc3.bias", &[3])];
    let bytes = safetensors::to_bytes(&file, &BTreeMap::new()).unwrap();
    let mut net = Small::new(Seed(1));
    let before = net.to_bytes().unwrap();
    let error = net.load_bytes(&bytes).unwrap_err();
    let Error::Weights { network: "Small", problems } = &error else { panic!("{error}") };
    assert_eq!(
        *problems,
        [
            "`fc1.weight` is missing: expected shape [5, 2]",
            "`fc2.weight` has another shape: expected [3, 5], found [5, 3]",
            "`fc2.bias` is missing: expected shape [3]",
            "`fc3.bias` is not a tensor of the network: found shape [3]",
        ]
    );
    assert_eq!(net.to_bytes().unwrap(), before);
    assert!(matches!(Small::<f32>::from_bytes(&bytes, Cpu::default()), Err(Error::Weights { .. })));
    for cut in [0, 7, 100, before.len() - 1] {
        assert!(net.load_bytes(&before[..cut]).is_err(), "the first {cut} bytes of a file");
    }
}

#[test]
fn batches_that_do_not_fit_are_refused_and_change_nothing() {
    let mut net = Small::new(Seed(1));
    let before = net.to_bytes().unwrap();
    let mut step = net.train_step(CrossEntropy, Sgd::new(0.1).momentum(0.9), 2).unwrap();
    let good = small_batch(&[0.1, 0.2, 0.3, 0.4], &[0, 2]);
    let cases = [
        (small_batch(&[0.0; 6], &[0; 3]), ["1 to 2 samples", "found 3"]),
        (small_batch(&[], &[]), ["1 to 2 samples", "found 0"]),
        (small_batch(&[0.0; 4], &[0]), ["expected 2 samples", "found 1"]),
        (small_batch(&[0.0; 4], &[0, 3]), ["index 3", "from 0 to 2"]),
        (small_batch(&[0.0; 4], &[u32::MAX, 0]), ["index 4294967295", "from 0 to 2"]),
    ];
    for (batch, texts) in cases {
        let message = step.run(&batch).unwrap_err().to_string();
        assert!(texts.iter().all(|text| message.contains(text)), "{message}");
        assert_eq!(step.net().to_bytes().unwrap(), before, "{message}");
    }
    // Nor has the optimiser's state changed.
    let mut twin = Small::new(Seed(1));
    let mut fresh = twin.train_step(CrossEntropy, Sgd::new(0.1).momentum(0.9), 2).unwrap();
    for _ in 0..2 {
        assert_eq!(step.run(&good).unwrap(), fresh.run(&good).unwrap());
    }
    assert_eq!(step.net().to_bytes().unwrap(), fresh.net().to_bytes().unwrap());
}

#[test]
fn predictions_and_gradients_refuse_what_does_not_fit() {
    let net = Small::new(Seed(1));
    let x = Tensor::<(Batch, D<2>)>::from_vec(vec![0.0; 6]).unwrap();
    let message = net.predictor(2).unwrap().run(&x).unwrap_err().to_string();
    assert!(message.contains("1 to 2 samples") && message.contains("found 3"), "{message}");
    let none = Tensor::<(Batch, D<2>)>::from_vec(vec![]).unwrap();
    assert!(net.predictor(2).unwrap().run(&none).is_err());
    assert!(net.predictor(0).is_err());
    assert!(
        Small::new(Seed(1)).train_step::<_, _, (), u32>(CrossEntropy, Sgd::new(0.1), 0).is_err()
    );

    let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 7, 1]).unwrap();
    let error = net.value_and_gradients(&CrossEntropy, &x, &labels).err().unwrap().to_string();
    assert!(error.contains("index 7"), "{error}");
    let short = Tensor::<(Batch,), u32>::from_vec(vec![0, 1]).unwrap();
    assert!(net.value_and_gradients(&CrossEntropy, &x, &short).is_err());
}

#[test]
fn gradients_do_not_change_the_network_and_are_reported_by_name() {
    let net = Small::new(Seed(1));
    let before = net.to_bytes().unwrap();
    let batch = small_batch(&[0.5, -0.5], &[1]);
    let (_, gradients) =
        net.value_and_gradients(&CrossEntropy, &batch.inputs, &batch.targets).unwrap();
    assert_eq!(gradients.get("fc2.weight").unwrap().len(), 15);
    let message = gradients.get("fc3.weight").unwrap_err().to_string();
    assert!(message.contains("fc3.weight") && message.contains("fc2.bias"), "{message}");
    assert_eq!(net.to_bytes().unwrap(), before);
}

network! {
    /// Every initialiser, for weights and biases.
    pub Initialised: [4] {
        zeros: Linear(6, init = Zeros, bias_init = Ones), Tanh,
        constant: Linear(6, init = Constant(0.5), bias_init = Uniform(-0.25, 0.75)), Tanh,
        xavier: Linear(6, init = Xavier, bias_init = Normal(1.0, 0.5)), Tanh,
        xavier_normal: Linear(6, init = XavierNormal, bias_init = Constant(-2.0)), Tanh,
        he: Linear(6, init = He), Tanh,
        he_uniform: Linear(6, init = HeUniform, bias_init = Normal(0.02)), Tanh,
        default: Linear(6), Reshape([6, 1, 1]),
        conv: Conv2d(2, kernel = 1, init = XavierNormal, bias_init = Zeros),
    }
}

#[test]
fn initialisers_reach_their_parameters() {
    let net = Initialised::new(Seed(11));
    let expected = [
        ("zeros.weight", Init::Zeros),
        ("zeros.bias", Init::Ones),
        ("constant.weight", Init::Constant(0.5)),
        ("constant.bias", Init::Uniform { low: -0.25, high: 0.75 }),
        ("xavier.weight", Init::Xavier),
        ("xavier.bias", Init::Normal { mean: 1.0, std: 0.5 }),
        ("xavier_normal.weight", Init::XavierNormal),
        ("xavier_normal.bias", Init::Constant(-2.0)),
        ("he.weight", Init::He),
        ("he.bias", Init::FanIn { fan_in: 6 }),
        ("he_uniform.weight", Init::HeUniform),
        ("he_uniform.bias", Init::Normal { mean: 0.0, std: 0.02 }),
        ("default.weight", Init::FanIn { fan_in: 6 }),
        ("default.bias", Init::FanIn { fan_in: 6 }),
        ("conv.weight", Init::XavierNormal),
        ("conv.bias", Init::Zeros),
    ];
    assert_eq!(expected.len(), Initialised::<f32>::PARAMS.len());
    for ((name, init), spec) in expected.iter().zip(Initialised::<f32>::PARAMS) {
        assert_eq!((spec.name, spec.init), (*name, *init));
        let values: Vec<f32> = init.values(spec.shape, Seed(11), name);
        assert_eq!(net.parameter(name).unwrap(), values, "{name}");
    }
    assert_eq!(net.zeros().bias().unwrap().unwrap().to_vec(), [1.0; 6]);
    assert_eq!(net.constant().weight().unwrap().to_vec(), [0.5; 36]);
}

mod config {
    /// Features in the middle.
    pub const HIDDEN: usize = 12;
}
const SIDE: usize = 6;

network! {
    /// Sizes that the macro does not know.
    pub Sized: [1, SIDE, {SIDE + 2}] -> [config::HIDDEN / 4] {
        conv: Conv2d({ usize::pow(2, 2) }, kernel = 3, padding = 1), Relu,
        MaxPool2d(2),
        Flatten,
        fc1: Linear(config::HIDDEN), Tanh,
        fc2: Linear(2 * config::HIDDEN - 4), Tanh,
        fc3: Linear(config::HIDDEN / 4),
    }
}

#[test]
fn sizes_may_be_const_items_and_expressions() {
    let mut net = Sized::new(Seed(1));
    let shapes: Vec<&[usize]> = Sized::<f32>::PARAMS.iter().map(|spec| spec.shape).collect();
    let expected: [&[usize]; 8] =
        [&[4, 1, 3, 3], &[4], &[12, 48], &[12], &[20, 12], &[20], &[3, 20], &[3]];
    assert_eq!(shapes, expected);
    let total: usize = expected.iter().map(|shape| shape.iter().product::<usize>()).sum();
    assert_eq!(Sized::<f32>::PARAM_LEN, total);

    let pixels = (0..96).map(|i| i as f32 / 96.0).collect();
    let x = Tensor::<(Batch, D<1>, D<6>, D<8>)>::from_vec(pixels).unwrap();
    let y: Tensor<(Batch, D<3>)> = net.forward(&x).unwrap();
    assert_eq!(y.shape(), (Batch(2), D::<3>));
    let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 2]).unwrap();
    let mut step = net.train_step(CrossEntropy, Adam::new(0.01), 2).unwrap();
    let losses: Vec<f32> = (0..50).map(|_| step.run_on(&x, &labels).unwrap()).collect();
    assert!(losses[49] < 0.2 * losses[0], "{losses:?}");
}

network! {
    /// Layers without names.
    pub Unnamed: [1, 6, 6] {
        Conv2d(2, kernel = 3), Relu, Conv2d(2, kernel = 3),
        Flatten, Linear(5), Dropout(0.5), named: Linear(5), Linear(2, bias = false),
    }
}

#[test]
fn layers_without_names_are_numbered() {
    let names: Vec<&str> = Unnamed::<f32>::PARAMS.iter().map(|spec| spec.name).collect();
    let expected = [
        "conv2d1.weight",
        "conv2d1.bias",
        "conv2d2.weight",
        "conv2d2.bias",
        "linear1.weight",
        "linear1.bias",
        "named.weight",
        "named.bias",
        "linear2.weight",
    ];
    assert_eq!(names, expected);
    let net = Unnamed::new(Seed(1));
    let weight: Tensor<(D<2>, D<1>, D<3>, D<3>)> = net.conv2d1().weight().unwrap();
    assert_eq!(weight.to_vec(), net.parameter("conv2d1.weight").unwrap());
    assert!(net.linear2().bias().unwrap().is_none());
}
