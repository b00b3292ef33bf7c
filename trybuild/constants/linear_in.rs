//! A const item states other inputs than the layer before yields.
//! Fix: Use the same const item for both.

use netform::prelude::*;

const HIDDEN: usize = 128;
const WIDTH: usize = 100;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(HIDDEN), Relu,
        fc2: Linear(WIDTH -> 10),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Mlp::new(Seed(1));
    let train = InMemory::<(D<784>,)>::new(vec![], vec![])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).fit(&mut net, &train)?;
    let x = Tensor::<(Batch, D<784>)>::from_vec(vec![0.0; 784])?;
    let y: Tensor<(Batch, D<10>)> = net.forward(&x)?;
    println!("{y:?} {} {:?}", net.summary(), net.fc1().weight());
    Ok(())
}
