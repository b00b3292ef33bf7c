//! What trainings keep and say on Vulkan, as on the CPU.

extern crate netform_core as netform;

mod common;

use common::{numbers, vulkan};
use netform_core::cpu::Cpu;
use netform_core::data::InMemory;
use netform_core::dim::D;
use netform_core::error::Error;
use netform_core::loss::CrossEntropy;
use netform_core::metric::{Confusion, F1};
use netform_core::optim::Sgd;
use netform_core::random::Seed;
use netform_core::train::Trainer;
use netform_core::weights::Weights;
use netform_macros::network;

network! {
    Normed: [6] -> [3] {
        fc1: Linear(16), norm: BatchNorm1d, Relu, Dropout(0.25),
        fc2: Linear(3),
    }
}

type Data = InMemory<(D<6>,)>;

const SAMPLES: usize = 8;
const COUNT: usize = 9 * SAMPLES + 3;

fn data(inputs: Vec<f32>) -> Data {
    let labels = numbers(COUNT, 51).iter().map(|x| (x.abs() * 2.99) as u32).collect();
    Data::new(inputs, labels).unwrap()
}

#[test]
fn metrics_steps_and_norms() {
    let Some(vulkan) = vulkan("metrics_steps_and_norms") else { return };
    let data = data(numbers(COUNT * 6, 50));
    macro_rules! history {
        ($device:expr) => {
            Trainer::new(CrossEntropy, Sgd::new(0.05))
                .epochs(2)
                .batch(SAMPLES)
                .validate(&data)
                .metric("f1", F1::macro_average(3))
                .metric("classes", Confusion::new(3))
                .freeze("norm")
                .accumulate(2)
                .gradient_norms()
                .weight_norms()
                .fit(&mut Normed::<f32, _>::on($device, Seed(3)).unwrap(), &data)
                .unwrap()
        };
    }
    let (found, expected) = (history!(vulkan), history!(Cpu::default()));
    assert_eq!((found.steps.len(), expected.steps.len()), (20, 20));
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{a} {b}");
    for (found, expected) in found.steps.iter().zip(&expected.steps) {
        close(found.loss, expected.loss);
        assert_eq!(found.gradient_norm.is_some(), expected.gradient_norm.is_some());
        close(found.gradient_norm.unwrap_or(0.0), expected.gradient_norm.unwrap_or(0.0));
    }
    assert_eq!(found.steps.iter().filter(|step| step.gradient_norm.is_some()).count(), 10);
    for (found, expected) in found.epochs.iter().zip(&expected.epochs) {
        assert_eq!(found.metrics, expected.metrics);
        for (found, expected) in found.weight_norms.iter().zip(&expected.weight_norms) {
            close(found.norm, expected.norm);
        }
    }
}

/// Steps are under way behind the one that goes wrong, and come to nothing.
#[test]
fn a_bad_batch_ends_training_where_it_ends_on_the_cpu() {
    let Some(vulkan) = vulkan("a_bad_batch_ends_training_where_it_ends_on_the_cpu") else { return };
    let mut inputs = numbers(COUNT * 6, 50);
    inputs[20 * 6 + 1] = f32::NAN;
    let (bad, good) = (data(inputs), data(numbers(COUNT * 6, 50)));
    macro_rules! outcome {
        ($device:expr) => {{
            let mut net = Normed::<f32, _>::on($device, Seed(3)).unwrap();
            let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.05).momentum(0.9))
                .epochs(2)
                .batch(SAMPLES)
                .seed(Seed(4));
            let error = trainer.fit(&mut net, &bad).unwrap_err();
            let names = ["fc1.weight", "norm.weight", "fc2.bias"];
            let weights: Vec<f32> =
                names.into_iter().flat_map(|name| net.parameter(name).unwrap()).collect();
            // And training can go on with other data.
            let history = trainer.fit(&mut net, &good).unwrap();
            (error, weights, history.last().unwrap().train_loss)
        }};
    }
    let (found, expected) = (outcome!(vulkan), outcome!(Cpu::default()));
    let place = |error: &Error| match error {
        Error::NotFinite { epoch, batch, cause, .. } => (*epoch, *batch, cause.clone()),
        other => panic!("{other}"),
    };
    assert_eq!(place(&found.0), place(&expected.0));
    let (epoch, batch, cause) = place(&found.0);
    assert!(epoch == 1 && batch < 9, "steps are under way behind it: batch {batch}");
    assert_eq!(
        cause,
        "number 1 of the inputs of sample 20 of the training set is NaN (counted from 0)"
    );
    for (found, expected) in found.1.iter().zip(&expected.1) {
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
    assert!((found.2 - expected.2).abs() < 1e-3, "{} {}", found.2, expected.2);
}

