//! An activation is written as a method of the layer before it.
//! Fix: `Linear(4), Relu`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [4] {
        fc: Linear(4).relu(),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
