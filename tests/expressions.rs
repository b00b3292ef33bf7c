//! Networks in the expression form, end to end: layers, bare weights, loops, branches, other networks,
//! recurrences, gradients of gradients.

mod common;

use common::assert_close;
use netform::prelude::*;
use netform::pullback::Mode;

type Batched<const N: usize> = Tensor<(Batch, D<N>), f64>;

fn inputs<const N: usize>(samples: usize) -> Batched<N>
where
    D<N>: netform::dim::Static,
{
    let values = (0..samples * N).map(|i| (i as f64 * 0.37 + 0.2).sin()).collect();
    Tensor::from_vec(values).unwrap()
}

network! {
    /// Two layers, as an expression.
    pub Mlp: (x: [6]) -> [3] {
        let l0 = Linear(9);
        let l2 = Linear(3);
        l2(relu(l0(x)))
    }

    /// The same as a chain.
    pub Chain: [6] -> [3] {
        l0: Linear(9), Relu,
        l2: Linear(3),
    }
}

#[test]
fn an_expression_computes_what_the_chain_does() {
    let x = Tensor::<(Batch, D<6>)>::from_vec((0..12).map(|i| i as f32 / 10.0).collect()).unwrap();
    let (a, b) = (Mlp::new(Seed(3)), Chain::new(Seed(3)));
    assert_eq!(a.forward(&x).unwrap().to_vec(), b.forward(&x).unwrap().to_vec());
    assert_eq!(a.l0().weight().unwrap().to_vec(), b.l0().weight().unwrap().to_vec());
}

mod parts {
    netform::network! {
        /// A block whose width is its own module's.
        pub Block: [WIDTH] -> [WIDTH] { fc: Linear(WIDTH), Tanh }
    }

    netform::network! {
        /// Blocks around each other.
        pub Tower: (x: [WIDTH]) -> [WIDTH] {
            let below = Block;
            let above = Block;
            above(below(x)) * 0.5
        }
    }

    const WIDTH: usize = 2 + 2;
}

network! {
    /// A network that uses others of another module, before and after chains.
    pub Whole: [4] -> [2] {
        tower: parts::Tower -> [4],
        blocks: [parts::Block; 2],
        Residual { fc: Linear(4), Relu },
        Parallel { Linear(2), { Linear(3), Tanh } },
        head: Linear(2),
    }
}

