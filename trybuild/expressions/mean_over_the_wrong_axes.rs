//! The mean goes over the channels.
//! Fix: `axes = [1, 2]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [6, 7, 7]) -> [4] {
        let fc = Linear(6 -> 4);
        fc(x.mean(axes = [0, 1]))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
