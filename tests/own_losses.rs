//! A user's own losses: functions with numbers that are given at run time, values with weights, networks that are
//! their own loss.

mod common;

use common::assert_close;
use netform::prelude::*;

network! {
    /// An own loss with settings of run time.
    pub fn with_margin<C>(x: [C], label: u32[], weights: [f32; C], margin: f32) -> ([], []) {
        let weight = sum(weights * one_hot(label, C));
        (weight * sum(relu(x - gather(x, label) + margin)), weight)
    }

    /// Outputs count as much as they say themselves.
    pub fn confident(x: [2], t: [2]) -> ([], []) {
        let weight = exp(x[1]);
        (weight * square(x[0] - t[0]) + 0.0 * t[1], weight)
    }
}

/// Both terms of the quotient's derivative, where the weight depends on the outputs; in the trainer's path.
#[test]
fn the_gradient_of_a_weight() {
    let (x, t) = (vec![0.3, -0.2, 1.1, 0.4, -0.8, 0.9], vec![1.0, 0.0, -0.5, 0.0, 0.25, 0.0]);
    let value = |x: &[f64]| {
        let pairs = || x.chunks(2).zip(t.chunks(2));
        let sum: f64 = pairs().map(|(x, t)| x[1].exp() * (x[0] - t[0]).powi(2)).sum();
        sum / pairs().map(|(x, _)| x[1].exp()).sum::<f64>()
    };
    let outputs = Tensor::<(Batch, D<2>), f64>::from_vec(x.to_vec()).unwrap();
    let targets = Tensor::<(Batch, D<2>), f64>::from_vec(t.to_vec()).unwrap();
    let mut loss = LossGradient::new(confident);
    let (found, gradient) = loss.run(&outputs, &targets).unwrap();
    let gradient = gradient.to_vec();
    let expected: Vec<f64> = (0..6)
        .map(|i| {
            let at = |h: f64| {
                let mut x = x.clone();
                x[i] += h;
                value(&x)
            };
            (at(1e-5) - at(-1e-5)) / 2e-5
        })
        .collect();
    assert_close("value", &[found], &[value(&x)]);
    for (found, expected) in gradient.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-8, "{gradient:?}, expected {expected:?}");
    }
}

network! {
    /// A network that is its own loss, with the same weights: `confident` of a line.
    pub Confident: (x: [3], t: [2]) -> ([], []) {
        let line = Linear(2);
        confident(line(x), t)
    }
    /// The line.
    pub Line: [3] -> [2] { line: Linear(2) }
}

/// One step of a network that yields values and weights is a step with the loss that does.
#[test]
fn networks_with_weights() {
    let x = Tensor::<(Batch, D<3>), f64>::from_vec((0..12).map(|i| f64::from(i).sin()).collect());
    let t = Tensor::<(Batch, D<2>), f64>::from_vec((0..8).map(|i| f64::from(i).cos()).collect());
    let (x, t) = (x.unwrap(), t.unwrap());
    let mut a = Confident::<f64>::on(Cpu::default(), Seed(3)).unwrap();
    let mut b = Line::<f64>::on(Cpu::default(), Seed(3)).unwrap();
    for name in ["line.weight", "line.bias"] {
        b.set_parameter(name, &a.parameter(name).unwrap()).unwrap();
    }
    let mut own = a.loss_step(Sgd::new(0.1), 4).unwrap();
    let mut with = b.train_step(confident, Sgd::new(0.1), 4).unwrap();
    for _ in 0..3 {
        let (one, other) = (own.run((&x, &t)).unwrap(), with.run_on(&x, &t).unwrap());
        assert!((one - other).abs() < 1e-12, "{one} {other}");
    }
    for name in ["line.weight", "line.bias"] {
        assert_close(name, &a.parameter(name).unwrap(), &b.parameter(name).unwrap());
    }
}

