//! A tensor of 5 is given where twice 3 is declared.
//! Fix: A tensor of 6.

use netform::prelude::*;

network! {
    pub Down<D>: [2 * D] -> [D] { fc: Linear(D) }
}

fn main() {
    let net = Down::<D<3>>::new(Seed(1));
    let x = Tensor::<(Batch, D<5>)>::from_vec(vec![0.0; 10]).unwrap();
    let _ = net.forward(&x);
}