#[test]
fn networks_inside_networks_have_their_names_and_constants() {
    let names = common::parameter_names::<Whole>();
    for name in
        ["tower.below.fc.weight", "tower.above.fc.bias", "blocks.0.fc.weight", "blocks.1.fc.bias"]
    {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let net = Whole::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    let tower = parts::Tower::<f64>::on(Cpu::default(), Seed(2)).unwrap();
    assert_eq!(net.forward(&inputs::<4>(3)).unwrap().to_vec().len(), 6);
    // tanh, halved.
    let largest = tower.forward(&inputs::<4>(3)).unwrap().to_vec().into_iter().fold(0.0, f64::max);
    assert!(largest < 0.5, "{largest}");
}

network! {
    /// A layer that is called twice shares its weights; a loop is unrolled.
    pub Shared: (x: [3]) -> [3] {
        let w = Param([3, 3], init = Xavier);
        let y = x;
        for i in 0..3 { y = tanh(y @ w) + i }
        y
    }

    /// The loop by hand.
    pub Unrolled: (x: [3]) -> [3] {
        let w = Param([3, 3], init = Xavier);
        tanh((tanh((tanh(x @ w)) @ w) + 1) @ w) + 2
    }
}

#[test]
fn loops_are_unrolled_and_weights_shared() {
    let a = Shared::<f64>::on(Cpu::default(), Seed(4)).unwrap();
    let b = Unrolled::<f64>::on(Cpu::default(), Seed(4)).unwrap();
    let x = inputs::<3>(2);
    assert_close("a loop", &a.forward(&x).unwrap().to_vec(), &b.forward(&x).unwrap().to_vec());
    assert_eq!(common::parameter_names::<Shared<f64>>(), ["w"]);
    let dy = inputs::<3>(2);
    let (a, b) = (a.vjp(&x, &dy).unwrap(), b.vjp(&x, &dy).unwrap());
    assert_close("its gradient", &a.get("w").unwrap(), &b.get("w").unwrap());
}

network! {
    /// A recurrence by scan.
    pub Scanned: (x: [4, 2]) -> ([4, 3], [3]) {
        let cell = Linear(3);
        let inner = Linear(3, bias = false);
        let start = Param([3], init = Zeros);
        let (states, last) = scan(x, start, |h, step| {
            let next = tanh(cell(step) + inner(h));
            (next, next * 2)
        });
        (states, last)
    }

    /// The same, step by step.
    pub Steps: (x: [4, 2]) -> ([4, 3], [3]) {
        let cell = Linear(3);
        let inner = Linear(3, bias = false);
        let start = Param([3], init = Zeros);
        let a = tanh(cell(x[0]) + inner(start));
        let b = tanh(cell(x[1]) + inner(a));
        let c = tanh(cell(x[2]) + inner(b));
        let d = tanh(cell(x[3]) + inner(c));
        (stack(a, b, c, d, axis = 0) * 2, d)
    }
}

#[test]
fn a_scan_is_its_steps() {
    let mut a = Scanned::<f64>::on(Cpu::default(), Seed(5)).unwrap();
    let mut b = Steps::<f64>::on(Cpu::default(), Seed(6)).unwrap();
    for name in common::parameter_names::<Steps<f64>>() {
        let count = b.parameter(name).unwrap().len();
        let values: Vec<f64> = (0..count).map(|i| (i as f64 + name.len() as f64).cos()).collect();
        a.set_parameter(name, &values).unwrap();
        b.set_parameter(name, &values).unwrap();
    }
    let values = (0..16).map(|i| f64::from(i).sin()).collect();
    let x = Tensor::<(Batch, D<4>, D<2>), f64>::from_vec(values).unwrap();
    let (all, last) = a.forward(&x).unwrap();
    let (expected, end) = b.forward(&x).unwrap();
    assert_close("states", &all.to_vec(), &expected.to_vec());
    assert_close("the last", &last.to_vec(), &end.to_vec());
    let (x, y) = (a.vjp(&x, &(all, last)).unwrap(), b.vjp(&x, &(expected, end)).unwrap());
    for name in common::parameter_names::<Steps<f64>>() {
        assert_close(name, &x.get(name).unwrap(), &y.get(name).unwrap());
    }
}

network! {
    /// Sums so far, and the sum of those: two carries that begin alike, one of which is kept.
    pub Sums: (x: [4, 2]) -> ([4, 2], [2]) {
        let (sums, (_, total)) = scan(x, (zeros([2]), zeros([2])), |(sum, total), step| {
            let next = sum + step;
            ((next, total + next), next)
        });
        (sums, total)
    }
}

#[test]
fn carries_that_begin_alike_are_two() {
    let net = Sums::<f64>::on(Cpu::default(), Seed(0)).unwrap();
    let values = vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
    let x = Tensor::<(Batch, D<4>, D<2>), f64>::from_vec(values).unwrap();
    let (sums, total) = net.forward(&x).unwrap();
    assert_close("sums", &sums.to_vec(), &[1.0, 10.0, 3.0, 30.0, 6.0, 60.0, 10.0, 100.0]);
    assert_close("the sum of sums", &total.to_vec(), &[20.0, 200.0]);
    let ones = Tensor::<(Batch, D<2>), f64>::from_vec(vec![1.0, 0.0]).unwrap();
    let gradients = net.vjp(&x, &(sums, ones)).unwrap().inputs().unwrap().to_vec();
    // d/dx_s = sum over t >= s of (dy_t + 1), where dy are the sums.
    let of_sums = [20.0, 200.0, 19.0, 190.0, 16.0, 160.0, 10.0, 100.0];
    let expected: Vec<f64> =
        (0..8).map(|i| of_sums[i] + if i % 2 == 0 { (4 - i / 2) as f64 } else { 0.0 }).collect();
    assert_close("the gradient", &gradients, &expected);
}

network! {
    /// A chain with a setting.
    pub Dropping(rate: f32): [3] -> [2] { Dropout(rate), fc: Linear(2) }
}

#[test]
fn a_chain_has_settings() {
    let net = Dropping::<f64>::on(Cpu::default(), Seed(0), 0.5).unwrap();
    assert_eq!(net.fc().weight().unwrap().to_vec().len(), 6);
    assert_eq!(net.forward(&inputs::<3>(2)).unwrap().to_vec().len(), 4);
}

network! {
    /// Case A of an introductory course: (x1 - 3)^2 + (x2 + 2)^2.
    pub Bowl: (x: [2]) -> [] { square(x[0] - 3) + square(x[1] + 2) }

    /// The gradient of Rosenbrock's function, and its Hessian times a vector.
    pub Rosenbrock: (x: [2], v: [2]) -> ([2], [2]) {
        let y = square(1 - x[0]) + 100 * square(x[1] - square(x[0]));
        let g = grad(y, x);
        (g, grad(sum(g * v), x))
    }
}

#[test]
fn gradient_descent_goes_the_way_of_the_course() {
    let net = Bowl::<f64>::on(Cpu::default(), Seed(0)).unwrap();
    let one = Tensor::<(Batch,), f64>::from_vec(vec![1.0]).unwrap();
    let mut x = [0.0, 0.0];
    for step in 1..=15 {
        let at = Tensor::<(Batch, D<2>), f64>::from_vec(x.to_vec()).unwrap();
        let gradient = net.vjp(&at, &one).unwrap().inputs().unwrap().to_vec();
        x = [x[0] - 0.1 * gradient[0], x[1] - 0.1 * gradient[1]];
        if step == 1 {
            assert_close("after step 1", &x, &[0.6, -0.4]);
        }
    }
    assert!((x[0] - 2.894447).abs() < 1e-6 && (x[1] + 1.929631).abs() < 1e-6, "{x:?}");
}

#[test]
fn gradients_of_gradients() {
    let net = Rosenbrock::<f64>::on(Cpu::default(), Seed(0)).unwrap();
    let at = |x: f64, y: f64| Tensor::<(Batch, D<2>), f64>::from_vec(vec![x, y]).unwrap();
    let (x, y) = (-0.7, 0.4);
    let (gradient, product) = net.forward(&at(x, y), &at(2.0, -3.0)).unwrap();
    let g = [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)];
    let h = [2.0 - 400.0 * (y - 3.0 * x * x), -400.0 * x, 200.0];
    assert_close("the gradient", &gradient.to_vec(), &g);
    let expected = [2.0 * h[0] - 3.0 * h[1], 2.0 * h[1] - 3.0 * h[2]];
    assert_close("the Hessian times v", &product.to_vec(), &expected);
}

