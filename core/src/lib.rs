//! What the code that `network!` prints is made of: tensors with shapes as types, devices with few
//! kernels, networks, losses, optimisers, data and training.
//!
//! Users depend on the package `netform`, which re-exports this one.

extern crate self as netform;

pub mod cpu;
pub mod device;
pub mod dim;
pub mod element;
pub mod error;
pub mod random;
pub mod shape;
pub mod tensor;
