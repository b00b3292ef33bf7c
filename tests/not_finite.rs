//! A loss that is not finite ends training with the name of what on the way to it was first not finite.

use netform::cpu::Cpu;
use netform::data::{InMemory, MiniBatch};
use netform::dim::{Batch, D};
use netform::element::{Element, Float};
use netform::error::{Error, Result};
use netform::loss::{CrossEntropy, Loss, Mse};
use netform::network;
use netform::network::Network;
use netform::optim::Sgd;
use netform::random::Seed;
use netform::shape::SampleShape;
use netform::tensor::Tensor;
use netform::train::{BatchRecord, Callback, Trainer};
use netform::weights::Weights;

network! {
    /// Convolutions and pooling.
    pub Digits: [1, 8, 8] -> [3] {
        conv1: Conv2d(4, kernel = 3), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(6), Relu, Dropout(0.25),
        fc2: Linear(3),
    }

    /// A logarithm, which small inputs have none of.
    pub Logs: (x: [2]) -> [2] {
        let fc = Linear(4);
        let out = Linear(2);
        let y = softmax(fc(x), axis = -1);
        out(ln(x.concat(y, axis = 0)))
    }

    /// A mask of minus infinity.
    pub Masked: (x: [4, 2]) -> [4, 2] {
        let q = Linear(2);
        let k = Linear(2);
        let out = Linear(2);
        let scores = softmax(causal(q(x) @ k(x).transpose()), axis = -1);
        out(scores @ x)
    }

    /// A recurrence among layers.
    pub Sequence: (x: [5, 2]) -> [3] {
        let before = Linear(4);
        let gru = Gru(4);
        let after = Linear(3);
        let (ys, h) = gru(tanh(before(x)));
        after(h)
    }

    /// Running statistics.
    pub Normed: [1, 8, 8] -> [3] {
        Flatten,
        fc1: Linear(6), norm: BatchNorm1d, Relu,
        fc2: Linear(3),
    }

    /// Another recurrence, of rows.
    pub Rows: (x: [1, 8, 8]) -> [3] {
        let lstm = Lstm(4);
        let out = Linear(3);
        let (ys, h, c) = lstm(x.reshape([8, 8]));
        out(h)
    }

    /// Minus infinity among its inputs is a place that is left out.
    pub Open: (x: [4]) -> [2] {
        let out = Linear(2);
        out(softmax(x, axis = -1))
    }

    /// More steps than are looked at in one pass.
    pub Deep: (x: [2]) -> [2] {
        let fc = Linear(2);
        let last = Linear(2);
        for i in 0..20 { x = tanh(fc(x)); }
        last(x)
    }
}

/// What is said of a batch, whose loss is not finite.
fn explained<N, L, Y, T>(net: &mut N, loss: L, inputs: Vec<f32>, targets: Vec<T>) -> String
where
    N: Network<InputElement = f32, Device = Cpu>,
    L: Loss<N::Elem, N::Output, Y, T>,
    Y: SampleShape,
    T: Element,
{
    let samples = inputs.len() / N::Input::NUMEL;
    let mut batch = MiniBatch::<N::Input, Y, f32, T>::zeros_on(Cpu::default(), samples).unwrap();
    batch.inputs.write(&inputs).unwrap();
    batch.targets.write(&targets).unwrap();
    let before = net.to_bytes().unwrap();
    let mut step = net.train_step(loss, Sgd::new(0.1), samples).unwrap();
    let loss = step.run(&batch).unwrap().to_f64();
    let cause = step.explain(&batch).unwrap();
    assert!(!loss.is_finite(), "{loss}: {cause}");
    assert!(net.to_bytes().unwrap() == before, "nothing has changed");
    cause
}

fn digits(n: usize) -> Vec<f32> {
    (0..n * 64).map(|i| (i as f32 * 0.7).sin()).collect()
}

