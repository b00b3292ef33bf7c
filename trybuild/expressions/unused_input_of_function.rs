use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(x: [3], target: [3]) -> [] {
        sum(square(x))
    }
}

fn main() {}
