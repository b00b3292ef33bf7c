//! `reshape` in a generic network does not keep the number of values.
//! Fix: `x.reshape([T, H, D / H])`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A block.
    pub Net<T, D, H>: (x: [T, D]) -> [T, H, D] {
        x.reshape([T, H, D])
    }
}

fn main() {}
