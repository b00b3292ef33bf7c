//! A network is used that is like none.
//! Fix: Declare it, or import it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let encoder = Encoder;
        encoder(x)
    }
}

fn main() {
    let net = Net::new(Seed(0));
    println!("{}", net.summary());
}
