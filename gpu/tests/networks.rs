//! Whole networks on Vulkan against the CPU: outputs, gradients, and the parameters after steps of training.

extern crate netform_core as netform;

mod common;

use common::{close, numbers, vulkan};
use netform_core::cpu::Cpu;
use netform_core::data::MiniBatch;
use netform_core::dim::{Batch, D};
use netform_core::loss::{CrossEntropy, Mse};
use netform_core::module::Module;
use netform_core::network::Network;
use netform_core::optim::{Adam, Sgd};
use netform_core::random::Seed;
use netform_core::tensor::Tensor;
use netform_core::weights::Weights;
use netform_macros::network;

/// All elements.
fn all<S: netform::shape::Shape, Dev: netform::device::Memory>(
    t: &Tensor<S, f32, Dev>,
) -> Vec<f32> {
    let mut data = vec![0.0; t.shape().numel()];
    t.read(&mut data).unwrap();
    data
}

type Found = Vec<(String, Vec<f32>)>;

#[track_caller]
fn agree(name: &str, found: &Found, expected: &Found, bound: f32) {
    assert_eq!(found.len(), expected.len());
    let mut worst: f32 = 0.0;
    for ((what, found), (_, expected)) in found.iter().zip(expected) {
        // Relative to the size of the tensor: sums of different orders differ where terms cancel.
        let scale = expected.iter().fold(1e-3, |m: f32, x| m.max(x.abs()));
        let (difference, _) = common::difference(found, expected, scale);
        worst = worst.max(difference);
        close(found, expected, scale, bound, &format!("{name}: {what}"));
    }
    println!("{name}: at most {worst:e}");
}

/// The passes of a network on a device.
macro_rules! passes {
    ($net:ident, $device:expr, $batch:literal x [$($size:literal),*] -> [$($out:literal),*]) => {{
        let device = $device;
        let mut found = Found::new();
        let mut net = $net::<f32, _>::on(device.clone(), Seed(3)).unwrap();
        let (ins, outs) = ($batch $(* $size)*, $batch $(* $out)*);
        let input = || Tensor::<(Batch, $(D<$size>),*), f32, _>::from_slice_on(device.clone(), &numbers(ins, 5)).unwrap();
        let output = || Tensor::<(Batch, $(D<$out>),*), f32, _>::from_slice_on(device.clone(), &numbers(outs, 6)).unwrap();
        let x = input();
        let y = net.forward(&x).unwrap();
        found.push(("output".to_owned(), all(&y)));
        let gradients = net.vjp(&x, &output()).unwrap();
        found.push(("input's gradient".to_owned(), all(gradients.inputs().unwrap())));
        let names: Vec<&str> = <$net<f32, Cpu> as Module>::PARAMS.iter().map(|spec| spec.name).collect();
        for name in &names {
            found.push((format!("gradient of {name}"), gradients.get(name).unwrap()));
        }
        let batch = MiniBatch::<($(D<$size>,)*), ($(D<$out>,)*), f32, f32, _> { inputs: input(), targets: output() };
        let mut step = net.train_step(Mse, Sgd::new(0.05).momentum(0.9), $batch).unwrap();
        let losses: Vec<f32> = (0..20).map(|_| step.run(&batch).unwrap()).collect();
        assert!(losses[19] != losses[0], "nothing is learnt: {losses:?}");
        found.push(("losses".to_owned(), losses));
        drop(step);
        for name in &names {
            found.push((format!("{name} after training"), net.parameter(name).unwrap()));
        }
        found
    }};
}

macro_rules! networks {
    ($($test:ident: $net:ident $batch:literal x [$($size:literal),*] -> [$($out:literal),*];)*) => { $(
        #[test]
        fn $test() {
            let Some(vulkan) = vulkan(stringify!($test)) else { return };
            let found = passes!($net, &vulkan, $batch x [$($size),*] -> [$($out),*]);
            let expected = passes!($net, &Cpu::default(), $batch x [$($size),*] -> [$($out),*]);
            agree(stringify!($test), &found, &expected, 1e-4);
        }
    )* };
}

