use netform::prelude::*;

network! {
    /// A network.
    pub Net: (q: [3, 8], k: [5, 8]) -> [3, 8] {
        attention(q, k, k, causal = true)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
