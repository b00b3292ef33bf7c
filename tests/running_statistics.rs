//! Running statistics of batch norms that are called more than once in a training step. PyTorch's rule, at each
//! call in the order of the calls: r <- (1 - momentum) r + momentum s, where s is the batch's mean, or its
//! variance divided by one less than the number of values.
//! <https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html>

use netform::prelude::*;

network! {
    /// One call.
    pub Once: (x: [1]) -> [1] {
        let bn = BatchNorm1d;
        bn(x)
    }

    /// Two calls of one layer.
    pub Twice: (x: [1]) -> [1] {
        let bn = BatchNorm1d;
        bn(x) + bn(3 * x)
    }

    /// The same calls the other way round.
    pub Turned: (x: [1]) -> [1] {
        let bn = BatchNorm1d;
        bn(3 * x) + bn(x)
    }

    /// The second call normalises what the first yields.
    pub Through: (x: [1]) -> [1] {
        let bn = BatchNorm1d(eps = 1, momentum = 0.5);
        bn(2 * bn(x) + 1)
    }

    /// Three calls in a loop.
    pub Loop: (x: [1]) -> [1] {
        let bn = BatchNorm1d;
        let sum = bn(x);
        for i in 2..4 { sum = sum + bn(i * x) }
        sum
    }

    /// More calls than a kernel has operands.
    pub Long: (x: [1]) -> [1] {
        let bn = BatchNorm1d;
        let sum = zeros([1]);
        for i in 0..40 { sum = sum + bn(i * x) }
        sum
    }

    /// A network with two layers of its own, one of which has no name.
    pub Inner: (x: [1]) -> [1] {
        let bn = BatchNorm1d;
        BatchNorm1d()(10 * x) + bn(x) + bn(3 * x)
    }

    /// A network that calls another twice.
    pub Middle: (x: [1]) -> [1] {
        let inner = Inner;
        inner(x) + inner(2 * x)
    }

    /// Four calls of the innermost network, of which two belong to layers of their own.
    pub Outer: (x: [1]) -> [1] {
        let middle = Middle;
        let own = Inner;
        middle(x) + middle(-x) + own(x)
    }

    /// A chain that is called three times, in a loop.
    pub Normed: [1] -> [1] { Residual { bn: BatchNorm1d } }

    /// Calls it.
    pub Chains: (x: [1]) -> [1] {
        let f = Normed;
        let sum = zeros([1]);
        for i in 1..4 { sum = sum + f(i * x) }
        sum
    }

    /// Two channels of images, twice.
    pub Images: (x: [2, 1, 2]) -> [2, 1, 2] {
        let bn = BatchNorm2d(momentum = 0.5);
        bn(x) * bn(x + 2)
    }

    /// The output is the loss.
    pub OwnLoss: (x: [1]) -> [] {
        let bn = BatchNorm1d;
        mean(square(bn(x) + bn(3 * x) - 1))
    }
}

type Column = Tensor<(Batch, D<1>), f64>;

/// 0, 2, 4: of mean 2, and variance (4 + 0 + 4) / 2 = 4.
fn column() -> Column {
    Column::from_vec(vec![0.0, 2.0, 4.0]).unwrap()
}

/// A running statistic by name.
fn statistic(net: &impl Module, name: &str) -> Vec<f64> {
    let file = netform::io::safetensors::from_bytes(&net.to_bytes().unwrap(), "memory").unwrap();
    let names: Vec<&str> = file.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let tensor = file.tensors.iter().find(|tensor| tensor.name == name);
    tensor.unwrap_or_else(|| panic!("no `{name}` in {names:?}")).data.to_floats()
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * b.abs().max(1.0);
    assert!(found.iter().zip(expected).all(near), "found {found:?}, expected {expected:?}");
}

#[track_caller]
fn assert_statistics(net: &impl Module, layer: &str, mean: f64, variance: f64) {
    assert_near(&statistic(net, &format!("{layer}.running_mean")), &[mean]);
    assert_near(&statistic(net, &format!("{layer}.running_var")), &[variance]);
}

/// The mean and variance after calls with this mean and variance, of a momentum of 0.1, from 0 and 1 on.
fn after(calls: &[[f64; 2]]) -> [f64; 2] {
    calls.iter().fold([0.0, 1.0], |r, s| [0, 1].map(|i| 0.9 * r[i] + 0.1 * s[i]))
}

