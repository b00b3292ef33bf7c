use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        if x > 0 { x } else { 0 }
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
