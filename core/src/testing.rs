//! A network and a loss written by hand, for tests of what surrounds networks.

use crate::cpu::Cpu;
use crate::device::{Arg, Bindings, Device, Fold, Grid, Kernels, MatmulDims, Slot, Span};
use crate::dim::{Batch, D};
use crate::element::Float;
use crate::init::Init;
use crate::loss::{Loss, TARGET};
use crate::metric::{Answers, correct_signs};
use crate::module::{Extent, Module, PortAxis, PortSpec};
use crate::network::{LayerSpec, Network, ParamSpec, Store};
use crate::pullback::Mode;
use crate::shape::{MAX_RANK, SampleShape};
use crate::tensor::Tensor;

/// `y = x w^T + b` from two numbers to one. Its state is the sum of the last training batch's inputs.
pub(crate) struct Line<E: Float = f32> {
    store: Store<E, Cpu>,
}

/// A part of a buffer, with strides along samples and along the axis of each.
fn view(span: Span, strides: [usize; 2]) -> Arg {
    Arg::View { span, strides: [0, 0, strides[0], strides[1]] }
}

const WEIGHT: (usize, usize) = (0, 2);
const BIAS: (usize, usize) = (2, 1);

fn at(slot: Slot, (offset, len): (usize, usize)) -> Span {
    Span::new(slot, offset, len)
}

fn forward<E: Float, K: Kernels<E>>(k: &mut K, batch: usize, input: Span, output: Span) {
    let dims = MatmulDims {
        batch: 1,
        m: batch,
        n: 1,
        k: 2,
        transpose_a: false,
        transpose_b: true,
        stride_a: 0,
        stride_b: 0,
    };
    let bias = view(at(Slot::Params, BIAS), [0, 1]);
    let weight = at(Slot::Params, WEIGHT);
    k.matmul([output], input, weight, dims, [bias], [], |y, [b], []| [y + b], &["x + a0"]);
}

impl<E: Float> Network for Line<E> {
    type Input = (D<2>,);
    type InputElement = E;
    type Output = (D<1>,);
}

impl<E: Float> Module for Line<E> {
    type Elem = E;
    type Device = Cpu;
    type Outputs = Tensor<(Batch, D<1>), E>;
    type InputGradients = Tensor<(Batch, D<2>), E>;

    const NAME: &'static str = "Line";
    const PLAN: &'static str = "";
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec {
            name: "fc.weight",
            shape: &[1, 2],
            offset: 0,
            init: Init::Uniform { low: -0.5, high: 0.5 },
        },
        ParamSpec { name: "fc.bias", shape: &[1], offset: 2, init: Init::Zeros },
    ];
    const LAYERS: &'static [LayerSpec] =
        &[LayerSpec { name: "fc", text: "Linear(1)", output: &[PortAxis::Size(1)], params: 3 }];
    const STATES: &'static [ParamSpec] =
        &[ParamSpec { name: "seen.sum", shape: &[1], offset: 0, init: Init::Ones }];
    const PARAM_LEN: usize = 3;
    const STATE_LEN: usize = 1;
    const INPUTS: &'static [PortSpec] =
        &[PortSpec { name: "x", axes: &[PortAxis::Size(2)], integer: false }];
    const OUTPUTS: &'static [PortSpec] =
        &[PortSpec { name: "", axes: &[PortAxis::Size(1)], integer: false }];

    fn from_store(store: Store<E, Cpu>) -> Self {
        Line { store }
    }
    fn store(&self) -> &Store<E, Cpu> {
        &self.store
    }
    fn store_mut(&mut self) -> &mut Store<E, Cpu> {
        &mut self.store
    }
    fn input_sizes(e: Extent, _: usize) -> [usize; MAX_RANK] {
        [e.batch, 2, 1, 1, 1, 1]
    }
    fn output_sizes(e: Extent, _: usize) -> [usize; MAX_RANK] {
        [e.batch, 1, 1, 1, 1, 1]
    }
    fn infer_workspace(_: Extent) -> usize {
        0
    }
    fn infer<K: Kernels<E>>(k: &mut K, e: Extent, inputs: &[Span], outputs: &[Span]) {
        forward(k, e.batch, inputs[0], outputs[0]);
    }
    fn train_workspace(e: Extent) -> usize {
        2 * e.batch
    }
    fn train_forward<K: Kernels<E>>(k: &mut K, e: Extent, inputs: &[Span]) {
        forward(k, e.batch, inputs[0], Self::train_output(e, 0));
        see(k, e.batch, inputs[0]);
    }
    fn train_output(e: Extent, _: usize) -> Span {
        Span::new(Slot::Workspace, 0, e.batch)
    }
    fn output_gradient(e: Extent, _: usize) -> Span {
        Span::new(Slot::Workspace, e.batch, e.batch)
    }
    fn backward<K: Kernels<E>>(k: &mut K, e: Extent, inputs: &[Span]) {
        backward(k, e.batch, inputs[0], Self::output_gradient(e, 0));
    }
    fn vjp_workspace(_: Extent, _: Mode) -> usize {
        0
    }
    fn vjp_forward<K: Kernels<E>>(k: &mut K, e: Extent, mode: Mode, spans: &[Span]) {
        forward(k, e.batch, spans[0], spans[2]);
        if mode == Mode::Train {
            see(k, e.batch, spans[0]);
        }
    }
    fn vjp_backward<K: Kernels<E>>(k: &mut K, e: Extent, _: Mode, spans: &[Span]) {
        let [x, dy, _, dx] = *spans else { panic!("four spans, found {}", spans.len()) };
        backward(k, e.batch, x, dy);
        let dims = MatmulDims {
            batch: 1,
            m: e.batch,
            n: 2,
            k: 1,
            transpose_a: false,
            transpose_b: false,
            stride_a: 0,
            stride_b: 0,
        };
        k.matmul([dx], dy, at(Slot::Params, WEIGHT), dims, [], [], |x, [], []| [x], &["x"]);
    }
}

