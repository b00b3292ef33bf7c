use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [32, 784]) -> [32, 10] {
        let w = Param([10, 784]);
        x @ w
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
