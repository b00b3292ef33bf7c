//! Vectors of 2 and 3 elements are compared.
//! Fix: Vectors of one size.

use netform::prelude::*;

fn main() {
    let _ = tensor!([1.0, 2.0]).gt(&tensor!([1.0, 2.0, 3.0]));
}
