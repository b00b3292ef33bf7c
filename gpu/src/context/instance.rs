//! The Vulkan library of this machine, and its validation layer where a test wants it.

use std::io::Write;
use std::sync::Arc;

use netform_core::error::Result;
use vulkano::VulkanLibrary;
use vulkano::instance::debug::{
    DebugUtilsMessageSeverity, DebugUtilsMessageType, DebugUtilsMessenger,
    DebugUtilsMessengerCallback, DebugUtilsMessengerCreateInfo,
};
use vulkano::instance::{Instance, InstanceCreateFlags, InstanceCreateInfo};

use super::{error, why};

/// What to install, for a machine without Vulkan or without a device.
pub(super) const INSTALL: &str = "install the driver of the GPU or, to compute on the processor, Mesa's lavapipe \
    (Debian and Ubuntu: `apt-get install libvulkan1 mesa-vulkan-drivers`); `vulkaninfo --summary` shows what there is";

/// The environment variable that turns the validation layer on, for tests of this package.
const VALIDATION: &str = "NETFORM_VALIDATION";

const LAYER: &str = "VK_LAYER_KHRONOS_validation";

/// The instance, and what listens to its validation layer.
pub(super) fn instance() -> Result<(Arc<Instance>, Option<DebugUtilsMessenger>)> {
    let library = VulkanLibrary::new().map_err(|e| {
        error(
            "vulkan",
            format!("no Vulkan library (libvulkan.so.1, vulkan-1.dll): {}; {INSTALL}", why(&e)),
        )
    })?;
    let fail = |e: &dyn std::error::Error| {
        error("vulkan", format!("the Vulkan library does not start: {}; {INSTALL}", why(e)))
    };
    let validates = std::env::var(VALIDATION).is_ok_and(|value| value == "1");
    let mut create = InstanceCreateInfo {
        application_name: Some("netform".to_owned()),
        flags: InstanceCreateFlags::ENUMERATE_PORTABILITY,
        ..InstanceCreateInfo::default()
    };
    if validates {
        create.enabled_layers = vec![LAYER.to_owned()];
        create.enabled_extensions.ext_debug_utils = true;
    }
    let instance = Instance::new(library, create).map_err(|e| fail(&e))?;
    let listener = validates.then(|| DebugUtilsMessenger::new(instance.clone(), messenger()));
    Ok((instance, listener.transpose().map_err(|e| fail(&e))?))
}

/// At a message of the validation layer the process ends, so that no test can miss it.
fn messenger() -> DebugUtilsMessengerCreateInfo {
    // SAFETY: the callback calls nothing of Vulkan.
    let callback = unsafe {
        DebugUtilsMessengerCallback::new(|_, _, data| {
            // Past the capture of a test's output, which would be lost.
            let _ = writeln!(std::io::stderr(), "{LAYER}: {}", data.message);
            std::process::abort();
        })
    };
    DebugUtilsMessengerCreateInfo {
        message_severity: DebugUtilsMessageSeverity::ERROR | DebugUtilsMessageSeverity::WARNING,
        message_type: DebugUtilsMessageType::VALIDATION | DebugUtilsMessageType::PERFORMANCE,
        ..DebugUtilsMessengerCreateInfo::user_callback(callback)
    }
}
