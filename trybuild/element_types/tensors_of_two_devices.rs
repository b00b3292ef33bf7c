//! Tensors of two devices are added.
//! Fix: Both on one device; arithmetic by hand is on the CPU.

use netform::device::Device;
use netform::prelude::*;

fn sum<Dev: Device<f32>>(x: &Tensor<(D<3>,)>, y: &Tensor<(D<3>,), f32, Dev>) {
    let _ = x + y;
}

fn main() {}
