//! The residual adds queries to what attention yields for the context.
//! Fix: `x + attention(x, context)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 32], context: [8, 32]) -> [16, 32] {
        let attention = MultiHeadAttention(4);
        x + attention(context, x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
