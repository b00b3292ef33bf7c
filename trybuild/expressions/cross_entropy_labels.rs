use netform::prelude::*;

network! {
    /// A network.
    pub Net: (logits: [8, 10], labels: u32[7]) -> [] {
        cross_entropy(logits, labels)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
