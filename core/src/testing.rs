//! A network and a loss written by hand, for tests of what surrounds networks.

use crate::cpu::Cpu;
use crate::device::{Arg, Bindings, Device, Fold, Grid, Kernels, MatmulDims, Slot, Span};
use crate::dim::D;
use crate::element::Float;
use crate::init::Init;
use crate::loss::{Loss, TARGET};
use crate::metric::{Answers, correct_signs};
use crate::network::{LayerSpec, Network, ParamSpec, Store};
use crate::shape::SampleShape;

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
    k.matmul(output, input, weight, dims, [bias], [], |y, [b], []| y + b, &["x + a0"]);
}

impl<E: Float> Network for Line<E> {
    type Elem = E;
    type Device = Cpu;
    type Input = (D<2>,);
    type Output = (D<1>,);

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
        &[LayerSpec { name: "fc", text: "Linear(1)", output: &[1], params: 3 }];
    const STATES: &'static [ParamSpec] =
        &[ParamSpec { name: "seen.sum", shape: &[1], offset: 0, init: Init::Ones }];
    const PARAM_LEN: usize = 3;
    const STATE_LEN: usize = 1;

    fn from_store(store: Store<E, Cpu>) -> Self {
        Line { store }
    }
    fn store(&self) -> &Store<E, Cpu> {
        &self.store
    }
    fn store_mut(&mut self) -> &mut Store<E, Cpu> {
        &mut self.store
    }
    fn infer_workspace(_: usize) -> usize {
        0
    }
    fn infer<K: Kernels<E>>(k: &mut K, batch: usize, input: Span, output: Span) {
        forward(k, batch, input, output);
    }
    fn train_workspace(batch: usize) -> usize {
        2 * batch
    }
    fn train_forward<K: Kernels<E>>(k: &mut K, batch: usize, input: Span) -> Span {
        let output = Span::new(Slot::Workspace, 0, batch);
        forward(k, batch, input, output);
        let grid: Grid = [1, 1, batch, 2];
        let reduced = [true; 4];
        let x = view(input, [2, 1]);
        let seen = Span::new(Slot::State, 0, 1);
        k.reduce(seen, Fold::Sum, grid, reduced, [x], [], |[x], []| x, &["a0"]);
        output
    }
    fn output_gradient(batch: usize) -> Span {
        Span::new(Slot::Workspace, batch, batch)
    }
    fn backward<K: Kernels<E>>(k: &mut K, batch: usize, input: Span) {
        let dy = Self::output_gradient(batch);
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
        k.matmul(dw, dy, input, dims, [], [], |x, [], []| x, &["x"]);
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
        to.inputs[1] = Some(targets);
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
