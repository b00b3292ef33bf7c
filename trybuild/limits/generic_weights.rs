//! A generic network is made with a size of which its weights are more than memory can hold.
//! Fix: A smaller size.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Mlp<D>: [784] -> [10] {
        fc1: Linear(D), Relu,
        fc2: Linear(D), Relu,
        fc3: Linear(10),
    }
}

fn main() {
    let _ = Mlp::<dim!(4294967296)>::new(Seed(1));
}
