//! The losses against PyTorch: value and gradient with respect to a network's input, through the loss. A case is
//! one line: the network in front, the loss, and the targets as they are made of the reference's second input.
//! What PyTorch's values do not have (weights of classes, other settings) is compared with the formulas of its
//! documentation.

mod common;

use common::{Reference, assert_close};
use netform::element::Float;
use netform::loss::{
    Bce, CosineSimilarity, Hinge, Huber, KlDivergence, L1, Loss, Nll, SmoothL1,
    WeightedCrossEntropy,
};
use netform::prelude::*;
use netform::step::InputBatch;

/// The loss of a network's outputs, and its gradient with respect to the inputs.
macro_rules! pass {
    ($net:ident<$e:ty>, $loss:expr, $x:expr, $targets:expr) => {{
        let net = $net::<$e>::on(Cpu::default(), Seed(0)).unwrap();
        let x = floats::<$net<$e>>(&$x);
        let mut workspace = net.workspace(Mode::Train).unwrap();
        let mut loss = LossGradient::new($loss);
        let pass = workspace.forward(&net, &x).unwrap();
        let (value, gradient) = loss.run(pass.outputs(), &$targets).unwrap();
        (value, pass.backward(gradient).unwrap().inputs().unwrap().to_vec())
    }};
}

/// Inputs or outputs of a network whose outputs have the shape of its inputs.
fn floats<N: Network>(values: &[f64]) -> Tensor<InputBatch<N>, N::Elem> {
    Tensor::from_vec(values.iter().map(|x| N::Elem::from_f64(*x)).collect()).unwrap()
}

/// Targets of a case: labels, or floats of the outputs' shape.
macro_rules! targets {
    ($e:ty, $case:expr, labels) => {
        Tensor::<(Batch,), u32>::from_vec(Reference::read("ops").labels(&$case)).unwrap()
    };
    ($e:ty, $case:expr, $map:expr) => {{ floats::<Net<$e>>(&$map(Reference::read("ops").get::<f64>(&$case))) }};
}

macro_rules! cases {
    ($($name:ident: $shape:tt { $($front:tt)* } $loss:expr, $targets:tt;)*) => { $(
        mod $name {
            use super::*;

            network! {
                #[doc = stringify!($name)]
                pub Net: (x: $shape) -> $shape { $($front)* }
            }

            macro_rules! check {
                ($e:ty) => {{
                    let reference = Reference::read("ops");
                    let at = |what: &str| format!("{}/{what}", stringify!($name));
                    let targets = targets!($e, at("in1"), $targets);
                    let (value, gradient) =
                        pass!(Net<$e>, $loss, reference.get::<f64>(&at("in0")), targets);
                    let scale = reference.get::<f64>(&at("cot"))[0];
                    let gradient: Vec<$e> = gradient.iter().map(|x| x * scale as $e).collect();
                    assert_close(&at("out"), &[value], &reference.get(&at("out")));
                    assert_close(&at("grad0"), &gradient, &reference.get(&at("grad0")));
                }};
            }

            #[test]
            fn agrees() {
                check!(f32);
                check!(f64);
            }
        }
    )* };
}

cases! {
    mse: [5] { x * 1.0 } Mse, same;
    l1: [5] { x * 1.0 } L1, same;
    huber: [5] { x * 1.0 } Huber::default(), same;
    bce: [] { sigmoid(x) } Bce, rounded;
    bce_logits: [] { x * 1.0 } BceWithLogits, same;
    hinge: [] { x * 1.0 } Hinge, signs;
    nll: [5] { log_softmax(x) } Nll, labels;
    kl_div: [5] { log_softmax(x) } KlDivergence, softmax;
    cross_entropy: [5] { x * 1.0 } CrossEntropy, labels;
    cross_entropy_onehot: [5] { x * 1.0 } CrossEntropy, same;
    cross_entropy_smooth: [5] { x * 1.0 } CrossEntropy.smoothing(0.1), labels;
}

fn same(x: Vec<f64>) -> Vec<f64> {
    x
}

fn rounded(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(f64::round_ties_even).collect()
}

fn signs(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(f64::signum).collect()
}

/// Of rows of five.
fn softmax(x: Vec<f64>) -> Vec<f64> {
    x.chunks(5).flat_map(probabilities).collect()
}

fn probabilities(row: &[f64]) -> Vec<f64> {
    let sum: f64 = row.iter().map(|x| x.exp()).sum();
    row.iter().map(|x| x.exp() / sum).collect()
}