network! {
    /// Case C of an introductory course: gradients accumulate until they are cleared.
    pub Hypot: (one: []) -> [] {
        let a = Param([2, 2], init = Constant(3.0));
        let b = Param([2, 2], init = Constant(4.0));
        mean(sqrt(a * a + b * b)) * one
    }
}

#[test]
fn gradients_accumulate_until_they_are_cleared() {
    let net = Hypot::<f64>::on(Cpu::default(), Seed(0)).unwrap();
    let one = Tensor::<(Batch,), f64>::from_vec(vec![1.0]).unwrap();
    let mut sum = netform::pullback::Gradients::zeros(&net).unwrap();
    let mut workspace = net.workspace(Mode::Train).unwrap();
    for times in 1..=3 {
        let gradients = workspace.forward(&net, &one).unwrap().backward(&one).unwrap();
        sum.accumulate(gradients).unwrap();
        // d/da mean(sqrt(a^2 + b^2)) = a / sqrt(a^2 + b^2) / 4
        assert_close("a", &sum.get("a").unwrap(), &[0.15 * f64::from(times); 4]);
        assert_close("b", &sum.get("b").unwrap(), &[0.2 * f64::from(times); 4]);
    }
    sum.clear().unwrap();
    assert_eq!(sum.get("a").unwrap(), [0.0; 4]);
}

network! {
    /// Tied weights: the table of the characters is also what turns features into logits.
    pub Tied: (ids: u32[3]) -> [3, 5] {
        let emb = Embedding(5, features = 4);
        tanh(emb(ids)) @ emb.weight.transpose()
    }

    /// The same with a table for each.
    pub Untied: (ids: u32[3]) -> [3, 5] {
        let emb = Embedding(5, features = 4);
        let head = Linear(5, bias = false);
        head(tanh(emb(ids)))
    }

    /// An autoencoder that decodes by the weights that it encodes by.
    pub Coder: (x: [6]) -> [6] {
        let enc = Linear(2);
        relu(enc(x)) @ enc.weight
    }
}

