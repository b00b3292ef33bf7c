//! A network of 32 features is made with 5 heads.
//! Fix: A number of heads that divides the features.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Attention<T, D, H>: (x: [T, D]) -> [T, D] {
        let qkv = Linear(3 * D);
        let heads = qkv(x).reshape([T, 3, H, D / H]).permute([1, 2, 0, 3]);
        let [q, k, v] = heads.unstack(0);
        let scores = softmax(causal(q @ k.transpose() / sqrt(D / H)), axis = -1);
        (scores @ v).permute([1, 0, 2]).reshape([T, D])
    }
}

fn main() {
    let _ = Attention::<D<16>, D<32>, D<5>>::new(Seed(1));
}
