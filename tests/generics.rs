//! Networks of generic sizes: arithmetic of sizes, sizes that are known only at run time, constants and
//! settings of networks inside networks.

use netform::dim::{Dim, Static};
use netform::prelude::*;

network! {
    /// Pre-norm causal self-attention over T positions of D features, H heads.
    pub Attention<T, D, H>: (x: [T, D]) -> [T, D] {
        let norm = LayerNorm;
        let qkv = Linear(3 * D);
        let proj = Linear(D);
        let heads = qkv(norm(x)).reshape([T, 3, H, D / H]).permute([1, 2, 0, 3]);
        let [q, k, v] = heads.unstack(0);
        let scores = softmax(causal(q @ k.transpose() / sqrt(D / H)), axis = -1);
        x + proj((scores @ v).permute([1, 0, 2]).reshape([T, D]))
    }

    /// Twice as many features.
    pub Up<D>: [D] -> [2 * D] { fc: Linear(2 * D), Tanh }

    /// Rows and columns as one axis.
    pub Flat<H, W>: (x: [H, W]) -> [H * W] { x.reshape([H * W]) }

    /// Half as long, and a part of what is twice as long.
    pub Halved<T>: (x: [T, 2], y: [2 * T]) -> ([T / 2], [T + 1]) {
        (x.reshape([T / 2, 4])[.., 0], y[..T + 1])
    }

    /// Constants in sizes of inputs and outputs.
    pub Wide<D>: [D + WIDTH] -> [{ 2 * WIDTH } * D] { fc: Linear(2 * D * WIDTH) }

    /// The positions that a kernel of three fits.
    pub Windows<T, C>: [C, T] -> [C, T - 2] { conv: Conv1d(C, kernel = 3) }
}

const WIDTH: usize = 4;

#[test]
fn one_attention_serves_every_length() {
    let net = Attention::<Len, D<6>, D<3>>::new(Seed(1));
    let values = |n: usize| (0..n).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<f32>>();
    for length in [4, 1, 7] {
        let shape = (Batch(2), Len(length), D::<6>);
        let mut x = Tensor::zeros_on(Cpu::default(), shape).unwrap();
        x.write(&values(12 * length)).unwrap();
        assert_eq!(net.forward(&x).unwrap().shape(), shape);
    }
    let fixed = Attention::<D<4>, D<6>, D<3>>::new(Seed(1));
    let x = Tensor::<(Batch, D<4>, D<6>)>::from_vec(values(48)).unwrap();
    let mut free = Tensor::zeros_on(Cpu::default(), (Batch(2), Len(4), D::<6>)).unwrap();
    free.write(&values(48)).unwrap();
    assert_eq!(fixed.forward(&x).unwrap().to_vec(), net.forward(&free).unwrap().to_vec());
    let weight = net.qkv().weight().unwrap();
    assert_eq!(weight.shape(), (D::<18>, D::<6>));
}

/// Code that is generic over sizes needs one bound.
fn up_of_zeros<N: Static>() -> usize
where
    (N,): UpSizes,
{
    let x = Tensor::<(Batch, N)>::zeros_on(Cpu::default(), (Batch(2), N::default())).unwrap();
    let y = Up::<N>::new(Seed(1)).forward(&x).unwrap();
    y.shape().1.size()
}

