//! A tensor on the CPU is given to a network on another device.
//! Fix: A tensor on the network's device: `Tensor::from_slice_on(device, ..)`.
//! In full in docs/errors.md.

use netform::cpu::Cpu;
use netform::device::Device;
use netform::prelude::*;

network! {
    /// A network.
    pub Mlp: [784] -> [10] {
        fc1: Linear(10),
    }
}

fn answers<Dev: Device<f32>>(net: &Mlp<f32, Dev>, x: &Tensor<(Batch, D<784>), f32, Cpu>) -> netform::Result<()> {
    net.forward(x)?;
    Ok(())
}

fn main() {}
