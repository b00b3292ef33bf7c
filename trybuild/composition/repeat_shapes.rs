//! Layers that are repeated yield other features than they take.
//! Fix: Layers that keep their shape.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5]) -> [4] {
        let layers = [Linear(5 -> 4); 3];
        layers(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