#[test]
fn sizes_are_computed_at_inputs_and_outputs() {
    let net = Up::<D<3>>::new(Seed(1));
    let x = Tensor::<(Batch, D<3>)>::from_vec(vec![0.5; 6]).unwrap();
    let y: Tensor<(Batch, D<6>)> = net.forward(&x).unwrap();
    assert_eq!(y.shape(), (Batch(2), D::<6>));
    assert_eq!(net.predictor(2).unwrap().run(&x).unwrap().to_vec(), y.to_vec());
    assert_eq!(up_of_zeros::<D<500>>(), 1000);
    let mut net = net;
    let data = InMemory::<(D<3>,), (D<6>,), f32, f32>::new(vec![0.5; 30], vec![0.25; 60]).unwrap();
    let history = Trainer::new(Mse, Adam::new(0.1)).epochs(30).fit(&mut net, &data).unwrap();
    assert!(history.epochs.last().is_some_and(|epoch| epoch.train_loss < 0.01), "{history}");

    let x = Tensor::<(Batch, D<2>, D<3>)>::from_vec((0..6).map(|i| i as f32).collect()).unwrap();
    let y: Tensor<(Batch, D<6>)> = Flat::<D<2>, D<3>>::new(Seed(1)).forward(&x).unwrap();
    assert_eq!(y.to_vec(), x.to_vec());
    let mut long = Tensor::zeros_on(Cpu::default(), (Batch(1), Len(2), D::<3>)).unwrap();
    long.write(&x.to_vec()).unwrap();
    let y = Flat::<Len, D<3>>::new(Seed(1)).forward(&long).unwrap();
    assert_eq!((y.shape(), y.to_vec()), ((Batch(1), Len(6)), x.to_vec()));

    let x = Tensor::<(Batch, D<7>)>::from_vec(vec![1.0; 7]).unwrap();
    assert_eq!(Wide::<D<3>>::new(Seed(1)).forward(&x).unwrap().shape().1, D::<24>);

    let x = Tensor::<(Batch, D<1>, D<5>)>::from_vec(vec![1.0; 5]).unwrap();
    assert_eq!(Windows::<D<5>, D<1>>::new(Seed(1)).forward(&x).unwrap().shape().2, D::<3>);
}

#[test]
fn computed_sizes_at_run_time_are_checked_at_the_entry() {
    let net = Halved::<Len>::new(Seed(1));
    let tensors = |t: usize, of_y: usize| {
        (
            Tensor::<_>::zeros_on(Cpu::default(), (Batch(1), Len(t), D::<2>)).unwrap(),
            Tensor::<_>::zeros_on(Cpu::default(), (Batch(1), Len(of_y))).unwrap(),
        )
    };
    let (x, y) = tensors(4, 8);
    let (half, more) = net.forward(&x, &y).unwrap();
    assert_eq!((half.shape(), more.shape()), ((Batch(1), Len(2)), (Batch(1), Len(5))));
    let (x, y) = tensors(4, 7);
    let error = net.forward(&x, &y).unwrap_err().to_string();
    assert_eq!(
        error,
        "size `2 * T` of input `y` of network `Halved`: expected 8, since `T` is 4, found 7"
    );
    let (x, y) = tensors(5, 10);
    let error = net.forward(&x, &y).unwrap_err().to_string();
    assert_eq!(error, "in `Halved`: `T / 2` leaves a remainder: 5 is not divisible by 2");

    let net = Windows::<Len, D<1>>::new(Seed(1));
    let x = Tensor::<_>::zeros_on(Cpu::default(), (Batch(1), D::<1>, Len(2))).unwrap();
    let error = net.forward(&x).unwrap_err().to_string();
    assert_eq!(
        error,
        "shape mismatch in network `Windows`: layer `conv: Conv1d(C, kernel = 3)` needs at least 1 x 3 points along each axis, but `input` yields [1, 2]; take a smaller window, or `padding`"
    );
}

/// Networks with constants that no one else sees.
mod parts {
    use netform::prelude::*;

    const HIDDEN: usize = 5;
    const GAIN: f64 = 0.25;

    network! {
        /// Dropout with a rate that is set.
        pub Off(rate: f32): [3] -> [3] { Dropout(rate) }

        /// Declared beside the network that uses it.
        pub Below: [3] -> [HIDDEN] { fc: Linear(HIDDEN) }

        /// With a size and a number that only this module knows.
        pub Tower: (x: [3]) -> [2] {
            let below = Below;
            let top = Linear(2);
            top(below(x) * GAIN)
        }
    }
}

use parts::Tower;

network! {
    /// A network of another module, and one of another crate.
    pub Whole: (x: [3], y: [4]) -> ([2], [blocks::CODE]) {
        let tower = Tower;
        let enc = blocks::Encoder;
        (tower(x), enc(y))
    }

    /// Repeats of a network with a size and a setting.
    pub Stack(gain: f32): [4] -> [4] {
        blocks: [blocks::Block<4>(gain); 3],
        last: blocks::Block<4>(gain = 0.0),
    }

    /// A setting that is a literal.
    pub Silent: [4] -> [3] { hidden: Linear(3), off: parts::Off(rate = 1.0) }

    /// A setting that is passed on.
    pub Doubled(gain: f32): (x: [4]) -> [4] {
        let block = blocks::Block<4>(2 * gain);
        block(x)
    }

    /// A generic network inside a generic one.
    pub Layered<T, D, H>: [T, D] -> [T, D] {
        first: Attention<T, D, H>,
        second: Attention<T, D, 1>,
        more: [Attention<T, D, H>; 2],
    }
}

