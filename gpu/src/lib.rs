//! Vulkan as a device for netform: the same networks on a GPU, through vulkano.
//!
//! The way of a pass: the code that `network!` prints calls kernels; a [`VulkanRun`] notes the calls on a tape;
//! at the end the tape is looked up among the recorded command buffers of the device. What is new is turned into WGSL
//! (`kernels`), compiled (`shader`) and recorded (`record`); then the commands are submitted. Nobody waits for a training
//! step: its loss is read when later ones have begun.
//!
//! Users depend on the package `netform` with its feature `vulkan`, which re-exports this one as `netform::gpu`.

mod bound;
mod context;
mod device;
mod kernels;
mod memory;
mod record;
mod run;
mod shader;
mod tape;

pub use context::{DeviceInfo, DeviceKind, Vulkan, devices};
pub use memory::VulkanBuffer;
pub use record::VulkanTicket;
pub use run::VulkanRun;
