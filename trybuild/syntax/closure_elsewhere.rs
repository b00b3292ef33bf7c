//! A closure is bound to a name.
//! Fix: A function: `fn f(a: [..S], b: [..S]) -> [..S] { a + b }`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let f = |a, b| a + b;
        x
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
