use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 32]) -> [5, 8] {
        let rnn = Lstm(8);
        rnn(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
