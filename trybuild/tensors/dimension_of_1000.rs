//! A dimension of 1000 is written as `D<1000>`.
//! Fix: `dim!(1000)`.

use netform::prelude::*;

pub fn features() -> netform::Result<Tensor<(Batch, D<1000>)>> {
    Tensor::from_vec(vec![0.0; 2000])
}

fn main() {}
