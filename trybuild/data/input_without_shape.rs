//! The shape of a tensor that is one of several inputs is left to inference.
//! Fix: `Tensor::<(Batch, D<2>)>::from_vec(..)`.

use netform::prelude::*;

network! {
    pub Net: (x: [3], y: [2]) -> [2] {
        let fc = Linear(2);
        fc(x) + y
    }
}

fn main() -> netform::Result<()> {
    let net = Net::new(Seed(1));
    let x = Tensor::<(Batch, D<3>)>::from_vec(vec![0.0; 3])?;
    let y = net.forward(&x, &Tensor::from_vec(vec![0.0; 2])?)?;
    println!("{y}");
    Ok(())
}
