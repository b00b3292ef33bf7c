//! A layer is used that is like none.
//! Fix: One of the layers of the documentation.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [4] {
        conv: Transformer(4), Relu
    }
}

fn main() {
    let net = Net::new(Seed(0));
    println!("{}", net.summary());
}
