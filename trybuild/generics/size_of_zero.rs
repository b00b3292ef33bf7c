//! A network is made with a size of 0.
//! Fix: At least 1.

use netform::prelude::*;

network! {
    pub Up<D>: [D] -> [2 * D] { fc: Linear(2 * D) }
}

fn main() {
    let _ = Up::<D<0>>::new(Seed(1));
}
