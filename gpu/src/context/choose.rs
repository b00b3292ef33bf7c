//! Which devices there are, and which one is taken.

use std::sync::Arc;

use netform_core::error::Result;
use vulkano::Version;
use vulkano::device::physical::{PhysicalDevice, PhysicalDeviceType, SubgroupFeatures};
use vulkano::device::{DeviceExtensions, DeviceFeatures, QueueFlags};
use vulkano::instance::Instance;
use vulkano::memory::MemoryHeapFlags;
use vulkano::shader::ShaderStages;

use super::instance::{INSTALL, instance};
use super::{error, why};
use crate::kernels::{SHARED_BYTES, THREADS};

/// The environment variable that overrides the choice of [`Vulkan::new`](super::Vulkan::new).
const VARIABLE: &str = "NETFORM_DEVICE";

/// What kind of device it is, the best one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DeviceKind {
    /// A card with memory of its own.
    Discrete,
    /// A GPU that shares the processor's memory.
    Integrated,
    /// A GPU that is handed to a virtual machine.
    Virtual,
    /// The processor, by a driver such as Mesa's lavapipe.
    Cpu,
    /// Anything else.
    Other,
}

/// A device with its limits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The name that the driver gives it.
    pub name: String,
    /// What kind it is.
    pub kind: DeviceKind,
    /// The version of Vulkan: major, minor, patch.
    pub version: [u32; 3],
    /// The bytes of its own memory.
    pub memory_bytes: u64,
    /// The most bytes of one allocation.
    pub allocation_bytes: u64,
    /// The most bytes that one binding of a kernel spans; of a larger buffer or tensor it takes several.
    pub buffer_bytes: u64,
    /// The bytes of memory that a group of threads shares.
    pub shared_bytes: u32,
    /// How many threads run in step, where the driver says it.
    pub subgroup_size: Option<u32>,
}

impl std::fmt::Display for DeviceInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, patch] = self.version;
        let mib = |bytes: u64| bytes >> 20;
        write!(
            f,
            "{} ({:?}, Vulkan {major}.{minor}.{patch}, {} MiB, {} MiB at once)",
            self.name,
            self.kind,
            mib(self.memory_bytes),
            mib(self.buffer_bytes)
        )
    }
}

/// The Vulkan devices of this machine that can compute, in the order of the driver. The environment variable
/// `NETFORM_DEVICE` takes a name, a part of one, or a number in this list.
///
/// ```no_run
/// for device in netform_gpu::devices()? {
///     println!("{device}");
/// }
/// # Ok::<(), netform_core::error::Error>(())
/// ```
///
/// # Errors
/// If there is no Vulkan library, or it does not start.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    let (instance, _messenger) = instance()?;
    Ok(found(&instance)?.iter().map(|device| info(device)).collect())
}

/// The number of the family of queues that compute.
pub(super) fn queue_family(device: &PhysicalDevice) -> Option<u32> {
    let families = device.queue_family_properties();
    let computes = |only: bool| {
        families.iter().position(|family| {
            family.queue_flags.contains(QueueFlags::COMPUTE)
                && !(only && family.queue_flags.contains(QueueFlags::GRAPHICS))
        })
    };
    // A family without graphics runs beside the screen's.
    computes(true).or_else(|| computes(false)).and_then(|i| u32::try_from(i).ok())
}

fn found(instance: &Arc<Instance>) -> Result<Vec<Arc<PhysicalDevice>>> {
    let all = instance.enumerate_physical_devices().map_err(|e| {
        error("vulkan", format!("devices cannot be listed: {}; {INSTALL}", why(&e)))
    })?;
    Ok(all.filter(|device| queue_family(device).is_some()).collect())
}

fn kind(device: &PhysicalDevice) -> DeviceKind {
    match device.properties().device_type {
        PhysicalDeviceType::DiscreteGpu => DeviceKind::Discrete,
        PhysicalDeviceType::IntegratedGpu => DeviceKind::Integrated,
        PhysicalDeviceType::VirtualGpu => DeviceKind::Virtual,
        PhysicalDeviceType::Cpu => DeviceKind::Cpu,
        _ => DeviceKind::Other,
    }
}

pub(super) fn info(device: &PhysicalDevice) -> DeviceInfo {
    let properties = device.properties();
    let heaps = &device.memory_properties().memory_heaps;
    let own = heaps.iter().filter(|heap| heap.flags.intersects(MemoryHeapFlags::DEVICE_LOCAL));
    let version = properties.api_version;
    DeviceInfo {
        name: properties.device_name.clone(),
        kind: kind(device),
        version: [version.major, version.minor, version.patch],
        memory_bytes: own.map(|heap| heap.size).sum(),
        allocation_bytes: (properties.max_memory_allocation_size.unwrap_or(1 << 30))
            .min(properties.max_buffer_size.unwrap_or(u64::MAX)),
        buffer_bytes: u64::from(properties.max_storage_buffer_range),
        shared_bytes: properties.max_compute_shared_memory_size,
        subgroup_size: properties.subgroup_size,
    }
}

