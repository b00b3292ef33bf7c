use netform::prelude::*;

const NAME: &str = "scale";

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x * NAME
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
