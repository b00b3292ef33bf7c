//! A function of one's own gets a tensor of another shape.
//! Fix: A tensor of shape `(D<3>,)`.

use netform::prelude::*;

fn length(x: &Tensor<(D<3>,)>) -> f32 {
    (x * x).sum().sqrt()
}

fn main() {
    println!("{}", length(&tensor!([1.0, 2.0])));
}