network! {
    /// Outputs that are the inputs.
    pub Same: (x: [5]) -> [5] { x * 1.0 }
    /// Three positions, each with five outputs.
    pub Positions: (x: [3, 5]) -> [3, 5] { x * 1.0 }
}

/// The inputs of the reference's cross entropies: five rows of five.
fn rows() -> (Vec<f64>, Vec<u32>) {
    let reference = Reference::read("ops");
    (reference.get("cross_entropy/in0"), reference.labels("cross_entropy/in1"))
}

const WEIGHTS: [f64; 5] = [0.5, 2.0, 1.0, 0.0, 3.5];

/// The cross entropy of labels with weights w and smoothing s, as PyTorch documents it: the sum over samples of
/// (1 - s) w_y l_y + s / C sum of w_c l_c, with l = -ln softmax(x), over the sum of w_y; and its gradient.
fn weighted(x: &[f64], labels: &[u32], w: &[f64], s: f64) -> (f64, Vec<f64>) {
    let classes = w.len();
    let count: f64 = labels.iter().map(|y| w[*y as usize]).sum();
    let (mut value, mut gradient) = (0.0, vec![]);
    for (row, label) in x.chunks(classes).zip(labels) {
        let (p, y) = (probabilities(row), *label as usize);
        let share =
            |c: usize| (1.0 - s) * f64::from(u8::from(c == y)) * w[c] + s / classes as f64 * w[c];
        let all: f64 = (0..classes).map(share).sum();
        value += (0..classes).map(|c| -share(c) * p[c].ln()).sum::<f64>();
        gradient.extend((0..classes).map(|c| (all * p[c] - share(c)) / count));
    }
    (value / count, gradient)
}

macro_rules! both {
    ($check:ident) => {
        $check!(f32);
        $check!(f64);
    };
}

#[test]
fn weights_of_classes_with_labels() {
    let (x, labels) = rows();
    macro_rules! check {
        ($e:ty) => {
            for (loss, w, s) in [
                (CrossEntropy.weights(WEIGHTS), WEIGHTS, 0.0),
                (CrossEntropy.weights(WEIGHTS).smoothing(0.2), WEIGHTS, 0.2),
                (CrossEntropy.smoothing(0.2).weights(vec![1.0; 5]), [1.0; 5], 0.2),
            ] {
                let targets = Tensor::<(Batch,), u32>::from_vec(labels.to_vec()).unwrap();
                let (value, gradient) = pass!(Same<$e>, loss, x.clone(), targets);
                let expected = weighted(&x, &labels, &w, s);
                assert_close("weighted", &[value], &[expected.0]);
                assert_close("weighted, gradient", &gradient, &expected.1);
            }
        };
    }
    both!(check);
}

#[test]
fn smoothing_is_a_weighted_loss_whose_weights_are_1() {
    let (x, labels) = rows();
    for s in [0.0, 0.3, 1.0] {
        let targets = Tensor::<(Batch,), u32>::from_vec(labels.to_vec()).unwrap();
        let (value, gradient) = pass!(Same<f64>, CrossEntropy.smoothing(s), x.clone(), targets);
        let expected = weighted(&x, &labels, &[1.0; 5], s);
        assert_close("smoothed", &[value], &[expected.0]);
        assert_close("smoothed, gradient", &gradient, &expected.1);
    }
}

/// With probabilities t: the mean over samples of sum of w ((1 - s) t + s / C) l.
#[test]
fn weights_of_classes_with_probabilities() {
    let (x, _) = rows();
    let t: Vec<f64> = softmax(x.iter().map(|x| -0.7 * x).collect());
    macro_rules! check {
        ($e:ty) => {
            for s in [0.0, 0.2] {
                let (mut value, mut expected) = (0.0, vec![]);
                for (row, t) in x.chunks(5).zip(t.chunks(5)) {
                    let p = probabilities(row);
                    let share = |c: usize| WEIGHTS[c] * ((1.0 - s) * t[c] + s / 5.0) / 5.0;
                    let all: f64 = (0..5).map(share).sum();
                    value += (0..5).map(|c| -share(c) * p[c].ln()).sum::<f64>();
                    expected.extend((0..5).map(|c| all * p[c] - share(c)));
                }
                let targets = floats::<Same<$e>>(&t);
                let loss = CrossEntropy.weights(WEIGHTS).smoothing(s);
                let (found, gradient) = pass!(Same<$e>, loss, x.clone(), targets);
                assert_close("weighted probabilities", &[found], &[value]);
                assert_close("weighted probabilities, gradient", &gradient, &expected);
            }
            let targets = floats::<Same<$e>>(&t);
            let smooth = pass!(Same<$e>, CrossEntropy.smoothing(0.2), x.clone(), targets);
            let ones = CrossEntropy.weights([1.0; 5]).smoothing(0.2);
            let (value, gradient) = pass!(Same<$e>, ones, x.clone(), targets);
            assert_close("smoothed probabilities", &[smooth.0], &[f64::from(value)]);
            let gradient: Vec<f64> = gradient.into_iter().map(f64::from).collect();
            assert_close("smoothed probabilities, gradient", &smooth.1, &gradient);
        };
    }
    both!(check);
}

