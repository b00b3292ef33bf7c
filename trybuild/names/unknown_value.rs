//! A value is misspelled.
//! Fix: `image`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (image: [4]) -> [4] {
        relu(imgae)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
