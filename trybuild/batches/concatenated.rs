//! A batch of a size known at run time is put before a constant one.
//! Fix: Constant sizes, or one batch of all samples.

use netform::prelude::*;

fn main() {
    let _ = Tensor::<_>::ones((Batch(2), D::<3>)).concat::<0, _>(&Tensor::<_>::ones((D::<2>, D::<3>)));
}
