//! The names that printed code uses. Not for anyone else: they change with the compiler.

pub use crate::cpu::Cpu;
pub use crate::device::{
    Access, Arg, Bindings, Conv2dDims, Device, Fold, Grid, IndexDims, Kernels, MatmulDims,
    Pool2dDims, Row, RowProgram, RowStep, RowTo, Slot, Span,
};
pub use crate::dim::{Batch, D, Dim, Len, Static};
pub use crate::element::{Element, Float};
pub use crate::error::Result;
pub use crate::feed::{BESIDE, Feed, Only, Tensors, extent};
pub use crate::function::{
    AsLoss, FunctionLoss, Given, LossFunction, NoTensor, Signature, basis, expect_sizes,
    infallible, padded, pass, sizes_of, value_pass,
};
pub use crate::inference::forward;
pub use crate::init::Init;
pub use crate::layer::{Conv2d, Linear, repeated};
pub use crate::loss::{CONSTANTS, LABELS, Loss, Settings, TARGET, number, numbers, rate};
pub use crate::loss_step::ScalarLoss;
pub use crate::message::{Message, fail};
pub use crate::module::{Extent, Module, PortAxis, PortSpec, debug, with_settings};
pub use crate::network::{LayerSpec, Network, ParamSpec, Store, build};
pub use crate::outputs::Outputs;
pub use crate::pullback::Mode;
pub use crate::random::{Seed, stream, stream_at};
pub use crate::shape::{BatchedShape, Declared, SampleShape, Shape};
pub use crate::size::{AtLeast, DivisibleBy, EqualTo, Known, Minus, MoreThan, Over, Plus, Times};
pub use crate::tensor::{Same, Tensor};
pub use crate::weights::from_bytes;

/// `len` elements of `slot` from `offset` on.
#[inline(always)]
pub const fn span(slot: Slot, offset: usize, len: usize) -> Span {
    Span::new(slot, offset, len)
}

/// What follows the first `offset` elements of a span.
#[inline(always)]
pub const fn from_offset(span: Span, offset: usize) -> Span {
    Span::new(span.slot, span.offset + offset, span.len.saturating_sub(offset))
}

/// `len` elements of a span from `offset` on, which must not be more than it has: one step of a scan.
#[inline(always)]
pub const fn part(span: Span, offset: usize, len: usize) -> Span {
    assert!(len <= span.len && offset <= span.len - len, "a step beyond the scanned axis");
    Span::new(span.slot, span.offset + offset, len)
}

/// Sizes of kernels with an index.
#[inline(always)]
pub const fn index_dims(rows: usize, cols: usize, picks: usize) -> IndexDims {
    IndexDims { rows, cols, picks }
}

/// Sizes of products: `[batch, m, n, k]`, whether each operand is stored transposed, and elements from
/// one operand to the next.
#[inline(always)]
pub const fn matmul_dims(
    [batch, m, n, k]: [usize; 4],
    [transpose_a, transpose_b]: [bool; 2],
    [stride_a, stride_b]: [usize; 2],
) -> MatmulDims {
    MatmulDims { batch, m, n, k, transpose_a, transpose_b, stride_a, stride_b }
}

/// Sizes of a convolution of `[batch, in_channels, height, width]`.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub const fn conv2d_dims(
    [batch, in_channels, height, width]: [usize; 4],
    out_channels: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
) -> Conv2dDims {
    Conv2dDims {
        batch,
        in_channels,
        height,
        width,
        out_channels,
        kernel,
        stride,
        padding,
        dilation,
        groups,
    }
}

/// Sizes of a pooling of `[planes, height, width]`.
#[inline(always)]
pub const fn pool2d_dims(
    [planes, height, width]: [usize; 3],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Pool2dDims {
    Pool2dDims { planes, height, width, kernel, stride, padding }
}

/// Stands for a layer of a network that has an error, so that its users have none.
pub struct Stub;

impl Stub {
    /// A tensor.
    pub fn weight(&self) -> Result<Tensor<(Batch,)>> {
        unreachable!("a network with an error is never run")
    }

    /// A tensor.
    pub fn bias(&self) -> Result<Option<Tensor<(Batch,)>>> {
        unreachable!("a network with an error is never run")
    }
}

/// The number of a generic size: its own where it is constant, else the one given.
#[inline(always)]
pub const fn size<T: Dim>(given: usize) -> usize {
    match T::FIXED {
        Some(n) => n,
        None => given,
    }
}

/// An axis whose size may be known only at run time.
pub const fn axis(known: bool, size: usize, name: &'static str) -> PortAxis {
    if known { PortAxis::Size(size) } else { PortAxis::Len(name) }
}

/// The error for a size that is wrong, and known only at run time.
#[cold]
pub fn wrong_size(message: &Message) -> crate::error::Error {
    crate::error::Error::Invalid(message.as_str().to_owned())
}
