//! A Vulkan device with its queue, its allocators and what has been compiled and recorded for it.

mod choose;
mod clock;
mod instance;
mod loss;
mod submit;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netform_core::error::{Error, Result};
use vulkano::command_buffer::allocator::{
    StandardCommandBufferAllocator, StandardCommandBufferAllocatorCreateInfo,
};
use vulkano::descriptor_set::allocator::StandardDescriptorSetAllocator;
use vulkano::device::{
    Device, DeviceCreateInfo, DeviceExtensions, DeviceFeatures, Queue, QueueCreateInfo,
};
use vulkano::instance::debug::DebugUtilsMessenger;
use vulkano::memory::allocator::StandardMemoryAllocator;
use vulkano::sync::fence::Fence;

use clock::Clock;
use loss::Loss;

use crate::gather::Gather;
use crate::memory::{Staging, Storage, Upload};
use crate::record::Recordings;
use crate::shader::{Cache, Pipelines, Windows};
use crate::tape::Tape;

pub use choose::{DeviceInfo, DeviceKind, devices};
pub(crate) use submit::barrier;

/// A Vulkan device. Copies share it.
///
/// ```no_run
/// use netform_gpu::Vulkan;
///
/// let vulkan = Vulkan::new()?;
/// println!("{}", vulkan.info());
/// # Ok::<(), netform_core::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Vulkan {
    pub(crate) context: Arc<Context>,
}

/// How a device is used.
struct Way {
    /// Whether the processor may read and write its memory as its own.
    maps: bool,
    /// Whether threads may exchange numbers without shared memory.
    subgroups: bool,
    /// Whether passes are posted again without their calls.
    repeats: bool,
    /// Lower limits than its own: the bytes that a kernel sees at once, and those of an allocation.
    limits: Option<[u64; 2]>,
}

impl Default for Way {
    fn default() -> Self {
        Way { maps: true, subgroups: true, repeats: true, limits: None }
    }
}

/// What the copies of a [`Vulkan`] share.
pub(crate) struct Context {
    pub info: DeviceInfo,
    pub device: Arc<Device>,
    pub queue: Arc<Queue>,
    pub memory: Arc<StandardMemoryAllocator>,
    pub commands: Arc<StandardCommandBufferAllocator>,
    pub sets: Arc<StandardDescriptorSetAllocator>,
    pub pipelines: Mutex<Pipelines>,
    pub cache: Cache,
    pub recordings: Mutex<Recordings>,
    /// Memory of tapes of runs that are over.
    pub tapes: Mutex<Vec<Tape>>,
    /// What is to be gathered before the passes that use it.
    pub gathers: Mutex<Vec<Gather>>,
    pub staging: Mutex<Option<Staging>>,
    /// Memory of kernels within a pass. Passes share it: each begins with a barrier.
    pub scratch: Mutex<Option<Storage>>,
    /// How many threads exchange numbers without shared memory.
    pub subgroup: Option<u32>,
    /// What kernels see of buffers.
    pub windows: Windows,
    /// Copies that are made again and again, the last one used at the end.
    pub uploads: Mutex<Vec<Upload>>,
    /// Whether the processor reads and writes the device's memory as its own.
    pub maps: bool,
    /// Whether passes are posted again without their calls.
    pub repeats: bool,
    /// Fences that nothing waits for.
    fences: Mutex<Vec<Fence>>,
    /// The context's own number: those of its plans and buffers count from 1.
    pub number: u64,
    ids: AtomicU64,
    submissions: AtomicU64,
    noted: AtomicU64,
    pub clock: Clock,
    pub loss: Loss,
    _messenger: Option<DebugUtilsMessenger>,
}

/// How many contexts there have been.
static CONTEXTS: AtomicU64 = AtomicU64::new(0);

/// An error of the device `device`.
pub(crate) fn error(device: &str, problem: impl std::fmt::Display) -> Error {
    Error::Device { device: device.to_owned(), problem: problem.to_string() }
}

