//! An initialiser gets three numbers.
//! Fix: `Normal(0.0, 0.02)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [3] {
        let w = Param([4, 3], init = Normal(0.0, 0.1, 0.2));
        x @ w
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
