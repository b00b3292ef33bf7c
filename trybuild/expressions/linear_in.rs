//! A dense layer declares 784 features and gets an image.
//! Fix: `fc(x.flatten())`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [28, 28]) -> [10] {
        let fc = Linear(784 -> 10);
        fc(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