#[test]
fn own_losses_with_settings() {
    let (x, labels) = (vec![0.5f32, 0.0, 1.0, /* */ 0.0, 2.0, 0.25], [2, 0]);
    let outputs = Tensor::<(Batch, D<3>)>::from_vec(x.to_vec()).unwrap();
    let labels = Tensor::<(Batch,), u32>::from_vec(labels.to_vec()).unwrap();
    let mut loss = LossGradient::new(with_margin { weights: vec![1.0, 5.0, 3.0], margin: 0.75 });
    let (value, _) = loss.run(&outputs, &labels).unwrap();
    // Row 0: 0.25 + 0 + 0.75, three times; row 1: 0.75 + 2.75 + 1.
    assert_eq!(value, (3.0 * 1.0 + 4.5) / 4.0);
    let mut short = LossGradient::new(with_margin { weights: vec![1.0], margin: 0.75 });
    let error = short.run(&outputs, &labels).unwrap_err().to_string();
    assert_eq!(error, "`weights` of loss `with_margin`: expected 3 numbers, found 1");
    let mut no = LossGradient::new(with_margin { weights: vec![1.0; 3], margin: f32::NAN });
    let error = no.run(&outputs, &labels).unwrap_err().to_string();
    assert_eq!(error, "`margin` of loss `with_margin` is NaN; it must be finite");
}

network! {
    /// Numbers of both types.
    pub fn of_both<C>(x: [C], t: [C], weights: [f32; C], shifts: [f64; C], a: f32, b: f64) -> [] {
        a * sum(weights * abs(x - t + shifts)) + b
    }

    /// A number of either type.
    pub Times(factor: f32): (x: [2]) -> [2] { x * factor }
}

/// What is declared as `f32` is `f32` in Rust, whatever the network's element is, and `f64` is `f64`.
#[test]
fn numbers_have_the_type_that_is_declared() {
    let (weights, shifts): (Vec<f32>, Vec<f64>) = (vec![0.5, 2.0], vec![0.1, -0.1]);
    let (a, b): (f32, f64) = (0.25, 0.3);
    let mut loss = LossGradient::new(of_both { weights, shifts, a, b });
    let x = Tensor::<(Batch, D<2>), f64>::from_vec(vec![1.0, 2.0]).unwrap();
    let t = Tensor::<(Batch, D<2>), f64>::from_vec(vec![0.0, 1.0]).unwrap();
    let (value, _) = loss.run(&x, &t).unwrap();
    assert!((value - (0.25 * (0.5 * 1.1 + 2.0 * 0.9) + 0.3)).abs() < 1e-15, "{value}");

    let x = Tensor::<(Batch, D<2>)>::from_vec(vec![1.0, 2.0]).unwrap();
    for net in
        [Times::new(Seed(1), a), Times::new(Seed(1), f64::from(a)), Times::new(Seed(1), 0.25)]
    {
        assert_eq!(net.forward(&x).unwrap().to_vec(), [0.25, 0.5]);
    }
}

network! {
    /// The same loss inside an item: its settings are operands, and its weight a second value.
    pub Inside: (x: [3], label: u32[]) -> [] {
        let scale = Param([1], init = Ones);
        let (value, weight) = with_margin(x * scale, label, [1.0, 5.0, 3.0], margin = 0.75);
        value / weight
    }
}

#[test]
fn losses_with_settings_inside_others() {
    let net = Inside::new(Seed(1));
    let x = Tensor::<(Batch, D<3>)>::from_vec(vec![0.5, 0.0, 1.0, 0.0, 2.0, 0.25]).unwrap();
    let labels = Tensor::<(Batch,), u32>::from_vec(vec![2, 0]).unwrap();
    let mut workspace = net.workspace(Mode::Evaluate).unwrap();
    let pass = workspace.forward(&net, (&x, &labels)).unwrap();
    assert_eq!(pass.outputs().to_vec(), [1.0, 4.5]);
}
