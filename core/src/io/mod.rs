//! Files of weights and of arrays, and writing that leaves either the old file or the new one.

pub mod atomic;
pub(crate) mod header;
pub mod npy;
mod npy_header;
#[cfg(feature = "npz")]
pub mod npz;
pub mod safetensors;

pub use self::atomic::write_atomically;
