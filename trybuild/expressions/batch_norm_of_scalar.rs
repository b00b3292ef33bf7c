use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: []) -> [] {
        let norm = BatchNorm1d;
        norm(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
