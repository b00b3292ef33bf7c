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
        let losses = (0..5).map(|_| step.run(&batch).unwrap()).collect();
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
