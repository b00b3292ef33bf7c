//! A shape is written as an array's type.
//! Fix: `[2]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [f32; 2] -> [2] {
        fc: Linear(2),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
