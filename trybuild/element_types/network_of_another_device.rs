//! A network on another device is given where one on the CPU is expected.
//! Fix: The same device in both types.

use netform::device::Device;
use netform::prelude::*;

network! {
    /// A network.
    pub Mlp: [784] -> [10] {
        fc1: Linear(10),
    }
}

fn on_the_cpu(net: &Mlp) -> String {
    format!("{net:?}")
}

fn describe<Dev: Device<f32>>(net: &Mlp<f32, Dev>) -> String {
    on_the_cpu(net)
}

fn main() {}
