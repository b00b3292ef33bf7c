//! Run-time settings stand behind the shapes.
//! Fix: `Net(rate: f32): [4] -> [4]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [4](rate: f32) {
        fc: Linear(4), Dropout(rate),
    }
}

fn main() {
    let _ = Net::new(Seed(0), 0.5);
}
