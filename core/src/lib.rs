//! What the code that `network!` prints is made of: tensors with shapes as types, devices with few
//! kernels, networks, losses, optimisers, data and training.
//!
//! Users depend on the package `netform`, which re-exports this one.

extern crate self as netform;

pub mod cpu;
pub mod data;
pub mod device;
pub mod dim;
pub mod element;
pub mod error;
pub mod feed;
pub mod function;
pub mod functions;
pub mod inference;
pub mod init;
pub mod io;
pub mod layer;
pub mod layers;
pub mod loss;
mod loss_gradient;
pub mod loss_step;
pub mod message;
pub mod metric;
pub mod model;
pub mod module;
pub mod network;
pub mod optim;
mod outputs;
pub mod plot;
pub mod pullback;
pub mod random;
pub mod report;
pub mod schedule;
pub mod shape;
mod size;
pub mod step;
pub mod summary;
pub mod tensor;
#[cfg(test)]
mod testing;
pub mod train;
pub mod update;
pub mod weights;

#[doc(hidden)]
pub use netform_macros::__linked;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
