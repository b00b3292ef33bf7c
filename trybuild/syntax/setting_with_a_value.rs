//! A setting has a value where it is declared.
//! Fix: The value is given where the network is made: `Net::new(seed, 0.5)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(rate: f32 = 0.5): [4] -> [4] {
        fc: Linear(4), Dropout(rate),
    }
}

fn main() {
    let _ = Net::new(Seed(0), 0.5);
}
