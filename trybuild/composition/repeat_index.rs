//! The fourth of three layers is called.
//! Fix: `layers[2](x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5]) -> [5] {
        let layers = [Linear(5); 3];
        layers[3](x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
