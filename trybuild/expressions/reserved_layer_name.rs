use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let forward = Linear(4);
        forward(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
