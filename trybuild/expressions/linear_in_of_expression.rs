//! A dense layer declares 400 features and gets 784.
//! Fix: `Linear(784 -> 10)`, or `Linear(10)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [28, 28]) -> [10] {
        let fc = Linear(400 -> 10);
        fc(relu(x).reshape([784]))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
