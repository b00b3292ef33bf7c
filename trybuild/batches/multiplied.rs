//! A batch is multiplied with a batch.
//! Fix: Transpose one: `x.matmul(&y.transpose())`.

use netform::prelude::*;

fn main() {
    let x = Tensor::<_>::ones((Batch(2), D::<3>));
    let _ = x.matmul(&x);
}
