//! Networks with several inputs and outputs, integer inputs, sizes and settings known only at run time,
//! running statistics; passes by hand; losses of one's own.

use netform::prelude::*;

network! {
    /// Two inputs, two outputs.
    pub Pair: (x: [3], y: [2]) -> ([4], []) {
        let a = Linear(4);
        let b = Linear(4);
        let h = a(x) + b(y);
        (tanh(h), sum(h * h))
    }

    /// Tokens to logits, as long as the text is.
    pub Tagger<T, D>: (tokens: u32[T]) -> [T, 5] {
        let emb = Embedding(7, features = D);
        let out = Linear(5);
        out(emb(tokens))
    }

    /// Two inputs that share a length.
    pub Dot<T>: (x: [T], y: [T]) -> [] {
        sum(x * y)
    }

    /// A network that is its own loss.
    pub Fit: (x: [2], y: [1]) -> [] {
        let line = Linear(1);
        mean(square(line(x) - y))
    }

    /// One input, and the output is the loss.
    pub Small: (x: [3]) -> [] {
        let scale = Linear(3, bias = false);
        mean(square(scale(x) - x))
    }

    /// A value that is set at run time.
    pub Scaled(rate: f32): (x: [2]) -> [2] {
        x * rate
    }

    /// The distance of outputs from targets.
    pub fn distance(y: [3], t: [3]) -> [] {
        sum(abs(y - t))
    }

    /// The cross entropy, once more.
    pub fn own_cross_entropy<C>(logits: [..S, C], labels: u32[..S]) -> [] {
        ln(sum(exp(logits))) - gather(logits, labels)
    }

    /// Three outputs.
    pub Three: [4] -> [3] { fc1: Linear(3) }

    /// A network with dropout.
    pub Dropped: [4] -> [3] { fc1: Linear(8), Relu, Dropout(0.5), fc2: Linear(3) }
}

fn tensor<S: netform::shape::Shape>(from: f64, len: usize) -> Tensor<S, f64> {
    let values = (0..len).map(|i| ((i as f64) * 0.7 + from).sin()).collect();
    Tensor::<S, f64>::from_vec(values).unwrap()
}

fn pair() -> Pair<f64> {
    Pair::on(Cpu::default(), Seed(3)).unwrap()
}

#[test]
fn several_inputs_and_outputs() {
    let net = pair();
    let x = tensor::<(Batch, D<3>)>(0.1, 6);
    let y = tensor::<(Batch, D<2>)>(0.5, 4);
    let (h, energy) = net.forward(&x, &y).unwrap();
    assert_eq!((h.shape(), energy.shape()), ((Batch(2), D::<4>), (Batch(2),)));
    let sums: Vec<f64> =
        h.to_vec().chunks(4).map(|row| row.iter().map(|t| t.atanh() * t.atanh()).sum()).collect();
    for (a, b) in sums.iter().zip(energy.to_vec()) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
    let text = net.summary().to_string();
    assert!(text.starts_with("Pair: (x: [3], y: [2]) -> ([4], []), F64 on cpu"), "{text}");
    let more = tensor::<(Batch, D<2>)>(0.5, 6);
    let error = net.forward(&x, &more).unwrap_err().to_string();
    assert_eq!(
        error,
        "the batch of input `y` of network `Pair`: expected 2, as input `x` has, found 3"
    );
}

/// Sum of the outputs times fixed numbers.
fn weighted(net: &Pair<f64>, x: &[f64], y: &[f64], dh: &[f64], de: &[f64]) -> f64 {
    let x = Tensor::<(Batch, D<3>), f64>::from_vec(x.to_vec()).unwrap();
    let y = Tensor::<(Batch, D<2>), f64>::from_vec(y.to_vec()).unwrap();
    let (h, e) = net.forward(&x, &y).unwrap();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&h.to_vec(), dh) + dot(&e.to_vec(), de)
}

