//! `Nll` gets probabilities where it takes class labels.
//! Fix: Class labels, or `CrossEntropy`.

use netform::loss::Nll;
use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(10), LogSoftmax,
    }
}

fn main() -> netform::Result<()> {
    let mut net = Mlp::new(Seed(1));
    let train = InMemory::<(D<784>,), (D<10>,), f32, f32>::new(vec![], vec![])?;
    Trainer::new(Nll, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
