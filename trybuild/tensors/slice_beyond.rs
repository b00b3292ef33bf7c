//! A slice ends behind the axis.
//! Fix: At most 1 element from 1 on.

use netform::prelude::*;

fn main() {
    let _ = tensor!([[1.0, 2.0], [3.0, 4.0]]).slice::<1, 1, 2>();
}
