//! A batch norm is called with 4 and with 8 features.
//! Fix: Two batch norms.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [4], b: [8]) -> [4] {
        let norm = BatchNorm1d;
        norm(a) + norm(b)[0..4]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
