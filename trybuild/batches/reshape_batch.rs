//! A batch is reshaped to a constant number of samples.
//! Fix: `try_reshape`, which compares the sizes at run time.
//! In full in docs/errors.md.

use netform::prelude::*;

fn main() {
    let _ = Tensor::<_>::ones((Batch(2), D::<3>)).reshape::<(D<2>, D<3>)>();
}
