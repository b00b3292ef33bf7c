//! A network has the name of what is printed beside another.
//! Fix: Another name.

use netform::prelude::*;

network! {
    pub Net: [4] -> [3] { Linear(3) }
    pub NetInput: [5] -> [4] { Linear(4) }
}

fn main() {
    println!("{:?}", Net::new(Seed(1)));
}
