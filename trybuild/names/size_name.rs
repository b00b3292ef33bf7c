//! A size is named like a type.
//! Fix: Capitals: `DEV`.

use netform::prelude::*;

network! {
    pub Net<Dev>: [Dev, 4] -> [Dev, 3] { Linear(3) }
}

fn main() {
    println!("{:?}", Net::<Len>::new(Seed(1)));
}
