//! Gradients of every layer and loss against central differences, in f64, on odd sizes.

mod common;

use common::{batch, difference};
use netform::element::Element;
use netform::loss::Loss;
use netform::prelude::*;
use netform::shape::SampleShape;
use netform::step::InputBatch;

/// Half the distance of the two losses that a difference is taken of.
const STEP: f64 = 1e-5;
/// The same where thousands of windows are pooled: in a longer step some get another largest value.
const SHORT_STEP: f64 = 1e-7;
/// How far gradients may be from differences, relative to the largest of a parameter's.
const TOLERANCE: f64 = 1e-6;

/// A module for each case: the network, the loss, and how targets are drawn.
macro_rules! cases {
    ($($name:ident: [$($input:tt)*] { $($layers:tt)* } $loss:ident, $targets:ident;)*) => { $(
        mod $name {
            use super::*;

            network! {
                #[doc = stringify!($name)]
                pub Net: [$($input)*] { $($layers)* }
            }

            #[test]
            fn agrees() {
                for samples in [1, 3] {
                    let net = Net::<f64>::on(Cpu::default(), Seed(5)).unwrap();
                    check(net, $loss, $targets::<Net<f64>>, samples);
                }
            }
        }
    )* };
}
cases! {
    linear: [3] { Linear(7), Tanh, Linear(1) } Mse, floats;
    linear_of_one: [1] { Linear(1), Sigmoid, Linear(7), Relu, Linear(3) } Mse, floats;
    linear_without_bias: [7] { Linear(3, bias = false), Gelu, Linear(3, bias = false) } Mse, floats;
    linear_over_positions: [3, 7] { Linear(5), Gelu(approximate = tanh), Linear(3) } Mse, floats;
    linear_over_images: [3, 1, 7] { Linear(3), Tanh, Linear(1) } Mse, floats;
    reshapes: [3, 7] { Reshape([7, 3]), Linear(3), Flatten, Tanh, Reshape([3, 7]), Linear(2) } Mse, floats;
    last_layer_is_an_activation: [3] { Linear(7), Relu } Mse, floats;
    activation_twice: [3] { Linear(3), Tanh, Tanh, Sigmoid, Linear(3) } Mse, floats;
    activations: [5] {
        Linear(7), LeakyRelu(0.2), Linear(5), Elu(alpha = 0.5), Linear(7), Silu, Linear(6), Glu, Linear(3), Softplus, Linear(4), LogSoftmax,
    } Mse, floats;
    branches: [6] {
        Linear(4), Residual { Linear(4), Tanh }, Parallel { Linear(2), { Linear(3), Tanh } }, Linear(2),
    } Mse, floats;
    residual_over_positions: [3, 6] {
        Residual { LayerNorm, Linear(6) }, Residual { LayerNorm, Linear(13), Gelu, Linear(6) }, Linear(2),
    } Mse, floats;
    residual_of_images: [3, 5, 6] {
        Conv2d(3, kernel = 1), Residual { Conv2d(2, kernel = 3, padding = 1), Silu, Conv2d(3, kernel = 3, padding = 1) },
        Softplus, Conv2d(1, kernel = 2),
    } Mse, floats;
    softmax: [3] { Linear(7), Softmax, Linear(3), Softmax } Mse, floats;
    // A bias that every position gets changes no softmax over positions: its gradient is rounding.
    softmax_over_positions: [3, 7] {
        Linear(3, bias = false), Softmax(axis = 0), Linear(3, bias = false), Softmax(axis = -2),
    } Mse, floats;
    softmax_over_channels: [1, 7, 3] { Conv2d(3, kernel = 3, padding = 1), Softmax(axis = 0) } Mse, floats;
    dropout: [7] { Linear(7), Dropout(0.5), Tanh, Dropout(0.25), Linear(3) } Mse, floats;
    dropout_of_images: [1, 7, 7] { Conv2d(3, kernel = 3), Dropout(0.3), Flatten, Linear(2) } Mse, floats;
    conv: [1, 7, 7] { Conv2d(3, kernel = 3), Tanh, Conv2d(2, kernel = 3), Flatten, Linear(3) } Mse, floats;
    conv_of_one: [1, 1, 1] { Conv2d(1, kernel = 1), Tanh, Conv2d(3, kernel = 1) } Mse, floats;
    conv_whole_image: [3, 7, 7] { Conv2d(3, kernel = 7), Tanh, Flatten, Linear(1) } Mse, floats;
    conv_strides: [3, 7, 7] { Conv2d(3, kernel = 3, stride = 2, padding = 1), Gelu, Conv2d(2, kernel = 2) } Mse, floats;
    conv_pairs: [3, 7, 6] {
        Conv2d(2, kernel = (3, 2), stride = (2, 1), padding = (1, 0)), Sigmoid,
        Conv2d(1, kernel = (1, 3), stride = (1, 2), padding = (0, 1)),
    } Mse, floats;
    conv_wide_padding: [1, 3, 3] { Conv2d(3, kernel = 3, padding = 2, bias = false), Tanh, Conv2d(1, kernel = 2, stride = 3) } Mse, floats;
    conv_leaves_a_border: [1, 7, 7] { Conv2d(3, kernel = 2, stride = 3), Tanh, Conv2d(2, kernel = 2) } Mse, floats;
    conv_many_channels: [1, 5, 5] { Conv2d(17, kernel = 3, padding = 1), Gelu, Conv2d(3, kernel = 3) } Mse, floats;
    max_pool: [1, 7, 7] { Conv2d(3, kernel = 3, padding = 1), MaxPool2d(2), Flatten, Linear(3) } Mse, floats;
    max_pool_overlaps: [1, 7, 7] { Conv2d(3, kernel = 2), MaxPool2d(3, stride = 1, padding = 1), Conv2d(1, kernel = 3) } Mse, floats;
    max_pool_pairs: [1, 7, 6] { Conv2d(3, kernel = 1), Tanh, MaxPool2d((3, 2), stride = (2, 3), padding = (1, 1)) } Mse, floats;
    max_pool_first: [3, 7, 7] { MaxPool2d(2), Conv2d(3, kernel = 3), Relu, MaxPool2d(1) } Mse, floats;
    lenet: [1, 9, 9] {
        Conv2d(3, kernel = 3, padding = 1), Relu, MaxPool2d(2), Conv2d(5, kernel = 3), Relu, MaxPool2d(2),
        Flatten, Linear(7), Relu, Dropout(0.25), Linear(3),
    } CrossEntropy, labels;
    labels_of_one_class: [3] { Linear(7), Tanh, Linear(1), Linear(3) } CrossEntropy, labels;
    labels_at_positions: [3, 7] { Linear(3), Tanh, Linear(7) } CrossEntropy, labels;
    labels_of_pixels: [1, 3, 7] { Linear(3), Tanh, Linear(3) } CrossEntropy, labels;
    probabilities: [3] { Linear(7), Tanh, Linear(3) } CrossEntropy, floats;
    probabilities_at_positions: [3, 7] { Linear(7), Tanh, Linear(3) } CrossEntropy, floats;
    several_labels: [3] { Linear(7), Tanh, Linear(3) } BceWithLogits, floats;
    labels_in_a_grid: [1, 3, 7] { Linear(3), Tanh, Linear(1) } BceWithLogits, floats;
    scalar_output: [3] { Linear(1), Reshape([]) } Mse, floats;
    no_bias_anywhere: [1, 5, 3] {
        Conv2d(3, kernel = (3, 1), bias = false), Flatten, Linear(3, bias = false),
    } CrossEntropy, labels;
    inputs_are_changed_first: [7] { Relu, Dropout(0.2), Tanh, Linear(3), Dropout(0.2) } Mse, floats;
    dropout_of_nothing_and_twice: [7] { Linear(7), Dropout(0.0), Dropout(0.5), Dropout(0.5), Linear(2) } Mse, floats;
    const_sizes: [CHANNELS, SIDE, {SIDE - 2}] {
        Conv2d(CHANNELS + 1, kernel = KERNEL, stride = (1, {KERNEL - 1}), padding = {KERNEL / 2}), Tanh,
        MaxPool2d({KERNEL - 1}), Softmax(axis = 0), Flatten, Linear(2 * SIDE + CHANNELS), Gelu, Linear(SIDE),
    } CrossEntropy, labels;
    const_positions: [SIDE, {CHANNELS + 1}] {
        Linear(SIDE), Dropout(0.5), Reshape([SIDE * SIDE]), Linear(SIDE * CHANNELS), Sigmoid, Reshape([SIDE, CHANNELS]),
    } BceWithLogits, floats;
}

