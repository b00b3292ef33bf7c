//! Heads are split off with a size that does not fit.
//! Fix: `[16, 4, 8]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 32]) -> [16, 32] {
        let qkv = Linear(32);
        let heads = qkv(x).reshape([16, 4, 16]).permute([1, 0, 2]);
        (heads @ heads.transpose() @ heads).permute([1, 0, 2]).reshape([16, 32])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
