//! How a formula becomes a [`Loss`](super::Loss): for every shape of outputs that it goes with.

crate::element::nothing! {
    /// The element of targets that nobody has: a second candidate, so that inference does not equate targets
    /// with outputs, and a mismatch is reported in the words of [`Loss`](super::Loss).
    #[doc(hidden)]
    NoTarget, "no target"
}

/// Implements [`Loss`](super::Loss) by a function of `network!`: its number of rows (what it takes as samples),
/// its sizes, and the targets of a row; the targets' slot; the length of its array of constants and its numbers,
/// where it has some; and methods of the trait.
macro_rules! loss {
    (
        impl[$($axis:ident)*] $loss:ty, $output:ty, $target:ty, $element:ty;
        $function:ident(rows = $rows:expr, sizes = [$($size:expr)?], targets = $targets:expr, $slot:ident);
        constants = [$($constants:expr)?];
        numbers = [$(|$it:ident| $numbers:expr)?];
        $($method:item)*
    ) => {
        #[diagnostic::do_not_recommend]
        impl<E: Float, $($axis: Static),*> Loss<E, $output, $target, $element> for $loss {
            fn workspace(&self, batch: usize) -> usize {
                let rows = batch * $rows;
                $function::value_workspace(rows, $($size)?)
                    .max($function::gradient_workspace(rows, $($size)?))
            }
            fn bind<'a, D: Device<E>>(
                &self,
                targets: &'a D::Buffer<$element>,
                to: &mut Bindings<'a, E, D>,
            ) {
                loss!(@bind $slot to targets);
            }
            fn described(&self) -> String {
                format!("{self:?}")
            }
            fn value<K: Kernels<E>>(
                &self,
                k: &mut K,
                batch: usize,
                output: Span,
                base: usize,
            ) -> Span {
                let rows = batch * $rows;
                let targets = Span::new(loss!(@slot $slot), 0, rows * $targets);
                $function::value(
                    k, rows, $($size,)? output, targets,
                    $(Span::new(CONSTANTS, 0, $constants),)? base,
                    $({ let $it = self; $numbers })?
                )
            }
            fn value_and_gradient<K: Kernels<E>>(
                &self,
                k: &mut K,
                batch: usize,
                output: Span,
                gradient: Span,
                base: usize,
            ) -> Span {
                let rows = batch * $rows;
                let targets = Span::new(loss!(@slot $slot), 0, rows * $targets);
                $function::loss_and_gradient(
                    k, rows, $($size,)? output, targets,
                    $(Span::new(CONSTANTS, 0, $constants),)? gradient, base,
                    $({ let $it = self; $numbers })?
                )
            }
            $($method)*
        }
    };
    (@bind TARGET $to:ident $targets:ident) => { $to.inputs[BESIDE] = Some($targets) };
    (@bind NEVER $to:ident $targets:ident) => {{
        let _ = (&$to, $targets);
    }};
    (@bind LABELS $to:ident $targets:ident) => { $to.indices[BESIDE] = Some($targets) };
    (@slot LABELS) => { LABELS };
    (@slot $other:ident) => { TARGET };
}

/// A loss of elements: of outputs of any shape, with targets of the same.
macro_rules! elementwise {
    (
        $loss:ident, $function:ident, numbers = $numbers:tt;
        $($method:item)*
    ) => {
        elementwise! { @all [] [C] [A C] [A B C] [A B F C];
            $loss $function $numbers { $($method)* } }
    };
    (@all $([$($axis:ident)*])*; $($rest:tt)*) => {
        elementwise! { @each [$([$($axis)*])*] $($rest)* }
    };
    (@each [$first:tt $($other:tt)*] $($rest:tt)*) => {
        elementwise! { @one $first $($rest)* }
        elementwise! { @each [$($other)*] $($rest)* }
    };
    (@each [] $($rest:tt)*) => {};
    (
        @one [$($axis:ident)*] $loss:ident $function:ident $numbers:tt
        { $($method:item)* }
    ) => {
        loss! {
            impl[$($axis)*] $loss, ($($axis,)*), ($($axis,)*), E;
            $function(rows = <($($axis,)*) as SampleShape>::NUMEL, sizes = [], targets = 1, TARGET);
            constants = [];
            numbers = $numbers;
            $($method)*
        }
        loss! {
            impl[$($axis)*] $loss, ($($axis,)*), ($($axis,)*), NoTarget;
            $function(rows = <($($axis,)*) as SampleShape>::NUMEL, sizes = [], targets = 1, NEVER);
            constants = [];
            numbers = $numbers;
        }
    };
}

/// A loss of rows of `C` numbers: with a label for each (`labels`), a number for each number of theirs (`rows`), or
/// a target that nobody has (`nobody`).
macro_rules! rowwise {
    (
        $loss:ident, $function:ident, $kind:ident, constants = $constants:tt, numbers = $numbers:tt;
        $($method:item)*
    ) => {
        rowwise! { @$kind { [] [A] [A B] [A B F] }
            $loss $function $constants $numbers { $($method)* } }
    };
    (@$kind:ident { $first:tt $($other:tt)* } $($rest:tt)*) => {
        rowwise! { @one $kind $first $($rest)* }
        rowwise! { @$kind { $($other)* } $($rest)* }
    };
    (@$kind:ident {} $($rest:tt)*) => {};
    (
        @one labels [$($lead:ident)*] $loss:ident $function:ident $constants:tt $numbers:tt
        { $($method:item)* }
    ) => {
        loss! {
            impl[$($lead)* C] $loss, ($($lead,)* C,), ($($lead,)*), u32;
            $function(
                rows = <($($lead,)*) as SampleShape>::NUMEL, sizes = [C::N], targets = 1, LABELS
            );
            constants = $constants;
            numbers = $numbers;
            fn misfit(&self, targets: &[u32]) -> Option<Misfit> {
                Misfit::among(targets, C::N)
            }
            fn classes(&self) -> Option<usize> {
                Some(C::N)
            }
            $($method)*
        }
    };
    (
        @one rows [$($lead:ident)*] $loss:ident $function:ident $constants:tt $numbers:tt
        { $($method:item)* }
    ) => {
        loss! {
            impl[$($lead)* C] $loss, ($($lead,)* C,), ($($lead,)* C,), E;
            $function(
                rows = <($($lead,)*) as SampleShape>::NUMEL, sizes = [C::N], targets = C::N, TARGET
            );
            constants = $constants;
            numbers = $numbers;
            $($method)*
        }
    };
    (
        @one nobody [$($lead:ident)*] $loss:ident $function:ident $constants:tt $numbers:tt
        { $($method:item)* }
    ) => {
        loss! {
            impl[$($lead)* C] $loss, ($($lead,)* C,), ($($lead,)* C,), NoTarget;
            $function(
                rows = <($($lead,)*) as SampleShape>::NUMEL, sizes = [C::N], targets = 1, NEVER
            );
            constants = $constants;
            numbers = $numbers;
            $($method)*
        }
    };
}