#[test]
fn gradients_of_parameters_and_inputs_agree_with_differences() {
    let mut net = pair();
    let (x, y) = (tensor::<(Batch, D<3>)>(0.1, 6), tensor::<(Batch, D<2>)>(0.5, 4));
    let cotangents = (tensor::<(Batch, D<4>)>(0.9, 8), tensor::<(Batch,)>(0.2, 2));
    let gradients = net.vjp((&x, &y), &cotangents).unwrap();
    let (dx, dy) = gradients.inputs().unwrap();
    let (dh, de) = (cotangents.0.to_vec(), cotangents.1.to_vec());
    let (x, y) = (x.to_vec(), y.to_vec());
    let near = |found: f64, up: f64, down: f64| {
        let expected = (up - down) / 2e-5;
        assert!((found - expected).abs() < 1e-7 * expected.abs().max(1.0), "{found} {expected}");
    };
    for (i, found) in dx.to_vec().into_iter().enumerate() {
        let moved = |by: f64| {
            let mut x = x.clone();
            x[i] += by;
            weighted(&net, &x, &y, &dh, &de)
        };
        near(found, moved(1e-5), moved(-1e-5));
    }
    for (i, found) in dy.to_vec().into_iter().enumerate() {
        let moved = |by: f64| {
            let mut y = y.clone();
            y[i] += by;
            weighted(&net, &x, &y, &dh, &de)
        };
        near(found, moved(1e-5), moved(-1e-5));
    }
    for name in ["a.weight", "a.bias", "b.weight", "b.bias"] {
        let values = net.parameter(name).unwrap();
        for (i, found) in gradients.get(name).unwrap().into_iter().enumerate() {
            let mut moved = |by: f64| {
                let mut changed = values.clone();
                changed[i] += by;
                net.set_parameter(name, &changed).unwrap();
                weighted(&net, &x, &y, &dh, &de)
            };
            near(found, moved(1e-5), moved(-1e-5));
            net.set_parameter(name, &values).unwrap();
        }
    }
}

#[test]
fn a_workspace_serves_batches_of_any_size() {
    let net = pair();
    let mut workspace = net.workspace(Mode::Train).unwrap();
    for size in [2, 5, 1, 3] {
        let (x, y) =
            (tensor::<(Batch, D<3>)>(0.1, 3 * size), tensor::<(Batch, D<2>)>(0.5, 2 * size));
        let cotangents = (tensor::<(Batch, D<4>)>(0.9, 4 * size), tensor::<(Batch,)>(0.2, size));
        let alone = net.vjp((&x, &y), &cotangents).unwrap();
        let pass = workspace.forward(&net, (&x, &y)).unwrap();
        let (h, e) = pass.outputs();
        let expected = net.forward(&x, &y).unwrap();
        assert_eq!((h.to_vec(), e.to_vec()), (expected.0.to_vec(), expected.1.to_vec()));
        let found = pass.backward(&cotangents).unwrap();
        assert_eq!(found.get("b.weight").unwrap(), alone.get("b.weight").unwrap());
        assert_eq!(found.inputs().unwrap().0.to_vec(), alone.inputs().unwrap().0.to_vec());
    }
    let (x, y) = (tensor::<(Batch, D<3>)>(0.1, 6), tensor::<(Batch, D<2>)>(0.5, 4));
    let wrong = (tensor::<(Batch, D<4>)>(0.9, 4), tensor::<(Batch,)>(0.2, 2));
    let error = workspace.forward(&net, (&x, &y)).unwrap().backward(&wrong).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the gradient with respect to output 0 of network `Pair`: expected the output's sizes [2, 4], found [1, 4]"
    );
    let none = (tensor::<(Batch, D<3>)>(0.1, 0), tensor::<(Batch, D<2>)>(0.5, 0));
    assert!(workspace.forward(&net, (&none.0, &none.1)).is_err());
}

#[test]
fn gradients_add_up_until_they_are_cleared() {
    let net = pair();
    let (x, y) = (tensor::<(Batch, D<3>)>(0.1, 6), tensor::<(Batch, D<2>)>(0.5, 4));
    let cotangents = (tensor::<(Batch, D<4>)>(0.9, 8), tensor::<(Batch,)>(0.2, 2));
    let once = net.vjp((&x, &y), &cotangents).unwrap();
    let mut sum = Gradients::zeros(&net).unwrap();
    assert_eq!(sum.norm().unwrap(), 0.0);
    for _ in 0..3 {
        sum.accumulate(&once).unwrap();
    }
    sum.scale(1.0 / 3.0).unwrap();
    for (a, b) in sum.get("a.weight").unwrap().iter().zip(once.get("a.weight").unwrap()) {
        assert!((a - b).abs() < 1e-12);
    }
    let squares: f64 = ["a.weight", "a.bias", "b.weight", "b.bias"]
        .iter()
        .flat_map(|name| sum.get(name).unwrap())
        .map(|g| g * g)
        .sum();
    assert!((sum.norm().unwrap() - squares.sqrt()).abs() < 1e-12);
    assert!(sum.inputs().is_err());
    sum.clear().unwrap();
    assert_eq!(sum.norm().unwrap(), 0.0);
}