/// The device that is wanted: by name or number, else what the environment variable says, else the best one.
pub(super) fn choose(instance: &Arc<Instance>, name: Option<&str>) -> Result<Arc<PhysicalDevice>> {
    let all = found(instance)?;
    if all.is_empty() {
        return Err(error("vulkan", format!("there is no device that computes; {INSTALL}")));
    }
    // What is no text is no name of a device, and is reported as one.
    let variable = std::env::var_os(VARIABLE).map(|value| value.to_string_lossy().into_owned());
    let variable = variable.filter(|value| !value.trim().is_empty());
    let names: Vec<String> =
        all.iter().map(|device| device.properties().device_name.clone()).collect();
    let place = match (name, &variable) {
        (Some(name), _) => position(&names, name, "")?,
        (None, Some(name)) => position(&names, name, &format!("{VARIABLE}: "))?,
        (None, None) => {
            let best = (0..all.len()).min_by_key(|&i| (kind(&all[i]), i));
            best.unwrap_or_default()
        }
    };
    Ok(all[place].clone())
}

/// The device of a name, of a part of it (in any case), or of a number.
fn position(names: &[String], wanted: &str, by: &str) -> Result<usize> {
    let wanted = wanted.trim();
    if let Some(i) = wanted.parse().ok().filter(|i: &usize| *i < names.len()) {
        return Ok(i);
    }
    let lower = wanted.to_lowercase();
    let equal = names.iter().position(|name| name.to_lowercase() == lower);
    let part = || names.iter().position(|name| name.to_lowercase().contains(&lower));
    equal.or_else(|| part().filter(|_| !lower.is_empty())).ok_or_else(|| {
        let list = names.iter().enumerate().map(|(i, name)| format!("{i}: `{name}`"));
        let list = list.collect::<Vec<_>>().join(", ");
        error("vulkan", format!("{by}no device is called `{wanted}`; there is {list}"))
    })
}

/// How many threads exchange numbers without shared memory, where a kernel can rely on that number; and what must be turned
/// on for it.
pub(super) fn subgroup(device: &PhysicalDevice) -> Option<(u32, DeviceFeatures, DeviceExtensions)> {
    let properties = device.properties();
    let operations = properties.subgroup_supported_operations.or(properties.supported_operations)?;
    let stages = properties.subgroup_supported_stages.or(properties.supported_stages)?;
    let needed = SubgroupFeatures::BASIC | SubgroupFeatures::ARITHMETIC | SubgroupFeatures::SHUFFLE;
    let fixed = properties.required_subgroup_size_stages?;
    let size = properties.subgroup_size?;
    let possible = device.supported_features().subgroup_size_control
        && operations.contains(needed)
        && (stages & fixed).contains(ShaderStages::COMPUTE)
        && size.is_power_of_two()
        && (properties.min_subgroup_size?..=properties.max_subgroup_size?).contains(&size)
        && (2..=THREADS).contains(&size)
        && THREADS / size <= properties.max_compute_workgroup_subgroups?;
    let features = DeviceFeatures { subgroup_size_control: true, ..DeviceFeatures::empty() };
    let extensions = DeviceExtensions {
        ext_subgroup_size_control: device.api_version() < Version::V1_3,
        ..DeviceExtensions::empty()
    };
    possible.then_some((size, features, extensions))
}

/// That a device has what kernels need: more than Vulkan asks of every one.
pub(super) fn check_limits(device: &PhysicalDevice) -> Result<()> {
    let properties = device.properties();
    let (version, least) = (properties.api_version, Version::V1_1);
    let mut missing = vec![];
    if version < least {
        missing.push(format!("Vulkan {version} (needed: {least}; a newer driver may have it)"));
    }
    for (what, found, needed) in [
        ("threads of a group", properties.max_compute_work_group_invocations, THREADS),
        (
            "threads of a group along its first axis",
            properties.max_compute_work_group_size[0],
            THREADS,
        ),
        ("bytes of shared memory", properties.max_compute_shared_memory_size, SHARED_BYTES),
    ] {
        if found < needed {
            missing.push(format!("{found} {what} (needed: {needed})"));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "the device is too small: {}; `Vulkan::named` or {VARIABLE} take another, and Mesa's lavapipe is large enough",
        missing.join(", ")
    );
    Err(error(&properties.device_name, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_found_by_name_part_or_number() {
        let names = ["NVIDIA H100".to_owned(), "llvmpipe (LLVM 15)".to_owned()];
        let at = |wanted: &str| position(&names, wanted, "");
        assert_eq!(at("NVIDIA H100").unwrap(), 0);
        assert_eq!(at(" LLVMpipe ").unwrap(), 1);
        assert_eq!(at("1").unwrap(), 1);
        for unknown in ["2", "", "radeon"] {
            let message = at(unknown).unwrap_err().to_string();
            assert!(message.contains("`llvmpipe (LLVM 15)`"), "{message}");
            assert!(message.contains(&format!("`{unknown}`")), "{message}");
        }
    }
}