/// An error with what caused it: what Vulkan itself says is behind vulkano's own words.
pub(crate) fn why(e: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(e.source(), |e| e.source());
    causes.fold(e.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A lock, also after a thread that held it has panicked: what it guards is always whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vulkan {
    /// The best device: a discrete GPU before an integrated one, before a virtual one, before the processor.
    /// The environment variable `NETFORM_DEVICE` names another, as in [`Vulkan::named`].
    ///
    /// # Errors
    /// If there is no Vulkan library, no device, or none that `NETFORM_DEVICE` names; the message says what to install
    /// or try.
    pub fn new() -> Result<Self> {
        Self::of(None, Way::default())
    }

    /// The device of a name, of a part of it, or of a number in [`devices`].
    ///
    /// # Errors
    /// If there is no Vulkan library or no device of that name; the message lists the names there are.
    pub fn named(name: &str) -> Result<Self> {
        Self::of(Some(name), Way::default())
    }

    /// As [`Vulkan::new`], but data go through memory of their own as if the processor did not see the device's: a test
    /// of that way on a device that does not need it.
    ///
    /// # Errors
    /// As [`Vulkan::new`].
    #[doc(hidden)]
    pub fn with_staging() -> Result<Self> {
        Self::of(None, Way { maps: false, ..Way::default() })
    }

    /// As [`Vulkan::new`], but threads exchange numbers through shared memory only: a test of that way on a device that
    /// does not need it.
    ///
    /// # Errors
    /// As [`Vulkan::new`].
    #[doc(hidden)]
    pub fn without_subgroups() -> Result<Self> {
        Self::of(None, Way { subgroups: false, ..Way::default() })
    }

    /// As [`Vulkan::new`], but all calls of all passes are noted: what steps that are repeated are compared with.
    ///
    /// # Errors
    /// As [`Vulkan::new`].
    #[doc(hidden)]
    pub fn without_repeats() -> Result<Self> {
        Self::of(None, Way { repeats: false, ..Way::default() })
    }

    /// As [`Vulkan::new`], but kernels see no more bytes at once, and no allocation of a buffer has more: a test of large
    /// tensors and buffers without their size. Without `maps` as [`Vulkan::with_staging`].
    ///
    /// # Errors
    /// As [`Vulkan::new`].
    #[doc(hidden)]
    pub fn with_limits(buffer_bytes: u64, allocation_bytes: u64, maps: bool) -> Result<Self> {
        let limits = Some([buffer_bytes, allocation_bytes]);
        Self::of(None, Way { limits, maps, ..Way::default() })
    }

    /// How many threads exchange numbers without shared memory, where they do.
    #[doc(hidden)]
    pub fn subgroup(&self) -> Option<u32> {
        self.context.subgroup
    }

    fn of(name: Option<&str>, way: Way) -> Result<Self> {
        let (instance, messenger) = instance::instance()?;
        let physical = choose::choose(&instance, name)?;
        choose::check_limits(&physical)?;
        let info = choose::info(&physical);
        let [range, allocation] = way.limits.unwrap_or([u64::MAX; 2]);
        let fail = |e: &dyn std::fmt::Display| {
            error(&info.name, format!("the device cannot be opened: {e}"))
        };
        let family = choose::queue_family(&physical).ok_or_else(|| fail(&"it does not compute"))?;
        let subgroup = choose::subgroup(&physical).filter(|_| way.subgroups);
        let (subgroup, features, extensions) = match subgroup {
            Some((size, features, extensions)) => (Some(size), features, extensions),
            None => (None, DeviceFeatures::empty(), DeviceExtensions::empty()),
        };
        let create = DeviceCreateInfo {
            enabled_features: features,
            enabled_extensions: extensions,
            queue_create_infos: vec![QueueCreateInfo {
                queue_family_index: family,
                ..QueueCreateInfo::default()
            }],
            ..DeviceCreateInfo::default()
        };
        let opened = Device::new(physical.clone(), create);
        let (device, mut queues) = opened.map_err(|e| fail(&why(&e)))?;
        let queue = queues.next().ok_or_else(|| fail(&"it has no queue"))?;
        let context = Context {
            memory: Arc::new(StandardMemoryAllocator::new_default(device.clone())),
            commands: Arc::new(StandardCommandBufferAllocator::new(
                device.clone(),
                StandardCommandBufferAllocatorCreateInfo::default(),
            )),
            sets: Arc::new(StandardDescriptorSetAllocator::new(device.clone(), Default::default())),
            pipelines: Mutex::default(),
            cache: Cache::open(&device)?,
            recordings: Mutex::default(),
            tapes: Mutex::default(),
            gathers: Mutex::default(),
            staging: Mutex::default(),
            scratch: Mutex::default(),
            subgroup,
            windows: Windows::new(
                info.buffer_bytes.min(range),
                info.allocation_bytes.min(allocation),
            ),
            uploads: Mutex::default(),
            maps: way.maps && matches!(info.kind, DeviceKind::Cpu | DeviceKind::Integrated),
            repeats: way.repeats,
            fences: Mutex::default(),
            number: CONTEXTS.fetch_add(1, Ordering::Relaxed),
            ids: AtomicU64::new(1),
            submissions: AtomicU64::new(0),
            noted: AtomicU64::new(0),
            clock: Clock::default(),
            loss: Loss::default(),
            info,
            device,
            queue,
            _messenger: messenger,
        };
        Ok(Vulkan { context: Arc::new(context) })
    }

    /// How many kernels have been compiled and how many passes recorded: a test sees that nothing is done twice.
    #[doc(hidden)]
    pub fn counts(&self) -> [usize; 2] {
        [self.context.compiled(), lock(&self.context.recordings).recorded()]
    }

    /// How many times commands have been submitted.
    #[doc(hidden)]
    pub fn submissions(&self) -> u64 {
        self.context.submissions.load(Ordering::Relaxed)
    }

    /// How many calls of kernels have been noted, to be recorded or compared with what is: none where a pass is repeated.
    #[doc(hidden)]
    pub fn noted(&self) -> u64 {
        self.context.noted.load(Ordering::Relaxed)
    }

    /// The time in the driver so far, submitting and waiting for passes, by a clock that the first call gives: all is
    /// measured from that call on.
    #[doc(hidden)]
    pub fn time_in_driver(&self, now: fn() -> Duration) -> [Duration; 2] {
        self.context.clock.read(now)
    }

    /// Behaves from now on as a driver does that has lost the device: submissions fail, and waits for what is under way
    /// too where `waits`.
    #[doc(hidden)]
    pub fn lose(&self, waits: bool) {
        self.context.loss.pretend(waits);
    }

    /// The device with its limits.
    pub fn info(&self) -> &DeviceInfo {
        &self.context.info
    }
}

impl Context {
    /// A number that nothing else of this device has or will have.
    pub fn id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    pub fn count_noted(&self, calls: usize) {
        self.noted.fetch_add(calls as u64, Ordering::Relaxed);
    }

    /// An error of this device.
    pub fn error(&self, problem: impl std::fmt::Display) -> Error {
        error(&self.info.name, problem)
    }
}

impl std::fmt::Debug for Vulkan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vulkan({})", self.context.info.name)
    }
}
