//! One output is declared, and two are yielded.
//! Fix: `-> ([4], [])`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [784]) -> [10] {
        let fc = Linear(10);
        (fc(x), mean(x))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
