use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [3, 4], b: [3]) -> [3, 4] {
        select(a > 0, a, b)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