#[test]
fn tied_weights_are_one_parameter_and_have_the_sum_of_their_gradients() {
    let tied = Tied::<f64>::on(Cpu::default(), Seed(7)).unwrap();
    let mut untied = Untied::<f64>::on(Cpu::default(), Seed(8)).unwrap();
    assert_eq!(common::parameter_names::<Tied<f64>>(), ["emb.weight"]);
    let table = tied.parameter("emb.weight").unwrap();
    untied.set_parameter("emb.weight", &table).unwrap();
    untied.set_parameter("head.weight", &table).unwrap();
    let ids = Tensor::<(Batch, D<3>), u32>::from_vec(vec![0, 4, 4, 1, 2, 0]).unwrap();
    let y = tied.forward(&ids).unwrap();
    assert_close("logits", &y.to_vec(), &untied.forward(&ids).unwrap().to_vec());
    let dy = y.map(f64::cos);
    let sum = tied.vjp(&ids, &dy).unwrap().get("emb.weight").unwrap();
    let apart = untied.vjp(&ids, &dy).unwrap();
    let both = apart.get("emb.weight").unwrap().into_iter().zip(apart.get("head.weight").unwrap());
    assert_close("gradient", &sum, &both.map(|(a, b)| a + b).collect::<Vec<f64>>());
    assert_eq!(common::parameter_names::<Coder>(), ["enc.weight", "enc.bias"]);
    assert_eq!(Coder::new(Seed(1)).forward(&Tensor::ones((Batch(2), D))).unwrap().batch(), 2);
}

network! {
    /// Two layers and a bare weight, for networks that read them.
    pub Encoding<C, H>: (x: [C]) -> [H] {
        let fc = Linear(H, bias = false);
        let shift = Param([H], init = Constant(0.5));
        let parts = [Linear(H, bias = false); 2];
        parts(tanh(fc(x) + shift))
    }

    /// Decodes by the weights that a network, and one inside it, encode by.
    pub Decoding: (x: [4]) -> [4] {
        let deep = Encodings;
        let y = deep(x) - deep.enc.shift;
        let parts = deep.enc.parts;
        y @ parts[1].weight @ parts[0].weight @ deep.enc.fc.weight
    }

    /// A network inside a network, in a repeat.
    pub Encodings: (x: [4]) -> [3] {
        let enc = Encoding<4, 3>;
        let more = [Encoding<3, 3>; 2];
        more(enc(x)) @ more[1].parts[0].weight
    }

    /// The same, with weights of one's own.
    pub Written: (x: [4]) -> [4] {
        let fc = Param([3, 4]);
        let shift = Param([3]);
        let p0 = Param([3, 3]);
        let p1 = Param([3, 3]);
        let a_fc = Param([3, 3]);
        let a_shift = Param([3]);
        let a_p0 = Param([3, 3]);
        let a_p1 = Param([3, 3]);
        let b_fc = Param([3, 3]);
        let b_shift = Param([3]);
        let b_p0 = Param([3, 3]);
        let b_p1 = Param([3, 3]);
        let enc = tanh(x @ fc.transpose() + shift) @ p0.transpose() @ p1.transpose();
        let a = tanh(enc @ a_fc.transpose() + a_shift) @ a_p0.transpose() @ a_p1.transpose();
        let b = tanh(a @ b_fc.transpose() + b_shift) @ b_p0.transpose() @ b_p1.transpose();
        (b @ b_p0 - shift) @ p1 @ p0 @ fc
    }
}

#[test]
fn weights_of_layers_inside_networks_are_tied() {
    let nested = Decoding::<f64>::on(Cpu::default(), Seed(7)).unwrap();
    let names = common::parameter_names::<Decoding<f64>>();
    let of = |layer: &str| {
        let parts = ["fc.weight", "shift", "parts.0.weight", "parts.1.weight"];
        parts.map(|part| format!("deep.{layer}.{part}"))
    };
    let in_order = [of("enc"), of("more.0"), of("more.1")].concat();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let all = names.iter().map(ToString::to_string).collect();
    assert_eq!(sorted(all), sorted(in_order.clone()));

    let mut written = Written::<f64>::on(Cpu::default(), Seed(8)).unwrap();
    let own = common::parameter_names::<Written<f64>>();
    assert_eq!(own.len(), in_order.len());
    for (from, to) in in_order.iter().zip(&own) {
        written.set_parameter(to, &nested.parameter(from).unwrap()).unwrap();
    }
    let x = inputs::<4>(3);
    let y = nested.forward(&x).unwrap();
    assert_close("outputs", &y.to_vec(), &written.forward(&x).unwrap().to_vec());
    let dy = y.map(f64::cos);
    let (found, expected) = (nested.vjp(&x, &dy).unwrap(), written.vjp(&x, &dy).unwrap());
    for (from, to) in in_order.iter().zip(&own) {
        assert_close(from, &found.get(from).unwrap(), &expected.get(to).unwrap());
    }
}
