//! Sizes that are computed from the generic sizes of a network, as types, and what they must satisfy. typenum
//! computes; where a size is known only at run time, so is what is computed from it, and conditions on it
//! hold here: they are checked then.

use std::ops::{Add, Div, Mul, Rem, Sub};

use typenum::{
    B1, Cmp, Diff, Equal, Greater, IsEqual, IsGreater, IsGreaterOrEqual, IsLess, Length, Less,
    Prod, Quot, Sum, U42, UInt, UTerm,
};

use crate::dim::{D, Dim, Len, Static};
use crate::tensor::ToD;

/// A sum, product, quotient or difference.
macro_rules! computed {
    ($(#[$doc:meta])* $name:ident, $operator:ident, $result:ident) => {
        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = "a size that is computed from `{Self}` and `{R}` has no type",
            note = "a size has at most twelve digits; code that is generic over sizes says which it takes by the network's own trait, for example `where (N,): NetSizes`"
        )]
        pub trait $name<R: Dim>: Dim {
            /// The result.
            type Out: Dim;
        }
        #[diagnostic::do_not_recommend]
        impl<const A: usize, const B: usize, const C: usize, const E: usize, R: Static> $name<R>
            for D<A, B, C, E>
        where
            Self: Static<U: $operator<R::U, Output: ToD>>,
        {
            type Out = <$result<<Self as Static>::U, R::U> as ToD>::D;
        }
        #[diagnostic::do_not_recommend]
        impl<const A: usize, const B: usize, const C: usize, const E: usize> $name<Len>
            for D<A, B, C, E>
        where
            Self: Static,
        {
            type Out = Len;
        }
        #[diagnostic::do_not_recommend]
        impl<R: Dim> $name<R> for Len {
            type Out = Len;
        }
    };
}

computed! {
    /// The sum of two sizes.
    Plus, Add, Sum
}
computed! {
    /// The product of two sizes.
    Times, Bounded, BoundedProduct
}
computed! {
    /// The quotient of two sizes, rounded down; 0 where the second is 0, which is an error of its own.
    Over, OrZero, QuotientOrZero
}
computed! {
    /// The difference of two sizes; 0 where it is negative.
    Minus, Saturating, Rest
}

/// A product, where there are so few bits in its factors that it may have twelve digits: typenum's arithmetic
/// reaches the limit of recursion with the digits of larger ones.
pub trait Bounded<R> {
    /// The product.
    type Output;
}
/// A product whose factors have few bits, or not.
pub trait OfFewBits<R, Few> {
    /// The product.
    type Output;
}
type Bits<L, R> = Sum<Length<L>, Length<R>>;
type BoundedProduct<L, R> = <L as Bounded<R>>::Output;

// A product of `m` and `n` bits has at least `m + n - 1`, and a number of twelve digits at most 40.
impl<L, R> Bounded<R> for L
where
    L: typenum::Len<Output: Add<Length<R>, Output: IsLess<U42>>>,
    R: typenum::Len,
    L: OfFewBits<R, typenum::Le<Bits<L, R>, U42>>,
{
    type Output = <L as OfFewBits<R, typenum::Le<Bits<L, R>, U42>>>::Output;
}
impl<L: Mul<R>, R> OfFewBits<R, B1> for L {
    type Output = Prod<L, R>;
}

/// A quotient, which is 0 where the divisor is.
pub trait OrZero<R> {
    /// The quotient.
    type Output;
}
type QuotientOrZero<L, R> = <L as OrZero<R>>::Output;

impl<L> OrZero<UTerm> for L {
    type Output = UTerm;
}
impl<L: Div<UInt<U, B>>, U, B> OrZero<UInt<U, B>> for L {
    type Output = Quot<L, UInt<U, B>>;
}

