//! Elements in main memory, aligned for the widest vectors.

use std::marker::PhantomData;

use super::fence;
use super::scratch::{ALIGN, Line};
use crate::element::Element;

/// Elements in main memory.
pub struct CpuBuffer<T> {
    lines: Vec<Line>,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Element> CpuBuffer<T> {
    /// `len` zeros; `None` where there is no memory for them.
    pub(super) fn zeros(len: usize) -> Option<Self> {
        const { assert!(align_of::<T>() <= ALIGN && size_of::<T>() <= ALIGN) };
        let count = len.checked_mul(size_of::<T>())?.div_ceil(ALIGN);
        let mut lines = Vec::new();
        lines.try_reserve_exact(count).ok()?;
        lines.resize(count, Line::ZERO);
        let first: *mut T = lines.as_mut_ptr().cast();
        for i in 0..len {
            // SAFETY: the lines have room for `len` elements and are aligned for them.
            unsafe { first.add(i).write(T::default()) };
        }
        fence::close_tail(first, len, count);
        Some(CpuBuffer { lines, len, elements: PhantomData })
    }

    /// The elements.
    #[doc(hidden)]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: the lines hold `len` elements, which `zeros` has written, and are aligned for them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    /// The elements.
    #[doc(hidden)]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
