use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [3] {
        let (a, b, c) = split(x, 3);
        a + b + c
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