/// `T`, of what is known: of a size that could not be computed rustc does not know it, and reports nothing that
/// depends on it.
pub trait Known<T> {
    /// `T`.
    type Then;
}
impl<const A: usize, const B: usize, const C: usize, const E: usize, T> Known<T> for D<A, B, C, E> {
    type Then = T;
}
impl<T> Known<T> for Len {
    type Then = T;
}
impl<T> Known<T> for () {
    type Then = T;
}

/// A difference that is 0 where it would be negative.
pub trait Saturating<R> {
    /// The difference.
    type Output;
}
/// The difference of two numbers that compare as `O`.
pub trait Compared<R, O> {
    /// The difference.
    type Output;
}
type Rest<L, R> = <L as Saturating<R>>::Output;

impl<L: Cmp<R> + Compared<R, typenum::Compare<L, R>>, R> Saturating<R> for L {
    type Output = <L as Compared<R, typenum::Compare<L, R>>>::Output;
}
impl<L: Sub<R>, R> Compared<R, Greater> for L {
    type Output = Diff<L, R>;
}
impl<L, R> Compared<R, Equal> for L {
    type Output = UTerm;
}
impl<L, R> Compared<R, Less> for L {
    type Output = UTerm;
}

/// What comparisons of typenum yield where they hold.
pub trait True {}
impl True for B1 {}

/// The number 0.
pub trait Zero {}
impl Zero for UTerm {}

/// A condition on two sizes.
macro_rules! condition {
    ($(#[$doc:meta])* $name:ident, $operator:ident, $holds:ident) => {
        $(#[$doc])*
        pub trait $name<R: Dim>: Dim {}
        #[diagnostic::do_not_recommend]
        impl<const A: usize, const B: usize, const C: usize, const E: usize, R: Static> $name<R>
            for D<A, B, C, E>
        where
            Self: Static<U: $operator<R::U, Output: $holds>>,
        {
        }
        #[diagnostic::do_not_recommend]
        impl<const A: usize, const B: usize, const C: usize, const E: usize> $name<Len>
            for D<A, B, C, E>
        where
            Self: Static,
        {
        }
        #[diagnostic::do_not_recommend]
        impl<R: Dim> $name<R> for Len {}
    };
}

condition! {
    /// That two sizes are equal.
    EqualTo, IsEqual, True
}
condition! {
    /// That a size is not smaller than another.
    AtLeast, IsGreaterOrEqual, True
}
condition! {
    /// That a size is larger than another.
    MoreThan, IsGreater, True
}
condition! {
    /// That a division leaves no remainder.
    DivisibleBy, Rem, Zero
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sum4<A> = <A as Plus<D<4>>>::Out;

    #[test]
    fn results_are_decimals_or_lengths() {
        assert_eq!(<Sum4<D<996>>>::N, 1000);
        assert_eq!(std::any::type_name::<Sum4<D<996>>>(), std::any::type_name::<D<1, 0>>());
        assert_eq!(<<D<3> as Times<D<256>>>::Out as Static>::N, 768);
        assert_eq!(<<D<17> as Over<D<5>>>::Out as Static>::N, 3);
        assert_eq!(<<D<17> as Minus<D<5>>>::Out as Static>::N, 12);
        assert_eq!(<<D<5> as Minus<D<5>>>::Out as Static>::N, 0);
        assert_eq!(<<D<5> as Minus<D<17>>>::Out as Static>::N, 0);
        assert_eq!(<<D<2> as Times<Len>>::Out as Dim>::FIXED, None);
        assert_eq!(<<Len as Minus<D<2>>>::Out as Dim>::FIXED, None);
    }

    #[test]
    fn conditions_hold() {
        fn holds<L, R: Dim>()
        where
            L: EqualTo<R> + AtLeast<R> + DivisibleBy<R>,
        {
        }
        fn more<L: MoreThan<R>, R: Dim>() {}
        holds::<D<12>, D<12>>();
        holds::<Len, D<12>>();
        holds::<D<12>, Len>();
        more::<D<1, 0>, D<999>>();
        more::<Len, Len>();
    }
}
