//! Where address sanitizer is told what it cannot know: the ends of the pieces that memory is divided into.
//!
//! It knows allocations. A buffer is one of whole cache lines, and scratch memory is one that kernels divide and
//! that is larger than what most of them ask for, so that a kernel could leave its piece unseen. In a build with
//! `--cfg netform_fences` beside the sanitizer (CONTRIBUTING.md) every piece ends where its elements end, and scratch
//! memory comes as rubbish. In other builds there is nothing here.

use super::scratch::Line;

#[cfg(netform_fences)]
use super::scratch::ALIGN;
#[cfg(netform_fences)]
use std::ffi::c_void;

#[cfg(netform_fences)]
unsafe extern "C" {
    fn __asan_poison_memory_region(first: *const c_void, bytes: usize);
    fn __asan_unpoison_memory_region(first: *const c_void, bytes: usize);
}

/// The cache lines between two pieces of scratch memory.
pub(super) const LINES: usize = if cfg!(netform_fences) { 1 } else { 0 };

/// Forbids the use of some lines, until they are handed out.
#[inline(always)]
pub(super) fn close(_first: *mut Line, _count: usize) {
    // SAFETY: the sanitizer takes notes and touches nothing.
    #[cfg(netform_fences)]
    unsafe {
        __asan_poison_memory_region(_first.cast(), _count * ALIGN)
    };
}

/// Permits the use of some lines again.
#[inline(always)]
pub(super) fn open(_first: *mut Line, _count: usize) {
    // SAFETY: as above.
    #[cfg(netform_fences)]
    unsafe {
        __asan_unpoison_memory_region(_first.cast(), _count * ALIGN)
    };
}

/// Permits the use of elements of closed lines, and fills them with ones: not-a-numbers, or offsets to nowhere.
#[inline(always)]
pub(super) fn hand_out<T>(_first: *mut T, _len: usize) {
    // SAFETY: as above; the elements lie in scratch memory that is handed out to one user, and any bits are a value of
    // what is kept there.
    #[cfg(netform_fences)]
    unsafe {
        __asan_unpoison_memory_region(_first.cast(), _len * size_of::<T>());
        _first.write_bytes(0xff, _len);
    };
}

/// Forbids what is behind `len` elements in the `count` lines that hold them.
#[inline(always)]
pub(super) fn close_tail<T>(_first: *mut T, _len: usize, _count: usize) {
    // SAFETY: as above.
    #[cfg(netform_fences)]
    unsafe {
        let used = _len * size_of::<T>();
        __asan_poison_memory_region(_first.byte_add(used).cast(), _count * ALIGN - used);
    };
}

#[cfg(all(test, netform_fences))]
mod tests {
    use crate::cpu::scratch::{self, lines};
    use crate::cpu::{Cpu, CpuBuffer};
    use crate::device::Memory;

    unsafe extern "C" {
        fn __asan_address_is_poisoned(address: *const std::ffi::c_void) -> i32;
    }

    fn is_closed<T>(first: *const T, i: usize) -> bool {
        // SAFETY: the sanitizer looks at its notes.
        unsafe { __asan_address_is_poisoned(first.wrapping_add(i).cast()) != 0 }
    }

    #[test]
    fn pieces_end_where_their_elements_end() {
        for len in [1, 5, 16, 17] {
            let buffer: CpuBuffer<f32> = Cpu::with_threads(1).zeros(len).unwrap();
            let first = buffer.as_slice().as_ptr();
            assert!(!is_closed(first, len - 1) && is_closed(first, len));
            // The second time in memory that has been larger.
            for more in [1000, 0] {
                scratch::with(lines::<f32>(len) + lines::<f64>(3 + more), |mut scratch| {
                    let a = scratch.take::<f32>(len);
                    let b = scratch.take::<f64>(3 + more);
                    assert!(a.iter().all(|x| x.is_nan()));
                    assert!(!is_closed(a.as_ptr(), len - 1) && is_closed(a.as_ptr(), len));
                    assert!(!is_closed(b.as_ptr(), 2 + more) && is_closed(b.as_ptr(), 3 + more));
                });
            }
        }
    }
}
