//! Tensors: elements on a device, with their shape as a type.
//!
//! On the CPU they also compute, at once, for the work around networks: preparing data, looking at
//! predictions, metrics. These operations have no derivatives; what is trained is declared with `network!`.
//! Shapes that do not fit are errors of `cargo check`, in decimal numbers. Axes whose sizes are known only at
//! run time, [`Batch`](crate::dim::Batch) and [`Len`](crate::dim::Len), are compared when the operation runs:
//! its documentation says that it panics, and [`Tensor::try_zip`], [`Tensor::try_reshape`],
//! [`Tensor::narrow`] and [`Tensor::from_vec`] return errors instead.
//!
//! ```
//! # extern crate netform_core as netform;
//! use netform::dim::{Batch, D, Len};
//! use netform::random::Seed;
//! use netform::tensor;
//! use netform::tensor::{Axis, Tensor};
//!
//! // Making them: nested arrays, filled, in steps, at random, from an iterator. `Tensor::<_>` is of f32.
//! let a = tensor!([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]); // Tensor<(D<2>, D<3>)>
//! let b = Tensor::<_>::ones((Batch(4), D::<3>));
//! let noise = Tensor::<_>::normal((D::<3>, D::<3>), Seed(42));
//! let steps = Tensor::linspace(D::<3>, 0.0_f32, 1.0);
//! let squares: Tensor<(Len,)> = (0..5).map(|i| (i * i) as f32).collect();
//! assert_eq!(squares.max(), 16.0);
//!
//! // Arithmetic with broadcasting, functions, comparisons (1 or 0), selection.
//! let scaled = (&a - a.mean_axis::<0>()) / 2.0 + &steps;
//! assert_eq!(scaled.row(1), tensor!([0.75, 1.25, 1.75]));
//! let clipped = scaled.gt(&Tensor::scalar(1.0)).select(&scaled.exp(), &scaled);
//! assert_eq!(clipped[[0, 0]], -0.75);
//!
//! // Products, sums, other orders and shapes, parts.
//! let c = b.matmul(&noise).matmul(&a.transpose()); // Tensor<(Batch, D<2>)>
//! assert_eq!(c.sizes(), [4, 2]);
//! assert_eq!(a.sum_axis::<1>(), tensor!([6.0, 15.0]));
//! assert_eq!(a.permute((Axis::<1>, Axis::<0>)), a.transpose());
//! assert_eq!(a.reshape::<(D<3>, D<2>)>().flatten(), a.flatten());
//! assert_eq!(a.concat::<1, _>(&a).slice::<1, 2, 2>(), tensor!([[3.0, 1.0], [6.0, 4.0]]));
//! assert_eq!(a.argmax_axis::<1>(), tensor!(u32; [2, 2]));
//!
//! println!("{a}");
//! assert_eq!(a.to_string(), "[[1., 2., 3.],\n [4., 5., 6.]]");
//! ```

mod arith;
mod axes;
mod construct;
mod elementwise;
mod index;
mod matmul;
mod movement;
mod number;
mod print;
mod reduce;

#[doc(hidden)]
pub use arith::Same;
pub(crate) use arith::ToD;
pub use axes::{Broadcast, Concat, HasAxis, NewAxis};
pub use elementwise::Alternative;
pub use index::Indexed;
pub use matmul::Matmul;
pub use movement::{Axis, Flatten, Permute, SameCount, Transpose};
pub use number::Number;

use std::fmt;

use crate::cpu::Cpu;
use crate::device::Memory;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{BatchedShape, Shape};

/// Elements of type `E` on a device, in row order, with shape `S`.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::tensor::Tensor;
///
/// // Two samples of three features each: the batch size is found from the number of elements.
/// let x = Tensor::<(Batch, D<3>)>::from_vec(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// assert_eq!(x.shape(), (Batch(2), D::<3>));
/// assert_eq!(x.to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// # Ok::<(), netform::error::Error>(())
/// ```
pub struct Tensor<S, E: Element = f32, Dev: Memory = Cpu> {
    shape: S,
    device: Dev,
    buffer: Dev::Buffer<E>,
}

// Its bound is the method's, so that rustc says of `Tensor::<D<3>>::from_vec` what a shape is.
impl<S, E: Element> Tensor<S, E> {
    /// A tensor on the CPU from its elements in row order. A batch axis gets the size that the number of
    /// elements gives it.
    ///
    /// # Errors
    /// If no tensor of this shape has so many elements.
    pub fn from_vec(data: Vec<E>) -> Result<Self>
    where
        S: Shape,
    {
        Self::from_slice_on(Cpu::default(), &data)
    }
}