network! {
    /// Two layers.
    Mlp: [20] -> [10] { fc1: Linear(33), Relu, fc2: Linear(10) }

    /// Convolutions and pooling.
    LeNet: [1, 16, 16] -> [10] {
        conv1: Conv2d(3, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(4, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        fc: Linear(10),
    }

    /// A residual block with batch norm, averaged over the image.
    ResNet: (x: [3, 7, 7]) -> [4] {
        let conv1 = Conv2d(6, kernel = 3, padding = 1, bias = false);
        let bn1 = BatchNorm2d;
        let conv2 = Conv2d(6, kernel = 3, padding = 1, bias = false);
        let bn2 = BatchNorm2d;
        let down = Conv2d(6, kernel = 1);
        let fc = Linear(4);
        let inner = bn2(conv2(relu(bn1(conv1(x)))));
        fc(relu(inner + down(x)).mean(axes = [1, 2]))
    }

    /// A pre-norm causal block with two heads.
    Transformer: (x: [5, 8]) -> [5, 8] {
        let ln1 = LayerNorm;
        let qkv = Linear(24);
        let proj = Linear(8);
        let ln2 = LayerNorm;
        let fc1 = Linear(32);
        let fc2 = Linear(8);
        let heads = qkv(ln1(x)).reshape([5, 3, 2, 4]).permute([1, 2, 0, 3]);
        let [q, k, v] = heads.unstack(0);
        let scores = softmax(causal(q @ k.transpose() / sqrt(4)), axis = -1);
        let y = x + proj((scores @ v).permute([1, 0, 2]).reshape([5, 8]));
        y + fc2(gelu(fc1(ln2(y))))
    }

    /// The last state of an LSTM.
    LstmNet: [6, 3] -> [2] { rnn: Lstm(5, last = true), fc: Linear(2) }

    /// Random masks.
    Dropped: [40] -> [7] { fc1: Linear(50), Tanh, Dropout(0.3), fc2: Linear(7), Dropout(0.1) }
}

network! {
    /// Characters by embedding and attention, causal.
    Chars<T>: (x: u32[T]) -> [T, 11] {
        let emb = Embedding(11, features = 8);
        let block = MultiHeadAttention(2, causal = true);
        let norm = RmsNorm;
        let y = emb(x);
        let y = y + block(norm(y));
        y @ emb.weight.transpose()
    }

    /// A penalty on the gradient of the output with respect to the input: second derivatives.
    Smooth: (x: [4], y: [1]) -> [] {
        let hidden = Linear(8);
        let out = Linear(1);
        let z = out(tanh(hidden(x)));
        mse(z, y) + 0.1 * sum(square(grad(sum(z), x)))
    }
}

networks! {
    mlp: Mlp 13 x [20] -> [10];
    lenet: LeNet 3 x [1, 16, 16] -> [10];
    resnet: ResNet 4 x [3, 7, 7] -> [4];
    transformer: Transformer 3 x [5, 8] -> [5, 8];
    lstm: LstmNet 4 x [6, 3] -> [2];
    dropout: Dropped 9 x [40] -> [7];
}

/// Steps with labels and Adam on a device.
macro_rules! classified {
    ($device:expr, $steps:expr) => {{
        let device = $device;
        let mut net = Mlp::<f32, _>::on(device.clone(), Seed(3)).unwrap();
        let labels: Vec<u32> = (0..13).map(|i| i * 7 % 10).collect();
        let batch = MiniBatch::<(D<20>,), (), f32, u32, _> {
            inputs: Tensor::from_slice_on(device.clone(), &numbers(13 * 20, 5)).unwrap(),
            targets: Tensor::from_slice_on(device.clone(), &labels).unwrap(),
        };
        let mut step = net.train_step(CrossEntropy, Adam::new(1e-2), 13).unwrap();
        let losses = (0..$steps).map(|_| step.run(&batch).unwrap()).collect();
        drop(step);
        vec![
            ("losses".to_owned(), losses),
            ("fc1.weight".to_owned(), net.parameter("fc1.weight").unwrap()),
            ("fc2.bias".to_owned(), net.parameter("fc2.bias").unwrap()),
        ]
    }};
}

#[test]
fn classifying() {
    let Some(_) = vulkan("classifying") else { return };
    // A device of its own: other tests compile too.
    let vulkan = netform_gpu::Vulkan::new().unwrap();
    let found = classified!(&vulkan, 20);
    agree("classifying", &found, &classified!(&Cpu::default(), 20), 1e-4);
    // The same bits again, and nothing new to compile.
    let [compiled, _] = vulkan.counts();
    assert_eq!(found, classified!(&vulkan, 20));
    assert_eq!(vulkan.counts()[0], compiled);
}

#[test]
fn steps_are_recorded_once() {
    let Some(_) = vulkan("steps_are_recorded_once") else { return };
    // A device of its own: other tests record too.
    let vulkan = netform_gpu::Vulkan::new().unwrap();
    let _: Found = classified!(&vulkan, 2);
    let [_, few] = vulkan.counts();
    let _: Found = classified!(&vulkan, 30);
    assert_eq!(vulkan.counts()[1], 2 * few);
}

#[test]
fn a_label_out_of_range() {
    let Some(vulkan) = vulkan("a_label_out_of_range") else { return };
    macro_rules! message {
        ($device:expr) => {{
            let device = $device;
            let mut net = Mlp::<f32, _>::on(device.clone(), Seed(3)).unwrap();
            let before = net.parameter("fc1.weight").unwrap();
            let batch = MiniBatch::<(D<20>,), (), f32, u32, _> {
                inputs: Tensor::from_slice_on(device.clone(), &numbers(60, 5)).unwrap(),
                targets: Tensor::from_slice_on(device.clone(), &[1, 10, 3]).unwrap(),
            };
            let mut step = net.train_step(CrossEntropy, Adam::new(1e-2), 3).unwrap();
            let message = step.run(&batch).unwrap_err().to_string();
            drop(step);
            assert_eq!(net.parameter("fc1.weight").unwrap(), before);
            message
        }};
    }
    assert_eq!(message!(&vulkan), message!(&Cpu::default()));
}

#[test]
fn characters() {
    let Some(vulkan) = vulkan("characters") else { return };
    macro_rules! trained {
        ($device:expr) => {{
            let device = $device;
            let mut net = Chars::<D<9>, f32, _>::on(device.clone(), Seed(3)).unwrap();
            let tokens: Vec<u32> = (0..4 * 9).map(|i| i * i % 11).collect();
            let next: Vec<u32> = (0..4 * 9).map(|i| (i + 1) * (i + 1) % 11).collect();
            let batch = MiniBatch::<(D<9>,), (D<9>,), u32, u32, _> {
                inputs: Tensor::from_slice_on(device.clone(), &tokens).unwrap(),
                targets: Tensor::from_slice_on(device.clone(), &next).unwrap(),
            };
            let mut step = net.train_step(CrossEntropy, Adam::new(1e-2), 4).unwrap();
            let losses = (0..20).map(|_| step.run(&batch).unwrap()).collect();
            drop(step);
            let weight = net.parameter("emb.weight").unwrap();
            vec![("losses".to_owned(), losses), ("emb.weight".to_owned(), weight)]
        }};
    }
    agree("characters", &trained!(&vulkan), &trained!(&Cpu::default()), 1e-4);
}

#[test]
fn second_derivatives() {
    let Some(vulkan) = vulkan("second_derivatives") else { return };
    macro_rules! trained {
        ($device:expr) => {{
            let device = $device;
            let mut net = Smooth::<f32, _>::on(device.clone(), Seed(3)).unwrap();
            let x = Tensor::<(Batch, D<4>), f32, _>::from_slice_on(device.clone(), &numbers(20, 1))
                .unwrap();
            let y = Tensor::<(Batch, D<1>), f32, _>::from_slice_on(device.clone(), &numbers(5, 2))
                .unwrap();
            let mut step = net.loss_step(Adam::new(1e-2), 5).unwrap();
            let losses = (0..10).map(|_| step.run((&x, &y)).unwrap()).collect();
            drop(step);
            vec![
                ("losses".to_owned(), losses),
                ("weight".to_owned(), net.parameter("hidden.weight").unwrap()),
            ]
        }};
    }
    agree("second derivatives", &trained!(&vulkan), &trained!(&Cpu::default()), 1e-4);
}

/// A missing barrier shows as a difference between repetitions.
#[test]
fn a_hundred_repetitions_have_the_same_bits() {
    let Some(vulkan) = vulkan("a_hundred_repetitions_have_the_same_bits") else { return };
    let input = |i: usize| numbers(4 * 256, i as u64);
    let x = Tensor::<(Batch, D<1>, D<16>, D<16>), f32, _>::from_slice_on(vulkan.clone(), &input(1))
        .unwrap();
    let labels = Tensor::<(Batch,), u32, _>::from_slice_on(vulkan.clone(), &[1, 7, 0, 9]).unwrap();
    let net = LeNet::<f32, _>::on(vulkan.clone(), Seed(1)).unwrap();
    let mut workspace = net.workspace(netform::pullback::Mode::Train).unwrap();
    let mut loss = netform::loss::LossGradient::new(CrossEntropy);
    let mut bits = |_: usize| -> Vec<Vec<u32>> {
        let pass = workspace.forward(&net, &x).unwrap();
        let (_, gradient) = loss.run(pass.outputs(), &labels).unwrap();
        let gradients = pass.backward(gradient).unwrap();
        let names = <LeNet<f32, Cpu> as Module>::PARAMS.iter().map(|spec| spec.name);
        names
            .map(|name| gradients.get(name).unwrap().iter().map(|x| x.to_bits()).collect())
            .collect()
    };
    let first = bits(0);
    assert!(first.iter().flatten().any(|bits| *bits != 0));
    for i in 1..100 {
        assert!(bits(i) == first, "repetition {i}");
    }
}
