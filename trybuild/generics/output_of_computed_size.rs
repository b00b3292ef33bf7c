//! The result is annotated with another size than the sizes give.
//! Fix: What the network yields, `D<12>`.

use netform::prelude::*;

network! {
    pub Flat<H, W>: (x: [H, W]) -> [H * W] { x.reshape([H * W]) }
}

fn main() {
    let net = Flat::<D<3>, D<4>>::new(Seed(1));
    let x = Tensor::<(Batch, D<3>, D<4>)>::from_vec(vec![0.0; 12]).unwrap();
    let _: Tensor<(Batch, D<7>)> = net.forward(&x).unwrap();
}
