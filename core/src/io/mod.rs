//! Files of weights, and writing that leaves either the old file or the new one.

pub mod atomic;
pub mod safetensors;

pub use self::atomic::write_atomically;