const CHANNELS: usize = 3;
const SIDE: usize = 7;
const KERNEL: usize = 3;

/// Targets from 0 to 1, of the output's shape.
fn floats<N: Network>(rng: &mut Rng, samples: usize) -> Vec<f64> {
    (0..samples * N::Output::NUMEL).map(|_| rng.uniform()).collect()
}

/// Labels of classes along the output's last axis.
fn labels<N: Network>(rng: &mut Rng, samples: usize) -> Vec<u32> {
    let classes = N::OUTPUTS[0].axes.last().and_then(|axis| axis.size()).unwrap();
    (0..samples * N::Output::NUMEL / classes).map(|_| rng.below(classes) as u32).collect()
}

/// Random inputs, and targets for them.
fn draw<N: Network, Y: SampleShape, T: Element>(
    targets: fn(&mut Rng, usize) -> Vec<T>,
    samples: usize,
) -> (Tensor<InputBatch<N>, f64>, Tensor<Y::Batched, T>) {
    let mut rng = Rng::new(Seed(9), samples as u64);
    let x: Vec<f64> = (0..samples * N::Input::NUMEL).map(|_| rng.normal()).collect();
    (batch::<N::Input, f64>(&x), batch::<Y, T>(&targets(&mut rng, samples)))
}

/// Every derivative of the loss against a difference.
fn check<N, L, Y, T>(mut net: N, loss: L, targets: fn(&mut Rng, usize) -> Vec<T>, samples: usize)
where
    N: Network<Elem = f64, InputElement = f64, Device = Cpu>,
    L: Loss<f64, N::Output, Y, T>,
    Y: SampleShape,
    T: Element,
{
    let (x, y) = draw::<N, Y, T>(targets, samples);
    let (_, gradients) = net.value_and_gradients(&loss, &x, &y).unwrap();
    for name in common::parameter_names::<N>() {
        let values = net.parameter(name).unwrap();
        let mut slope = |i: usize| {
            let mut moved = |by: f64| {
                let mut values = values.clone();
                values[i] += by;
                net.set_parameter(name, &values).unwrap();
                net.value_and_gradients(&loss, &x, &y).unwrap().0
            };
            (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
        };
        let slopes: Vec<f64> = (0..values.len()).map(&mut slope).collect();
        net.set_parameter(name, &values).unwrap();
        let found = gradients.get(name).unwrap();
        let off = difference(&found, &slopes);
        println!("{name}, {samples} samples: {off:.1e}");
        assert!(
            off <= TOLERANCE,
            "{name}, {samples} samples: off by {off:e}\nfound {found:?}\nexpected {slopes:?}"
        );
    }
}

network! {
    /// A LeNet-style network, large enough for threads and for the products of matrixmultiply.
    pub LargeLeNet: [1, 28, 28] -> [10] {
        Conv2d(6, kernel = 5, padding = 2), Gelu, MaxPool2d(2),
        Conv2d(16, kernel = 5), Gelu, MaxPool2d(2),
        Flatten, Linear(120), Gelu, Dropout(0.25), Linear(10),
    }
}

network! {
    /// Wide layers with sizes that are no multiple of anything.
    pub LargeMlp: [5, 77] -> [5, 33] {
        Linear(131), Tanh, Linear(70), Softmax, Linear(129), Gelu(approximate = tanh), Linear(33),
    }
}

#[test]
fn large_networks_agree_along_a_direction() {
    for threads in [1, 2] {
        let cpu = Cpu::with_threads(threads);
        let lenet = LargeLeNet::<f64>::on(cpu.clone(), Seed(5)).unwrap();
        check_direction(lenet, CrossEntropy, labels::<LargeLeNet<f64>>, 33, SHORT_STEP);
        let mlp = LargeMlp::<f64>::on(cpu, Seed(5)).unwrap();
        check_direction(mlp, Mse, floats::<LargeMlp<f64>>, 65, STEP);
    }
}

/// One derivative a parameter tensor: along a random direction in which its gradient is not small.
fn check_direction<N, L, Y, T>(
    mut net: N,
    loss: L,
    targets: fn(&mut Rng, usize) -> Vec<T>,
    samples: usize,
    step: f64,
) where
    N: Network<Elem = f64, InputElement = f64, Device = Cpu>,
    L: Loss<f64, N::Output, Y, T>,
    Y: SampleShape,
    T: Element,
{
    let (x, y) = draw::<N, Y, T>(targets, samples);
    let (_, gradients) = net.value_and_gradients(&loss, &x, &y).unwrap();
    let mut rng = Rng::new(Seed(10), 0);
    for name in common::parameter_names::<N>() {
        let (values, gradient) = (net.parameter(name).unwrap(), gradients.get(name).unwrap());
        // Each entry the way that the gradient points, but not as far.
        let direction: Vec<f64> = gradient.iter().map(|g| g.signum() * rng.uniform()).collect();
        let slope: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let mut moved = |by: f64| {
            let values: Vec<f64> = values.iter().zip(&direction).map(|(v, d)| v + by * d).collect();
            net.set_parameter(name, &values).unwrap();
            net.value_and_gradients(&loss, &x, &y).unwrap().0
        };
        let expected = (moved(step) - moved(-step)) / (2.0 * step);
        net.set_parameter(name, &values).unwrap();
        let off = difference(&[slope], &[expected]);
        println!("{} {name} along a direction: {off:.1e}", N::NAME);
        assert!(off <= TOLERANCE, "{} {name}: {slope}, expected {expected}", N::NAME);
    }
}