#[test]
fn samples_are_named() {
    let mut net = Digits::new(Seed(1));
    let mut inputs = digits(3);
    inputs[64 + 5] = f32::INFINITY;
    assert_eq!(
        explained::<_, _, (), u32>(&mut net, CrossEntropy, inputs, vec![0, 1, 2]),
        "number 5 of the inputs of sample 1 of the batch is inf (counted from 0)"
    );
    assert_eq!(
        explained::<_, _, (D<2>,), f32>(
            &mut Deep::new(Seed(1)),
            Mse,
            vec![0.1; 4],
            vec![0.0, 0.0, 0.0, f32::NAN]
        ),
        "number 1 of the targets of sample 1 of the batch is NaN (counted from 0)"
    );
    // With the number that the sample has in the data set.
    let mut inputs = digits(12);
    inputs[7 * 64 + 63] = f32::NAN;
    let labels = (0..12).map(|i| i % 3).collect();
    let data = InMemory::<(D<1>, D<8>, D<8>)>::new(inputs, labels).unwrap();
    let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.1)).batch(5);
    let error = trainer.fit(&mut net, &data).unwrap_err();
    let Error::NotFinite { cause, .. } = &error else { panic!("{error}") };
    assert_eq!(
        cause,
        "number 63 of the inputs of sample 7 of the training set is NaN (counted from 0)"
    );
    assert!(error.to_string().contains(cause.as_str()), "{error}");
}

#[test]
fn weights_are_named() {
    let mut net = Digits::new(Seed(1));
    net.set_parameter("fc1.bias", &[0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0]).unwrap();
    assert_eq!(
        explained::<_, _, (), u32>(&mut net, CrossEntropy, digits(2), vec![0, 1]),
        "`fc1.bias` has a number that is NaN"
    );
}

#[test]
fn steps_are_named() {
    let mut net = Digits::new(Seed(1));
    let many = |n: usize, x: f32| vec![x; n];
    net.set_parameter("fc2.weight", &many(18, 1e38)).unwrap();
    net.set_parameter("fc2.bias", &many(3, f32::MAX)).unwrap();
    let cause = explained::<_, _, (), u32>(&mut net, CrossEntropy, digits(2), vec![0, 1]);
    assert!(cause.starts_with("the output of `fc2` is the first that is inf, in step "), "{cause}");
    assert!(cause.contains("of the forward pass: %") && cause.contains("fc2.weight^T"), "{cause}");
    net.set_parameter("conv1.weight", &many(36, 1e38)).unwrap();
    let big: Vec<f32> = digits(2).iter().map(|x| 1e3 + x).collect();
    let cause = explained::<_, _, (), u32>(&mut net, CrossEntropy, big, vec![0, 1]);
    assert!(
        cause.starts_with("the output of `conv1` is the first that is inf, in step 1 of "),
        "{cause}"
    );

    let mut net = Logs::new(Seed(1));
    let cause = explained::<_, _, (D<2>,), f32>(&mut net, Mse, vec![0.5, -0.5], vec![0.0, 0.0]);
    assert!(cause.contains("`fc`") && cause.contains("NaN") && cause.contains("ln("), "{cause}");
}

#[test]
fn a_mask_is_no_culprit() {
    let mut net = Masked::new(Seed(1));
    net.set_parameter("out.bias", &[f32::MAX, 0.0]).unwrap();
    net.set_parameter("out.weight", &[1e38, 1e38, 0.0, 0.0]).unwrap();
    let cause = explained::<_, _, (D<4>, D<2>), f32>(&mut net, Mse, vec![2.0; 8], vec![0.0; 8]);
    assert!(cause.starts_with("the output of `out` is the first that is inf, in step "), "{cause}");
}

