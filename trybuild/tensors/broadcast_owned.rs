//! Vectors of 2 and 3 elements are multiplied.
//! Fix: Vectors of one size.
//! In full in docs/errors.md.

use netform::prelude::*;

fn main() {
    let _ = tensor!([1.0, 2.0]) * tensor!([1.0, 2.0, 3.0]);
}
