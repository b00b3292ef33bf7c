//! Whole networks against PyTorch: output, loss, gradients, three steps of SGD with momentum.

mod common;

use common::{Reference, assert_close, batch_on};
use netform::element::{Element, Float};
use netform::loss::Loss;
use netform::prelude::*;
use netform::shape::SampleShape;

// A layer is called `l` and its position in PyTorch's `Sequential`.

network! {
    /// Two layers.
    pub Mlp: [6] -> [3] {
        l0: Linear(9), Relu,
        l2: Linear(3),
    }
}

network! {
    /// Three layers with smooth activations.
    pub Tanh3: [4] -> [2] {
        l0: Linear(7), Tanh,
        l2: Linear(5), Sigmoid,
        l4: Linear(2),
    }
}

network! {
    /// Two convolutions and a layer.
    pub LeNet: [1, 16, 16] -> [10] {
        l0: Conv2d(3, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        l3: Conv2d(4, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        l7: Linear(10),
    }
}

network! {
    /// A residual block with batch norm, averaged over the image.
    pub ResNet: (x: [3, 7, 7]) -> [4] {
        let conv1 = Conv2d(6, kernel = 3, padding = 1, bias = false);
        let bn1 = BatchNorm2d;
        let conv2 = Conv2d(6, kernel = 3, padding = 1, bias = false);
        let bn2 = BatchNorm2d;
        let down = Conv2d(6, kernel = 1);
        let fc = Linear(4);
        let inner = bn2(conv2(relu(bn1(conv1(x)))));
        fc(relu(inner + down(x)).mean(axes = [1, 2]))
    }
}

network! {
    /// A pre-norm causal block with two heads.
    pub Transformer: (x: [5, 8]) -> [5, 8] {
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
        y + fc2(gelu(fc1(ln2(y)), approximate = tanh))
    }
}

network! {
    /// The last state of an LSTM.
    pub LstmNet: [6, 3] -> [2] { rnn: Lstm(5, last = true), fc: Linear(2) }
}

network! {
    /// The last state of a GRU, from all of them.
    pub GruNet: (x: [6, 3]) -> [2] {
        let rnn = Gru(5);
        let fc = Linear(2);
        let (states, _) = rnn(x);
        fc(states[-1])
    }
}

/// The name in the file.
fn pytorch(name: &str) -> &str {
    match name.strip_prefix('l') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => name,
    }
}

/// Tests of networks in both element types: name in the file, type, loss, the targets' shape, their elements
/// in f32 and in f64, and their reader.
macro_rules! networks {
    ($($name:ident: $net:ident, $loss:ident, $shape:ty, [$t32:ty, $t64:ty], $targets:path;)*) => { $(
        #[test]
        fn $name() {
            let cpu = Cpu::default();
            let name = stringify!($name);
            agrees::<_, $loss, $shape, $t32>($net::<f32>::on(cpu.clone(), Seed(0)), name, $loss, $targets);
            agrees::<_, $loss, $shape, $t64>($net::<f64>::on(cpu, Seed(0)), name, $loss, $targets);
        }
    )*

        /// The same on Vulkan.
        #[cfg(feature = "vulkan")]
        mod on_vulkan {
            use super::*;
            $(
                #[test]
                fn $name() {
                    let name = stringify!($name);
                    let Some(vulkan) = common::vulkan(name) else { return };
                    agrees::<_, $loss, $shape, $t32>($net::<f32, _>::on(vulkan, Seed(0)), name, $loss, $targets);
                }
            )*
        }
    };
}
networks! {
    mlp: Mlp, CrossEntropy, (), [u32, u32], Reference::labels;
    tanh3: Tanh3, Mse, (D<2>,), [f32, f64], Reference::get;
    lenet: LeNet, CrossEntropy, (), [u32, u32], Reference::labels;
    residual: ResNet, CrossEntropy, (), [u32, u32], Reference::labels;
    transformer: Transformer, Mse, (D<5>, D<8>), [f32, f64], Reference::get;
    lstm: LstmNet, CrossEntropy, (), [u32, u32], Reference::labels;
    gru: GruNet, CrossEntropy, (), [u32, u32], Reference::labels;
}

/// A network of `networks.safetensors` under the names that it has there.
struct Case<'r> {
    reference: &'r Reference,
    name: &'r str,
}

impl Case<'_> {
    fn get<E: Float>(&self, what: &str) -> Vec<E> {
        self.reference.get(&format!("{}/{what}", self.name))
    }

    fn assert_close<E: Float>(&self, what: &str, found: &[E]) {
        assert_close(&format!("{}/{what}", self.name), found, &self.get(what));
    }

    /// `group` of every parameter: `param`, `grad`, `after3`.
    fn assert_parameters<N: Network>(&self, group: &str, found: impl Fn(&str) -> Vec<N::Elem>) {
        for name in common::parameter_names::<N>() {
            self.assert_close(&format!("{group}/{}", pytorch(name)), &found(name));
        }
    }
}

fn agrees<N, L, Y, T>(
    net: netform::Result<N>,
    name: &str,
    loss: L,
    targets: fn(&Reference, &str) -> Vec<T>,
) where
    N: Network<InputElement = <N as Module>::Elem>,
    L: Loss<N::Elem, N::Output, Y, T> + Copy,
    Y: SampleShape,
    T: Element,
{
    let reference = Reference::read("networks");
    let case = Case { reference: &reference, name };
    let mut net = net.unwrap();
    for name in common::parameter_names::<N>() {
        net.set_parameter(name, &case.get(&format!("param/{}", pytorch(name)))).unwrap();
    }
    let device = net.store().device.clone();
    let x = batch_on::<N::Input, N::Elem, _>(&device, &case.get("x"));
    let y = batch_on::<Y, T, _>(&device, &targets(&reference, &format!("{name}/y")));
    let losses: Vec<f64> = case.get("losses");

    let (value, gradients) = net.value_and_gradients(&loss, &x, &y).unwrap();
    assert_close("loss", &[value], &losses[..1]);
    case.assert_parameters::<N>("grad", |name| gradients.get(name).unwrap());

    let mut step = net.train_step(loss, Sgd::new(0.05).momentum(0.9), 8).unwrap();
    let mut found = vec![step.run_on(&x, &y).unwrap()];
    // In training mode, from before the update.
    let out: Vec<f64> = case.get("out");
    let mut outputs = vec![N::Elem::ZERO; out.len()];
    step.read_outputs(&mut outputs).unwrap();
    assert_close(&format!("{name}/out"), &outputs, &out);
    found.extend((0..2).map(|_| step.run_on(&x, &y).unwrap()));
    assert_close("losses of three steps", &found, &losses);
    case.assert_parameters::<N>("after3", |name| net.parameter(name).unwrap());
    case.assert_close("eval_out_after3", &net.predictor(8).unwrap().run(&x).unwrap().to_vec());
}
