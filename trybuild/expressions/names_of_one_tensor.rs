use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [2, 4]) -> [4] {
        let (a, b) = relu(x);
        a + b
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
