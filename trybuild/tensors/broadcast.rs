//! A matrix of 3 columns meets a row of 4.
//! Fix: A row of 3.

use netform::prelude::*;

fn main() {
    let _ = &tensor!([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]) + &tensor!([1.0, 2.0, 3.0, 4.0]);
}
