//! The maximum of windows of two by two, side by side, and its gradient: the usual pooling. Each image is a plane of its own.

use crate::cpu::simd::{Simd, Vectorised};
use crate::element::Float;

/// Planes [height, width] and half as many rows and columns, rounded down.
#[derive(Clone, Copy)]
pub struct Planes {
    pub count: usize,
    pub size: [usize; 2],
}

impl Planes {
    /// Calls `row(places of the two rows of x, place of the row of y)` for every row of windows.
    #[inline(always)]
    fn for_each_row(self, mut row: impl FnMut([usize; 2], usize)) {
        let [height, width] = self.size;
        for plane in 0..self.count {
            for oy in 0..height / 2 {
                let top = (plane * height + 2 * oy) * width;
                row([top, top + width], (plane * (height / 2) + oy) * (width / 2));
            }
        }
    }
}

/// The maxima `y` of planes `x`.
///
/// # Safety
/// Doing it needs pointers that are good for the planes; nobody else may use `y`.
pub struct Halve<E> {
    pub x: *const E,
    pub y: *mut E,
    pub planes: Planes,
}

impl<E: Float> Vectorised<E> for Halve<E> {
    /// # Safety
    /// As for [`Halve`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        let outs = self.planes.size[1] / 2;
        self.planes.for_each_row(
            #[inline(always)]
            |[top, bottom], y| {
                for ox in (0..outs).step_by(S::LANES) {
                    let count = S::LANES.min(outs - ox);
                    // SAFETY: the caller's promise; the row has `outs` windows.
                    unsafe {
                        let window = Window::<S::V>::load::<E, S>(self.x, [top, bottom], ox, count);
                        let (best, _) = window.best::<E, S>();
                        store::<E, S>(self.y.add(y + ox), best, count);
                    }
                }
            },
        );
    }
}

/// The gradient `dx` of the maxima of planes `x`, from that of the maxima.
///
/// # Safety
/// As for [`Halve`], with `dx` for `y`.
pub struct ScatterHalves<E> {
    pub x: *const E,
    pub dy: *const E,
    pub dx: *mut E,
    pub planes: Planes,
}

impl<E: Float> Vectorised<E> for ScatterHalves<E> {
    /// # Safety
    /// As for [`Halve`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        let [height, width] = self.planes.size;
        let outs = width / 2;
        let ScatterHalves { x, dy, dx, planes } = self;
        planes.for_each_row(
            #[inline(always)]
            |[top, bottom], y| {
                for ox in (0..outs).step_by(S::LANES) {
                    let count = S::LANES.min(outs - ox);
                    // SAFETY: the caller's promise; the row has `outs` windows.
                    unsafe {
                        let window = Window::<S::V>::load::<E, S>(x, [top, bottom], ox, count);
                        let (_, wins) = window.best::<E, S>();
                        let left = load::<E, S>(dy.add(y + ox), count);
                        // The gradient goes to the last one that wins.
                        let take = |wins: S::M, left: S::V| {
                            (S::select(wins, left, S::zero()), S::select(wins, S::zero(), left))
                        };
                        let (fourth, left) = take(wins[2], left);
                        let (third, left) = take(wins[1], left);
                        let (second, first) = take(wins[0], left);
                        store_pairs::<E, S>(dx.add(top + 2 * ox), [first, second], count);
                        store_pairs::<E, S>(dx.add(bottom + 2 * ox), [third, fourth], count);
                    }
                }
                if width % 2 == 1 {
                    for row in [top, bottom] {
                        // SAFETY: as above; no window has the last column.
                        unsafe { *dx.add(row + width - 1) = E::ZERO };
                    }
                }
            },
        );
        if height % 2 == 1 {
            for plane in 0..planes.count {
                for i in 0..width {
                    // SAFETY: as above; no window has the last row.
                    unsafe { *dx.add((plane * height + height - 1) * width + i) = E::ZERO };
                }
            }
        }
    }
}

/// The numbers of some windows: each vector has one of each.
struct Window<V> {
    top: [V; 2],
    bottom: [V; 2],
}

impl<V: Copy> Window<V> {
    /// # Safety
    /// `x` must be good for `count` windows from `ox` on, of the rows at these places.
    #[inline(always)]
    unsafe fn load<E: Float, S: Simd<E, V = V>>(
        x: *const E,
        [top, bottom]: [usize; 2],
        ox: usize,
        count: usize,
    ) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Window {
                top: load_pairs::<E, S>(x.add(top + 2 * ox), count),
                bottom: load_pairs::<E, S>(x.add(bottom + 2 * ox), count),
            }
        }
    }

    /// The maxima, and where the second, third and fourth number takes the place of those before it.
    ///
    /// # Safety
    /// The processor must have the instructions of `S`.
    #[inline(always)]
    unsafe fn best<E: Float, S: Simd<E, V = V>>(self) -> (V, [S::M; 3]) {
        // SAFETY: the caller's promise.
        unsafe {
            let second = S::wins(self.top[1], self.top[0]);
            let best = S::select(second, self.top[1], self.top[0]);
            let third = S::wins(self.bottom[0], best);
            let best = S::select(third, self.bottom[0], best);
            let fourth = S::wins(self.bottom[1], best);
            (S::select(fourth, self.bottom[1], best), [second, third, fourth])
        }
    }
}

/// # Safety
/// `p` must be good for `count` elements, at most a vector.
#[inline(always)]
unsafe fn load<E: Float, S: Simd<E>>(p: *const E, count: usize) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { if count == S::LANES { S::load(p) } else { S::load_some(p, count) } }
}

/// # Safety
/// As for [`load`].
#[inline(always)]
unsafe fn store<E: Float, S: Simd<E>>(p: *mut E, v: S::V, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { if count == S::LANES { S::store(p, v) } else { S::store_some(p, v, count) } }
}

/// The first and the second element of `count` pairs.
///
/// # Safety
/// `p` must be good for the pairs, at most as many as a vector has lanes.
#[inline(always)]
unsafe fn load_pairs<E: Float, S: Simd<E>>(p: *const E, count: usize) -> [S::V; 2] {
    let first = S::LANES.min(2 * count);
    // SAFETY: the caller's promise; where there is no second part, nothing of it is read.
    unsafe {
        let low = load::<E, S>(p, first);
        S::split(low, load::<E, S>(p.wrapping_add(first), 2 * count - first))
    }
}

/// Stores what [`load_pairs`] loads.
///
/// # Safety
/// As for [`load_pairs`].
#[inline(always)]
unsafe fn store_pairs<E: Float, S: Simd<E>>(p: *mut E, [even, odd]: [S::V; 2], count: usize) {
    let first = S::LANES.min(2 * count);
    // SAFETY: as above.
    unsafe {
        let [low, high] = S::merge(even, odd);
        store::<E, S>(p, low, first);
        store::<E, S>(p.wrapping_add(first), high, 2 * count - first);
    }
}
