//! Layers and losses one by one against PyTorch: the output and every gradient.
//!
//! A case is a network whose first layer makes the op's input a parameter: a `Linear` without bias, whose
//! input is the identity matrix, so that sample `b` of its output is column `b` of its weight. The gradient
//! of that weight is then the op's gradient with respect to its input.

mod common;

use common::{Reference, assert_close, batch_on, transposed};
use netform::element::{Element, Float};
use netform::loss::Loss;
use netform::prelude::*;
use netform::shape::SampleShape;

/// A module for each case, with a test in both element types: the name in the file, the batch, a sample
/// of the input, what the network applies to it, and the check with its arguments.
macro_rules! cases {
    ($($name:ident: $batch:tt x [$($size:tt),*] => { $($op:tt)* } $check:ident($($argument:expr),*);)*) => { $(
        mod $name {
            use super::*;

            network! {
                #[doc = stringify!($name)]
                pub Net: [$batch] {
                    x: Linear(1 $(* $size)*, bias = false), Reshape([$($size),*]),
                    $($op)*
                }
            }

            #[test]
            fn agrees() {
                let cpu = Cpu::default();
                $check(stringify!($name), Net::<f32>::on(cpu.clone(), Seed(0)) $(, $argument)*);
                $check(stringify!($name), Net::<f64>::on(cpu, Seed(0)) $(, $argument)*);
            }

            #[cfg(feature = "vulkan")]
            #[test]
            fn agrees_on_vulkan() {
                let Some(vulkan) = common::vulkan(stringify!($name)) else { return };
                $check(stringify!($name), Net::<f32, _>::on(vulkan, Seed(0)) $(, $argument)*);
            }
        }
    )* };
}
cases! {
    relu: 4 x [6] => { Relu } op();
    sigmoid: 4 x [6] => { Sigmoid } op();
    tanh: 4 x [6] => { Tanh } op();
    gelu_tanh: 4 x [6] => { Gelu(approximate = tanh) } op();
    gelu_erf: 4 x [6] => { Gelu } op();
    softmax: 2 x [3, 3] => { Softmax } op();
    softmax_1: 2 x [3, 3] => { Softmax(axis = 0) } op();
    maxpool2d: 2 x [4, 8, 6] => { MaxPool2d(2) } op();
    maxpool2d_overlap: 2 x [4, 10, 8] => { MaxPool2d(3, stride = 2, padding = 1) } op();
    conv2d_plain: 2 x [4, 10, 8] => { Conv2d(4, kernel = 3) } op();
    conv2d_same: 2 x [4, 10, 8] => { Conv2d(4, kernel = 3, padding = 1) } op();
    conv2d_stride: 2 x [4, 10, 8] => { Conv2d(4, kernel = 3, stride = 2, padding = 1) } op();
    conv2d_rect: 2 x [4, 10, 8] => { Conv2d(4, kernel = 3, stride = (2, 1), padding = (0, 1)) } op();
    conv2d_1x1: 2 x [4, 10, 8] => { Conv2d(4, kernel = 1) } op();
    conv2d_dil: 2 x [4, 10, 8] => { Conv2d(4, kernel = 3, dilation = 2) } op();
    conv2d_groups: 2 x [4, 10, 8] => { Conv2d(4, kernel = 3, groups = 2) } op();
    depthwise: 2 x [4, 10, 8] => { Conv2d(4, kernel = 3, padding = 1, groups = 4) } op();
    conv1d: 2 x [4, 11] => { Conv1d(4, kernel = 3, padding = 1, stride = 2) } op();
    conv_transpose2d: 2 x [4, 5, 6] => { ConvTranspose2d(4, kernel = 3, stride = 2, padding = 1) } op();
    avgpool2d: 2 x [4, 8, 6] => { AvgPool2d(2) } op();
    global_avg_pool: 2 x [4, 10, 8] => { AdaptiveAvgPool2d(1) } op();
    upsample_nearest: 2 x [4, 4, 5] => { Upsample(2) } op();
    layer_norm: 2 x [3, 3] => { LayerNorm } op();
    rms_norm: 2 x [3, 3] => { RmsNorm } op();
    group_norm: 2 x [4, 4, 4] => { GroupNorm(2) } op();
    batch_norm2d_train: 4 x [4, 5, 5] => { BatchNorm2d } train_op();
    batch_norm1d_train: 6 x [4] => { BatchNorm1d } train_op();
    silu: 4 x [6] => { Silu } op();
    softplus: 4 x [6] => { Softplus } op();
    leaky_relu: 4 x [6] => { LeakyRelu(0.1) } op();
    elu: 4 x [6] => { Elu } op();
    log_softmax: 2 x [3, 3] => { LogSoftmax } op();
    log_softmax_1: 2 x [3, 3] => { LogSoftmax(axis = 0) } op();
    matmul: 5 x [3] => { Linear(3, bias = false) } op();
    reshape: 2 x [3, 3] => { Reshape([9]) } op();
    mse: 5 x [5] => {} dense(Mse);
    bce_logits: 5 x [1] => {} dense(BceWithLogits);
    cross_entropy: 5 x [5] => {} loss(CrossEntropy, Reference::labels);
    cross_entropy_onehot: 5 x [5] => {} dense(CrossEntropy);
}

network! {
    /// The last axis in halves, and the first.
    pub Gates: (x: [2, 4]) -> ([2, 2], [1, 4]) {
        let last = Glu;
        let first = Glu(axis = 0);
        (last(x), first(x))
    }
}

