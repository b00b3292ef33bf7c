use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[8]) -> [8, 4] {
        let embedding = Embedding(100);
        embedding(ids)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