/// The sum of -w_y x_y over the sum of w_y.
#[test]
fn weights_of_log_probabilities() {
    let (x, labels) = rows();
    let count: f64 = labels.iter().map(|y| WEIGHTS[*y as usize]).sum();
    let mut expected = (0.0, vec![0.0; 25]);
    for (row, y) in labels.iter().map(|y| *y as usize).enumerate() {
        expected.0 -= WEIGHTS[y] * x[5 * row + y] / count;
        expected.1[5 * row + y] = -WEIGHTS[y] / count;
    }
    macro_rules! check {
        ($e:ty) => {
            let targets = Tensor::<(Batch,), u32>::from_vec(labels.to_vec()).unwrap();
            let (value, gradient) = pass!(Same<$e>, Nll.weights(WEIGHTS), x.clone(), targets);
            assert_close("weighted nll", &[value], &[expected.0]);
            assert_close("weighted nll, gradient", &gradient, &expected.1);
        };
    }
    both!(check);
}

/// Positions count as samples do, those of one sample together with those of others.
#[test]
fn positions_have_weights_too() {
    let (x, labels) = rows();
    let (x, labels) = ([x.clone(), x[5..10].to_vec()].concat(), [labels, vec![2]].concat());
    let targets = Tensor::<(Batch, D<3>), u32>::from_vec(labels.to_vec()).unwrap();
    let loss = CrossEntropy.weights(WEIGHTS).smoothing(0.1);
    let (value, gradient) = pass!(Positions<f64>, loss, x.clone(), targets);
    let expected = weighted(&x, &labels, &WEIGHTS, 0.1);
    assert_close("positions", &[value], &[expected.0]);
    assert_close("positions, gradient", &gradient, &expected.1);
}

/// Smooth L1 and Huber at other settings than PyTorch's defaults, by the formulas.
#[test]
fn settings_of_robust_losses() {
    let reference = Reference::read("ops");
    let (x, t): (Vec<f64>, Vec<f64>) = (reference.get("huber/in0"), reference.get("huber/in1"));
    let errors = || x.iter().zip(&t).map(|(x, t)| x - t);
    macro_rules! check {
        ($e:ty) => {
            for d in [0.3, 2.5] {
                let huber =
                    |e: f64| if e.abs() <= d { e * e / 2.0 } else { d * (e.abs() - d / 2.0) };
                let value = errors().map(huber).sum::<f64>() / 25.0;
                let gradient: Vec<f64> = errors().map(|e| e.clamp(-d, d) / 25.0).collect();
                let targets = floats::<Same<$e>>(&t);
                let found = pass!(Same<$e>, Huber::new(d), x.clone(), targets);
                assert_close("huber", &[found.0], &[value]);
                assert_close("huber, gradient", &found.1, &gradient);
                // PyTorch: Huber over delta.
                let found = pass!(Same<$e>, SmoothL1::new(d), x.clone(), targets);
                let gradient: Vec<f64> = gradient.iter().map(|g| g / d).collect();
                assert_close("smooth l1", &[found.0], &[value / d]);
                assert_close("smooth l1, gradient", &found.1, &gradient);
            }
        };
    }
    both!(check);
}

