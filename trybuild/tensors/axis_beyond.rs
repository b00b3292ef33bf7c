//! A sum goes along an axis that a matrix has not.
//! Fix: `sum_axis::<0>()` or `sum_axis::<1>()`.
//! In full in docs/errors.md.

use netform::prelude::*;

fn main() {
    let _ = tensor!([[1.0, 2.0], [3.0, 4.0]]).sum_axis::<2>();
}
