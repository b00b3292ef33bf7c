//! What elements can do in eager operations: arithmetic, order, conversion.

use std::ops::{Add, Div, Mul, Sub};

use crate::element::Element;

/// An element with arithmetic and order: `f32`, `f64`, `u32`. Arithmetic of `u32` is Rust's: it panics on
/// division by zero, and on overflow where overflow checks are on.
pub trait Number:
    Element
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    /// 0.
    const NOUGHT: Self;
    /// 1.
    const UNIT: Self;
    /// Whether elements are whole numbers, which are printed without a point.
    #[doc(hidden)]
    const WHOLE: bool;
    /// The element of this type for a number, as `as` converts: the nearest float; for `u32` without the part
    /// after the point, 0 below 0 and for what is not a number, at most `u32::MAX`.
    fn from_number(x: f64) -> Self;
    /// The element as f64, exactly.
    fn to_number(self) -> f64;
    /// The sum of elements that was computed in f64; `None` where the type does not hold it.
    #[doc(hidden)]
    fn from_sum(sum: f64) -> Option<Self>;
}

macro_rules! number {
    ($($t:ty, $zero:literal, $one:literal, $whole:literal, $sum:expr;)*) => { $(
        impl Number for $t {
            const NOUGHT: Self = $zero;
            const UNIT: Self = $one;
            const WHOLE: bool = $whole;
            fn from_number(x: f64) -> Self {
                x as $t
            }
            fn to_number(self) -> f64 {
                f64::from(self)
            }
            fn from_sum(sum: f64) -> Option<Self> {
                $sum(sum)
            }
        }
    )* };
}
number! {
    f32, 0.0, 1.0, false, |sum| Some(sum as f32);
    f64, 0.0, 1.0, false, Some;
    u32, 0, 1, true, |sum: f64| (sum <= f64::from(u32::MAX)).then_some(sum as u32);
}
