use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4]) -> [4] {
        let (q, k) = x.unstack(0);
        q * k
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
