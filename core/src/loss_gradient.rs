//! A loss by itself: its value and its gradient with respect to the outputs, for loops by hand.

use crate::cpu::Cpu;
use crate::device::{Access, Bindings, Device, Memory, Run, Slot, Span};
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::feed::{BESIDE, Tensors};
use crate::loss::{Loss, constants};
use crate::shape::{BatchedShape, SampleShape};
use crate::step::same_batch;
use crate::tensor::Tensor;

/// The gradient, the workspace of the loss, and what it reads beside outputs and targets.
type Held<S, E, D> = (Tensor<S, E, D>, <D as Memory>::Buffer<E>, Option<<D as Memory>::Buffer<E>>);

/// A loss with memory for its gradient with respect to the outputs, which [`LossGradient::run`] uses again and
/// again.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::{LossGradient, Mse};
/// use netform::tensor::Tensor;
///
/// let outputs = Tensor::<(Batch, D<1>)>::from_vec(vec![3.0, 5.0])?;
/// let targets = Tensor::<(Batch, D<1>)>::from_vec(vec![1.0, 5.0])?;
/// let mut loss = LossGradient::new(Mse);
/// let (value, gradient) = loss.run(&outputs, &targets)?;
/// assert_eq!((value, gradient.to_vec()), (2.0, vec![2.0, 0.0]));
/// # Ok::<(), netform::error::Error>(())
/// ```
pub struct LossGradient<L, S: BatchedShape, E: Float = f32, D: Memory = Cpu> {
    loss: L,
    memory: Option<Held<S, E, D>>,
}

impl<L, S: BatchedShape, E: Float, D: Device<E>> LossGradient<L, S, E, D> {
    /// A loss; memory is taken with the first batch.
    pub fn new(loss: L) -> Self {
        LossGradient { loss, memory: None }
    }

    /// The loss of a batch, and its gradient with respect to the outputs.
    ///
    /// # Errors
    /// If a setting of the loss makes no sense, the batch is empty, there are not as many targets as outputs, a label is out of range, or the device
    /// has not enough memory or is lost.
    pub fn run<R, T>(
        &mut self,
        outputs: &Tensor<S, E, D>,
        targets: &Tensor<R, T, D>,
    ) -> Result<(E, &Tensor<S, E, D>)>
    where
        L: Loss<E, S::Sample, R::Sample, T>,
        R: BatchedShape,
        T: Element,
    {
        let batch = outputs.batch();
        same_batch(batch, targets.batch())?;
        if batch == 0 {
            return Err(Error::Invalid("the loss of no samples: expected at least one".to_owned()));
        }
        let device = outputs.device();
        let needed = self.loss.workspace(batch);
        let (gradient, workspace, constants) = match &mut self.memory {
            Some(memory) => memory,
            none => none.insert((
                Tensor::zeros_on(device.clone(), outputs.shape())?,
                device.zeros(needed)?,
                constants(device, &self.loss.constants()?)?,
            )),
        };
        gradient.resize(|_| outputs.shape().sizes())?;
        if needed > device.len(workspace) {
            *workspace = device.zeros(needed)?;
        }
        let mut bound = Bindings { workspace: Access::Write(workspace), ..Bindings::default() };
        bound.inputs[0] = Some(outputs.buffer());
        bound.outputs[0] = Access::Write(gradient.buffer_mut());
        self.loss.bind(targets.buffer(), &mut bound);
        bound.inputs[BESIDE + 1] = constants.as_ref();
        let mut run = device.run(bound);
        let len = batch * S::Sample::NUMEL;
        let (output, to) = (Span::new(Slot::Input(0), 0, len), Span::new(Slot::Output(0), 0, len));
        let value = self.loss.value_and_gradient(&mut run, batch, output, to, 0);
        run.finish()?;
        let mut scalar = [E::ZERO];
        device.read(workspace, value.offset, &mut scalar)?;
        Ok((scalar[0], gradient))
    }
}
