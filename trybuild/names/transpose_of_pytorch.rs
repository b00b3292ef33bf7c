//! A matrix is transposed by PyTorch's `t`.
//! Fix: `transpose`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4, 3], y: [4, 3]) -> [4, 4] {
        x @ y.t()
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