#[test]
fn updates_by_hand_are_those_of_a_training_step() {
    let x = Tensor::<(Batch, D<4>)>::from_vec((0..20).map(|i| (i as f32).sin()).collect()).unwrap();
    let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 1, 2, 1, 0]).unwrap();
    let (mut a, mut b) = (Dropped::new(Seed(5)), Dropped::new(Seed(5)));
    let mut step = a.train_step(CrossEntropy, Adam::new(0.1), 5).unwrap();
    let mut workspace = b.workspace(Mode::Train).unwrap();
    let mut updater = Updater::new(Adam::new(0.1));
    let mut loss = LossGradient::new(CrossEntropy);
    for _ in 0..3 {
        let expected = step.run_on(&x, &labels).unwrap();
        let pass = workspace.forward(&b, &x).unwrap();
        let (found, gradient) = loss.run(pass.outputs(), &labels).unwrap();
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        updater.apply(pass.backward(gradient).unwrap(), &mut b).unwrap();
    }
    for (x, y) in a.parameter("fc1.weight").unwrap().iter().zip(b.parameter("fc1.weight").unwrap())
    {
        assert!((x - y).abs() < 1e-5, "{x} {y}");
    }
    // In evaluation nothing is dropped.
    let mut evaluation = b.workspace(Mode::Evaluate).unwrap();
    let pass = evaluation.forward(&b, &x).unwrap();
    assert_eq!(pass.outputs().to_vec(), b.forward(&x).unwrap().to_vec());
}

