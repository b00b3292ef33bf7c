//! What a kernel sees of a large buffer. A device says how many bytes one binding spans at most, and how many one
//! allocation has; a buffer may have more of both, and so may a tensor.
//!
//! What lies within the reach of one binding is bound from a place before it on. What does not is bound in several
//! windows side by side, between which the kernel chooses at each access.

use netform_core::device::Span;

/// Bindings begin at multiples of so many elements: 256 bytes, the most that a device may ask for.
const GRAIN: usize = 64;

/// The most elements of a window, where there are several: 1 GiB.
const MOST: usize = 1 << 28;

/// The bytes of an element.
const BYTES: u64 = 4;

/// The limits of a device, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    /// What one binding spans at most.
    pub range: usize,
    /// What a window has where there are several: a power of two.
    pub window: usize,
    /// What one allocation of a buffer has: a multiple of [`Windows::window`].
    pub chunk: usize,
}

impl Default for Windows {
    /// The least that Vulkan asks of a device.
    fn default() -> Self {
        Windows::new(1 << 27, 1 << 30)
    }
}

/// How elements are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// By one binding, from this element on.
    One(usize),
    /// By so many windows side by side, from this element on.
    Many { first: usize, count: usize },
}

impl Windows {
    /// The least bytes of a binding and of an allocation that make sense.
    pub const LEAST_BYTES: u64 = 4 * GRAIN as u64 * BYTES;

    /// For so many bytes of a binding and of an allocation.
    pub fn new(range_bytes: u64, allocation_bytes: u64) -> Self {
        let elements = |bytes: u64| usize::try_from(bytes / BYTES).unwrap_or(usize::MAX);
        let [range, most] = [range_bytes, allocation_bytes]
            .map(|bytes| elements(bytes.max(Self::LEAST_BYTES)) / GRAIN * GRAIN);
        let window = 1 << range.min(most).min(MOST).ilog2();
        Windows { range, window, chunk: most / window * window }
    }

    /// The most elements of a tensor: of so many in windows the kernels can count.
    pub fn most(&self) -> usize {
        (1 << 32) - self.window
    }

    /// How elements are bound.
    pub fn of(&self, offset: usize, len: usize) -> Window {
        let last = (offset + len).saturating_sub(1).max(offset);
        let half = self.window / 2;
        // As few places as possible: what begins at the same one shares a binding.
        let starts = [0, offset / half * half, offset / GRAIN * GRAIN];
        let sees =
            |start: usize| last - start < self.range && start / self.chunk == last / self.chunk;
        if let Some(&start) = starts.iter().find(|start| sees(**start)) {
            return Window::One(start);
        }
        let first = offset / self.window;
        Window::Many { first: first * self.window, count: last / self.window - first + 1 }
    }

    /// Whether a span is bound in several windows.
    pub fn divide(&self, span: &Span) -> bool {
        matches!(self.of(span.offset, span.len), Window::Many { .. })
    }

    /// The most elements that are never more than two windows, and one within an allocation.
    pub fn part(&self) -> usize {
        self.window / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_reach_has_one_binding() {
        let windows = Windows::new(4 << 10, 16 << 10);
        assert_eq!(windows, Windows { range: 1024, window: 1024, chunk: 4096 });
        for (offset, len, expected) in [
            (0, 1024, Window::One(0)),
            (1000, 24, Window::One(0)),
            (1000, 25, Window::One(512)),
            (1024, 0, Window::One(1024)),
            (600, 1000, Window::One(576)),
            (600, 1001, Window::Many { first: 0, count: 2 }),
            (0, 1025, Window::Many { first: 0, count: 2 }),
            // From one allocation to the next.
            (4095, 2, Window::Many { first: 3072, count: 2 }),
            (4096, 1024, Window::One(4096)),
            (5000, 5000, Window::Many { first: 4096, count: 6 }),
        ] {
            assert_eq!(windows.of(offset, len), expected, "{len} from {offset} on");
        }
    }

    #[test]
    fn limits_are_those_of_real_devices() {
        let lavapipe = Windows::new(1 << 27, 1 << 31);
        assert_eq!(lavapipe, Windows { range: 1 << 25, window: 1 << 25, chunk: 1 << 29 });
        let nvidia = Windows::new(u64::from(u32::MAX), 0xffe0_0000);
        assert_eq!(nvidia.window, MOST);
        assert_eq!(nvidia.chunk, 3 * MOST);
        assert!(nvidia.range.is_multiple_of(GRAIN) && nvidia.range > nvidia.chunk);
        let small = Windows::new(0, 0);
        assert!(small.window >= 2 * GRAIN && small.chunk >= small.window);
    }
}
