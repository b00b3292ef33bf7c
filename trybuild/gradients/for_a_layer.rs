//! A gradient is taken for a layer.
//! Fix: `fc.weight`, or a value.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc = Linear(1);
        grad(sum(fc(x)), fc)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
