//! The initialiser of a parameter is misspelled.
//! Fix: `Xavier`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [3] {
        let w = Param([4, 3], init = Xaver);
        x @ w
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
