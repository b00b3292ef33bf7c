//! Matrix products, by the CPU's kernel.

use super::Tensor;
use crate::cpu::Cpu;
use crate::device::{Access, Bindings, Device, Kernels, MatmulDims, Run, Slot, Span};
use crate::dim::Dim;
use crate::element::Float;
use crate::shape::Shape;

/// A matrix, or a batch of them, that can be multiplied by one of shape `R`.
#[diagnostic::on_unimplemented(
    message = "cannot multiply matrices of shapes {Self} and {R}: the last size of the left and the rows of the right must be equal",
    label = "left has shape {Self}, right has {R}"
)]
pub trait Matmul<R>: Shape {
    /// The shape of the product.
    type Out: Shape;
    /// The shape of the product and the sizes for the kernel; `None` where sizes known at run time differ.
    #[doc(hidden)]
    fn product(&self, right: &R) -> Option<(Self::Out, MatmulDims)>;
}

/// Sizes of matrices stored one after another; `shared` where all products have one right matrix.
fn dims(batch: usize, [m, k, n]: [usize; 3], shared: bool) -> MatmulDims {
    MatmulDims {
        batch,
        m,
        n,
        k,
        transpose_a: false,
        transpose_b: false,
        stride_a: m * k,
        stride_b: if shared { 0 } else { k * n },
    }
}

#[diagnostic::do_not_recommend]
impl<M: Dim, K: Dim, N: Dim> Matmul<(K, N)> for (M, K) {
    type Out = (M, N);
    fn product(&self, right: &(K, N)) -> Option<((M, N), MatmulDims)> {
        let sizes = [self.0.size(), self.1.size(), right.1.size()];
        (self.1 == right.0).then_some(((self.0, right.1), dims(1, sizes, true)))
    }
}
#[diagnostic::do_not_recommend]
impl<M: Dim, K: Dim> Matmul<(K,)> for (M, K) {
    type Out = (M,);
    fn product(&self, right: &(K,)) -> Option<((M,), MatmulDims)> {
        let sizes = [self.0.size(), self.1.size(), 1];
        (self.1 == right.0).then_some(((self.0,), dims(1, sizes, true)))
    }
}
#[diagnostic::do_not_recommend]
impl<B: Dim, M: Dim, K: Dim, N: Dim> Matmul<(K, N)> for (B, M, K) {
    type Out = (B, M, N);
    fn product(&self, right: &(K, N)) -> Option<((B, M, N), MatmulDims)> {
        // One matrix for all: the batch is further rows.
        let rows = self.0.size() * self.1.size();
        let sizes = [rows, self.2.size(), right.1.size()];
        (self.2 == right.0).then_some(((self.0, self.1, right.1), dims(1, sizes, true)))
    }
}
#[diagnostic::do_not_recommend]
impl<B: Dim, M: Dim, K: Dim, N: Dim> Matmul<(B, K, N)> for (B, M, K) {
    type Out = (B, M, N);
    fn product(&self, right: &(B, K, N)) -> Option<((B, M, N), MatmulDims)> {
        let sizes = [self.1.size(), self.2.size(), right.2.size()];
        let shape = (self.0, self.1, right.2);
        (self.0 == right.0 && self.2 == right.1)
            .then_some((shape, dims(self.0.size(), sizes, false)))
    }
}
#[diagnostic::do_not_recommend]
impl<B: Dim, H: Dim, M: Dim, K: Dim, N: Dim> Matmul<(B, H, K, N)> for (B, H, M, K) {
    type Out = (B, H, M, N);
    fn product(&self, right: &(B, H, K, N)) -> Option<((B, H, M, N), MatmulDims)> {
        let sizes = [self.2.size(), self.3.size(), right.3.size()];
        let same = (self.0, self.1) == (right.0, right.1) && self.3 == right.2;
        let batch = self.0.size() * self.1.size();
        same.then_some(((self.0, self.1, self.2, right.3), dims(batch, sizes, false)))
    }
}

impl<S: Shape, E: Float> Tensor<S, E> {
    /// The product of two matrices, `[m, k] @ [k, n]`; of a matrix and a vector, `[m, k] @ [k]`; of a batch of
    /// matrices and one matrix, `[b, m, k] @ [k, n]`; of two batches with one axis or two in front.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let a = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let b = Tensor::<_>::from([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]);
    /// assert_eq!(a.matmul(&b), Tensor::from([[1.0, 2.0, 8.0], [3.0, 4.0, 18.0]]));
    /// assert_eq!(a.matmul(&Tensor::from([1.0, 1.0])), Tensor::from([3.0, 7.0]));
    /// ```
    ///
    /// # Panics
    /// If sizes that are known only at run time (`Batch`, `Len`) differ, or there is no memory for the result.
    #[track_caller]
    pub fn matmul<R: Shape>(&self, right: &Tensor<R, E>) -> Tensor<S::Out, E>
    where
        S: Matmul<R>,
    {
        let Some((shape, dims)) = self.shape.product(&right.shape) else {
            panic!(
                "matmul: {:?} and {:?}: the last size of the left and the rows of the right must be equal, and sizes in front of them too",
                self.sizes(),
                right.sizes()
            );
        };
        let mut out = Tensor::build(shape, |_| ());
        let span = |slot, len| Span::new(slot, 0, len);
        let [m, k, n] = [self.shape.numel(), right.shape.numel(), shape.numel()];
        if n == 0 {
            return out;
        }
        let device: &Cpu = &self.device;
        let mut bindings = Bindings::<E, Cpu>::default();
        bindings.inputs[0] = Some(&self.buffer);
        bindings.inputs[1] = Some(&right.buffer);
        bindings.outputs[0] = Access::Write(&mut out.buffer);
        let mut run = device.run(bindings);
        let (a, b) = (span(Slot::Input(0), m), span(Slot::Input(1), k));
        run.matmul([span(Slot::Output(0), n)], a, b, dims, [], [], |sum, [], []| [sum], &["x"]);
        if let Err(error) = run.finish() {
            panic!("{error}");
        }
        out
    }
}
