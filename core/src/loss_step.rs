//! Training of networks whose own output is the loss.

use crate::device::{Arg, Bindings, Device, Fold, Kernels, Memory, Slot, Span};
use crate::element::Float;
use crate::error::Result;
use crate::feed::Feed;
use crate::loss::Loss;
use crate::module::{Extent, Module, Spans};
use crate::optim::Optimizer;
use crate::pullback::checked;
use crate::step::{Batch, Buffer, Left, Memories, OptimizerState, check_capacity};
use crate::update::{Rules, Updates};

/// A network whose only output is a scalar for each sample, or whose outputs are a scalar and its weight: a
/// loss.
#[diagnostic::on_unimplemented(
    message = "the output of network `{Self}` is not one scalar for each sample",
    note = "a network that is its own loss ends in `-> []`, or in `-> ([], [])` for a value and its weight; others are trained with a loss: `net.train_step(CrossEntropy, ..)`"
)]
pub trait ScalarLoss: Module {}

/// Forward, backward and update of a network whose only output is its loss, with all the memory that they
/// need. The loss of a batch is the mean over its samples; of a network that yields a value and its weight,
/// the sum of values over the sum of weights.
///
/// [`LossStep::run`] allocates nothing in steady state, and more memory only where lengths that are known
/// only at run time become larger.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// netform_macros::network! {
///     /// The squared distance of a line from what it should be.
///     pub Fit: (x: [1], y: [1]) -> [] {
///         let line = Linear(1);
///         mean(square(line(x) - y))
///     }
/// }
///
/// # fn main() -> netform::error::Result<()> {
/// use netform::dim::{Batch, D};
/// use netform::module::Module;
/// use netform::optim::Sgd;
/// use netform::random::Seed;
/// use netform::tensor::Tensor;
///
/// let x = Tensor::<(Batch, D<1>)>::from_vec(vec![0.0, 1.0])?;
/// let y = Tensor::<(Batch, D<1>)>::from_vec(vec![1.0, 3.0])?;
/// let mut net = Fit::new(Seed(1));
/// let mut step = net.loss_step(Sgd::new(0.5), 2)?;
/// for _ in 0..200 {
///     step.run((&x, &y))?;
/// }
/// assert!(step.run((&x, &y))? < 1e-3);
/// # Ok(())
/// # }
/// ```
pub struct LossStep<'n, M: Module, O> {
    net: &'n mut M,
    updates: Updates<O, Buffer<M>>,
    memories: Memories<M>,
}

impl<'n, M: ScalarLoss, O: Optimizer> LossStep<'n, M, O> {
    /// A step for batches of up to `batch` samples.
    ///
    /// # Errors
    /// If a setting of the optimiser makes no sense, the device has not enough memory, or `batch` is 0.
    pub fn new(net: &'n mut M, optimizer: O, batch: usize) -> Result<Self> {
        optimizer.check()?;
        let device = net.store().device.clone();
        let memories = Memories::new(&device, batch, |_| SCALARS)?;
        let mut updates = Updates::new(optimizer, Rules::new(), OptimizerState::default());
        updates.prepare::<M>(&device)?;
        Ok(LossStep { net, updates, memories })
    }

    /// Trains on one batch and returns its loss, from before the update. A loss that is infinite or not a
    /// number is returned too, without an update: parameters and running statistics stay as they were. So they do where
    /// the norm of the gradients is ([`LossStep::gradient_norm`]).
    ///
    /// # Errors
    /// If the batch is empty or larger than the step's capacity, the inputs' sizes do not fit each other, an
    /// index is out of range, the optimiser was exchanged for one that keeps another number of values, or the
    /// device has not enough memory or is lost.
    pub fn run<F: Feed<M>>(&mut self, inputs: F) -> Result<M::Elem> {
        self.post(&inputs)?;
        self.memories.wait_for_last(self.net.store_mut(), &mut self.updates.state)
    }

    /// Begins to train on one batch and does not wait for its end: [`TrainStep::submit`](crate::step::TrainStep::submit).
    ///
    /// # Errors
    /// As [`LossStep::run`], of this batch or of the one whose loss is returned.
    pub fn submit<F: Feed<M>>(&mut self, inputs: F) -> Result<Option<M::Elem>> {
        self.post(&inputs)?;
        if self.memories.is_full() { self.receive() } else { Ok(None) }
    }

    /// Waits for the oldest step under way and returns its loss; `None` where no step is under way.
    ///
    /// # Errors
    /// If an index was out of range, or the device is lost.
    pub fn receive(&mut self) -> Result<Option<M::Elem>> {
        self.memories.wait(self.net.store_mut(), &mut self.updates.state)
    }

