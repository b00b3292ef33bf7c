use netform::prelude::*;

network! {
    /// A network.
    pub Net(rate: u32): (x: [4]) -> [4] {
        dropout(x, rate)
    }
}

fn main() {}
