//! A dense layer declares 100 features and gets 128.
//! Fix: `Linear(128 -> 10)`, or `Linear(10)`, which infers its input.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(100 -> 10),
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
