//! A function yields a vector where a number is declared.
//! Fix: `sum(x)`, or declare `-> [3]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub fn wrong(x: [3]) -> [] { x }

    pub fn right<N>(x: [N]) -> [2, N] { stack(x, x) }
}

fn main() -> netform::Result<()> {
    let jacobian: Tensor<(D<2>, D<3>, D<3>)> = right::jacobian(&tensor!([1.0, 2.0, 3.0]));
    println!("{jacobian}");
    Ok(())
}