#[test]
fn the_second_half_of_an_axis_gates_the_first() {
    // sigmoid(0) = 1/2, sigmoid(ln 3) = 3/4
    let l = 3.0_f64.ln();
    let x = batch_on::<(D<2>, D<4>), _, _>(&Cpu::default(), &[1.0, 2.0, 0.0, l, 0.0, l, 0.0, l]);
    let gates = Gates::<f64>::on(Cpu::default(), Seed(0)).unwrap();
    let (last, first) = gates.forward(&x).unwrap();
    assert_close("last", &last.to_vec(), &[0.5, 1.5, 0.0, 0.75 * l]);
    assert_close("first", &first.to_vec(), &[0.5, 1.5, 0.0, 0.75 * l]);
}

/// A case in `ops.safetensors`, and its network with the reference's inputs as parameters.
struct Case<N: Network> {
    reference: Reference,
    name: &'static str,
    net: N,
    identity: Tensor<netform::step::InputBatch<N>, N::Elem, N::Device>,
}

impl<N: Network<InputElement = <N as Module>::Elem>> Case<N> {
    fn new(name: &'static str, net: netform::Result<N>) -> Self {
        let size = <N::Input as SampleShape>::NUMEL;
        let identity: Vec<N::Elem> = (0..size * size)
            .map(|i| N::Elem::from_usize(usize::from(i % size == i / size)))
            .collect();
        let net = net.unwrap();
        let identity = batch_on::<N::Input, _, _>(&net.store().device, &identity);
        let mut case = Case { reference: Reference::read("ops"), name, net, identity };
        for (i, spec) in N::PARAMS.iter().enumerate() {
            let values = case.get(&format!("in{i}"));
            // A weight of `Linear` is [out, in]; the reference multiplies by [in, out].
            let values = match *spec.shape {
                [rows, cols] => transposed(&values, cols, rows),
                _ => values,
            };
            case.net.set_parameter(spec.name, &values).unwrap();
        }
        case
    }

    fn get<E: Float>(&self, what: &str) -> Vec<E> {
        self.reference.get(&format!("{}/{what}", self.name))
    }

    fn assert_close(&self, what: &str, found: &[N::Elem]) {
        assert_close(&format!("{}/{what}", self.name), found, &self.get(what));
    }

    /// Compares all gradients; returns the loss.
    fn assert_gradients<L, Y, T>(&self, loss: L, targets: &[T]) -> N::Elem
    where
        L: Loss<N::Elem, N::Output, Y, T>,
        Y: SampleShape,
        T: Element,
    {
        let targets = batch_on::<Y, T, _>(&self.net.store().device, targets);
        let (value, gradients) =
            self.net.value_and_gradients(&loss, &self.identity, &targets).unwrap();
        for (i, spec) in N::PARAMS.iter().enumerate() {
            let found = gradients.get(spec.name).unwrap();
            let found = match *spec.shape {
                [rows, cols] => transposed(&found, rows, cols),
                _ => found,
            };
            self.assert_close(&format!("grad{i}"), &found);
        }
        value
    }
}

/// Output and gradients of an op. The gradient of the output has to be the reference's `cot`: that of the
/// mean squared error is 2 / n (out - target), so the target is out - n / 2 cot.
fn op<N>(name: &'static str, net: netform::Result<N>)
where
    N: Network<InputElement = <N as Module>::Elem>,
    Mse: Loss<N::Elem, N::Output, N::Output, N::Elem>,
{
    let case = Case::new(name, net);
    let size = <N::Input as SampleShape>::NUMEL;
    let out = case.net.predictor(size).unwrap().run(&case.identity).unwrap().to_vec();
    case.assert_close("out", &out);
    let half = N::Elem::from_f64(out.len() as f64 / 2.0);
    let cotangent: Vec<N::Elem> = case.get("cot");
    let targets: Vec<N::Elem> = out.iter().zip(cotangent).map(|(&o, c)| o - half * c).collect();
    case.assert_gradients(Mse, &targets);
}

/// Gradients of an op whose output in training is not the one in evaluation: the loss of the reference's
/// output says what the output is.
fn train_op<N>(name: &'static str, net: netform::Result<N>)
where
    N: Network<InputElement = <N as Module>::Elem>,
    Mse: Loss<N::Elem, N::Output, N::Output, N::Elem>,
{
    let case = Case::new(name, net);
    let (out, cotangent): (Vec<f64>, Vec<f64>) = (case.get("out"), case.get("cot"));
    let half = out.len() as f64 / 2.0;
    let target = |(o, c): (&f64, &f64)| N::Elem::from_f64(o - half * c);
    let targets: Vec<N::Elem> = out.iter().zip(&cotangent).map(target).collect();
    let value = case.assert_gradients(Mse, &targets);
    let squares: f64 = cotangent.iter().map(|c| (half * c) * (half * c)).sum();
    assert_close(&format!("{name}/out"), &[value], &[squares / out.len() as f64]);
}

/// Value and gradient of a loss whose targets are the reference's second input.
fn loss<N, L, Y, T>(
    name: &'static str,
    net: netform::Result<N>,
    loss: L,
    targets: fn(&Reference, &str) -> Vec<T>,
) where
    N: Network<InputElement = <N as Module>::Elem>,
    L: Loss<N::Elem, N::Output, Y, T>,
    Y: SampleShape,
    T: Element,
{
    let case = Case::new(name, net);
    let targets = targets(&case.reference, &format!("{name}/in1"));
    let value = case.assert_gradients(loss, &targets);
    case.assert_close("out", &[value]);
}

/// A loss with targets of the output's shape and element.
fn dense<N, L>(name: &'static str, net: netform::Result<N>, of: L)
where
    N: Network<InputElement = <N as Module>::Elem>,
    L: Loss<N::Elem, N::Output, N::Output, N::Elem>,
{
    loss::<N, L, N::Output, N::Elem>(name, net, of, Reference::get);
}
