use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let mut y = x;
        y = relu(y);
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