/// The running statistic.
fn see<E: Float, K: Kernels<E>>(k: &mut K, batch: usize, input: Span) {
    let grid: Grid = [1, 1, batch, 2];
    let x = view(input, [2, 1]);
    let seen = Span::new(Slot::State, 0, 1);
    k.reduce(seen, Fold::Sum, grid, [true; 4], [x], [], |[x], []| x, &["a0"]);
}

/// The gradients of weight and bias.
fn backward<E: Float, K: Kernels<E>>(k: &mut K, batch: usize, input: Span, dy: Span) {
    let dims = MatmulDims {
        batch: 1,
        m: 1,
        n: 2,
        k: batch,
        transpose_a: true,
        transpose_b: false,
        stride_a: 0,
        stride_b: 0,
    };
    let dw = at(Slot::Grads, WEIGHT);
    k.matmul([dw], dy, input, dims, [], [], |x, [], []| [x], &["x"]);
    let db = at(Slot::Grads, BIAS);
    let reduced = [true; 4];
    k.reduce(
        db,
        Fold::Sum,
        [1, 1, batch, 1],
        reduced,
        [view(dy, [1, 0])],
        [],
        |[x], []| x,
        &["a0"],
    );
}

/// The mean square of the difference, over samples and elements. An output counts as correct where it is
/// on the side of 0 that its target, 0 or 1, says.
#[derive(Clone)]
pub(crate) struct Square;

impl Square {
    fn mean<E: Float, K: Kernels<E>>(k: &mut K, output: Span, base: usize) -> Span {
        let value = Span::new(Slot::Workspace, base, 1);
        let target = Span::new(TARGET, 0, output.len);
        let scale = [E::ONE / E::from_usize(output.len)];
        k.reduce(
            value,
            Fold::Sum,
            [1, 1, 1, output.len],
            [true; 4],
            [view(output, [0, 1]), view(target, [0, 1])],
            scale,
            |[y, t], [scale]| scale * (y - t) * (y - t),
            &["c0 * (a0 - a1) * (a0 - a1)"],
        );
        value
    }
}

impl<E: Float, S: SampleShape> Loss<E, S, S, E> for Square {
    fn workspace(&self, _: usize) -> usize {
        1
    }
    fn bind<'a, Dev: Device<E>>(&self, targets: &'a Dev::Buffer<E>, to: &mut Bindings<'a, E, Dev>) {
        to.inputs[crate::feed::BESIDE] = Some(targets);
    }
    fn value<K: Kernels<E>>(&self, k: &mut K, _: usize, output: Span, base: usize) -> Span {
        Self::mean(k, output, base)
    }
    fn value_and_gradient<K: Kernels<E>>(
        &self,
        k: &mut K,
        _: usize,
        output: Span,
        gradient: Span,
        base: usize,
    ) -> Span {
        let target = Span::new(TARGET, 0, output.len);
        k.map(
            [gradient],
            [1, 1, 1, output.len],
            [view(output, [0, 1]), view(target, [0, 1])],
            [E::from_f64(2.0) / E::from_usize(output.len)],
            |[y, t], [scale]| [scale * (y - t)],
            &["c0 * (a0 - a1)"],
        );
        Self::mean(k, output, base)
    }
    fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
        Some(Answers { correct: correct_signs(outputs, targets), judged: targets.len() })
    }
}
