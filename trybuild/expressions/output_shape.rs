use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [784]) -> [10] {
        let fc = Linear(100);
        relu(fc(x))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