/// `$net` after so many steps on `column()` that change no parameter.
macro_rules! stepped {
    ($net:ident, $steps:expr) => {{
        let mut net = $net::<f64>::on(Cpu::default(), Seed(1)).unwrap();
        let mut step = net.train_step(Mse, Sgd::new(0.0), 3).unwrap();
        for _ in std::iter::repeat_n((), $steps) {
            step.run_on(&column(), &column()).unwrap();
        }
        drop(step);
        net
    }};
}

#[test]
fn a_call_alone_moves_them_once() {
    // 0.9 * 0 + 0.1 * 2; 0.9 * 1 + 0.1 * 4
    assert_statistics(&stepped!(Once, 1), "bn", 0.2, 1.3);
    // 0.9 * 0.2 + 0.1 * 2; 0.9 * 1.3 + 0.1 * 4
    assert_statistics(&stepped!(Once, 2), "bn", 0.38, 1.57);
}

#[test]
fn two_calls_move_them_twice_in_their_order() {
    // The second call has mean 6 and variance 36: 0.9 * 0.2 + 0.1 * 6; 0.9 * 1.3 + 0.1 * 36
    let net = stepped!(Twice, 1);
    assert_statistics(&net, "bn", 0.78, 4.77);
    // Evaluation uses them, the same for both calls, and leaves them as they are.
    let y = net.forward(&column()).unwrap().to_vec();
    let scale = 1.0 / (4.77_f64 + 1e-5).sqrt();
    let expected = [0.0, 2.0, 4.0].map(|x| (x - 0.78) * scale + (3.0 * x - 0.78) * scale);
    assert_near(&y, &expected);
    assert_statistics(&net, "bn", 0.78, 4.77);

    // 0.9 * 0.6 + 0.1 * 2; 0.9 * 4.5 + 0.1 * 4
    assert_statistics(&stepped!(Turned, 1), "bn", 0.74, 4.45);

    // The second step begins where the first ended: 0.9 (0.9 * 0.78 + 0.2) + 0.6; 0.9 (0.9 * 4.77 + 0.4) + 3.6
    assert_statistics(&stepped!(Twice, 2), "bn", 1.4118, 7.8237);
}

#[test]
fn training_uses_each_calls_own_batch() {
    let net = stepped!(Twice, 0);
    let mut workspace = net.workspace(Mode::Train).unwrap();
    let y = workspace.forward(&net, &column()).unwrap().outputs().to_vec();
    // Both calls divide by the root of their biased variances, 8 / 3 and 24.
    let one = |x: f64, variance: f64| x / (variance + 1e-5).sqrt();
    let expected = [-1.0, 0.0, 1.0].map(|x| one(2.0 * x, 8.0 / 3.0) + one(6.0 * x, 24.0));
    assert_near(&y, &expected);
}

#[test]
fn a_call_of_what_a_call_yields() {
    // The first call yields -2, 0, 2 over sqrt(8 / 3 + 1); the second has mean 1 and variance 4 * 4 * 3 / 11.
    // 0.5 (0.5 * 2) + 0.5 * 1; 0.5 (0.5 * 1 + 0.5 * 4) + 0.5 * 48 / 11
    let net = stepped!(Through, 1);
    let (mean, variance) = (1.0, 1.25 + 24.0 / 11.0);
    assert_statistics(&net, "bn", mean, variance);
    let one = |x: f64| (x - mean) / (variance + 1.0).sqrt();
    let expected = [0.0, 2.0, 4.0].map(|x| one(2.0 * one(x) + 1.0));
    assert_near(&net.forward(&column()).unwrap().to_vec(), &expected);
}

#[test]
fn calls_in_a_loop() {
    // Means 2, 4, 6; variances 4, 16, 36: 0.9 (0.9 * 0.2 + 0.4) + 0.6; 0.9 (0.9 * 1.3 + 1.6) + 3.6
    let net = stepped!(Loop, 1);
    assert_statistics(&net, "bn", 1.122, 6.093);
    let scale = 1.0 / (6.093_f64 + 1e-5).sqrt();
    let expected = [0.0, 2.0, 4.0].map(|x| (6.0 * x - 3.0 * 1.122) * scale);
    assert_near(&net.forward(&column()).unwrap().to_vec(), &expected);

    let calls: Vec<[f64; 2]> = (0..40).map(f64::from).map(|i| [2.0 * i, 4.0 * i * i]).collect();
    let [mean, variance] = after(&calls);
    assert_statistics(&stepped!(Long, 1), "bn", mean, variance);
}

