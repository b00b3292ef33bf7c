//! A batch of a size known at run time meets a constant one.
//! Fix: The same kind of batch on both sides.
//! In full in docs/errors.md.

use netform::prelude::*;

fn main() {
    let _ = Tensor::<_>::ones((Batch(2), D::<3>)) - Tensor::<_>::ones((D::<2>, D::<3>));
}
