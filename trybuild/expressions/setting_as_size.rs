use netform::prelude::*;

network! {
    /// A network.
    pub Net(width: f32): (x: [4]) -> [4] {
        let fc = Linear(width);
        fc(x)
    }
}

fn main() {}
