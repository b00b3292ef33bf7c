//! Batches of 32 and of 16 samples are added.
//! Fix: Batches of one size.

use netform::prelude::*;

fn main() {
    let _ = Tensor::<_>::ones((D::<32>, D::<3>)) + Tensor::<_>::ones((D::<16>, D::<3>));
}
