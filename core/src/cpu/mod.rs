//! The CPU as a device: kernels are loops over slices, run at once, on a small pool of threads.

pub mod math;
