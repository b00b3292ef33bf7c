//! A const item and a literal agree for no size that is given.
//! Fix: One of them in both places.
//! In full in docs/errors.md.

use netform::prelude::*;

const WIDTH: usize = 5;

network! {
    pub Wide<D>: [D] -> [WIDTH * D] { fc: Linear(4 * D) }
}

fn main() {
    let _ = Wide::<D<3>>::new(Seed(1));
}
