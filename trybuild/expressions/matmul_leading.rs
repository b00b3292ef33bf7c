use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [2, 3, 4], b: [5, 4, 3]) -> [2, 3, 3] {
        a @ b
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