/// The reference has the cosines of five rows, each with a cotangent of its own.
#[test]
fn cosine_similarity() {
    let reference = Reference::read("ops");
    let get = |what: &str| reference.get::<f64>(&format!("cosine_similarity/{what}"));
    let (cosines, cotangents) = (get("out"), get("cot"));
    macro_rules! check {
        ($e:ty) => {
            let targets = floats::<Same<$e>>(&get("in1"));
            let (value, gradient) = pass!(Same<$e>, CosineSimilarity, get("in0"), targets);
            let expected = 1.0 - cosines.iter().sum::<f64>() / 5.0;
            assert_close("1 - cosine", &[value], &[expected]);
            let scaled = gradient.chunks(5).zip(&cotangents);
            let scaled = scaled.flat_map(|(row, c)| row.iter().map(move |g| -5.0 * g * *c as $e));
            assert_close("cosine, gradient", &scaled.collect::<Vec<$e>>(), &get("grad0"));
        };
    }
    both!(check);
}

/// Where a formula meets the end of what it is defined for: values of PyTorch's definitions, gradients finite.
#[test]
fn ends_of_ranges() {
    let batch = |x: &[f64]| Tensor::<(Batch, D<2>), f64>::from_vec(x.to_vec()).unwrap();
    let (value, gradient) = one(Bce, &batch(&[0.0, 1.0]), &batch(&[1.0, 1.0]));
    assert_eq!((value, gradient), (50.0, vec![0.0, -0.5]));
    let (value, gradient) = one(KlDivergence, &batch(&[-1.0, -2.0]), &batch(&[0.0, 1.0]));
    assert_eq!((value, gradient), (2.0, vec![0.0, -1.0]));
    let (value, gradient) = one(CosineSimilarity, &batch(&[0.0, 0.0]), &batch(&[1.0, 0.0]));
    assert!(value == 1.0 && gradient.iter().all(|g| g.is_finite()), "{value} {gradient:?}");
    // A class that is ruled out, and no smoothing: the other classes have a loss all the same.
    let labels = Tensor::<(Batch,), u32>::from_vec(vec![1]).unwrap();
    let logits = batch(&[f64::NEG_INFINITY, 3.0]);
    assert_eq!(one(CrossEntropy.smoothing(0.0), &logits, &labels).0, 0.0);
    assert_eq!(one(CrossEntropy.weights([1.0, 2.0]), &logits, &labels).0, 0.0);
}

/// The value and the gradient of a batch.
fn one<L, R, T>(
    loss: L,
    outputs: &Tensor<(Batch, D<2>), f64>,
    targets: &Tensor<R, T>,
) -> (f64, Vec<f64>)
where
    L: Loss<f64, (D<2>,), R::Sample, T>,
    R: netform::shape::BatchedShape,
    T: netform::element::Element,
{
    let mut loss = LossGradient::new(loss);
    let (value, gradient) = loss.run(outputs, targets).unwrap();
    (value, gradient.to_vec())
}

#[test]
fn answers_are_counted() {
    fn correct<L, Y: netform::shape::SampleShape, T: netform::element::Element>(
        loss: L,
        outputs: &[f32],
        targets: &[T],
    ) -> Option<[usize; 2]>
    where
        L: Loss<f32, (D<2>,), Y, T>,
    {
        loss.correct(outputs, targets).map(|answers| [answers.correct, answers.judged])
    }
    let outputs = [0.6, 0.4, -0.1, 0.7];
    let (labels, floats) = ([0u32, 0], [1.0f32, 0.0, 0.0, 0.0]);
    assert_eq!(correct(Bce, &outputs, &floats), Some([3, 4]));
    assert_eq!(correct(BceWithLogits, &outputs, &floats), Some([2, 4]));
    assert_eq!(correct(Hinge, &outputs, &[1.0f32, -1.0, -1.0, 1.0]), Some([3, 4]));
    assert_eq!(correct(Nll, &outputs, &labels), Some([1, 2]));
    assert_eq!(correct(Nll.weights([1.0, 2.0]), &outputs, &labels), Some([1, 2]));
    assert_eq!(correct(CrossEntropy.smoothing(0.1), &outputs, &labels), Some([1, 2]));
    assert_eq!(correct(CrossEntropy.weights([1.0, 2.0]), &outputs, &labels), Some([1, 2]));
    let rows = [0.9f32, 0.1, 0.2, 0.8];
    assert_eq!(correct(CrossEntropy.weights([1.0, 2.0]), &outputs, &rows), Some([2, 2]));
    assert_eq!(correct::<_, (D<2>,), f32>(L1, &outputs, &floats), None);
    assert_eq!(correct::<_, (D<2>,), f32>(KlDivergence, &outputs, &floats), None);
}

