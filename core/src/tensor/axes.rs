//! Shapes as types under operations: an axis taken out, put in or exchanged, and broadcasting.

use typenum::{UInt, UTerm};

use super::arith::{AddDim, Same};
use crate::dim::{Batch, D, Dim, Len, Static};
use crate::shape::Shape;

/// A shape with an axis of number `AXIS`, from 0.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape {Self} has no axis {AXIS}",
    label = "axes are counted from 0"
)]
pub trait HasAxis<const AXIS: usize>: Shape {
    /// The axis.
    type Axis: Dim;
    /// The shape without it.
    type Without: Shape;
    /// The shape with another one in its place.
    type With<N: Dim>: Shape;
    #[doc(hidden)]
    fn axis(&self) -> Self::Axis;
    #[doc(hidden)]
    fn without(&self) -> Self::Without;
    #[doc(hidden)]
    fn with<N: Dim>(&self, n: N) -> Self::With<N>;
}

/// A shape into which an axis can be put so that it becomes the one of number `AXIS`.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape {Self} can get no new axis {AXIS}",
    label = "axes are counted from 0, and there are at most six"
)]
pub trait NewAxis<const AXIS: usize>: Shape {
    /// The shape with the axis.
    type And<N: Dim>: Shape;
    #[doc(hidden)]
    fn and<N: Dim>(&self, n: N) -> Self::And<N>;
}

macro_rules! axes {
    ($($axis:tt: [$($a:ident)*] [$($c:ident)*];)*) => { $(
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case, clippy::unused_unit)]
        impl<$($a: Dim,)* X: Dim, $($c: Dim),*> HasAxis<$axis> for ($($a,)* X, $($c,)*) {
            type Axis = X;
            type Without = ($($a,)* $($c,)*);
            type With<N: Dim> = ($($a,)* N, $($c,)*);
            fn axis(&self) -> X {
                self.$axis
            }
            fn without(&self) -> Self::Without {
                let ($($a,)* _, $($c,)*) = *self;
                ($($a,)* $($c,)*)
            }
            fn with<N: Dim>(&self, n: N) -> Self::With<N> {
                let ($($a,)* _, $($c,)*) = *self;
                ($($a,)* n, $($c,)*)
            }
        }
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<$($a: Dim,)* $($c: Dim),*> NewAxis<$axis> for ($($a,)* $($c,)*) {
            type And<N: Dim> = ($($a,)* N, $($c,)*);
            fn and<N: Dim>(&self, n: N) -> Self::And<N> {
                let ($($a,)* $($c,)*) = *self;
                ($($a,)* n, $($c,)*)
            }
        }
    )* };
}
axes! {
    0: [] [];
    0: [] [A];
    1: [A] [];
    0: [] [A B];
    1: [A] [B];
    2: [A B] [];
    0: [] [A B C];
    1: [A] [B C];
    2: [A B] [C];
    3: [A B C] [];
    0: [] [A B C F];
    1: [A] [B C F];
    2: [A B] [C F];
    3: [A B C] [F];
    4: [A B C F] [];
    0: [] [A B C F G];
    1: [A] [B C F G];
    2: [A B] [C F G];
    3: [A B C] [F G];
    4: [A B C F] [G];
    5: [A B C F G] [];
}

/// A tensor that can be joined to one of shape `R` along an axis.
#[diagnostic::on_unimplemented(
    message = "shapes {Self} and {R} cannot be concatenated along axis {AXIS}: the other axes must be the same",
    label = "this has shape {R}, the first has {Self}"
)]
pub trait Concat<const AXIS: usize, R>: HasAxis<AXIS> {
    /// The size along the axis.
    type Sum: Dim;
}
#[diagnostic::do_not_recommend]
impl<const AXIS: usize, L, R> Concat<AXIS, R> for L
where
    L: HasAxis<AXIS>,
    R: HasAxis<AXIS>,
    L::Without: Same<R::Without>,
    L::Axis: AddDim<R::Axis>,
{
    type Sum = <L::Axis as AddDim<R::Axis>>::Out;
}

/// The size 1, which broadcasts.
pub struct One;
/// Another size, or one known at run time.
pub struct Many;

/// Whether a number is 1.
pub trait IsOne {
    type Is;
}
impl IsOne for UTerm {
    type Is = Many;
}
impl<B> IsOne for UInt<UTerm, B> {
    type Is = One;
}
impl<U, B, C> IsOne for UInt<UInt<U, B>, C> {
    type Is = Many;
}

/// Whether an axis broadcasts.
pub trait Kind: Dim {
    type Is;
}
impl Kind for Batch {
    type Is = Many;
}
impl Kind for Len {
    type Is = Many;
}
#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, const C: usize, const E: usize> Kind for D<A, B, C, E>
where
    Self: Static<U: IsOne>,
{
    type Is = <<Self as Static>::U as IsOne>::Is;
}

