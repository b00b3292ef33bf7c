//! A tensor is taken apart as a tuple of Rust.
//! Fix: `x[0]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [] {
        square(x.0)
    }
}

fn main() {}
