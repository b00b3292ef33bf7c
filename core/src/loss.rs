//! Losses: what training makes small. The formulas are written with `network!`, below; the types
//! that users name choose among them by the shape and the element of the targets.

use crate::device::{Bindings, Device, Kernels, Slot, Span};
use crate::dim::Static;
use crate::element::{Element, Float};
use crate::feed::BESIDE;
use crate::metric::{self, Answers};
use crate::shape::SampleShape;

pub use crate::loss_gradient::LossGradient;
pub use crate::loss_step::{NoTargets, OwnOutput, ScalarLoss};

/// A loss that compares outputs of shape `O` with targets of shape `Y` and element `T`.
///
/// A batch's loss is the mean over its samples (and positions, where there are several).
#[diagnostic::on_unimplemented(
    message = "loss `{Self}` cannot compare a network's output of shape {O} with targets of shape {Y} and element `{T}`",
    label = "output {O}, targets {Y} of `{T}`",
    note = "`CrossEntropy` takes outputs of shape (D<C>,) with class labels, shape () of `u32`, or with probabilities of shape (D<C>,); `Mse` and `BceWithLogits` take targets of the output's shape"
)]
pub trait Loss<E: Float, O: SampleShape, Y: SampleShape, T: Element> {
    /// The workspace, in elements, that the passes need.
    #[doc(hidden)]
    fn workspace(&self, batch: usize) -> usize;
    /// Binds the targets to the slot that the passes read them from.
    #[doc(hidden)]
    fn bind<'a, D: Device<E>>(&self, targets: &'a D::Buffer<T>, to: &mut Bindings<'a, E, D>);
    /// The loss of a batch; returns where the scalar is. Temporaries begin at `base`.
    #[doc(hidden)]
    fn value<K: Kernels<E>>(&self, k: &mut K, batch: usize, output: Span, base: usize) -> Span;
    /// The loss of a batch, and its gradient with respect to the output.
    #[doc(hidden)]
    fn value_and_gradient<K: Kernels<E>>(
        &self,
        k: &mut K,
        batch: usize,
        output: Span,
        gradient: Span,
        base: usize,
    ) -> Span;
    /// How many of a batch's answers are right; `None` where the loss has no classes.
    fn correct(&self, outputs: &[E], targets: &[T]) -> Option<Answers> {
        let _ = (outputs, targets);
        None
    }
}

/// Where float targets are bound, beside the inputs of the network.
#[doc(hidden)]
pub const TARGET: Slot = Slot::Input(BESIDE as u8);
/// Where class labels are bound.
#[doc(hidden)]
pub const LABELS: Slot = Slot::Index(BESIDE as u8);

netform_macros::network! {
    /// The squared error.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html>
    pub(crate) fn squared_error(prediction: [..S], target: [..S]) -> [] {
        square(prediction - target)
    }

    /// ln of the sum of e^x. The maximum is taken out first, so that nothing overflows.
    fn log_sum_exp<C>(x: [C]) -> [] {
        let largest = stop_gradient(max(x));
        largest + ln(sum(exp(x - largest)))
    }

    /// -ln softmax(logits)[label].
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
    pub(crate) fn cross_entropy_of_labels<C>(logits: [..S, C], labels: u32[..S]) -> [] {
        log_sum_exp(logits) - gather(logits, labels)
    }

    /// -sum of target ln softmax(logits), for targets that are probabilities.
    pub(crate) fn cross_entropy_of_probabilities<C>(logits: [..S, C], target: [..S, C]) -> [] {
        sum(target * (log_sum_exp(logits) - logits))
    }

    /// -target ln sigmoid(x) - (1 - target) ln (1 - sigmoid(x)), without overflow.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html>
    pub(crate) fn binary_cross_entropy(logits: [..S], target: [..S]) -> [] {
        softplus(logits) - logits * target
    }
}

/// The mean squared error, over all elements.
///
/// ```
/// use netform_core::loss::Mse;
/// use netform_core::optim::Adam;
/// use netform_core::train::Trainer;
/// let trainer = Trainer::new(Mse, Adam::new(1e-3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Mse;

/// The cross entropy of logits with class labels (`u32`), or with probabilities; the mean over samples.
///
/// The network's output is logits: a `Softmax` before this loss would be one too many.
#[derive(Clone, Copy, Debug, Default)]
pub struct CrossEntropy;

/// The binary cross entropy of logits with targets from 0 to 1, for one or several labels a sample; the
/// mean over all elements.
#[derive(Clone, Copy, Debug, Default)]
pub struct BceWithLogits;

