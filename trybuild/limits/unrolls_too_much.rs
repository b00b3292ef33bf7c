//! Loops inside each other are too long to be unrolled.
//! Fix: `scan`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = x;
        for i in 0..100 {
            for j in 0..100 {
                y = relu(y);
            }
        }
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
