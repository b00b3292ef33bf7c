//! A size is neither generic nor a const item.
//! Fix: Declare it: `pub Net<DIM>`.

use netform::prelude::*;

network! {
    /// A block.
    pub Net<T, D>: (x: [T, D]) -> [T, D] {
        let fc = Linear(DIM);
        fc(x)
    }
}

fn main() {
    let _ = Net::<D<4>, D<4>>::new(Seed(0));
}
