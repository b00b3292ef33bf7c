//! Compiled kernels on disk, so that the next program on the same device does not compile them again.
//!
//! Drivers trust the data of a cache blindly. A file is taken only where it is whole and of the same device and driver:
//! its name says both, and a sum over its bytes follows them. A file that cannot be read or written costs time, and is
//! no error.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use netform_core::error::Result;
use netform_core::io::write_atomically;
use vulkano::device::Device;
use vulkano::device::physical::PhysicalDevice;
use vulkano::pipeline::cache::{PipelineCache, PipelineCacheCreateInfo};

use crate::context::{error, lock, why};

/// The environment variable that names the folder; empty, there is no file.
const VARIABLE: &str = "NETFORM_CACHE";

/// How long new kernels may be without a copy on disk.
const UNSAVED: Duration = Duration::from_secs(10);

/// The kernels that a driver has compiled.
pub(crate) struct Cache {
    pub vulkan: Arc<PipelineCache>,
    file: Option<PathBuf>,
    state: Mutex<State>,
}

struct State {
    /// Kernels that the file does not have.
    unsaved: usize,
    /// When it was written, or read.
    at: Instant,
}

impl Cache {
    pub fn open(device: &Arc<Device>) -> Result<Self> {
        Self::open_in(device, folder().as_deref())
    }

    fn open_in(device: &Arc<Device>, folder: Option<&Path>) -> Result<Self> {
        let physical = device.physical_device();
        let file = folder.map(|folder| folder.join(name(physical)));
        let data = file.as_ref().and_then(|file| fs::read(file).ok()).and_then(unsealed);
        let create = PipelineCacheCreateInfo {
            initial_data: data.unwrap_or_default(),
            ..PipelineCacheCreateInfo::default()
        };
        // SAFETY: the data are whole, and come from such a cache of the same device and driver.
        let vulkan = unsafe { PipelineCache::new(device.clone(), create) };
        let vulkan = vulkan.map_err(|e| error(&physical.properties().device_name, why(&e)))?;
        let state = Mutex::new(State { unsaved: 0, at: Instant::now() });
        Ok(Cache { vulkan, file, state })
    }

    /// Notes that a kernel has been compiled.
    pub fn added(&self) {
        let mut state = lock(&self.state);
        state.unsaved += 1;
        if state.at.elapsed() > UNSAVED {
            self.save(&mut state);
        }
    }

    fn save(&self, state: &mut State) {
        *state = State { unsaved: 0, at: Instant::now() };
        if let (Some(file), Ok(data)) = (&self.file, self.vulkan.get_data()) {
            // Where it fails, the next program compiles again.
            let _ = file.parent().map(fs::create_dir_all);
            let _ = write_atomically(file, &sealed(data));
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        if state.unsaved > 0 {
            self.save(&mut state);
        }
    }
}

/// Where the system keeps what can be made again.
fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return Some(PathBuf::from(folder)).filter(|folder| !folder.as_os_str().is_empty());
    }
    let of = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let base = if cfg!(windows) {
        of("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        of("HOME").map(|home| home.join("Library/Caches"))
    } else {
        of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")))
    };
    base.filter(|base| base.is_absolute()).map(|base| base.join("netform"))
}

/// The name of the file for a device and its driver.
fn name(device: &PhysicalDevice) -> String {
    let properties = device.properties();
    let uuid = properties.pipeline_cache_uuid.map(|byte| format!("{byte:02x}")).concat();
    let [vendor, device, driver] =
        [properties.vendor_id, properties.device_id, properties.driver_version];
    format!("kernels-{vendor:x}-{device:x}-{driver:x}-{uuid}.bin")
}

/// FNV-1a (Fowler, Noll and Vo): finds files that are cut off or damaged, not those that are forged.
fn sum(data: &[u8]) -> [u8; 8] {
    let hash = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.to_le_bytes()
}

fn sealed(mut data: Vec<u8>) -> Vec<u8> {
    let sum = sum(&data);
    data.extend(sum);
    data
}

fn unsealed(mut data: Vec<u8>) -> Option<Vec<u8>> {
    let end = data.len().checked_sub(8)?;
    let found = data.split_off(end);
    (found == sum(&data)).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Vulkan;
    use std::io::Write;

    #[test]
    fn a_damaged_file_is_not_taken() {
        let data = b"kernels".to_vec();
        let file = sealed(data.clone());
        assert_eq!(unsealed(file.clone()), Some(data));
        for i in 0..file.len() {
            let mut damaged = file.clone();
            damaged[i] ^= 1;
            assert_eq!(unsealed(damaged), None);
            assert_eq!(unsealed(file[..i].to_vec()), None);
        }
    }

    #[test]
    fn a_file_is_written_and_read() {
        let vulkan = match Vulkan::new() {
            Ok(vulkan) => vulkan,
            Err(e) if std::env::var("NETFORM_REQUIRE_VULKAN").is_ok_and(|value| value == "1") => {
                panic!("NETFORM_REQUIRE_VULKAN=1, but there is no device: {e}")
            }
            Err(e) => {
                let text = format!("SKIPPED, no Vulkan device: a_file_is_written_and_read: {e}\n");
                let _ = std::io::stderr().write_all(text.as_bytes());
                return;
            }
        };
        let folder = std::env::temp_dir().join(format!("netform-cache-{}", std::process::id()));
        let device = &vulkan.context.device;
        let file = folder.join(name(device.physical_device()));
        // Nothing new, and no file.
        drop(Cache::open_in(device, Some(&folder)).unwrap());
        assert!(!file.exists());
        let cache = Cache::open_in(device, Some(&folder)).unwrap();
        cache.added();
        drop(cache);
        let written = fs::read(&file).unwrap();
        assert!(unsealed(written.clone()).is_some());
        let cache = Cache::open_in(device, Some(&folder)).unwrap();
        assert_eq!(Some(cache.vulkan.get_data().unwrap()), unsealed(written));
        drop(cache);
        // A file that is none, and a folder that cannot be.
        fs::write(&file, b"nonsense that is no cache").unwrap();
        Cache::open_in(device, Some(&folder)).unwrap().added();
        assert!(unsealed(fs::read(&file).unwrap()).is_some());
        Cache::open_in(device, Some(&file.join("folder"))).unwrap().added();
        fs::remove_dir_all(&folder).unwrap();
    }
}
