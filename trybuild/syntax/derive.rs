//! A network is given a `derive`.
//! Fix: Remove it: `Debug` is printed, and `to_bytes` and `from_bytes` copy a network.

use netform::prelude::*;

network! {
    #[derive(Debug)]
    pub Net: [4] -> [3] { Linear(3) }
}

fn main() {
    println!("{:?}", Net::new(Seed(1)));
}
