//! The inner loops of kernels, compiled here for each type of elements and not again in every crate that uses them.

use super::channels::{AddWeights, Correlate, PackPanels, UnpackPanels};
use super::dot::Dots;
use super::halving::{Halve, ScatterHalves};
use super::image_rows::CorrelateRows;
use super::multiply::Multiply;
use super::packed::PackStrips;
use super::tile::Product;
use crate::cpu::simd::{Vectors, vectorised};

/// What has the loops for each type. Not the types themselves: the names would be in the way of others' there.
pub struct Loops;

/// Declares the trait with its methods, and implements it: each does its work with the best vectors of the processor.
macro_rules! loops {
    ([$($t:ident)*] $list:tt) => {
        loops!(@trait $list);
        $( loops!(@type $t $list); )*
    };
    (@trait { $($(#[$doc:meta])* $name:ident($work:ident $($lifetime:lifetime)?))+ }) => {
        /// The inner loops for elements `E`.
        pub trait InnerLoops<E>: Vectors<E> {
            $(
                $(#[$doc])*
                ///
                /// # Safety
                #[doc = concat!("As for [`", stringify!($work), "`].")]
                unsafe fn $name(work: $work<$($lifetime,)? E>);
            )+
            /// A block of a product.
            ///
            /// # Safety
            /// As for [`Multiply`].
            unsafe fn multiply(work: Multiply<'_, '_, E>);
        }
    };
    (@type $t:ident { $($(#[$doc:meta])* $name:ident($work:ident $($lifetime:lifetime)?))+ }) => {
        impl Vectors<$t> for Loops {
            #[cfg(target_arch = "x86_64")]
            type Avx2 = crate::cpu::simd::x86::Avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = crate::cpu::simd::x86::Avx512;
        }
        impl InnerLoops<$t> for Loops {
            $(
                unsafe fn $name(work: $work<$($lifetime,)? $t>) {
                    // SAFETY: the caller's promise.
                    unsafe { vectorised(work) }
                }
            )+
            unsafe fn multiply(work: Multiply<'_, '_, $t>) {
                // SAFETY: the caller's promise.
                unsafe { work.run() }
            }
        }
    };
}
loops! { [f32 f64] {
    /// A product in tiles.
    product(Product)
    /// Dot products.
    dots(Dots)
    /// Strips of the left matrix of a product.
    pack_strips(PackStrips)
    /// Panels of columns.
    pack_panels(PackPanels)
    /// Panels of columns as a matrix.
    unpack_panels(UnpackPanels)
    /// A convolution with channels along the vectors.
    correlate(Correlate '_)
    /// A convolution with points of a row along the vectors.
    correlate_rows(CorrelateRows '_)
    /// The gradient of a convolution with respect to its weights.
    add_weights(AddWeights)
    /// The maxima of windows of two by two.
    halve(Halve)
    /// The gradient of these.
    scatter_halves(ScatterHalves)
} }