#[test]
fn lengths_at_run_time() {
    let net = Tagger::<Len, D<3>>::new(Seed(1));
    let short = Tensor::<(Batch, Len), u32>::from_slice(&[2, 3], &[0, 1, 2, 3, 4, 6]);
    let long = Tensor::<(Batch, Len), u32>::from_slice(&[1, 5], &[6, 5, 4, 1, 2]);
    let y = net.forward(&short).unwrap();
    assert_eq!(y.shape(), (Batch(2), Len(3), D::<5>));
    assert_eq!(net.forward(&long).unwrap().shape(), (Batch(1), Len(5), D::<5>));
    // A length that is part of the type gives the same numbers.
    let fixed = Tagger::<D<3>, D<3>>::new(Seed(1));
    let tokens = Tensor::<(Batch, D<3>), u32>::from_vec(vec![0, 1, 2, 3, 4, 6]).unwrap();
    assert_eq!(fixed.forward(&tokens).unwrap().to_vec(), y.to_vec());
    assert!(net.summary().to_string().starts_with("Tagger: u32[T] -> [T, 5], "));
    assert!(fixed.summary().to_string().starts_with("Tagger: u32[3] -> [3, 5], "));

    let x = Tensor::<(Batch, Len)>::from_slice(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let y = Tensor::<(Batch, Len)>::from_slice(&[2, 2], &[1.0; 4]);
    let dot = Dot::<Len>::new(Seed(1));
    assert_eq!(dot.forward(&x, &x).unwrap().to_vec(), [14.0, 77.0]);
    let error = dot.forward(&x, &y).unwrap_err().to_string();
    assert_eq!(
        error,
        "size `T` of input `y` of network `Dot`: expected 3, as input `x` has, found 2"
    );
    let none = Tensor::<(Batch, Len)>::from_slice(&[2, 0], &[]);
    let error = dot.forward(&none, &none).unwrap_err().to_string();
    assert_eq!(error, "in `Dot`: `T` is 0; sizes are at least 1");
    let mut workspace = dot.workspace(Mode::Train).unwrap();
    let ones = Tensor::<(Batch,)>::from_vec(vec![1.0, 10.0]).unwrap();
    let pass = workspace.forward(&dot, (&x, &x)).unwrap();
    let (dx, _) = pass.backward(&ones).unwrap().inputs().unwrap();
    assert_eq!(dx.shape(), (Batch(2), Len(3)));
    assert_eq!(dx.to_vec(), [1.0, 2.0, 3.0, 40.0, 50.0, 60.0]);
}

/// A tensor of two axes that are known at run time.
trait FromSlice<E>: Sized {
    fn from_slice(sizes: &[usize; 2], values: &[E]) -> Self;
}

impl<E: netform::element::Element> FromSlice<E> for Tensor<(Batch, Len), E> {
    fn from_slice(&[batch, len]: &[usize; 2], values: &[E]) -> Self {
        let mut tensor = Tensor::zeros_on(Cpu::default(), (Batch(batch), Len(len))).unwrap();
        tensor.write(values).unwrap();
        tensor
    }
}

#[test]
fn integer_inputs_through_the_trainer() {
    let tokens = (0..40).map(|i| i % 7).collect::<Vec<u32>>();
    let tags = tokens.iter().map(|t| t % 5).collect::<Vec<u32>>();
    let data = InMemory::<(D<4>,), (D<4>,), u32, u32>::new(tokens, tags).unwrap();
    let mut net = Tagger::<D<4>, D<6>>::new(Seed(2));
    let history = Trainer::new(CrossEntropy, Adam::new(0.05))
        .epochs(60)
        .batch(5)
        .validate(&data)
        .fit(&mut net, &data)
        .unwrap();
    let last = history.epochs.last().unwrap();
    assert!(last.train_loss < 0.1, "{history}");
    assert_eq!(last.validation_accuracy, Some(1.0));
}

#[test]
fn a_network_that_is_its_loss() {
    let x = Tensor::<(Batch, D<2>)>::from_vec(vec![0.0, 1.0, 1.0, 0.0, 1.0, 1.0]).unwrap();
    let y = Tensor::<(Batch, D<1>)>::from_vec(vec![2.0, 3.0, 4.0]).unwrap();
    let mut net = Fit::new(Seed(1));
    let mut step = net.loss_step(Sgd::new(0.2), 3).unwrap();
    let first = step.run((&x, &y)).unwrap();
    for _ in 0..300 {
        step.run((&x, &y)).unwrap();
    }
    let last = step.run((&x, &y)).unwrap();
    assert!(first > 0.1 && last < 1e-5, "{first} {last}");
    let weight = net.parameter("line.weight").unwrap();
    assert!((weight[0] - 2.0).abs() < 0.05 && (weight[1] - 1.0).abs() < 0.05, "{weight:?}");

    let mut small = Small::new(Seed(1));
    let data = InMemory::<(D<3>,), (), f32, _>::without_targets(vec![0.5; 30]).unwrap();
    let mut trainer = Trainer::new(OwnOutput, Adam::new(0.05)).epochs(100).batch(4).validate(&data);
    let history = trainer.fit(&mut small, &data).unwrap();
    let last = history.epochs.last().unwrap();
    assert!(
        last.train_loss < 1e-3 && last.validation_loss.is_some_and(|it| it < 1e-3),
        "{history}"
    );
}

#[test]
fn settings() {
    let mut net = Scaled::new(Seed(1), 0.5);
    let x = Tensor::<(Batch, D<2>)>::from_vec(vec![2.0, 4.0]).unwrap();
    assert_eq!(net.forward(&x).unwrap().to_vec(), [1.0, 2.0]);
    net.set("rate", 2.0).unwrap();
    assert_eq!(net.setting("rate").unwrap(), 2.0);
    assert_eq!(net.forward(&x).unwrap().to_vec(), [4.0, 8.0]);
    assert_eq!(net.predictor(1).unwrap().run(&x).unwrap().to_vec(), [4.0, 8.0]);
    let dx = net.vjp(&x, &x).unwrap();
    assert_eq!(dx.inputs().unwrap().to_vec(), [4.0, 8.0]);
    let error = net.set("rat", 1.0).unwrap_err().to_string();
    assert_eq!(error, "network `Scaled` has no setting `rat`; it has rate");
    assert!(net.set("rate", f64::NAN).is_err());
}

#[test]
fn losses_of_ones_own() {
    let x = Tensor::<(Batch, D<4>)>::from_vec((0..20).map(|i| (i as f32).cos()).collect()).unwrap();
    let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 1, 2, 1, 0]).unwrap();
    let net = Three::new(Seed(4));
    let (a, da) = net.value_and_gradients(&CrossEntropy, &x, &labels).unwrap();
    let (b, db) = net.value_and_gradients(&own_cross_entropy, &x, &labels).unwrap();
    assert!((a - b).abs() < 1e-6);
    for (a, b) in da.get("fc1.weight").unwrap().iter().zip(db.get("fc1.weight").unwrap()) {
        assert!((a - b).abs() < 1e-6);
    }
    let inputs: Vec<f32> = (0..80).map(|i| (i as f32).cos()).collect();
    let data = InMemory::<(D<4>,), (D<3>,), f32, f32>::new(inputs, vec![0.25; 60]).unwrap();
    let mut net = Three::new(Seed(4));
    let history = Trainer::new(distance, Adam::new(0.02)).epochs(50).fit(&mut net, &data).unwrap();
    let [first, .., last] = &history.epochs[..] else { panic!("{history}") };
    assert!(last.train_loss < first.train_loss / 4.0, "{history}");
}

