//! An activation is called as a layer of PyTorch's modules.
//! Fix: `relu(fc(x))`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [3] {
        let fc = Linear(3);
        let y = ReLU(fc(x));
        y
    }
}

fn main() {}