#[test]
fn a_mask_among_the_inputs_is_named_beside_the_cause() {
    let mut net = Open::new(Seed(1));
    let inputs = || vec![0.5, 0.1, f32::NEG_INFINITY, 0.2];
    let sample = "number 2 of the inputs of sample 0 of the batch is -inf (counted from 0)";
    // Nothing else is found.
    let targets = vec![f32::MAX, 0.0];
    let cause = explained::<_, _, (D<2>,), f32>(&mut net, Mse, inputs(), targets);
    assert_eq!(cause, sample);
    net.set_parameter("out.bias", &[f32::MAX; 2]).unwrap();
    net.set_parameter("out.weight", &[f32::MAX; 8]).unwrap();
    let cause = explained::<_, _, (D<2>,), f32>(&mut net, Mse, inputs(), vec![0.0; 2]);
    assert!(cause.starts_with("the output of `out` is the first that is inf, in step "), "{cause}");
    assert!(cause.ends_with(&format!("; before it, {sample}")), "{cause}");
    // What is not a number comes first.
    let both = vec![f32::NEG_INFINITY, f32::NAN, 0.0, 0.0];
    assert_eq!(
        explained::<_, _, (D<2>,), f32>(&mut net, Mse, both, vec![0.0; 2]),
        "number 1 of the inputs of sample 0 of the batch is NaN (counted from 0)"
    );
}

#[test]
fn a_batch_that_makes_no_update_has_no_norm() {
    let mut net = Deep::new(Seed(1));
    let mut batch = MiniBatch::<(D<2>,), (D<2>,), f32, f32>::zeros_on(Cpu::default(), 1).unwrap();
    batch.targets.write(&[1.0, 2.0]).unwrap();
    let mut step = net.train_step(Mse, Sgd::new(0.1), 1).unwrap().gradient_norms();
    step.run(&batch).unwrap();
    assert!(step.gradient_norm().is_some_and(|norm| norm > 0.0));
    batch.targets.write(&[f32::NAN, 2.0]).unwrap();
    assert!(step.run(&batch).unwrap().is_nan());
    assert_eq!(step.gradient_norm(), None);
}

#[test]
fn loops_are_named_and_what_is_around_them() {
    let (x, labels) = (vec![0.3; 20], vec![0, 1]);
    let mut net = Sequence::new(Seed(1));
    // Whatever the sign of the state, one of the sums is too large.
    let weights: Vec<f32> = (0..12).map(|i| if i < 4 { 3e38 } else { -3e38 }).collect();
    net.set_parameter("after.weight", &weights).unwrap();
    net.set_parameter("after.bias", &[f32::MAX; 3]).unwrap();
    let after = explained::<_, _, (), u32>(&mut net, CrossEntropy, x.clone(), labels.clone());
    assert!(after.starts_with("the output of `after` is the first that is inf"), "{after}");
    net.set_parameter("before.bias", &[9.0; 4]).unwrap();
    // The second step's candidate is 0 times infinity: r = 0, and W h + b is too large.
    let of_candidate = |n: usize, x: f32, others: f32| {
        (0..n).map(|i| if i >= n / 3 * 2 { x } else { others }).collect::<Vec<_>>()
    };
    net.set_parameter("gru.weight_hh_l0", &of_candidate(48, f32::MAX, 0.0)).unwrap();
    let mut bias = of_candidate(12, f32::MAX, 0.0);
    bias[..4].fill(-1e30);
    net.set_parameter("gru.bias_hh_l0", &bias).unwrap();
    net.set_parameter("gru.bias_ih_l0", &of_candidate(12, 9.0, 0.0)).unwrap();
    let within = explained::<_, _, (), u32>(&mut net, CrossEntropy, x, labels);
    assert!(within.starts_with("the output of `gru` is the first that is "), "{within}");
    assert!(within.contains(": for 5 steps of "), "{within}");
}

#[test]
fn what_many_steps_make_is_looked_at_in_several_passes() {
    let mut net = Deep::new(Seed(1));
    net.set_parameter("last.weight", &[1e38; 4]).unwrap();
    net.set_parameter("last.bias", &[f32::MAX; 2]).unwrap();
    net.set_parameter("fc.bias", &[9.0; 2]).unwrap();
    let cause = explained::<_, _, (D<2>,), f32>(&mut net, Mse, vec![0.1; 4], vec![0.0; 4]);
    assert!(
        cause.starts_with("the output of `last` is the first that is inf, in step "),
        "{cause}"
    );
}

