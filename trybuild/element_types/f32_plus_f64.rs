//! A tensor of `f64` is added to one of `f32`.
//! Fix: One element type; `tensor!(f64; ..)` makes `f64`.
//! In full in docs/errors.md.

use netform::prelude::*;

fn main() {
    let _ = tensor!([1.0, 2.0]) + tensor!(f64; [1.0, 2.0]);
}
