//! A generic size is not used.
//! Fix: Remove it.

use netform::prelude::*;

network! {
    pub Net<T>: [4] -> [3] { Linear(3) }
}

fn main() {
    println!("{:?}", Net::<Len>::new(Seed(1)));
}
