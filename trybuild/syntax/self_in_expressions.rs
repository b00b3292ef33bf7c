//! A layer is a field of `self`, as in PyTorch.
//! Fix: `let fc = Linear(3); fc(x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [3] {
        self.fc(x)
    }
}

fn main() {}
