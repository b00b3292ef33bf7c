//! Flattened tensors of 2000 and of 1000 elements are added.
//! Fix: Tensors of one size.

use netform::prelude::*;

fn main() {
    let _ = Tensor::<_>::ones((D::<50>, D::<40>)).flatten()
        + Tensor::<_>::ones((D::<2>, D::<500>)).flatten();
}
