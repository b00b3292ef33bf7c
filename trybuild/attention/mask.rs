//! A mask has the shape of the values, not of the scores.
//! Fix: A mask of shape `[16, 16]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 32], mask: [16, 32]) -> [16, 32] {
        let scores = x @ x.transpose() + mask;
        softmax(scores) @ x
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
