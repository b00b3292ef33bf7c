//! Scratch memory for kernels: each thread has some, which grows on first use and is then used again.

use std::cell::Cell;
use std::marker::PhantomData;

use super::fence;

/// The alignment of scratch memory and buffers: a cache line, and the widest vector.
pub(crate) const ALIGN: usize = 64;

/// A cache line, the unit of aligned memory.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line([u8; ALIGN]);

impl Line {
    /// All bits zero.
    pub const ZERO: Self = Line([0; ALIGN]);
}

/// How deep uses nest without losing memory: a kernel around its tasks, twice, and a task.
const DEPTH: usize = 3;

thread_local! {
    static LINES: [Cell<Vec<Line>>; DEPTH] = const { [const { Cell::new(Vec::new()) }; DEPTH] };
    static DEEP: Cell<usize> = const { Cell::new(0) };
}

/// A number, of which any bits are a value.
pub(crate) trait Number: Copy + 'static {}
impl<E: crate::element::Float> Number for E {}

/// The cache lines that `len` numbers need.
pub(crate) const fn lines<T>(len: usize) -> usize {
    let lines = (len * size_of::<T>()).div_ceil(ALIGN);
    if lines == 0 { 0 } else { lines + fence::LINES }
}

/// A piece of this thread's scratch memory, to be divided.
pub(crate) struct Scratch<'a> {
    first: *mut Line,
    left: usize,
    borrow: PhantomData<&'a mut Line>,
}

impl<'a> Scratch<'a> {
    /// The next `len` numbers, aligned to a cache line. What they hold is left over from earlier uses.
    ///
    /// # Panics
    /// If fewer lines are left than [`lines`] says for `len`.
    pub fn take<T: Number>(&mut self, len: usize) -> &'a mut [T] {
        let (first, count) = self.advance::<T>(len);
        // SAFETY: `advance` gives each piece once; the lines are initialised, and any bits are a value of
        // the float types that implement `Float`.
        unsafe { std::slice::from_raw_parts_mut(first, count) }
    }

    /// As [`Scratch::take`], for offsets.
    pub fn take_offsets(&mut self, len: usize) -> &'a mut [usize] {
        let (first, count) = self.advance::<usize>(len);
        // SAFETY: as above, for integers.
        unsafe { std::slice::from_raw_parts_mut(first, count) }
    }

    fn advance<T>(&mut self, len: usize) -> (*mut T, usize) {
        const { assert!(align_of::<T>() <= ALIGN) };
        let used = lines::<T>(len);
        assert!(used <= self.left, "a kernel asked for too little scratch memory");
        let first = self.first.cast();
        // SAFETY: `used` lines are left.
        self.first = unsafe { self.first.add(used) };
        self.left -= used;
        fence::hand_out(first, len);
        (first, len)
    }
}

/// Calls `f` with `count` cache lines of this thread's scratch memory. A call inside `f` gets other memory.
pub(crate) fn with<R>(count: usize, f: impl FnOnce(Scratch<'_>) -> R) -> R {
    /// Comes back up also when `f` panics.
    struct Level(usize);
    impl Drop for Level {
        fn drop(&mut self) {
            DEEP.set(self.0);
        }
    }
    let level = Level(DEEP.get());
    DEEP.set(level.0 + 1);
    let take = |cells: &[Cell<Vec<Line>>; DEPTH]| cells.get(level.0).map(Cell::take);
    let mut lines = LINES.with(take).unwrap_or_default();
    if lines.len() < count {
        lines = vec![Line::ZERO; count];
    }
    fence::close(lines.as_mut_ptr(), lines.len());
    let scratch = Scratch { first: lines.as_mut_ptr(), left: count, borrow: PhantomData };
    let result = f(scratch);
    fence::open(lines.as_mut_ptr(), lines.len());
    LINES.with(|cells| {
        if let Some(cell) = cells.get(level.0) {
            cell.set(lines);
        }
    });
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_aligned_kept_and_not_shared_with_a_nested_use() {
        let place = |count| with(count, |mut s| s.take::<f32>(3).as_ptr() as usize);
        with(20, |mut scratch| {
            let a = scratch.take::<f32>(17);
            let b = scratch.take::<f64>(5);
            a.fill(1.0);
            b.fill(2.0);
            with(lines::<f64>(800), |mut inner| inner.take::<f64>(800).fill(3.0));
            assert_eq!(a.as_ptr() as usize % ALIGN, 0);
            assert_eq!(b.as_ptr() as usize - a.as_ptr() as usize, lines::<f32>(17) * ALIGN);
            assert!(a.iter().all(|&x| x == 1.0));
        });
        assert_eq!(place(100), place(100));
        assert_eq!(place(10), place(100));
    }
}
