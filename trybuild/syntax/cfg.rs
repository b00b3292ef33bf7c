//! An item is put under a condition inside `network!`.
//! Fix: A `network!` of its own, with the attribute in front.

use netform::prelude::*;

network! {
    #[cfg(not(test))]
    pub Net: [4] -> [3] { Linear(3) }
}

fn main() {
    println!("{:?}", Net::new(Seed(1)));
}
