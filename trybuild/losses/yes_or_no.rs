//! Yes and no are classes, and the network has one output for them.
//! Fix: `.ordinal("bought", &["no", "yes"])?.targets(&["bought"])?` for numbers 0 and 1, or two outputs and `CrossEntropy`.

use netform::data::Table;
use netform::prelude::*;

network! {
    pub Buys: [4] -> [1] {
        fc1: Linear(16), Relu,
        fc2: Linear(1),
    }
}

fn main() -> netform::Result<()> {
    let visits: InMemory<(D<4>,)> =
        Table::read("visits.csv")?.classes("bought")?.into_samples()?;
    let mut net = Buys::new(Seed(1));
    Trainer::new(BceWithLogits, Adam::new(1e-2)).fit(&mut net, &visits)?;
    Ok(())
}