network! {
    /// Running statistics.
    pub Normed: [3] -> [2] { bn: BatchNorm1d, fc: Linear(2) }

    /// A network with a constant of the user's.
    pub Wide: [4] -> [WIDTH] { fc: Linear(WIDTH) }

    /// Running statistics, and the output is the loss.
    pub NormedLoss: (x: [3]) -> [] {
        let bn = BatchNorm1d;
        mean(square(bn(x) - 1.0))
    }

    /// One network inside another.
    pub Outer: (x: [4]) -> [2] {
        let inner = Wide;
        let fc = Linear(2);
        fc(inner(x))
    }

    /// A function of generic size, `T` or not.
    pub Halves<T, D, H>: (x: [T, D]) -> [T, D] {
        let proj = Linear(D / H * H);
        x + proj(x)
    }
}

const WIDTH: usize = 5;

/// The running statistics of a network, as a file has them.
fn statistics(net: &impl Module) -> Vec<Vec<f32>> {
    let bytes = net.to_bytes().unwrap();
    let file = netform::io::safetensors::from_bytes(&bytes, "memory").unwrap();
    let running = file.tensors.iter().filter(|tensor| tensor.name.contains("running"));
    running.map(|tensor| tensor.data.to_floats()).collect()
}

#[test]
fn running_statistics_are_updated_by_training_alone() {
    let values = (0..30).map(|i| (i as f32 * 0.9).sin() + 2.0).collect();
    let x = Tensor::<(Batch, D<3>)>::from_vec(values).unwrap();
    let labels = Tensor::<(Batch,), u32>::from_vec((0..10).map(|i| i % 2).collect()).unwrap();
    let (mut a, mut b) = (Normed::new(Seed(1)), Normed::new(Seed(1)));
    let start = statistics(&a);
    assert_eq!(start, [vec![0.0; 3], vec![1.0; 3]]);
    let mut step = a.train_step(CrossEntropy, Sgd::new(0.1), 10).unwrap();
    step.run_on(&x, &labels).unwrap();
    let once = statistics(&a);
    assert_ne!(once, start);

    let mut loss = LossGradient::new(CrossEntropy);
    for (mode, expected) in [(Mode::Evaluate, &start), (Mode::Train, &once)] {
        let mut updater = Updater::new(Sgd::new(0.0));
        let mut workspace = b.workspace(mode).unwrap();
        let pass = workspace.forward(&b, &x).unwrap();
        let (_, gradient) = loss.run(pass.outputs(), &labels).unwrap();
        let gradients = pass.backward(gradient).unwrap();
        assert_eq!(statistics(&b), start);
        updater.apply(gradients, &mut b).unwrap();
        assert_eq!(statistics(&b), *expected);
    }
}

