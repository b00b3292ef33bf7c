//! What surrounds an optimiser: clipping, frozen layers, rates and decay of single parameters.

use netform::cpu::Cpu;
use netform::data::{InMemory, MiniBatch};
use netform::device::Device;
use netform::dim::{Batch, D};
use netform::element::Float;
use netform::loss::CrossEntropy;
use netform::module::Module;
use netform::network;
use netform::network::Network;
use netform::optim::{Adam, AdamW, Sgd};
use netform::random::Seed;
use netform::tensor::Tensor;
use netform::train::Trainer;
use netform::update::{Rules, Updater};
use netform::weights::Weights;

network! {
    /// Its gradient is `a * w + b`.
    pub Quadratic: (a: [5], b: [5]) -> [] {
        let w = Param([5]);
        sum(0.5 * a * square(w) + b * w)
    }

    /// The gradients are the inputs.
    pub Pair: (a: [2], b: [2]) -> [] {
        let u = Param([2], init = Zeros);
        let v = Param([2], init = Zeros);
        sum(a * u + b * v)
    }

    /// Weights, biases, a norm and its statistics.
    pub Normed: [4] -> [3] {
        fc1: Linear(8), norm: BatchNorm1d, Relu,
        fc2: Linear(8), scale: LayerNorm, Relu,
        fc3: Linear(3),
    }
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn clipped_like_pytorch<E: Float>()
where
    Cpu: Device<E>,
{
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/optim.json");
    let data = std::fs::read_to_string(path).unwrap();
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    let floats =
        |name: &str| -> Vec<E> { numbers(&data[name]).into_iter().map(E::from_f64).collect() };
    let input = |name: &str| Tensor::<(Batch, D<5>), E>::from_vec(floats(name)).unwrap();
    let (a, b) = (input("a"), input("b"));
    let mut net = Quadratic::<E>::on(Cpu::default(), Seed(1)).unwrap();
    net.set_parameter("w", &floats("w0")).unwrap();
    let mut step = net.loss_step(Sgd::new(0.1), 1).unwrap().clip_norm(0.5);
    let runs = data["runs"].as_array().unwrap();
    let run = runs.iter().find(|run| run["name"] == "sgd_clip").unwrap();
    for expected in run["w"].as_array().unwrap() {
        step.run((&a, &b)).unwrap();
        let found = step.net().parameter("w").unwrap();
        for (found, expected) in found.iter().zip(numbers(expected)) {
            assert!((found.to_f64() - expected).abs() < 1e-6, "{found}, not {expected}");
        }
    }
}

#[test]
fn clipping_by_norm_is_pytorchs() {
    clipped_like_pytorch::<f32>();
    clipped_like_pytorch::<f64>();
}

fn pair(values: [f64; 2]) -> Tensor<(Batch, D<2>), f64> {
    Tensor::from_vec(values.to_vec()).unwrap()
}

/// What one step of descent at rate 1 takes from `u` and `v`, which begin as zero.
fn stepped(rules: Rules, a: [f64; 2], b: [f64; 2]) -> [Vec<f64>; 2] {
    let mut net = Pair::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    let mut step = net.loss_step(Sgd::new(1.0), 1).unwrap().rules(rules.clone());
    step.run((&pair(a), &pair(b))).unwrap();
    let of_step = ["u", "v"].map(|name| step.net().parameter(name).unwrap());

    // An updater with gradients by hand does the same, and leaves the gradients alone.
    let mut net = Pair::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    let one = Tensor::<(Batch,), f64>::from_vec(vec![1.0]).unwrap();
    let gradients = net.vjp((&pair(a), &pair(b)), &one).unwrap();
    let mut updater = Updater::new(Sgd::new(1.0)).rules(rules);
    updater.apply(&gradients, &mut net).unwrap();
    assert_eq!(gradients.get("u").unwrap(), a);
    let of_updater = ["u", "v"].map(|name| net.parameter(name).unwrap());
    assert_eq!(of_step, of_updater);
    of_step
}

fn near(found: &[f64], expected: &[f64]) {
    let far = found.iter().zip(expected).any(|(x, y)| (x - y).abs() > 1e-6);
    assert!(!far && found.len() == expected.len(), "{found:?}, not {expected:?}");
}

#[test]
fn clipping() {
    // The norm of (3, 0, 0, 4) is 5.
    let [u, v] = stepped(Rules::new().clip_norm(1.0), [3.0, 0.0], [0.0, 4.0]);
    near(&u, &[-0.6, 0.0]);
    near(&v, &[0.0, -0.8]);
    let [u, v] = stepped(Rules::new().clip_norm(6.0), [3.0, 0.0], [0.0, 4.0]);
    assert_eq!([u, v], [vec![-3.0, 0.0], vec![0.0, -4.0]]);
    let [u, v] = stepped(Rules::new().clip_value(2.0), [3.0, 1.0], [-7.0, -1.0]);
    assert_eq!([u, v], [vec![-2.0, -1.0], vec![2.0, 1.0]]);
    // First the norm, then each element.
    let [u, v] = stepped(Rules::new().clip_norm(1.0).clip_value(0.7), [3.0, 0.0], [0.0, 4.0]);
    near(&u, &[-0.6, 0.0]);
    near(&v, &[0.0, -0.7]);
    let [u, _] = stepped(Rules::new().clip_norm(1.0), [0.0; 2], [0.0; 2]);
    assert_eq!(u, [0.0, 0.0]);
}

#[test]
fn what_is_frozen_has_no_part_in_the_norm() {
    let [u, v] = stepped(Rules::new().freeze("u").clip_norm(1.0), [30.0, 5.0], [0.0, 0.5]);
    assert_eq!([u, v], [vec![0.0, 0.0], vec![0.0, -0.5]]);
}

#[test]
fn rates_of_single_parameters() {
    let [u, v] = stepped(Rules::new().rate_factor("u", 0.5), [1.0, 2.0], [3.0, 4.0]);
    assert_eq!([u, v], [vec![-0.5, -1.0], vec![-3.0, -4.0]]);
    // The last one counts.
    let rules = Rules::new().rate_factor("*", 0.5).rate_factor("v", 2.0);
    let [u, v] = stepped(rules, [1.0, 2.0], [3.0, 4.0]);
    assert_eq!([u, v], [vec![-0.5, -1.0], vec![-6.0, -8.0]]);
}

type Data = InMemory<(D<4>,)>;

fn data() -> Data {
    let inputs = (0..40 * 4).map(|i| (i as f32 * 0.7).sin()).collect();
    Data::new(inputs, (0..40).map(|i| i % 3).collect()).unwrap()
}

/// All tensors of a network's file by name.
fn tensors(net: &Normed) -> Vec<(String, Vec<f64>)> {
    let bytes = net.to_bytes().unwrap();
    let contents = netform::io::safetensors::from_bytes(&bytes, "memory").unwrap();
    contents.tensors.into_iter().map(|tensor| (tensor.name, tensor.data.to_floats())).collect()
}

/// Which tensors training changes, by whatever amount.
fn changed(train: impl FnOnce(&mut Normed)) -> Vec<String> {
    changed_by(0.0, train)
}

/// Which tensors training changes by more than `least`.
fn changed_by(least: f64, train: impl FnOnce(&mut Normed)) -> Vec<String> {
    let mut net = Normed::new(Seed(1));
    let before = tensors(&net);
    train(&mut net);
    let after = tensors(&net);
    let differ = |a: &[f64], b: &[f64]| a.iter().zip(b).any(|(a, b)| (a - b).abs() > least);
    let pairs = before.into_iter().zip(after);
    pairs
        .filter(|(before, after)| differ(&before.1, &after.1))
        .map(|(before, _)| before.0)
        .collect()
}

#[test]
fn frozen_layers_stay_bit_for_bit_with_their_statistics() {
    let all = [
        "fc1.bias",
        "fc1.weight",
        "fc2.bias",
        "fc2.weight",
        "fc3.bias",
        "fc3.weight",
        "norm.bias",
        "norm.running_mean",
        "norm.running_var",
        "norm.weight",
        "scale.bias",
        "scale.weight",
    ];
    let trained = |rules: Rules| {
        changed(|net| {
            let mut trainer = Trainer::new(CrossEntropy, AdamW::new(0.01)).rules(rules).epochs(2);
            trainer.fit(net, &data()).unwrap();
        })
    };
    // The bias before a batch norm has a gradient of 0, but for rounding.
    assert_eq!(trained(Rules::new()).iter().filter(|name| *name != "fc1.bias").count(), 11);
    let left = trained(Rules::new().freeze("norm").freeze("fc2").freeze("*.bias"));
    assert_eq!(left, ["fc1.weight", "fc3.weight", "scale.weight"]);
    assert!(trained(all.iter().fold(Rules::new(), |rules, name| rules.freeze(*name))).is_empty());

    // By hand, too.
    let left = changed(|net| {
        let x = Tensor::<(Batch, D<4>)>::from_vec((0..8).map(|i| i as f32).collect()).unwrap();
        let dy = Tensor::<(Batch, D<3>)>::from_vec(vec![1.0, -1.0, 0.5, 0.3, 0.2, 0.1]).unwrap();
        let gradients = net.vjp(&x, &dy).unwrap();
        let mut updater = Updater::new(Sgd::new(0.1)).freeze("norm").freeze("fc3.weight");
        updater.apply(&gradients, net).unwrap();
    });
    assert!(left.contains(&"fc3.bias".to_owned()), "{left:?}");
    assert!(!left.iter().any(|name| name.starts_with("norm") || name == "fc3.weight"), "{left:?}");
}

/// Training with a rate at which only the decay does anything: gradients are clipped to almost nothing.
fn decayed(rules: Rules) -> Vec<String> {
    changed_by(1e-20, |net| {
        let mut batch = MiniBatch::<(D<4>,), (), f32, u32>::zeros_on(Cpu::default(), 4).unwrap();
        batch.inputs.write(&[0.5; 16]).unwrap();
        let step = net.train_step(CrossEntropy, Sgd::new(1.0).weight_decay(0.1), 4).unwrap();
        let mut step = step.rules(rules.clip_value(1e-30));
        step.run(&batch).unwrap();
    })
}

#[test]
fn biases_and_norms_do_not_decay_unless_they_are_to() {
    let of = |rules| -> Vec<String> {
        decayed(rules).into_iter().filter(|name| !name.contains("running")).collect()
    };
    assert_eq!(of(Rules::new()), ["fc1.weight", "fc2.weight", "fc3.weight"]);
    assert_eq!(of(Rules::new().decay_factor("fc2", 0.0)), ["fc1.weight", "fc3.weight"]);
    let norms = of(Rules::new().decay_factor("norm", 1.0).decay_factor("scale.weight", 1.0));
    assert_eq!(norms, ["fc1.weight", "fc2.weight", "fc3.weight", "norm.weight", "scale.weight"]);
}

#[test]
fn without_decay_or_factors_it_is_one_pass_and_the_same_bits() {
    let trained = |rules: Rules| {
        let mut net = Normed::new(Seed(1));
        let trainer = Trainer::new(CrossEntropy, Adam::new(0.01).weight_decay(0.1)).rules(rules);
        trainer.epochs(2).fit(&mut net, &data()).unwrap();
        net.to_bytes().unwrap()
    };
    // The same settings in one run of parameters and in several.
    let everywhere = trained(Rules::new().decay_factor("*", 1.0));
    let parts = Rules::new().decay_factor("*", 1.0).rate_factor("fc2", 1.0);
    assert!(trained(parts) == everywhere);
    assert!(trained(Rules::new()) != everywhere);
    // A norm that is never reached changes nothing.
    assert!(trained(Rules::new().clip_norm(1e9)) == trained(Rules::new()));
}

network! {
    /// Nothing in it looks at the whole batch.
    pub Plain: [4] -> [3] { fc1: Linear(8), Tanh, fc2: Linear(3) }
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    // 26 samples: the last batches of an epoch are smaller, and the last update is of fewer.
    let inputs = (0..26 * 4).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let data = InMemory::<(D<4>,), (), f64>::new(inputs, (0..26).map(|i| i % 3).collect()).unwrap();
    let trained = |batch, batches| {
        let mut net = Plain::<f64>::on(Cpu::default(), Seed(1)).unwrap();
        Trainer::new(CrossEntropy, Adam::new(0.01))
            .batch(batch)
            .accumulate(batches)
            .clip_norm(0.1)
            .epochs(3)
            .fit(&mut net, &data)
            .unwrap();
        ["fc1.weight", "fc2.bias"].map(|name| net.parameter(name).unwrap()).concat()
    };
    let large = trained(12, 1);
    for (batch, batches) in [(4, 3), (6, 2), (2, 6)] {
        near(&trained(batch, batches), &large);
    }
    assert!(trained(4, 1) != large);
}

#[test]
fn an_update_follows_the_last_batch_and_leaves_out_what_is_no_number() {
    let mut net = Pair::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    let mut step = net.loss_step(Sgd::new(1.0), 1).unwrap().accumulate(3);
    let mut seen = vec![];
    // The gradient is the input; the loss of the fifth batch is not finite.
    for a in [1.0, 2.0, 6.0, 4.0, f64::INFINITY, 8.0, 1.0] {
        let _ = step.run((&pair([a, 0.0]), &pair([0.0, 0.0]))).unwrap();
        seen.push(step.net().parameter("u").unwrap()[0]);
    }
    assert_eq!(seen, [0.0, 0.0, -3.0, -3.0, -3.0, -9.0, -9.0]);
}

#[test]
fn averages_of_weights() {
    let mut net = Pair::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    let mut step = net.loss_step(Sgd::new(1.0), 1).unwrap().average(0.75);
    step.exchange_average();
    let mut expected = f64::NAN;
    for a in [-1.0, -3.0, 2.0] {
        let before = step.net().parameter("u").unwrap()[0];
        step.run((&pair([a, 0.0]), &pair([0.0, 0.0]))).unwrap();
        let now = before - a;
        expected = if expected.is_nan() { now } else { 0.75 * expected + 0.25 * now };
        assert_eq!(step.net().parameter("u").unwrap()[0], now);
        step.exchange_average();
        assert_eq!(step.net().parameter("u").unwrap()[0], expected);
        step.exchange_average();
    }
    // The trainer validates the average and leaves it in the network.
    let data = data();
    let mut net = Normed::new(Seed(1));
    let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.1)).average(0.9).validate(&data);
    let history = trainer.fit(&mut net, &data).unwrap();
    let found = netform::train::evaluate(&net, &CrossEntropy, &data, 32).unwrap().loss;
    assert_eq!(history.epochs[0].validation_loss, Some(found));
    let mut plain = Normed::new(Seed(1));
    Trainer::new(CrossEntropy, Sgd::new(0.1)).fit(&mut plain, &data).unwrap();
    assert!(plain.to_bytes().unwrap() != net.to_bytes().unwrap());
}

