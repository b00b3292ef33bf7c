//! A loop's range is a const item.
//! Fix: A number, or `scan`.

use netform::prelude::*;

const COUNT: usize = 3;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = x;
        for i in 0..COUNT {
            y = relu(y);
        }
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
