//! The functions of expressions in `network!`, as its documentation: a function for each, which is also a method of
//! [`Value`].
//!
//! `softmax(x, axis = -1)` in a declaration is [`softmax`], and so is `x.softmax(axis = -1)`. The macro reads the names
//! alone, and nothing is computed by these functions: they are what an editor shows for, leads to from and completes a
//! function's name with. Arguments that have a value in the usage, `axis = -1`, are given by name, and may be left out
//! where it is said what they are then. Shapes are those of one sample; operands broadcast from the last axis, where
//! only a literal 1 does.
//!
//! ```standalone_crate
//! # extern crate netform_core as netform;
//! netform_macros::network! {
//!     pub fn scores(q: [3, 8], k: [5, 8]) -> [3, 5] {
//!         softmax(q @ k.transpose() / sqrt(8), axis = -1)
//!     }
//! }
//!
//! # fn main() {
//! use netform::dim::D;
//! use netform::tensor::Tensor;
//!
//! let q = Tensor::<(D<3>, D<8>)>::ones((D, D));
//! let k = Tensor::<(D<5>, D<8>)>::ones((D, D));
//! assert_eq!(scores(&q, &k)[[2, 4]], 0.2);
//! # }
//! ```

/// Functions by name, each with its operands and arguments; those that begin with `(x)` are methods as well.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($(($x:ident))? $($argument:ident: $type:ty),*);)*) => {
        $(
            $(#[$doc])*
            pub const fn $name($($x: Value,)? $($argument: $type),*) -> Value {
                let _ = ($($x,)? $($argument,)*);
                Value {}
            }
        )*

        // The operators' names are not those of Rust's traits here.
        #[allow(clippy::should_implement_trait)]
        impl Value {
            $(functions! { method $(($x))? $(#[$doc])* $name($($argument: $type),*) })*
        }
    };
    (method $(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*)) => {};
    (method ($x:ident) $(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*)) => {
        $(#[$doc])*
        pub const fn $name(self, $($argument: $type),*) -> Value {
            $name(self, $($argument),*)
        }
    };
}

mod derivatives;
mod elements;
mod folds;
mod losses;
mod movement;
mod products;
mod values;

pub use derivatives::*;
pub use elements::*;
pub use folds::*;
pub use losses::*;
pub use movement::*;
pub use products::*;
pub use values::*;

/// A value of an expression in `network!`: what an editor says of its names.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Value {}
