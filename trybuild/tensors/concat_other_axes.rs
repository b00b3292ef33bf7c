//! Matrices of different columns are put below each other.
//! Fix: Matrices of the same columns.

use netform::prelude::*;

fn main() {
    let _ = tensor!([[1.0, 2.0], [3.0, 4.0]]).concat::<0, _>(&tensor!([[1.0, 2.0, 3.0]]));
}
