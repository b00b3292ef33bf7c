//! Element types: what a tensor holds, and the scalar functions that printed code may call on it.

use std::fmt::{Debug, Display};
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::cpu::kernels::{InnerLoops, Loops};
use crate::cpu::math;

pub(crate) mod sealed {
    /// Kernels rely on what these types are: there are no others.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for u32 {}
}

/// What a tensor holds: `f32`, `f64` or `u32`.
pub trait Element:
    sealed::Sealed + Copy + Default + Debug + Display + PartialEq + Send + Sync + 'static
{
    /// The name in files and messages: `F32`, `F64`, `U32`.
    const NAME: &'static str;
    /// The element from the eight bytes or fewer that a file holds of it, little-endian.
    fn from_le_bytes(bytes: &[u8]) -> Self;
    /// Appends the element's bytes, little-endian.
    fn extend_le_bytes(self, out: &mut Vec<u8>);
    /// The element nearest to a number of a file; `None` where it is out of range, or a fraction for whole numbers.
    #[doc(hidden)]
    fn from_scalar(x: Scalar) -> Option<Self>;
}

/// A number as files hold them, of any type.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A float.
    Float(f64),
    /// An integer of up to 64 bits, with or without sign.
    Integer(i128),
}

impl Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Float(x) => Display::fmt(x, f),
            Scalar::Integer(x) => Display::fmt(x, f),
        }
    }
}

impl Scalar {
    /// As `f64`.
    fn float(self) -> f64 {
        match self {
            Scalar::Float(x) => x,
            Scalar::Integer(x) => x as f64,
        }
    }

    /// As `f32`, where that does not make a number infinite.
    fn single(self) -> Option<f32> {
        let single = self.float() as f32;
        (single.is_finite() || !self.float().is_finite()).then_some(single)
    }

    /// As `u32`, where that is the same number.
    fn whole(self) -> Option<u32> {
        match self {
            Scalar::Float(x) => (f64::from(x as u32) == x).then_some(x as u32),
            Scalar::Integer(x) => x.try_into().ok(),
        }
    }
}

/// A type of elements that hold nothing: of targets that do not exist.
macro_rules! nothing {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name;

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($text)
            }
        }

        impl $crate::element::sealed::Sealed for $name {}
        impl $crate::element::Element for $name {
            const NAME: &'static str = "none";
            fn from_le_bytes(_: &[u8]) -> Self {
                $name
            }
            fn extend_le_bytes(self, _: &mut Vec<u8>) {}
            fn from_scalar(_: $crate::element::Scalar) -> Option<Self> {
                None
            }
        }
    };
}
pub(crate) use nothing;