#[test]
fn settings_are_checked_before_training() {
    let data = InMemory::<(D<5>,)>::new(vec![0.0; 10], vec![0, 1]).unwrap();
    let floats = InMemory::<(D<5>,), (D<5>,), f32, f32>::new(vec![0.0; 10], vec![0.0; 10]).unwrap();
    let mut net = Linear5::new(Seed(1));
    let mut fails = |loss: WeightedCrossEntropy, text: &str| {
        let error = Trainer::new(loss, Sgd::new(0.1)).fit(&mut net, &data).unwrap_err();
        assert_eq!(error.to_string(), text);
    };
    let four = "the weights of `CrossEntropy`, one for each class: expected 5 numbers, found 4";
    fails(CrossEntropy.weights([1.0; 4]), four);
    let negative = "the weight of class 2 of `CrossEntropy` is -1; it must be 0 or more";
    fails(CrossEntropy.weights([1.0, 1.0, -1.0, 1.0, 1.0]), negative);
    let smoothing = "the smoothing of `CrossEntropy` is 1.5; it must be from 0 to 1";
    fails(CrossEntropy.weights([1.0; 5]).smoothing(1.5), smoothing);
    let error = Trainer::new(Huber::new(0.0), Sgd::new(0.1)).fit(&mut net, &floats).unwrap_err();
    assert_eq!(error.to_string(), "the delta of `Huber` is 0; it must be above 0, and finite");
}
network! {
    /// A classifier.
    pub Linear5: [5] -> [5] { fc: Linear(5) }
}

#[test]
fn a_single_output_tells_no_classes_apart() {
    let said = "an output for each, and the loss of a single output would always be 0: expected two outputs or more, found 1; for two classes end in `Linear(2)`, or in `Linear(1)` with `BceWithLogits` and targets of 0 and 1";
    let data = InMemory::<(D<1>,)>::new(vec![0.0; 2], vec![0, 0]).unwrap();
    let mut net = Single::new(Seed(1));
    fn fails<L: Loss<f32, (D<1>,), (), u32> + Clone>(
        loss: L,
        net: &mut Single,
        data: &InMemory<(D<1>,)>,
    ) -> [String; 4] {
        let trained = Trainer::new(loss.clone(), Sgd::new(0.1)).fit(net, data).err();
        let evaluated = netform::train::evaluate(net, &loss, data, 2).err();
        let step = net.train_step(loss.clone(), Sgd::new(0.1), 2).err();
        let outputs = Tensor::<(Batch, D<1>)>::from_vec(vec![0.5]).unwrap();
        let labels = Tensor::<(Batch,), u32>::from_vec(vec![0]).unwrap();
        let by_hand = LossGradient::new(loss).run(&outputs, &labels).err();
        [trained, evaluated, step, by_hand].map(|error| error.unwrap().to_string())
    }
    let all = [
        fails(CrossEntropy, &mut net, &data),
        fails(CrossEntropy.smoothing(0.1), &mut net, &data),
        fails(CrossEntropy.weights([1.0]), &mut net, &data),
    ];
    for error in all.into_iter().flatten() {
        assert_eq!(error, format!("`CrossEntropy` tells classes apart by {said}"));
    }
    let all = [fails(Nll, &mut net, &data), fails(Nll.weights([1.0]), &mut net, &data)];
    for error in all.into_iter().flatten() {
        assert_eq!(error, format!("`Nll` tells classes apart by {said}"));
    }
}

#[test]
fn the_trainer_takes_weights() {
    let labels: Vec<u32> = [vec![0; 30], vec![1; 10]].concat();
    let data = InMemory::<(D<1>,)>::new(vec![0.0; 40], labels).unwrap();
    let mut net = Bias::new(Seed(1));
    let loss = CrossEntropy.weights([1.0, 3.0]);
    let history =
        Trainer::new(loss, Sgd::new(1.0)).epochs(200).batch(40).fit(&mut net, &data).unwrap();
    let found = net.parameter("fc.bias").unwrap();
    assert!((found[0] - found[1]).abs() < 1e-3, "{found:?}");
    let last = history.epochs.last().unwrap();
    assert!((f64::from(last.train_loss as f32) - 2f64.ln()).abs() < 1e-4);
}

network! {
    /// Logits that depend on nothing but the bias.
    pub Bias: [1] -> [2] { fc: Linear(2) }

    /// One output.
    pub Single: [1] -> [1] { fc: Linear(1) }
}
