use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3], y: [4]) -> [] {
        mse(x, y)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
