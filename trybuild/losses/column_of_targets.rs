//! A network yields one number in a vector, and its targets are numbers.
//! Fix: Targets of shape `(D<1>,)`, or `-> []` with an index: `fc(x)[0]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Line: [3] -> [1] {
        fc: Linear(1),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Line::new(Seed(1));
    let train = InMemory::<(D<3>,), (), f32, f32>::new(vec![0.0; 3], vec![1.0])?;
    Trainer::new(Mse, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
