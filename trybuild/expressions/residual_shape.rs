//! The layers of a residual block do not keep its shape.
//! Fix: Layers that yield 6 features.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [6]) -> [4] {
        let block = Residual { Linear(4), Relu };
        block(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
