//! A batch norm gets one number a sample.
//! Fix: Features or channels in front.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: []) -> [] {
        let norm = BatchNorm1d;
        norm(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