#[test]
fn the_loss_is_left_where_all_outputs_are_finite() {
    let mut net = Deep::new(Seed(1));
    let cause =
        explained::<_, _, (D<2>,), f32>(&mut net, Mse, vec![0.1; 2], vec![f32::MAX, f32::MAX]);
    assert_eq!(
        cause,
        "all outputs of the network are finite: a loss of them that is not is its formula's"
    );
    let x = Tensor::<(Batch, D<2>)>::from_vec(vec![0.1, 0.2]).unwrap();
    assert!(net.forward(&x).unwrap().to_vec().iter().all(|y| y.is_finite()));
}

#[test]
fn what_makes_a_validation_loss_is_named() {
    let labels: Vec<u32> = (0..12).map(|i| i % 3).collect();
    let set = |inputs| InMemory::<(D<1>, D<8>, D<8>)>::new(inputs, labels.clone()).unwrap();
    let train = set(digits(12));
    let cause = |test: Vec<f32>| {
        let test = set(test);
        let mut net = Digits::new(Seed(1));
        net.set_parameter("conv1.weight", &[3.0; 36]).unwrap();
        let mut trainer = Trainer::new(CrossEntropy, Sgd::new(1e-6)).batch(5).validate(&test);
        let error = trainer.fit(&mut net, &train).unwrap_err();
        let Error::ValidationNotFinite { cause, loss, epoch: 1, .. } = &error else {
            panic!("{error}")
        };
        assert!(!loss.is_finite() && error.to_string().contains(cause.as_str()), "{error}");
        cause.clone()
    };
    let mut test = digits(12);
    test[7 * 64 + 63] = f32::NAN;
    assert_eq!(
        cause(test),
        "number 63 of the inputs of sample 7 of the validation set is NaN (counted from 0)"
    );
    let mut test = digits(12);
    test[7 * 64..8 * 64].fill(f32::MAX);
    let cause = cause(test);
    assert!(cause.starts_with("the output of `") && cause.contains(" of inference: %"), "{cause}");
}

/// Ends training after so many batches.
struct Ending(usize);

impl Callback for Ending {
    fn on_batch_end(&mut self, _: &BatchRecord) -> Result<()> {
        self.0 -= 1;
        if self.0 == 0 { Err(Error::Invalid("no more".to_owned())) } else { Ok(()) }
    }
}

/// Trains at a rate that makes the weights of the first updates too large for the next batches. Weights and running
/// statistics are then those after the last good batch.
fn ends_at_the_last_good_batch<N>(new: fn(Seed) -> N, rate: f64)
where
    N: Network<
            Elem = f32,
            InputElement = f32,
            Device = Cpu,
            Input = (D<1>, D<8>, D<8>),
            Output = (D<3>,),
        >,
{
    let labels = (0..12).map(|i| i % 3).collect();
    let data = InMemory::<(D<1>, D<8>, D<8>)>::new(digits(12), labels).unwrap();
    let trainer = || Trainer::new(CrossEntropy, Sgd::new(rate)).epochs(9).batch(4);
    let mut net = new(Seed(1));
    let error = trainer().fit(&mut net, &data).unwrap_err();
    let Error::NotFinite { cause, epoch, batch, .. } = &error else { panic!("{error}") };
    assert!(!cause.contains("could not be found"), "{cause}");
    let good = (epoch - 1) * 3 + batch - 1;
    assert!(good > 0, "{error}");
    let mut other = new(Seed(1));
    trainer().callback(Ending(good)).fit(&mut other, &data).unwrap_err();
    assert!(net.to_bytes().unwrap() == other.to_bytes().unwrap(), "{error}");
}

#[test]
fn the_batch_that_went_wrong_has_changed_nothing() {
    ends_at_the_last_good_batch(Digits::new, 1e30);
    ends_at_the_last_good_batch(Normed::new, 1e30);
    // States are bounded, and only a larger rate is too much.
    ends_at_the_last_good_batch(Rows::new, 3e38);
}
