//! A const item that is a text is multiplied.
//! Fix: A const item of a number.

use netform::prelude::*;

const NAME: &str = "scale";

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x * NAME
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