/// Implements [`Loss`] by a function above: its number of rows (what it takes as samples), its sizes, and
/// the targets of a row; the targets' slot; and how answers are counted.
macro_rules! loss {
    (
        impl[$($lead:ident)*] $loss:ty, $output:ty, $target:ty, $element:ty;
        $function:ident(rows = $rows:expr, sizes = [$($size:expr)?], targets = $targets:expr, $slot:ident);
        $($correct:item)?
    ) => {
        #[diagnostic::do_not_recommend]
        impl<E: Float, $($lead: Static),*> Loss<E, $output, $target, $element> for $loss {
            fn workspace(&self, batch: usize) -> usize {
                let rows = batch * $rows;
                $function::value_workspace(rows, $($size)?)
                    .max($function::gradient_workspace(rows, $($size)?))
            }
            fn bind<'a, D: Device<E>>(
                &self,
                targets: &'a D::Buffer<$element>,
                to: &mut Bindings<'a, E, D>,
            ) {
                loss!(@bind $slot to targets);
            }
            fn value<K: Kernels<E>>(
                &self,
                k: &mut K,
                batch: usize,
                output: Span,
                base: usize,
            ) -> Span {
                let rows = batch * $rows;
                let targets = Span::new($slot, 0, rows * $targets);
                $function::value(k, rows, $($size,)? output, targets, base)
            }
            fn value_and_gradient<K: Kernels<E>>(
                &self,
                k: &mut K,
                batch: usize,
                output: Span,
                gradient: Span,
                base: usize,
            ) -> Span {
                let rows = batch * $rows;
                let targets = Span::new($slot, 0, rows * $targets);
                $function::loss_and_gradient(k, rows, $($size,)? output, targets, gradient, base)
            }
            $($correct)?
        }
    };
    (@bind TARGET $to:ident $targets:ident) => { $to.inputs[BESIDE] = Some($targets) };
    (@bind NEVER $to:ident $targets:ident) => {{
        let _ = (&$to, $targets);
    }};
    (@bind LABELS $to:ident $targets:ident) => { $to.indices[BESIDE] = Some($targets) };
}

/// The element of targets that nobody has: a second candidate, so that inference does not equate targets
/// with outputs, and a mismatch is reported in [`Loss`]'s words.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoTarget;

impl std::fmt::Display for NoTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no target")
    }
}

impl crate::element::sealed::Sealed for NoTarget {}
impl Element for NoTarget {
    const NAME: &'static str = "none";
    fn from_le_bytes(_: &[u8]) -> Self {
        NoTarget
    }
    fn extend_le_bytes(self, _: &mut Vec<u8>) {}
}

/// Where [`NoTarget`] would be bound.
const NEVER: Slot = TARGET;

/// The losses for every shape of outputs. In front of an output's last axis may be others: positions,
/// each with a target of its own.
macro_rules! losses {
    ($([$($lead:ident)*])*) => { $(
        loss! {
            impl[$($lead)* C] Mse, ($($lead,)* C,), ($($lead,)* C,), E;
            squared_error(rows = <($($lead,)* C,)>::NUMEL, sizes = [], targets = 1, TARGET);
        }
        loss! {
            impl[$($lead)* C] Mse, ($($lead,)* C,), ($($lead,)* C,), NoTarget;
            squared_error(rows = <($($lead,)* C,)>::NUMEL, sizes = [], targets = 1, NEVER);
        }
        loss! {
            impl[$($lead)* C] BceWithLogits, ($($lead,)* C,), ($($lead,)* C,), NoTarget;
            binary_cross_entropy(rows = <($($lead,)* C,)>::NUMEL, sizes = [], targets = 1, NEVER);
        }
        loss! {
            impl[$($lead)* C] BceWithLogits, ($($lead,)* C,), ($($lead,)* C,), E;
            binary_cross_entropy(rows = <($($lead,)* C,)>::NUMEL, sizes = [], targets = 1, TARGET);
            fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
                let correct = metric::correct_signs(outputs, targets);
                Some(Answers { correct, judged: targets.len() })
            }
        }
        loss! {
            impl[$($lead)* C] CrossEntropy, ($($lead,)* C,), ($($lead,)*), u32;
            cross_entropy_of_labels(
                rows = <($($lead,)*) as SampleShape>::NUMEL, sizes = [C::N], targets = 1, LABELS
            );
            fn correct(&self, outputs: &[E], targets: &[u32]) -> Option<Answers> {
                let correct = metric::correct_labels(outputs, targets);
                Some(Answers { correct, judged: targets.len() })
            }
        }
        loss! {
            impl[$($lead)* C] CrossEntropy, ($($lead,)* C,), ($($lead,)* C,), E;
            cross_entropy_of_probabilities(
                rows = <($($lead,)*) as SampleShape>::NUMEL, sizes = [C::N], targets = C::N, TARGET
            );
            fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
                let correct = metric::correct_rows(outputs, targets, C::N);
                Some(Answers { correct, judged: targets.len() / C::N.max(1) })
            }
        }
    )* };
}
losses! { [] [A] [A B] [A B F] }

