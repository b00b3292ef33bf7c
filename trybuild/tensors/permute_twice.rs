//! A new order of axes names one of them twice.
//! Fix: Each axis once.

use netform::prelude::*;
use netform::tensor::Axis;

fn main() {
    let _ = tensor!([[1.0, 2.0], [3.0, 4.0]]).permute((Axis::<0>, Axis::<0>));
}
