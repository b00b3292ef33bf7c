use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 30]) -> [16, 30] {
        let attention = MultiHeadAttention(4);
        attention(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
