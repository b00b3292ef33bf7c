//! More sizes than 4 are left to run time.
//! Fix: Const items for some of them.

use netform::prelude::*;

network! {
    pub Net<A, B, C, D, E>: [A, B, C, D, E] { Relu }
}

fn main() {
    println!("{:?}", Net::<Len, Len, Len, Len, Len>::new(Seed(1)));
}
