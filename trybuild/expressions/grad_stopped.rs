use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        grad(sum(stop_gradient(x)), x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