#[test]
fn rules_are_checked() {
    let message = |rules: Rules| {
        let mut net = Normed::new(Seed(1));
        let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.1)).rules(rules);
        trainer.fit(&mut net, &data()).unwrap_err().to_string()
    };
    let found = message(Rules::new().freeze("conv1"));
    assert!(
        found.starts_with(
            "no parameter of network `Normed` is chosen by `conv1`; it has fc1.weight"
        ),
        "{found}"
    );
    assert_eq!(
        message(Rules::new().clip_norm(0.0)),
        "clipping of gradients: the largest norm is 0; it must be more than 0"
    );
    assert_eq!(
        message(Rules::new().rate_factor("fc1", -1.0)),
        "learning rate: the factor of `fc1` is -1; it must be 0 or more, and finite"
    );
    // A step says it when it runs, and the network is as it was.
    let mut net = Normed::new(Seed(1));
    let before = net.to_bytes().unwrap();
    let batch = MiniBatch::<(D<4>,), (), f32, u32>::zeros_on(Cpu::default(), 4).unwrap();
    let mut step = net.train_step(CrossEntropy, Sgd::new(0.1), 4).unwrap().freeze("fc9");
    assert!(step.run(&batch).unwrap_err().to_string().contains("`fc9`"));
    assert!(net.to_bytes().unwrap() == before);
}
