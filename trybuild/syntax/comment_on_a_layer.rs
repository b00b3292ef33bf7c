//! A layer has a doc comment.
//! Fix: `// The first layer.`

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [4] {
        /// The first layer.
        fc: Linear(4),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
