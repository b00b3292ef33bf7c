//! Four networks for irises, from one that is too plain to one that is too rich.

use netform::device::Device;
use netform::network::NetworkOf;
use netform::prelude::*;

use crate::shared::Training;
use crate::shared::comparison::Comparison;
use crate::{Flowers, Options};

network! {
    /// One layer of three neurons.
    pub One: [4] -> [3] { fc: Linear(3) }

    /// Two layers.
    pub Two: [4] -> [3] { fc1: Linear(8), Relu, fc2: Linear(3) }

    /// Two layers, the first of which is wide.
    pub Wide: [4] -> [3] { fc1: Linear(256), Relu, fc2: Linear(3) }

    /// Four layers.
    pub Deep: [4] -> [3] {
        fc1: Linear(128), Relu,
        fc2: Linear(128), Relu,
        fc3: Linear(128), Relu,
        fc4: Linear(3),
    }
}

/// Trains each on the same flowers, to the last epoch.
pub fn compare<Dev: Device<f32>>(
    options: &Options,
    device: Dev,
    train: &Flowers,
    validation: &Flowers,
) -> netform::Result<()> {
    let seed = Seed(options.training.seed);
    let mut all = Comparison::into_folder(&options.out)?;
    let data = [train, validation];
    add(&mut all, options, "one layer", One::<f32, _>::on(device.clone(), seed)?, data)?;
    add(&mut all, options, "two layers", Two::<f32, _>::on(device.clone(), seed)?, data)?;
    add(&mut all, options, "two layers, wide", Wide::<f32, _>::on(device.clone(), seed)?, data)?;
    add(&mut all, options, "four layers", Deep::<f32, _>::on(device, seed)?, data)?;
    all.conclude()
}

/// A network that is trained beside others; whatever is between input and output.
fn add<N>(
    all: &mut Comparison,
    options: &Options,
    name: &str,
    mut net: N,
    [train, validation]: [&Flowers; 2],
) -> netform::Result<()>
where
    N: NetworkOf<(D<4>,), (D<3>,)>,
{
    let Training { epochs, batch, .. } = options.training;
    let history = Trainer::new(CrossEntropy, Adam::new(options.rate.rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .validate(validation)
        .fit(&mut net, train)?;
    all.add(name, &net, history)
}
