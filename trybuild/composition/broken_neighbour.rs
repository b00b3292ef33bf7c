//! A network with a mistake is beside others that use it.
//! Fix: `Linear(1)`.

use netform::prelude::*;

network! {
    pub fn right<N>(x: [N]) -> [2, N] { stack(x, x) }

    pub Energy: [3] -> [] { body: Body, blocks: [Body; 2], Linera(1) }

    pub Body: [3] -> [3] { Residual { inner: Linear(3) }, Linear(3) }
}

fn main() -> netform::Result<()> {
    let jacobian: Tensor<(D<2>, D<3>, D<3>)> = right::jacobian(&tensor!([1.0, 2.0, 3.0]));
    let body = Body::new(Seed(1)).inner().weight()?;
    let energy = Energy::new(Seed(1));
    let (first, second) = (energy.body().inner().weight()?, energy.blocks(1)?.linear1().bias()?);
    println!("{jacobian} {body} {first} {second:?} {:?}", energy.summary());
    Ok(())
}
