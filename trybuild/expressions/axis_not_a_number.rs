use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4]) -> [3] {
        sum(x, axis = last)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