    fn post<F: Feed<M>>(&mut self, inputs: &F) -> Result<()> {
        let e = checked(self.net, inputs.extent()?)?;
        check_capacity("a training step", e.batch, self.memories.capacity)?;
        let store = self.net.store_mut();
        let len = M::train_workspace(e);
        if len + SCALARS > store.device.len(&self.memories.workspace) {
            self.memories.workspace = store.device.zeros(len + SCALARS)?;
        }
        self.memories.post(
            store,
            &mut self.updates,
            Batch { extent: e, last: false, kept: false },
            |bound| inputs.bind(bound),
            |run| {
                let spans = Spans::inputs::<M>(e);
                M::train_forward(run, e, spans.as_slice());
                let loss = loss_and_seeds::<M, _>(run, e, len);
                M::backward(run, e, spans.as_slice());
                Left { loss, outputs: loss }
            },
        )
    }

    /// The norm of the gradients of the last batch whose loss was returned:
    /// [`TrainStep::gradient_norm`](crate::step::TrainStep::gradient_norm).
    pub fn gradient_norm(&self) -> Option<f64> {
        self.memories.norm()
    }

    /// The network, as the last step left it.
    pub fn net(&self) -> &M {
        self.net
    }

    /// The network, to be changed between steps: its settings, for example.
    pub fn net_mut(&mut self) -> &mut M {
        self.net
    }

    /// The optimiser, to change its learning rate between steps.
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.updates.optimizer
    }

    /// The learning rate of the next update, but for factors of single parameters.
    pub fn rate(&self) -> f64 {
        self.updates.rate()
    }

    crate::update::ruled! { |step| step.updates.rules_mut() }

    /// Exchanges the parameters with their moving average:
    /// [`TrainStep::exchange_average`](crate::step::TrainStep::exchange_average).
    pub fn exchange_average(&mut self) {
        self.updates.exchange_average::<M>(self.net);
    }
}

/// The most scalars that a loss takes in the workspace: the sums of values and weights, and their quotient.
const SCALARS: usize = 3;

/// The loss, in the workspace from `base` on, and its gradients with respect to the network's outputs.
fn loss_and_seeds<M: ScalarLoss, K: Kernels<M::Elem>>(k: &mut K, e: Extent, base: usize) -> Span {
    if M::OUTPUTS.len() == 1 {
        k.fill(M::output_gradient(e, 0), share(e));
        return mean(k, M::train_output(e, 0), base);
    }
    let [values, weights] = [0, 1].map(|i| {
        let sum = Span::new(Slot::Workspace, base + i, 1);
        fold(k, sum, M::train_output(e, i), M::Elem::ONE);
        sum
    });
    let loss = Span::new(Slot::Workspace, base + 2, 1);
    let [one, sum, of] = [values, weights, loss].map(|span| Arg::View { span, strides: [0; 4] });
    k.map([loss], [1; 4], [one, sum], [], |[v, w], []| [v / w], &["a0 / a1"]);
    // d (V / W) / dv = 1 / W, d (V / W) / dw = -(V / W) / W
    let grid = [1, 1, 1, e.batch];
    let [by_value, by_weight] = [0, 1].map(|i| M::output_gradient(e, i));
    k.map([by_value], grid, [sum], [M::Elem::ONE], |[w], [c]| [c / w], &["c0 / a0"]);
    k.map([by_weight], grid, [of, sum], [], |[l, w], []| [-l / w], &["-a0 / a1"]);
    loss
}

/// What one sample's value counts in the mean over a batch.
fn share<E: Float>(e: Extent) -> E {
    E::ONE / E::from_usize(e.batch)
}

/// The mean of a scalar for each sample; it goes to the workspace at `base`.
fn mean<E: Float, K: Kernels<E>>(k: &mut K, values: Span, base: usize) -> Span {
    let out = Span::new(Slot::Workspace, base, 1);
    fold(k, out, values, E::ONE / E::from_usize(values.len));
    out
}

/// The sum of values times `scale`.
fn fold<E: Float, K: Kernels<E>>(k: &mut K, out: Span, values: Span, scale: E) {
    let grid = [1, 1, 1, values.len];
    let each = Arg::View { span: values, strides: [0, 0, 0, 1] };
    k.reduce(out, Fold::Sum, grid, [true; 4], [each], [scale], |[x], [c]| c * x, &["c0 * a0"]);
}

/// The loss of a network whose output is its loss, where the trainer asks for one: the mean of the outputs.
/// The data set has no targets: [`crate::data::Unlabelled`].
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnOutput;

crate::element::nothing! {
    /// What the targets of a data set without targets consist of: nothing.
    NoTargets, "-"
}

// Not a hint for whoever has another loss.
#[diagnostic::do_not_recommend]
impl<E: Float> Loss<E, (), (), NoTargets> for OwnOutput {
    fn workspace(&self, _: usize) -> usize {
        1
    }
    fn bind<'a, D: Device<E>>(&self, _: &'a D::Buffer<NoTargets>, _: &mut Bindings<'a, E, D>) {}
    fn value<K: Kernels<E>>(&self, k: &mut K, _: usize, output: Span, base: usize) -> Span {
        mean(k, output, base)
    }
    fn value_and_gradient<K: Kernels<E>>(
        &self,
        k: &mut K,
        batch: usize,
        output: Span,
        gradient: Span,
        base: usize,
    ) -> Span {
        k.fill(gradient, share(Extent::of(batch)));
        mean(k, output, base)
    }
}
