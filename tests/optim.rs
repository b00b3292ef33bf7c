//! Optimisers against PyTorch: five steps of a network that is its own loss, a quadratic in its weights.

use netform::cpu::Cpu;
use netform::device::Device;
use netform::dim::{Batch, D};
use netform::element::Float;
use netform::module::Module;
use netform::network;
use netform::optim::{Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd};
use netform::random::Seed;
use netform::tensor::Tensor;
use netform::weights::Weights;

network! {
    /// Its gradient is `a * w + b`.
    pub Quadratic: (a: [5], b: [5]) -> [] {
        let w = Param([5]);
        sum(0.5 * a * square(w) + b * w)
    }
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn reference() -> serde_json::Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/optim.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn floats<E: Float>(value: &serde_json::Value) -> Vec<E> {
    numbers(value).into_iter().map(E::from_f64).collect()
}

/// The parameters of a run's name, after each step.
fn expected(name: &str) -> Vec<Vec<f64>> {
    let data = reference();
    let runs = data["runs"].as_array().unwrap();
    let run = runs.iter().find(|run| run["name"] == name).unwrap();
    run["w"].as_array().unwrap().iter().map(numbers).collect()
}

fn compare<E: Float>(name: &str, optimizer: impl Optimizer, tolerance: f64)
where
    Cpu: Device<E>,
{
    let data = reference();
    let input = |name: &str| Tensor::<(Batch, D<5>), E>::from_vec(floats(&data[name])).unwrap();
    let (a, b) = (input("a"), input("b"));
    let mut net = Quadratic::<E>::on(Cpu::default(), Seed(1)).unwrap();
    net.set_parameter("w", &floats::<E>(&data["w0"])).unwrap();
    let mut step = net.loss_step(optimizer, 1).unwrap();
    for (i, expected) in expected(name).iter().enumerate() {
        step.run((&a, &b)).unwrap();
        for (found, expected) in step.net().parameter("w").unwrap().iter().zip(expected) {
            let off = (found.to_f64() - expected).abs();
            assert!(
                off < tolerance,
                "{name}, {}, step {}: {found} is off by {off}",
                E::NAME,
                i + 1
            );
        }
    }
}

fn both(name: &str, optimizer: impl Optimizer) {
    assert!(optimizer.check().is_ok());
    compare::<f32>(name, optimizer.clone(), 1e-6);
    compare::<f64>(name, optimizer, 1e-6);
}

#[test]
fn sgd() {
    both("sgd", Sgd::new(0.1));
    both("momentum", Sgd::new(0.1).momentum(0.9));
    both("nesterov", Sgd::new(0.1).momentum(0.9).nesterov(true));
    both("sgd_wd", Sgd::new(0.1).weight_decay(0.01));
}

#[test]
fn adam() {
    both("adam", Adam::new(0.05));
    both("adam_wd", Adam::new(0.05).weight_decay(0.01));
    both("adamw", AdamW::new(0.05).weight_decay(0.1));
}

#[test]
fn rates_of_each_parameter() {
    both("rmsprop", RmsProp::new(0.05).alpha(0.99));
    both("rmsprop_centered", RmsProp::new(0.05).centered(true));
    let all = RmsProp::new(0.05).alpha(0.9).momentum(0.9).weight_decay(0.01);
    both("rmsprop_centered_momentum", all.centered(true));
    both("adagrad", Adagrad::new(0.1));
}

/// Gradient of 1 at every step: what the formulas give by hand.
#[test]
fn what_pytorch_has_no_run_of() {
    let one = Tensor::<(Batch, D<5>), f64>::from_vec(vec![1.0; 5]).unwrap();
    let none = Tensor::<(Batch, D<5>), f64>::from_vec(vec![0.0; 5]).unwrap();
    let trained = |optimizer: RmsProp| {
        let mut net = Quadratic::<f64>::on(Cpu::default(), Seed(1)).unwrap();
        net.set_parameter("w", &[0.0; 5]).unwrap();
        let mut step = net.loss_step(optimizer, 1).unwrap();
        for _ in 0..2 {
            step.run((&none, &one)).unwrap();
        }
        net.parameter("w").unwrap()[0]
    };
    // v: 0.5, 0.75; b: 1 / sqrt(v), then half of it and 1 / sqrt(v).
    let first = 1.0 / 0.5f64.sqrt();
    let second = 0.5 * first + 1.0 / 0.75f64.sqrt();
    let found = trained(RmsProp::new(0.1).alpha(0.5).momentum(0.5).eps(0.0));
    assert!((found + 0.1 * (first + second)).abs() < 1e-12, "{found}");

    let mut net = Quadratic::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    net.set_parameter("w", &[0.0; 5]).unwrap();
    let mut step = net.loss_step(Adagrad::new(0.1).rate_decay(1.0).eps(0.0), 1).unwrap();
    for _ in 0..2 {
        step.run((&none, &one)).unwrap();
    }
    let found = net.parameter("w").unwrap()[0];
    assert!((found + 0.1 + 0.05 / 2f64.sqrt()).abs() < 1e-12, "{found}");
}

#[test]
fn settings_out_of_range_are_named() {
    let message = Sgd::new(-0.1).check().unwrap_err().to_string();
    assert_eq!(message, "Sgd: the learning rate is -0.1; it must be 0 or more, and finite");
    let message = Adam::new(1e-3).betas(0.9, 1.0).check().unwrap_err().to_string();
    assert_eq!(message, "Adam: the second beta is 1; it must be in [0, 1)");
    assert!(Sgd::new(0.1).nesterov(true).check().is_err());
    assert!(AdamW::new(f64::NAN).check().is_err());
    let message = RmsProp::new(1e-3).alpha(1.0).check().unwrap_err().to_string();
    assert_eq!(message, "RmsProp: the alpha is 1; it must be in [0, 1)");
    assert!(Adagrad::new(1e-3).eps(-1.0).check().is_err());
}
