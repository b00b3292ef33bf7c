use netform::prelude::*;

network! {
    pub fn halves<N>(x: [2 * N]) -> [] {
        sum(x[0..N] * x[N..2 * N])
    }
}

fn main() {
    println!("{}", halves(&tensor!([1.0, 2.0, 3.0, 4.0])));
}
