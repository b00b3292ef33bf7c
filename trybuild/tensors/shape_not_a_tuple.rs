//! A shape of one axis is written without a tuple.
//! Fix: `(D<10>,)`.

use netform::prelude::*;

pub fn features() -> netform::Result<Tensor<D<10>>> {
    Tensor::from_vec(vec![0.0; 10])
}

fn main() {}
