//! Networks for digits: one, two and three dense layers, and convolutions with more and more dropout.

use netform::data::mnist::Mnist;
use netform::device::Device;
use netform::network::NetworkOf;
use netform::prelude::*;

use crate::Options;
use crate::shared::Training;
use crate::shared::comparison::Comparison;

network! {
    /// One dense layer.
    pub One: [1, 28, 28] -> [10] { Flatten, fc: Linear(10) }

    /// Two dense layers.
    pub Two: [1, 28, 28] -> [10] { Flatten, fc1: Linear(128), Relu, fc2: Linear(10) }

    /// Three dense layers.
    pub Three: [1, 28, 28] -> [10] {
        Flatten,
        fc1: Linear(256), Relu,
        fc2: Linear(128), Relu,
        fc3: Linear(10),
    }

    /// Two convolutions and a dense layer, with dropout before it.
    pub Convolutions(rate: f32): [1, 28, 28] -> [10] {
        conv1: Conv2d(32, kernel = 3), Relu, MaxPool2d(2),
        conv2: Conv2d(64, kernel = 3), Relu, MaxPool2d(2),
        Flatten, Dropout(rate),
        fc: Linear(10),
    }
}

/// Trains each on the same digits, to the last epoch.
pub fn compare<Dev: Device<f32>>(
    options: &Options,
    device: Dev,
    train: &Mnist,
    validation: &Mnist,
) -> netform::Result<()> {
    let seed = Seed(options.training.seed);
    let data = [train, validation];
    let mut all = Comparison::into_folder(&options.out)?;
    add(&mut all, options, "one layer", One::<f32, _>::on(device.clone(), seed)?, data)?;
    add(&mut all, options, "two layers", Two::<f32, _>::on(device.clone(), seed)?, data)?;
    add(&mut all, options, "three layers", Three::<f32, _>::on(device.clone(), seed)?, data)?;
    for rate in [0.0, 0.2, 0.5, 0.8] {
        let net = Convolutions::<f32, _>::on(device.clone(), seed, rate)?;
        add(&mut all, options, &format!("convolutions, d = {rate}"), net, data)?;
    }
    all.conclude()
}

/// A network that is trained beside others; whatever is between input and output.
fn add<N>(
    all: &mut Comparison,
    options: &Options,
    name: &str,
    mut net: N,
    [train, validation]: [&Mnist; 2],
) -> netform::Result<()>
where
    N: NetworkOf<(D<1>, D<28>, D<28>), (D<10>,)>,
{
    let Training { epochs, batch, .. } = options.training;
    let history = Trainer::new(CrossEntropy, Adam::new(options.rate.rate))
        .epochs(epochs.get())
        .batch(batch.get())
        .validate(validation)
        .callback(Progress::bar())
        .fit(&mut net, train)?;
    all.add(name, &net, history)
}
