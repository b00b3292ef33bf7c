//! A batch norm of images gets a vector.
//! Fix: `BatchNorm1d`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [16] -> [4] {
        fc: Linear(4), BatchNorm2d, Relu,
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
