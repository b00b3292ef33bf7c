//! A setting is given where a layer is called.
//! Fix: `let drop = Dropout(0.1);`

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let drop = Dropout(0.5);
        drop(x, rate = 0.1)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
