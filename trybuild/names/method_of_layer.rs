//! A layer is called as a method.
//! Fix: `fc(x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc = Linear(4);
        x.fc()
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