#[test]
fn the_first_step_whose_output_is_not_finite_is_named() {
    let Some(vulkan) = vulkan("the_first_step_whose_output_is_not_finite_is_named") else { return };
    let data = data(numbers(COUNT * 6, 50));
    macro_rules! cause {
        ($device:expr, $name:literal) => {{
            let mut net = Normed::<f32, _>::on($device.clone(), Seed(3)).unwrap();
            let large: Vec<f32> =
                net.parameter($name).unwrap().iter().map(|x| x * 1e38 + 1e38).collect();
            net.set_parameter($name, &large).unwrap();
            match Trainer::new(CrossEntropy, Sgd::new(0.05)).batch(SAMPLES).fit(&mut net, &data) {
                Err(Error::NotFinite { cause, .. }) => cause,
                other => panic!("{other:?}"),
            }
        }};
    }
    let cpu = Cpu::default();
    let found = cause!(vulkan, "fc2.weight");
    assert!(found.starts_with("the output of `fc2` is the first that is "), "{found}");
    assert_eq!(found, cause!(cpu, "fc2.weight"));
}

network! {
    /// A length, which has no derivative where inputs are 0.
    Length: (x: [6]) -> [3] {
        let fc = Linear(8, bias = false);
        let out = Linear(3);
        let y = fc(x);
        out(sqrt(sum(square(y), axis = 0)).reshape([1]))
    }
}

/// As on the CPU: the steps that are under way behind it come to nothing, too.
#[test]
fn gradients_that_are_not_finite_end_training() {
    let Some(vulkan) = vulkan("gradients_that_are_not_finite_end_training") else { return };
    let mut inputs = numbers(COUNT * 6, 50);
    inputs[20 * 6..21 * 6].fill(0.0);
    let bad = data(inputs);
    macro_rules! outcome {
        ($device:expr, $normed:expr) => {{
            let mut net = Length::<f32, _>::on($device.clone(), Seed(3)).unwrap();
            let trainer = Trainer::new(CrossEntropy, Sgd::new(0.05).momentum(0.9));
            let trainer = trainer.batch(SAMPLES).seed(Seed(4));
            let mut trainer = if $normed { trainer.clip_norm(5.0) } else { trainer };
            let error = trainer.fit(&mut net, &bad).unwrap_err();
            (error, net.parameter("fc.weight").unwrap())
        }};
    }
    let cpu = Cpu::default();
    let (found, expected) = (outcome!(vulkan, true), outcome!(cpu, true));
    assert!(matches!(&found.0, Error::UpdateNotFinite { epoch: 1, batch, .. } if *batch < 9));
    assert_eq!(found.0.to_string(), expected.0.to_string());
    for (found, expected) in found.1.iter().zip(&expected.1) {
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
    let (found, expected) = (outcome!(vulkan, false), outcome!(cpu, false));
    assert_eq!(found.0.to_string(), expected.0.to_string());
    assert!(found.1.iter().all(|x| !x.is_finite()));
}

#[test]
fn what_makes_a_validation_loss_is_named() {
    let Some(vulkan) = vulkan("what_makes_a_validation_loss_is_named") else { return };
    let (train, mut inputs) = (data(numbers(COUNT * 6, 50)), numbers(COUNT * 6, 52));
    inputs[20 * 6..21 * 6].fill(f32::MAX);
    let test = data(inputs);
    macro_rules! error {
        ($device:expr) => {{
            let mut net = Length::<f32, _>::on($device, Seed(3)).unwrap();
            let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.05)).validate(&test);
            trainer.fit(&mut net, &train).unwrap_err().to_string()
        }};
    }
    let found = error!(vulkan);
    assert!(found.contains(" of inference: %"), "{found}");
    assert_eq!(found, error!(Cpu::default()));
}
