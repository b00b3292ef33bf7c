//! `select` chooses between vectors of another size than its condition.
//! Fix: One size for all.

use netform::prelude::*;

fn main() {
    let _ = tensor!([1.0, 0.0]).select(&tensor!([1.0, 2.0, 3.0]), &tensor!([1.0, 2.0]));
}
