//! A function multiplies a million points with each other, which memory cannot hold.
//! Fix: Fewer points.

use netform::prelude::*;

network! {
    fn spread<N>(x: [N, 3]) -> [] {
        sum(exp(x @ x.transpose()))
    }
}

fn main() {
    println!("{}", spread(&Tensor::<(dim!(1000000), D<3>)>::ones(Default::default())));
}