impl<S: Shape, E: Element, Dev: Memory> Tensor<S, E, Dev> {
    /// A tensor on `device` from its elements in row order.
    ///
    /// # Errors
    /// If no tensor of this shape has so many elements, or the device has no memory for them.
    pub fn from_slice_on(device: Dev, data: &[E]) -> Result<Self> {
        let shape = S::holding(data.len()).ok_or_else(|| Error::Size {
            what: format!("a tensor of shape {}", S::describe()),
            expected: match S::holding(0) {
                Some(_) => "a whole number of samples".to_owned(),
                None => "as many elements as the shape has".to_owned(),
            },
            found: format!("{} elements", data.len()),
        })?;
        let mut buffer = device.zeros(data.len())?;
        device.write(&mut buffer, 0, data)?;
        Ok(Tensor { shape, device, buffer })
    }

    /// A tensor of zeros.
    ///
    /// # Errors
    /// If the device has no memory for it.
    pub fn zeros_on(device: Dev, shape: S) -> Result<Self> {
        let buffer = device.zeros(shape.numel())?;
        Ok(Tensor { shape, device, buffer })
    }

    /// The shape.
    pub fn shape(&self) -> S {
        self.shape
    }

    /// The device that holds the elements.
    pub fn device(&self) -> &Dev {
        &self.device
    }

    /// The elements in row order.
    ///
    /// # Panics
    /// If the device is lost. [`Tensor::read`] returns that as an error.
    pub fn to_vec(&self) -> Vec<E> {
        let mut data = vec![E::default(); self.shape.numel()];
        if let Err(error) = self.read(&mut data) {
            panic!("{error}");
        }
        data
    }

    /// Copies the elements into `data`, from the first on.
    ///
    /// # Errors
    /// If `data` is longer than the tensor, or the device is lost.
    pub fn read(&self, data: &mut [E]) -> Result<()> {
        self.device.read(&self.buffer, 0, data)
    }

    /// Copies `data` over the elements.
    ///
    /// # Errors
    /// If `data` does not have as many elements as the tensor, or the device is lost.
    pub fn write(&mut self, data: &[E]) -> Result<()> {
        if data.len() != self.shape.numel() {
            return Err(Error::Size {
                what: format!("a tensor of shape {}", S::describe()),
                expected: format!("{} elements", self.shape.numel()),
                found: data.len().to_string(),
            });
        }
        self.device.write(&mut self.buffer, 0, data)
    }

    /// The elements on the device. There may be more of them than the shape has: a batch keeps its room
    /// when it becomes smaller.
    #[doc(hidden)]
    pub fn buffer(&self) -> &Dev::Buffer<E> {
        &self.buffer
    }

    #[doc(hidden)]
    pub fn buffer_mut(&mut self) -> &mut Dev::Buffer<E> {
        &mut self.buffer
    }

    /// Changes the shape within the room that the buffer has.
    #[doc(hidden)]
    pub fn set_shape(&mut self, shape: S) -> Result<()> {
        let room = self.device.len(&self.buffer);
        if shape.numel() > room {
            return Err(Error::Size {
                what: format!("a tensor of shape {}", S::describe()),
                expected: format!("at most {room} elements"),
                found: shape.numel().to_string(),
            });
        }
        self.shape = shape;
        Ok(())
    }

    #[doc(hidden)]
    pub fn from_buffer(device: Dev, shape: S, buffer: Dev::Buffer<E>) -> Self {
        Tensor { shape, device, buffer }
    }
}

impl<S: BatchedShape, E: Element, Dev: Memory> Tensor<S, E, Dev> {
    /// The number of samples.
    pub fn batch(&self) -> usize {
        self.shape.batch()
    }

    /// Changes the number of samples within the room that the buffer has: the last, smaller batch of an
    /// epoch uses the memory of the others.
    ///
    /// # Errors
    /// If the buffer has no room for so many, or the number is part of the type and differs.
    pub fn set_batch(&mut self, batch: usize) -> Result<()> {
        let shape = S::with_batch(batch)
            .filter(|shape| shape.numel() <= self.device.len(&self.buffer))
            .ok_or_else(|| Error::Size {
                what: format!("a batch of shape {}", S::describe()),
                expected: format!("at most {} elements", self.device.len(&self.buffer)),
                found: format!("a batch of {batch}"),
            })?;
        self.shape = shape;
        Ok(())
    }
}

impl<S: Shape, E: Element, Dev: Memory> Clone for Tensor<S, E, Dev> {
    /// A copy on the same device.
    ///
    /// # Panics
    /// If the device has no memory for it.
    fn clone(&self) -> Self {
        match Self::from_slice_on(self.device.clone(), &self.to_vec()) {
            Ok(copy) => Tensor { shape: self.shape, ..copy },
            Err(error) => panic!("{error}"),
        }
    }
}

impl<S: Shape, E: Element, Dev: Memory> fmt::Debug for Tensor<S, E, Dev> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 32;
        let data = self.to_vec();
        let sizes = &self.shape.sizes()[..S::RANK];
        write!(f, "Tensor{sizes:?} [")?;
        for (i, x) in data.iter().take(SHOWN).enumerate() {
            write!(f, "{}{x:?}", if i == 0 { "" } else { ", " })?;
        }
        write!(f, "{}]", if data.len() > SHOWN { ", .." } else { "" })
    }
}
