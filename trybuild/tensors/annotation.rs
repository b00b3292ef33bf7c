//! A product is annotated with another shape.
//! Fix: `(D<1>, D<2>)`.

use netform::prelude::*;

fn main() {
    let _: Tensor<(D<1>, D<3>)> = tensor!([[1.0, 2.0]]).matmul(&tensor!([[1.0, 2.0], [3.0, 4.0]]));
}
