//! A network is used with sizes that leave a remainder.
//! Fix: A number of heads that divides 32.

use netform::prelude::*;

network! {
    pub Attention<T, D, H>: (x: [T, D]) -> [T, D] {
        let qkv = Linear(3 * D);
        let heads = qkv(x).reshape([T, 3, H, D / H]).permute([1, 2, 0, 3]);
        let [q, k, v] = heads.unstack(0);
        let scores = softmax(causal(q @ k.transpose() / sqrt(D / H)), axis = -1);
        (scores @ v).permute([1, 0, 2]).reshape([T, D])
    }

    pub Outer: [16, 32] -> [16, 32] {
        first: Attention<16, 32, 4>,
        second: Attention<16, 32, 5>,
    }
}

fn main() {}
