//! A row of 3 is multiplied with a matrix of 2 rows.
//! Fix: A matrix of 3 rows.
//! In full in docs/errors.md.

use netform::prelude::*;

fn main() {
    let _ = tensor!([[1.0, 2.0, 3.0]]).matmul(&tensor!([[1.0, 2.0], [3.0, 4.0]]));
}
