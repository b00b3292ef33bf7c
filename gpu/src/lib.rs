//! Vulkan as a device for netform: the same networks on a GPU, through vulkano.
//!
//! The way of a pass: the code that `network!` prints calls kernels; a [`VulkanRun`] notes the calls on a tape;
//! at the end the tape is looked up among the recorded command buffers of the device. What is new is turned into WGSL
//! (`kernels`), compiled (`shader`) and recorded (`record`); then the commands are submitted. A training step that is like
//! an earlier one is submitted without its calls (`repeat`), and nobody waits for it: its loss is read when later ones have
//! begun.
//!
//! Users depend on the package `netform` with its feature `vulkan`, which re-exports this one as `netform::gpu`.

mod bound;
mod context;
mod device;
mod gather;
mod kernels;
mod memory;
mod record;
mod repeat;
mod run;
mod shader;
mod tape;

pub use context::{DeviceInfo, DeviceKind, Vulkan, devices};
pub use memory::VulkanBuffer;
pub use record::VulkanTicket;
pub use repeat::VulkanMemo;
pub use run::VulkanRun;
