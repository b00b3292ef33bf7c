//! Two sizes that are both unknown are added.
//! Fix: One size for both, or a literal 1.

use netform::prelude::*;

network! {
    /// A network.
    pub Net<M, N>: (a: [M], b: [N]) -> [M] {
        a + b
    }
}

fn main() {}