/// The batches of a sum count as one large one.
#[test]
fn running_statistics_of_a_sum_are_the_mean() {
    let batch = |from: f32| {
        let values = (0..12).map(|i| (i as f32 * 0.9 + from).sin() + from).collect();
        Tensor::<(Batch, D<3>)>::from_vec(values).unwrap()
    };
    let zeros = Tensor::<(Batch, D<2>)>::from_vec(vec![0.0; 8]).unwrap();
    let after = |from: f32| {
        let mut net = Normed::new(Seed(1));
        let gradients = net.vjp(&batch(from), &zeros).unwrap();
        Updater::new(Sgd::new(0.0)).apply(&gradients, &mut net).unwrap();
        statistics(&net)
    };
    let each = [after(0.0), after(2.0), after(5.0)];
    let mut net = Normed::new(Seed(1));
    let mut sum = Gradients::zeros(&net).unwrap();
    let mut workspace = net.workspace(Mode::Train).unwrap();
    for from in [0.0, 2.0, 5.0] {
        let samples = batch(from);
        let pass = workspace.forward(&net, &samples).unwrap();
        sum.accumulate(pass.backward(&zeros).unwrap()).unwrap();
    }
    Updater::new(Sgd::new(0.0)).apply(&sum, &mut net).unwrap();
    for (i, row) in statistics(&net).iter().enumerate() {
        for (j, found) in row.iter().enumerate() {
            let mean = each.iter().map(|one| one[i][j]).sum::<f32>() / 3.0;
            assert!((found - mean).abs() < 1e-5, "{found} {mean}");
        }
    }
}

#[test]
fn an_updater_stays_with_its_network() {
    let (mut a, mut b) = (Three::new(Seed(1)), Three::new(Seed(2)));
    let x = Tensor::<(Batch, D<4>)>::from_vec(vec![0.5; 4]).unwrap();
    let dy = Tensor::<(Batch, D<3>)>::from_vec(vec![1.0; 3]).unwrap();
    let mut updater = Updater::new(Adam::new(0.1));
    updater.apply(&a.vjp(&x, &dy).unwrap(), &mut a).unwrap();
    let (gradients, before) = (b.vjp(&x, &dy).unwrap(), b.to_bytes().unwrap());
    let error = updater.apply(&gradients, &mut b).unwrap_err().to_string();
    assert_eq!(
        error,
        "this Updater keeps averages of the gradients of another network `Three`: make an Updater for each network"
    );
    assert_eq!(b.to_bytes().unwrap(), before);
    updater.apply(&a.vjp(&x, &dy).unwrap(), &mut a).unwrap();
}

#[test]
fn a_step_that_comes_to_nothing_leaves_running_statistics_alone() {
    let good = Tensor::<(Batch, D<3>)>::from_vec(vec![1.0, 2.0, 3.0, 3.0, 2.0, 0.0]).unwrap();
    let bad = Tensor::<(Batch, D<3>)>::from_vec(vec![f32::NAN; 6]).unwrap();
    let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 1]).unwrap();
    let none = Tensor::<(Batch,), u32>::from_vec(vec![0, 2]).unwrap();
    let mut net = Normed::new(Seed(1));
    let start = statistics(&net);
    let mut step = net.train_step(CrossEntropy, Sgd::new(0.1), 2).unwrap();
    assert!(step.run_on(&bad, &labels).unwrap().is_nan());
    assert_eq!(statistics(step.net()), start);
    assert!(step.run_on(&good, &none).is_err());
    assert_eq!(statistics(step.net()), start);
    assert!(step.run_on(&good, &labels).unwrap().is_finite());
    let trained = statistics(step.net());
    assert_ne!(trained, start);

    let mut net = NormedLoss::new(Seed(1));
    let mut step = net.loss_step(Sgd::new(0.1), 2).unwrap();
    assert!(step.run(&bad).unwrap().is_nan());
    assert_eq!(statistics(step.net()), start);
    step.run(&good).unwrap();
    assert_eq!(statistics(step.net()), trained);
}

#[test]
fn networks_inside_networks_and_generic_sizes() {
    let x = Tensor::<(Batch, D<4>)>::from_vec(vec![0.5; 8]).unwrap();
    assert_eq!(Outer::new(Seed(1)).forward(&x).unwrap().batch(), 2);
    let net = Halves::<Len, D<6>, D<3>>::new(Seed(1));
    let mut x = Tensor::zeros_on(Cpu::default(), (Batch(2), Len(4), D::<6>)).unwrap();
    x.write(&[0.25; 48]).unwrap();
    assert_eq!(net.forward(&x).unwrap().shape(), (Batch(2), Len(4), D::<6>));
    assert_eq!(net.parameter("proj.weight").unwrap().len(), 36);
}
