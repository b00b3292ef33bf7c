use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 32], context: [8, 24]) -> [16, 32] {
        let attention = MultiHeadAttention(4);
        attention(x, context)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