#[test]
fn constants_are_found_from_other_modules_and_crates() {
    let net = Whole::new(Seed(1));
    let x = Tensor::<(Batch, D<3>)>::from_vec(vec![0.5; 6]).unwrap();
    let y = Tensor::<(Batch, D<4>)>::from_vec(vec![0.5; 8]).unwrap();
    let (a, b) = net.forward(&x, &y).unwrap();
    assert_eq!((a.shape(), b.shape()), ((Batch(2), D::<2>), (Batch(2), D::<3>)));
    // The same numbers as the inner network has with these weights.
    let mut tower = Tower::new(Seed(2));
    for name in ["below.fc.weight", "below.fc.bias", "top.weight", "top.bias"] {
        let values = net.parameter(&format!("tower.{name}")).unwrap();
        tower.set_parameter(name, &values).unwrap();
    }
    assert_eq!(tower.forward(&x).unwrap().to_vec(), a.to_vec());
}

#[test]
fn layers_inside_layers_have_accessors() {
    let net = Whole::new(Seed(1));
    let weight = net.tower().below().fc().weight().unwrap();
    assert_eq!(weight.shape(), (D::<5>, D::<3>));
    assert_eq!(weight.to_vec(), net.parameter("tower.below.fc.weight").unwrap());
    let bias = net.enc().fc2().bias().unwrap().unwrap();
    assert_eq!(bias.to_vec(), net.parameter("enc.fc2.bias").unwrap());

    let net = Stack::new(Seed(1), 0.5);
    for i in 0..3 {
        let weight = net.blocks(i).unwrap().inner().out().weight().unwrap();
        let name = format!("blocks.{i}.inner.out.weight");
        assert_eq!(weight.to_vec(), net.parameter(&name).unwrap());
    }
    let error = net.blocks(3).err().unwrap().to_string();
    assert_eq!(error, "`blocks` of network `Stack` are 3 layers, from 0 to 2; there is no 3");
    let last = net.last().inner().fc().weight().unwrap();
    assert_eq!(last.to_vec(), net.parameter("last.inner.fc.weight").unwrap());

    let net = Layered::<Len, D<6>, D<2>>::new(Seed(1));
    let weight = net.more(1).unwrap().qkv().weight().unwrap();
    assert_eq!(weight.shape(), (D::<18>, D::<6>));
    assert_eq!(weight.to_vec(), net.parameter("more.1.qkv.weight").unwrap());
}

#[test]
fn settings_of_networks_inside_others() {
    let x = Tensor::<(Batch, D<4>)>::from_vec((0..8).map(|i| (i as f32).cos()).collect()).unwrap();
    let mut net = Stack::new(Seed(1), 0.5);
    let half = net.forward(&x).unwrap().to_vec();
    assert_ne!(half, x.to_vec());
    net.set("gain", 0.0).unwrap();
    assert_eq!(net.forward(&x).unwrap().to_vec(), x.to_vec());

    let net = Silent::new(Seed(1));
    for (mode, silent) in [(Mode::Train, true), (Mode::Evaluate, false)] {
        let mut workspace = net.workspace(mode).unwrap();
        let pass = workspace.forward(&net, &x).unwrap();
        assert_eq!(pass.outputs().to_vec().iter().all(|y| *y == 0.0), silent);
    }

    let net = Doubled::new(Seed(1), 0.25);
    let mut block = blocks::Block::<D<4>>::new(Seed(2), 0.5);
    for name in ["inner.fc.weight", "inner.fc.bias", "inner.out.weight", "inner.out.bias"] {
        block.set_parameter(name, &net.parameter(&format!("block.{name}")).unwrap()).unwrap();
    }
    for (a, b) in block.forward(&x).unwrap().to_vec().iter().zip(net.forward(&x).unwrap().to_vec())
    {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}
