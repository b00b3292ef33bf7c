use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let total = x;
        totel = total + x;
        total
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
