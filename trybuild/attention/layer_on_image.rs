//! An attention layer gets an image.
//! Fix: Reshape it to `[positions, features]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [3, 8, 8] -> [3, 8, 8] {
        MultiHeadAttention(4),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
