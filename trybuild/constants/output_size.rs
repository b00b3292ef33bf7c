//! The const item of the last layer is not the declared output.
//! Fix: Declare the output by the same const item: `[CLASSES]`.

use netform::prelude::*;

const CLASSES: usize = 12;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(CLASSES),
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
