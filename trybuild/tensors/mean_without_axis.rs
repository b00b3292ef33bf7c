//! The mean of each row is subtracted without its axis.
//! Fix: `.unsqueeze::<1>()` after the mean.

use netform::prelude::*;

fn main() {
    let x = tensor!([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let _ = &x - &x.mean_axis::<1>();
}