macro_rules! element {
    ($($t:ty, $name:literal, $from:expr;)*) => { $(
        impl Element for $t {
            const NAME: &'static str = $name;
            fn from_le_bytes(bytes: &[u8]) -> Self {
                let mut array = [0; size_of::<$t>()];
                array.copy_from_slice(bytes);
                <$t>::from_le_bytes(array)
            }
            fn extend_le_bytes(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn from_scalar(x: Scalar) -> Option<Self> {
                $from(x)
            }
        }
    )* };
}
element! {
    f32, "F32", Scalar::single;
    f64, "F64", |x: Scalar| Some(x.float());
    u32, "U32", Scalar::whole;
}

/// An element that networks compute with.
///
/// The functions are branch-free where that lets a loop over them be vectorised; their errors are
/// stated in [`crate::cpu::math`].
pub trait Float:
    Element
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The inner loops of products.
    #[doc(hidden)]
    type Loops: InnerLoops<Self>;

    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The smallest value: where a maximum begins.
    const NEG_INFINITY: Self;

    /// The nearest value of this type.
    fn from_f64(x: f64) -> Self;
    /// The value as f64.
    fn to_f64(self) -> f64;
    /// The nearest value of this type.
    #[inline(always)]
    fn from_usize(n: usize) -> Self {
        Self::from_f64(n as f64)
    }
    /// A number in [0, 1) from 32 random bits.
    fn unit(bits: u32) -> Self;

    /// The larger of two; the other one if one is not a number.
    fn max(self, other: Self) -> Self;
    /// The smaller of two; the other one if one is not a number.
    fn min(self, other: Self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// -1, 0 or 1.
    fn sign(self) -> Self;
    /// e to the power of x.
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// 1 / (1 + e^-x).
    fn sigmoid(self) -> Self;
    /// ln(1 + e^x), without overflow.
    fn softplus(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// The sine of an angle in radians.
    fn sin(self) -> Self;
    /// The cosine of an angle in radians.
    fn cos(self) -> Self;
    /// The tangent of an angle in radians.
    fn tan(self) -> Self;
    /// e^x - 1, exact for small x.
    fn exp_m1(self) -> Self;
    /// ln(1 + x), exact for small x.
    fn ln_1p(self) -> Self;
    /// The largest integer that is not larger.
    fn floor(self) -> Self;
    /// The smallest integer that is not smaller.
    fn ceil(self) -> Self;
    /// The nearest integer; the even one of two.
    fn round(self) -> Self;
    /// x to the power of y.
    fn powf(self, y: Self) -> Self;
    /// Whether the value is neither infinite nor not-a-number.
    fn is_finite(self) -> bool;

    /// `self` where `condition` is not zero, else `other`.
    #[inline(always)]
    fn select(condition: Self, then: Self, other: Self) -> Self {
        if condition != Self::ZERO { then } else { other }
    }
    /// 1 where `condition` holds, else 0.
    #[inline(always)]
    fn flag(condition: bool) -> Self {
        if condition { Self::ONE } else { Self::ZERO }
    }

    /// `c = alpha * a @ b + beta * c` with strides in elements: matrixmultiply's kernel for this type.
    ///
    /// # Safety
    /// Every element that the sizes and strides address must lie in its allocation, `c`'s must not
    /// overlap each other or `a` and `b`.
    #[doc(hidden)]
    #[allow(clippy::too_many_arguments)]
    unsafe fn gemm(
        m: usize,
        k: usize,
        n: usize,
        alpha: Self,
        a: *const Self,
        a_strides: (isize, isize),
        b: *const Self,
        b_strides: (isize, isize),
        beta: Self,
        c: *mut Self,
        c_strides: (isize, isize),
    );
}

macro_rules! float {
    ($t:ident, $gemm:path, $unit:expr) => {
        impl Float for $t {
            type Loops = Loops;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $t::NEG_INFINITY;
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn unit(bits: u32) -> Self {
                $unit(bits)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other || other != other { self } else { other }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other || other != other { self } else { other }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn sign(self) -> Self {
                Self::flag(self > 0.0) - Self::flag(self < 0.0)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                math::$t::exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                math::$t::ln(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                math::$t::tanh(self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                math::$t::sigmoid(self)
            }
            #[inline(always)]
            fn softplus(self) -> Self {
                math::$t::softplus(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                math::$t::erf(self)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                $t::sin(self)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                $t::cos(self)
            }
            #[inline(always)]
            fn tan(self) -> Self {
                $t::tan(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                math::$t::exp_m1(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                math::$t::ln_1p(self)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $t::floor(self)
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                $t::ceil(self)
            }
            #[inline(always)]
            fn round(self) -> Self {
                $t::round_ties_even(self)
            }
            #[inline(always)]
            fn powf(self, y: Self) -> Self {
                $t::powf(self, y)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            unsafe fn gemm(
                m: usize,
                k: usize,
                n: usize,
                alpha: Self,
                a: *const Self,
                a_strides: (isize, isize),
                b: *const Self,
                b_strides: (isize, isize),
                beta: Self,
                c: *mut Self,
                c_strides: (isize, isize),
            ) {
                // SAFETY: the caller's promise is the one that matrixmultiply asks for.
                unsafe {
                    $gemm(
                        m,
                        k,
                        n,
                        alpha,
                        a,
                        a_strides.0,
                        a_strides.1,
                        b,
                        b_strides.0,
                        b_strides.1,
                        beta,
                        c,
                        c_strides.0,
                        c_strides.1,
                    )
                }
            }
        }
    };
}

// 24 bits fill the mantissa of f32, 32 bits fit in f64's: every number is exact and below one.
float!(f32, matrixmultiply::sgemm, |bits: u32| (bits >> 8) as f32 * (1.0 / 16_777_216.0));
float!(f64, matrixmultiply::dgemm, |bits: u32| bits as f64 * (1.0 / 4_294_967_296.0));