loss! {
    impl[] Mse, (), (), E;
    squared_error(rows = 1, sizes = [], targets = 1, TARGET);
}
loss! {
    impl[] BceWithLogits, (), (), E;
    binary_cross_entropy(rows = 1, sizes = [], targets = 1, TARGET);
    fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
        Some(Answers { correct: metric::correct_signs(outputs, targets), judged: targets.len() })
    }
}
loss! {
    impl[] Mse, (), (), NoTarget;
    squared_error(rows = 1, sizes = [], targets = 1, NEVER);
}
loss! {
    impl[] BceWithLogits, (), (), NoTarget;
    binary_cross_entropy(rows = 1, sizes = [], targets = 1, NEVER);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::device::{Access, Memory, Run};
    use crate::io::safetensors;

    /// PyTorch's value of `case/what`.
    fn reference<E: Float>(case: &str, what: &str) -> Vec<E> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/ops.safetensors");
        let name = format!("{case}/{what}");
        let contents = safetensors::read(path).unwrap();
        contents.tensors.iter().find(|t| t.name == name).unwrap().data.to_floats()
    }

    fn close<E: Float>(case: &str, found: &[E], expected: &[E], tolerance: f64) {
        let scale = expected.iter().fold(1e-30, |max, x| x.to_f64().abs().max(max));
        for (x, y) in found.iter().zip(expected) {
            let off = (x.to_f64() - y.to_f64()).abs() / scale;
            assert!(off <= tolerance, "{case}: found {x}, PyTorch has {y}");
        }
    }

    /// Value and both gradients of a loss function of `rows` rows whose two inputs are floats.
    macro_rules! agrees {
        ($e:ty, $tolerance:expr, $case:literal, $function:ident($($size:expr)?), $rows:expr) => {{
            let [x, t] = ["in0", "in1"].map(|what| reference::<$e>($case, what));
            let n = x.len();
            let cpu = Cpu::default();
            let (mut inputs, mut targets) = (cpu.zeros(n).unwrap(), cpu.zeros(n).unwrap());
            cpu.write(&mut inputs, 0, &x).unwrap();
            cpu.write(&mut targets, 0, &t).unwrap();
            let [mut dx, mut dt] = [cpu.zeros::<$e>(n).unwrap(), cpu.zeros::<$e>(n).unwrap()];
            let len = $function::gradients_workspace($rows, $($size)?);
            let mut workspace = cpu.zeros::<$e>(len).unwrap();
            let mut bound = Bindings::<$e, Cpu> {
                workspace: Access::Write(&mut workspace),
                ..Bindings::default()
            };
            bound.inputs[0] = Some(&inputs);
            bound.inputs[BESIDE] = Some(&targets);
            bound.outputs[0] = Access::Write(&mut dx);
            bound.outputs[1] = Access::Write(&mut dt);
            let mut run = cpu.run(bound);
            let span = |slot| Span::new(slot, 0, n);
            let gradients = [span(Slot::Output(0)), span(Slot::Output(1))];
            let (a, b) = (span(Slot::Input(0)), span(TARGET));
            let at =
                $function::value_and_gradients(&mut run, $rows, $($size,)? a, b, gradients, 0);
            run.finish().unwrap();
            let mut value = [0.0];
            cpu.read(&workspace, at.offset, &mut value).unwrap();
            close($case, &value, &reference($case, "out"), $tolerance);
            close($case, dx.as_slice(), &reference($case, "grad0"), $tolerance);
            close($case, dt.as_slice(), &reference($case, "grad1"), $tolerance);
        }};
    }

    #[test]
    fn gradients_with_respect_to_both_inputs_are_pytorchs() {
        agrees!(f64, 1e-9, "mse", squared_error(), 25);
        agrees!(f32, 1e-4, "mse", squared_error(), 25);
        agrees!(f64, 1e-9, "bce_logits", binary_cross_entropy(), 5);
        agrees!(f32, 1e-4, "bce_logits", binary_cross_entropy(), 5);
        agrees!(f64, 1e-9, "cross_entropy_onehot", cross_entropy_of_probabilities(5), 5);
        agrees!(f32, 1e-4, "cross_entropy_onehot", cross_entropy_of_probabilities(5), 5);
    }
}