#[test]
fn networks_that_are_called_several_times() {
    let net = stepped!(Middle, 1);
    // bn: means 2, 6, 4, 12; variances 4, 36, 16, 144
    let [mean, variance] = after(&[[2.0, 4.0], [6.0, 36.0], [4.0, 16.0], [12.0, 144.0]]);
    assert_near(&[mean, variance], &[2.1918, 19.7037]);
    assert_statistics(&net, "inner.bn", 2.1918, 19.7037);
    // Means 20, 40; variances 400, 1600: 0.9 * 2 + 4; 0.9 (0.9 + 40) + 160
    assert_statistics(&net, "inner.batchnorm1d1", 5.8, 196.81);
    let y = net.forward(&column()).unwrap().to_vec();
    let (bn, unnamed) = (
        |x: f64| (x - 2.1918) / (19.7037_f64 + 1e-5).sqrt(),
        |x: f64| (x - 5.8) / (196.81_f64 + 1e-5).sqrt(),
    );
    let inner = |x: f64| unnamed(10.0 * x) + bn(x) + bn(3.0 * x);
    assert_near(&y, &[0.0, 2.0, 4.0].map(|x| inner(x) + inner(2.0 * x)));

    let net = stepped!(Outer, 1);
    let forth = [[2.0, 4.0], [6.0, 36.0], [4.0, 16.0], [12.0, 144.0]];
    let back = forth.map(|[mean, variance]| [-mean, variance]);
    let [mean, variance] = after(&[forth, back].concat());
    assert_statistics(&net, "middle.inner.bn", mean, variance);
    let [mean, variance] = after(&forth[..2]);
    assert_statistics(&net, "own.bn", mean, variance);

    // As the loop above, through a chain with a layer inside a layer.
    assert_statistics(&stepped!(Chains, 1), "f.bn", 1.122, 6.093);
}

#[test]
fn channels_of_images() {
    let mut net = Images::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    // Channel 0 has 1, 3, 1, 3: mean 2, variance 4 / 3; channel 1 has 0, 0, 4, 4: mean 2, variance 16 / 3.
    let x = vec![1.0, 3.0, 0.0, 0.0, 1.0, 3.0, 4.0, 4.0];
    let x = Tensor::<(Batch, D<2>, D<1>, D<2>), f64>::from_vec(x).unwrap();
    net.train_step(Mse, Sgd::new(0.0), 2).unwrap().run_on(&x, &x).unwrap();
    // 0.5 * 1 + 0.5 * 4; 0.25 + 0.75 v
    assert_near(&statistic(&net, "bn.running_mean"), &[2.5, 2.5]);
    assert_near(&statistic(&net, "bn.running_var"), &[1.25, 4.25]);
}

/// Every way of training runs the same updates.
#[test]
fn other_ways_to_train() {
    let mut net = stepped!(Twice, 0);
    let mut loss = LossGradient::new(Mse);
    let mut workspace = net.workspace(Mode::Train).unwrap();
    let x = column();
    let pass = workspace.forward(&net, &x).unwrap();
    let (_, gradient) = loss.run(pass.outputs(), &x).unwrap();
    let gradients = pass.backward(gradient).unwrap();
    Updater::new(Sgd::new(0.0)).apply(gradients, &mut net).unwrap();
    assert_statistics(&net, "bn", 0.78, 4.77);

    let mut net = stepped!(Twice, 0);
    let gradients = net.vjp(&column(), &column()).unwrap();
    Updater::new(Sgd::new(0.0)).apply(&gradients, &mut net).unwrap();
    assert_statistics(&net, "bn", 0.78, 4.77);

    let mut net = OwnLoss::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    net.loss_step(Sgd::new(0.0), 3).unwrap().run(&column()).unwrap();
    assert_statistics(&net, "bn", 0.78, 4.77);
    // A step that comes to nothing takes back every call's.
    let nan = Column::from_vec(vec![f64::NAN; 3]).unwrap();
    assert!(net.loss_step(Sgd::new(0.0), 3).unwrap().run(&nan).unwrap().is_nan());
    assert_statistics(&net, "bn", 0.78, 4.77);
}
