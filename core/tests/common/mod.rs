//! What tests of files and data share: folders, errors, and files that are damaged at random.

// Not every test uses all of it.
#![allow(dead_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use netform::error::Result;

/// A folder of one test, removed at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("netform-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Checks that the outcome is an error that says all of `parts`.
#[track_caller]
pub fn says<T>(outcome: Result<T>, parts: &[&str]) {
    let message = outcome.err().expect("an error").to_string();
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// A generator of numbers for tests (splitmix64), the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    /// `bytes` with a few bytes changed, doubled, inserted or cut off.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        const TELLING: &[u8] = b"\x00\xff\x7f\x80,\"\n\r0-[]{}\x1f\x8b";
        let mut bytes = bytes.to_vec();
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len() + 1);
            let byte = TELLING[self.below(TELLING.len())];
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                3 if at < bytes.len() => drop(bytes.remove(at)),
                4 if at < bytes.len() => {
                    let end = (at + 1 + self.below(8)).min(bytes.len());
                    bytes.extend_from_within(at..end);
                }
                _ if at < bytes.len() => bytes[at] = byte,
                _ => bytes.push(byte),
            }
        }
        bytes
    }
}

thread_local! {
    /// The bytes that this thread has allocated and not freed, and the most there have been.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, counting.
struct Counting;

impl Counting {
    fn add(size: isize) {
        // A thread that ends may have no counter any more.
        let live = LIVE.try_with(|live| live.replace(live.get() + size) + size).unwrap_or_default();
        let _ = MOST.try_with(|most| most.set(most.get().max(live)));
    }
}

// SAFETY: every call goes to `System` unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::add(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        Counting::add(-(layout.size() as isize));
        // SAFETY: the caller's promise; `ptr` came from `System`.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Counting::add(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Counting::add(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise; `ptr` came from `System`.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What every reader may allocate, whatever the file: buffers and tables of decompression.
const BUFFERS: usize = 1 << 20;
/// How many times longer the content of a file can be than the file: deflate's limit, the largest of all formats.
const EXPANSION: usize = 1032;

/// The result of `f` and the most bytes that it had allocated at one time.
pub fn memory<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    MOST.set(before);
    let result = f();
    (result, (MOST.get() - before).max(0) as usize)
}

/// Reads many damaged forms of `good`; the reader may refuse them, with a message, or not. It must not panic, nor
/// allocate more than the file can hold.
pub fn survives<T>(good: &[u8], tries: usize, mut read: impl FnMut(&[u8]) -> Result<T>) {
    assert!(read(good).is_ok(), "the undamaged file");
    let mut numbers = Numbers(2024);
    let mut refused = 0;
    for _ in 0..tries {
        let bytes = numbers.mutate(good);
        let (outcome, most) = memory(|| read(&bytes));
        assert!(most <= BUFFERS + EXPANSION * bytes.len(), "{most} bytes for {bytes:?}");
        if let Err(error) = outcome {
            assert!(!error.to_string().is_empty());
            refused += 1;
        }
    }
    assert!(refused > tries / 4, "only {refused} of {tries} were refused: were they damaged?");
}

#[test]
fn memory_is_counted() {
    let (_, most) = memory(|| (vec![0u8; 1000], vec![0u8; 2000]).0.len());
    assert!((3000..4000).contains(&most), "{most}");
}
