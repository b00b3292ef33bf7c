use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [6, 8, 8]) -> [6, 8, 8] {
        let norm = GroupNorm(4);
        norm(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
