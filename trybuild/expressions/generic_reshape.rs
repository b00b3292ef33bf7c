use netform::prelude::*;

network! {
    /// A block.
    pub Net<T, D, H>: (x: [T, D]) -> [T, H, D] {
        x.reshape([T, H, D])
    }
}

fn main() {}
