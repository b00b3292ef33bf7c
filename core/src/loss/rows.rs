//! Losses that compare rows of numbers: distributions, directions.

use super::{Loss, NoTarget, TARGET};
use crate::device::{Bindings, Device, Kernels, Span};
use crate::dim::Static;
use crate::element::Float;
use crate::feed::BESIDE;
use crate::shape::SampleShape;

netform_macros::network! {
    /// sum of p (ln p - ln q); 0 where p is 0. What is selected there has no infinite factor.
    pub(crate) fn divergence<C>(log_q: [..S, C], p: [..S, C]) -> [] {
        let safe = select(p > 0.0, p, 1.0);
        sum(safe * ln(safe) - p * log_q)
    }

    /// 1 - x t / (|x| |t|). A norm is at least 1e-8, and its derivative there 0.
    pub(crate) fn angle<C>(x: [..S, C], target: [..S, C]) -> [] {
        let length = sqrt(max(sum(square(x)), 1e-16));
        1.0 - sum(x * target) / (length * sqrt(max(sum(square(target)), 1e-16)))
    }
}

/// The divergence of distributions of Kullback and Leibler: sum of p (ln p - ln q) over the last axis, where the
/// outputs are ln q (as `LogSoftmax` yields them) and the targets p; the mean over rows, PyTorch's `batchmean`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html>
///
/// Outputs `(.., D<C>)`, targets of that shape. Where there are positions in front of the last axis, each is a row
/// of its own; `batchmean` would divide by the batch alone.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::{KlDivergence, LossGradient};
/// use netform::tensor::Tensor;
///
/// let log_q = Tensor::<(Batch, D<2>), f64>::from_vec(vec![0.5f64.ln(), 0.5f64.ln()])?;
/// let p = Tensor::<(Batch, D<2>), f64>::from_vec(vec![1.0, 0.0])?;
/// let mut loss = LossGradient::new(KlDivergence);
/// assert!((loss.run(&log_q, &p)?.0 - 2f64.ln()).abs() < 1e-12);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct KlDivergence;

/// How far vectors are from having the same direction: the mean over rows of 1 - cos of the angle between output
/// and target, 1 - y t / (|y| |t|), norms no less than 1e-8.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html>
///
/// Outputs `(.., D<C>)`, targets of that shape.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::{CosineSimilarity, LossGradient};
/// use netform::tensor::Tensor;
///
/// let y = Tensor::<(Batch, D<2>)>::from_vec(vec![3.0, 0.0, 1.0, 0.0])?;
/// let t = Tensor::<(Batch, D<2>)>::from_vec(vec![1.0, 0.0, 0.0, 2.0])?;
/// let mut loss = LossGradient::new(CosineSimilarity);
/// assert_eq!(loss.run(&y, &t)?.0, 0.5);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CosineSimilarity;

rowwise! { KlDivergence, divergence, rows, constants = [], numbers = []; }
rowwise! { KlDivergence, divergence, nobody, constants = [], numbers = []; }
rowwise! { CosineSimilarity, angle, rows, constants = [], numbers = []; }
rowwise! { CosineSimilarity, angle, nobody, constants = [], numbers = []; }
