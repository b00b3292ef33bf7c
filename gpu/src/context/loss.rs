//! A device that is lost: what it held is gone, and every call from then on says so.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use netform_core::error::{Error, Result};
use vulkano::VulkanError;
use vulkano::sync::fence::Fence;

use super::{Context, why};

/// What a device was lost to, if it was.
#[derive(Default)]
pub(crate) struct Loss {
    cause: OnceLock<String>,
    /// Whether the driver's answers are those of a lost device, to submissions and to waits: no driver loses a device
    /// at a test's wish.
    submissions: AtomicBool,
    waits: AtomicBool,
}

impl Loss {
    /// From now on submissions fail, and waits too where `waits`.
    pub fn pretend(&self, waits: bool) {
        self.submissions.store(true, Ordering::Relaxed);
        self.waits.store(waits, Ordering::Relaxed);
    }

    /// Whether a submission is answered without the driver.
    pub fn refuses(&self) -> bool {
        self.submissions.load(Ordering::Relaxed)
    }
}

impl Context {
    /// Waits for commands that have been submitted.
    pub fn wait(&self, fence: &Fence) -> Result<()> {
        let waited = self.clock.waiting(|| fence.wait(None));
        let lost = self.loss.waits.load(Ordering::Relaxed).then_some(VulkanError::DeviceLost);
        lost.map_or(waited, Err).map_err(|e| self.failed(&e))
    }

    /// The error of commands that did not run. Where the device is lost, it stays so.
    pub fn failed(&self, e: &(dyn std::error::Error + 'static)) -> Error {
        let is_loss = |e: &(dyn std::error::Error + 'static)| {
            matches!(e.downcast_ref(), Some(VulkanError::DeviceLost))
                || matches!(e.downcast_ref(), Some(&ash::vk::Result::ERROR_DEVICE_LOST))
        };
        if std::iter::successors(Some(e), |e| e.source()).any(is_loss) {
            return self.loss_error(self.loss.cause.get_or_init(|| why(e)));
        }
        self.error(format!("commands cannot be run: {}", why(e)))
    }

    fn loss_error(&self, cause: &str) -> Error {
        self.error(format!("the device is lost: {cause}; a new `Vulkan` may find it again"))
    }

    /// The error of a device that has been lost: what its memory holds is nothing any more.
    pub fn check_lost(&self) -> Result<()> {
        self.loss.cause.get().map_or(Ok(()), |cause| Err(self.loss_error(cause)))
    }
}
