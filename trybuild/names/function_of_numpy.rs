//! A function has the name that NumPy gives it.
//! Fix: `normal`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3]) -> [3] {
        x + randn([3])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