/// The axis that two others broadcast to, if they do: [`Fits`] says whether. Kept apart, because rustc reports
/// an axis type that cannot be computed before it comes to the shapes, and without our words.
pub trait Pick<L, R> {
    type Out: Dim;
    fn pick(left: L, right: R) -> Option<Self::Out>;
}
impl<L: Dim, R: Dim> Pick<L, R> for (One, One) {
    type Out = R;
    fn pick(_: L, right: R) -> Option<R> {
        Some(right)
    }
}
impl<L: Dim, R: Dim> Pick<L, R> for (One, Many) {
    type Out = R;
    fn pick(_: L, right: R) -> Option<R> {
        Some(right)
    }
}
impl<L: Dim, R: Dim> Pick<L, R> for (Many, One) {
    type Out = L;
    fn pick(left: L, _: R) -> Option<L> {
        Some(left)
    }
}
impl<L: Dim, R: Dim> Pick<L, R> for (Many, Many) {
    type Out = L;
    fn pick(left: L, right: R) -> Option<L> {
        (left.size() == right.size()).then_some(left)
    }
}

/// Two axes under broadcasting.
pub trait Stretch<R>: Dim {
    type Out: Dim;
    fn stretch(self, right: R) -> Option<Self::Out>;
}
#[diagnostic::do_not_recommend]
impl<L: Kind, R: Kind> Stretch<R> for L
where
    (L::Is, R::Is): Pick<L, R>,
{
    type Out = <(L::Is, R::Is) as Pick<L, R>>::Out;
    fn stretch(self, right: R) -> Option<Self::Out> {
        <(L::Is, R::Is)>::pick(self, right)
    }
}

/// Two axes that broadcast.
pub trait Fits<R> {}
/// The same, where it is known which of them are [`One`].
pub trait FitsAs<L, R> {}
#[diagnostic::do_not_recommend]
impl<L, R> FitsAs<L, R> for (One, One) {}
#[diagnostic::do_not_recommend]
impl<L, R> FitsAs<L, R> for (One, Many) {}
#[diagnostic::do_not_recommend]
impl<L, R> FitsAs<L, R> for (Many, One) {}
#[diagnostic::do_not_recommend]
impl<L: Same<R>, R> FitsAs<L, R> for (Many, Many) {}
#[diagnostic::do_not_recommend]
impl<L: Kind, R: Kind> Fits<R> for L where (L::Is, R::Is): FitsAs<L, R> {}

/// Two shapes that broadcast, by NumPy's rule: aligned at the last axis, sizes are equal or one of them is
/// `D<1>`, and missing axes in front count as 1.
#[diagnostic::on_unimplemented(
    message = "shapes {Self} and {R} do not broadcast: from the last axis on, sizes must be equal or `D<1>`",
    label = "left has shape {Self}, right has {R}"
)]
pub trait Broadcast<R>: Shape {
    /// The shape of the result.
    type Out: Shape;
    /// The shape of the result; `None` where sizes known at run time differ.
    #[doc(hidden)]
    fn broadcast(&self, right: &R) -> Option<Self::Out>;
}

macro_rules! broadcasts {
    ($([$($p:ident)*] $($l:ident $r:ident)*;)*) => { $(
        broadcasts!(@left [$($p)*] $($l $r)*);
        broadcasts!(@right [$($p)*] $($l $r)*);
    )* };
    (@left [$($p:ident)*] $($l:ident $r:ident)*) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<$($p: Dim,)* $($l: Stretch<$r> + Fits<$r>, $r: Dim),*> Broadcast<($($r,)*)> for ($($p,)* $($l,)*) {
            type Out = ($($p,)* $($l::Out,)*);
            fn broadcast(&self, right: &($($r,)*)) -> Option<Self::Out> {
                let ($($p,)* $($l,)*) = *self;
                let ($($r,)*) = *right;
                Some(($($p,)* $($l.stretch($r)?,)*))
            }
        }
    };
    (@right [] $($rest:tt)*) => {};
    (@right [$($p:ident)*] $($l:ident $r:ident)*) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<$($p: Dim,)* $($l: Stretch<$r> + Fits<$r>, $r: Dim),*> Broadcast<($($p,)* $($r,)*)> for ($($l,)*) {
            type Out = ($($p,)* $($l::Out,)*);
            fn broadcast(&self, right: &($($p,)* $($r,)*)) -> Option<Self::Out> {
                let ($($l,)*) = *self;
                let ($($p,)* $($r,)*) = *right;
                Some(($($p,)* $($l.stretch($r)?,)*))
            }
        }
    };
}
broadcasts! {
    [];
    [P];
    [P Q];
    [P Q S];
    [P Q S T];
    [P Q S T U];
    [P Q S T U V];
    [] A B;
    [P] A B;
    [P Q] A B;
    [P Q S] A B;
    [P Q S T] A B;
    [P Q S T U] A B;
    [] A B C E;
    [P] A B C E;
    [P Q] A B C E;
    [P Q S] A B C E;
    [P Q S T] A B C E;
    [] A B C E F G;
    [P] A B C E F G;
    [P Q] A B C E F G;
    [P Q S] A B C E F G;
    [] A B C E F G H I;
    [P] A B C E F G H I;
    [P Q] A B C E F G H I;
    [] A B C E F G H I J K;
    [P] A B C E F G H I J K;
    [] A B C E F G H I J K L M;
}
