use netform::prelude::*;

network! {
    /// A network.
    pub Net: (label: u32[]) -> [10] {
        one_hot(label)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
