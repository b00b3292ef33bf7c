//! A weight of a network inside is misspelled.
//! Fix: `weight`.

use netform::prelude::*;

network! {
    /// A network inside another.
    pub Block: (x: [4]) -> [4] {
        let fc = Linear(4);
        let parts = [Linear(4); 2];
        parts(tanh(fc(x)))
    }

    /// A network.
    pub Net: (x: [4]) -> [4] {
        let block = Block;
        block(x) @ block.fc.wieght
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
