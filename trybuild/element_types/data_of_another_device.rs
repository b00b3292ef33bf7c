//! A step on another device gets a batch on the CPU.
//! Fix: A batch on the network's device.

use netform::cpu::Cpu;
use netform::device::Device;
use netform::prelude::*;

network! {
    /// A network that is its own loss.
    pub Energy: (x: [3]) -> [] { sum(square(x)) }
}

fn step<Dev: Device<f32>>(net: &mut Energy<f32, Dev>, x: &Tensor<(Batch, D<3>), f32, Cpu>) -> netform::Result<()> {
    net.loss_step(Sgd::new(0.1), 1)?.run(x)?;
    Ok(())
}

fn main() {}
