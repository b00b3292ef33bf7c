//! The layers of `network!`, as its documentation: a type for each kind of layer, with its arguments as fields.
//!
//! `conv1: Conv2d(6, kernel = 5)` in a declaration is [`Conv2d`] with `out_channels` 6 and a kernel of 5. The
//! macro reads the names alone, and nothing is made of these types: they are what an editor shows for, leads to from
//! and completes a layer's name with. Names, defaults and layouts are PyTorch's, but for
//! the `eps` of [`RmsNorm`]; sizes may be expressions of constants and of generic sizes. Shapes are those of one sample.
//!
//! ```standalone_crate
//! # extern crate netform_core as netform;
//! netform_macros::network! {
//!     pub Net: [1, 28, 28] -> [10] {
//!         conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
//!         Flatten,
//!         fc1: Linear(10, init = Xavier),
//!     }
//! }
//!
//! # fn main() -> netform::error::Result<()> {
//! use netform::module::Module;
//!
//! assert_eq!(<Net>::PARAMS[0].shape, [6, 1, 5, 5]);
//! # Ok(())
//! # }
//! ```

mod activations;
mod attention;
mod branches;
mod conv;
mod dense;
mod norm;
mod pooling;
mod recurrent;
mod shapes;

pub use activations::*;
pub use attention::*;
pub use branches::*;
pub use conv::*;
pub use dense::*;
pub use norm::*;
pub use pooling::*;
pub use recurrent::*;
pub use shapes::*;
