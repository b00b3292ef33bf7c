//! A size is declared as constants of Rust are.
//! Fix: `Net<N>`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net<const N: usize>: [N] -> [N] {
        fc: Linear(N),
    }
}

fn main() {
    let _ = Net::<D<4>>::new(Seed(0));
}
