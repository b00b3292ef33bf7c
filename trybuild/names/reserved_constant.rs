//! A layer has the name of a constant of all networks.
//! Fix: Another name.

use netform::prelude::*;

network! {
    pub Net: [4] -> [3] { PLAN: Linear(3) }
}

fn main() {
    println!("{}", Net::PLAN);
}
