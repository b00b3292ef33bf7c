//! A block of rows on one thread: what a program does with them.

use std::mem::MaybeUninit;

use super::{BLOCK, Fault, STEP, pitch, report};
use crate::cpu::kernels::fold::{self, LANES};
use crate::cpu::kernels::frame;
use crate::cpu::kernels::inputs::{CHUNK, Chunks};
use crate::cpu::run::Ptr;
use crate::device::{Row, RowTo};
use crate::element::Float;

/// A block of rows, on one thread.
pub(super) struct CpuRows<'t, E, const M: usize, const N: usize> {
    pub chunks: Chunks<'t, E, N>,
    pub outs: [Ptr<E>; M],
    pub wide: &'static [bool],
    pub kept: &'t mut [E],
    /// For each number the one of each row.
    pub numbers: &'t mut [E],
    /// How many numbers there are so far.
    pub known: usize,
    pub len: usize,
    /// How many rows a block has; the last one may have fewer.
    pub block: usize,
    pub first: usize,
    pub count: usize,
    pub fault: &'t Fault,
}

impl<E: Float, const M: usize, const N: usize> CpuRows<'_, E, M, N> {
    /// A pointer to `len` elements of an input or a kept row from `place` on, good for `padded`.
    #[inline(always)]
    fn elements(
        &mut self,
        input: usize,
        row: usize,
        place: usize,
        [len, padded]: [usize; 2],
    ) -> *const E {
        match input.checked_sub(N) {
            None => self.chunks.padded(input, (self.first + row) * self.len + place, len, padded),
            Some(kept) => self.kept_from(kept, row, place, padded).as_ptr(),
        }
    }

    /// The elements of a kept row from `place` on.
    #[inline(always)]
    fn kept_from(&mut self, kept: usize, row: usize, place: usize, padded: usize) -> &mut [E] {
        let first = (kept * self.block + row) * pitch(self.len) + place;
        &mut self.kept[first..first + padded]
    }

    /// The elements of a wide output from `place` on.
    #[inline(always)]
    fn out_from(&self, out: usize, row: usize, place: usize) -> *mut E {
        assert!(self.wide[out], "a program stores a row in the place of a number");
        self.outs[out].get().wrapping_add((self.first + row) * self.len + place)
    }

    /// The numbers of a row.
    #[inline(always)]
    fn numbers_of<const S: usize>(&self, numbers: [usize; S], row: usize) -> [E; S] {
        numbers.map(
            #[inline(always)]
            |number| self.numbers[number * BLOCK + row],
        )
    }

    /// A new number.
    #[inline(always)]
    fn new_number(&mut self) -> usize {
        self.known += 1;
        self.known - 1
    }
}

/// The body for each index below a constant that is mostly small: as straight code where it is, so that what
/// a program says at an index is a constant of that code.
macro_rules! unrolled {
    ($i:ident in $count:ident => $body:expr) => {
        unrolled!(@ $i $count $body; 0 1 2 3 4 5);
        for $i in 6..$count {
            $body;
        }
    };
    (@ $i:ident $count:ident $body:expr; $($index:literal)*) => { $(
        if $index < $count {
            let $i = $index;
            $body;
        }
    )* };
}

/// Memory for a tile.
type Values<E> = [MaybeUninit<E>; CHUNK];

/// Memory for `W` tiles: of its own, so that the compiler knows that results do not change what they are
/// computed from.
#[inline(always)]
fn unknown<E, const W: usize>() -> [Values<E>; W] {
    [const { [const { MaybeUninit::uninit() }; CHUNK] }; W]
}

impl<E: Float, const M: usize, const N: usize> Row<E> for CpuRows<'_, E, M, N> {
    /// Where it lies among the numbers.
    type Number = usize;

    #[inline(always)]
    fn pass<const A: usize, const S: usize, const W: usize>(
        &mut self,
        ins: [usize; A],
        numbers: [usize; S],
        to: [RowTo; W],
        f: impl Fn([E; A], [E; S]) -> [E; W] + Copy,
    ) -> [usize; W] {
        let names = to.map(|to| match to {
            RowTo::Sum | RowTo::Max => self.new_number(),
            RowTo::Out(_) | RowTo::Keep(_) => usize::MAX,
        });
        let mut spread = unknown::<E, S>();
        unrolled!(k in S => self.spread(numbers[k], &mut spread[k]));
        let (mut sums, mut maxima) = ([[0.0; BLOCK]; W], [[E::NEG_INFINITY; BLOCK]; W]);
        let mut place = 0;
        while place < self.len {
            let len = CHUNK.min(self.len - place);
            let pitch = if self.block > 1 { pitch(len) } else { len.next_multiple_of(STEP) };
            let tile = Tile { rows: self.count, place, len, pitch };
            let mut values = unknown::<E, W>();
            self.evaluate(tile, ins, &spread, f, &mut values);
            unrolled!(w in W => {
                // SAFETY: the values of the tile are written.
                let values = unsafe { known(&values[w], tile) };
                match to[w] {
                    RowTo::Keep(kept) => self.keep(tile, kept, values),
                    RowTo::Out(out) => self.store(tile, out, values),
                    RowTo::Sum => add_up(tile, values, &mut sums[w]),
                    RowTo::Max => take_largest(tile, values, &mut maxima[w]),
                }
            });
            place += len;
        }
        unrolled!(w in W => match to[w] {
            RowTo::Sum => self.learn(names[w], sums[w].map(E::from_f64)),
            RowTo::Max => self.learn(names[w], maxima[w]),
            RowTo::Keep(_) | RowTo::Out(_) => {}
        });
        names
    }

    #[inline(always)]
    fn pick<const A: usize, const S: usize>(
        &mut self,
        index: usize,
        ins: [usize; A],
        numbers: [usize; S],
        f: impl Fn([E; A], [E; S]) -> E + Copy,
    ) -> usize {
        let name = self.new_number();
        for row in 0..self.count {
            let [index] = self.numbers_of([index], row);
            let picked = match place_of(index).filter(|place| *place < self.len) {
                // SAFETY: each pointer is good for one element.
                Some(place) => f(
                    std::array::from_fn(|k| unsafe { *self.elements(ins[k], row, place, [1, 1]) }),
                    self.numbers_of(numbers, row),
                ),
                None => {
                    report(self.fault, self.first + row, index.to_f64());
                    E::ZERO
                }
            };
            self.numbers[name * BLOCK + row] = picked;
        }
        name
    }

    #[inline(always)]
    fn number<const S: usize>(
        &mut self,
        numbers: [usize; S],
        f: impl Fn([E; S]) -> E + Copy,
    ) -> usize {
        let name = self.new_number();
        let all: [[E; BLOCK]; S] = numbers.map(|number| {
            let first = number * BLOCK;
            std::array::from_fn(|row| self.numbers[first..first + BLOCK][row])
        });
        // All rows of a block at once, also those that are not there.
        let results: [E; BLOCK] = std::array::from_fn(
            #[inline(always)]
            |row| f(std::array::from_fn(|k| all[k][row])),
        );
        self.learn(name, results);
        name
    }

    #[inline(always)]
    fn put(&mut self, out: usize, number: usize) {
        assert!(!self.wide[out], "a program stores a number in the place of a row");
        let numbers = &self.numbers[number * BLOCK..][..self.count];
        // SAFETY: an output that is not wide has a number for each row, and these belong to this thread.
        unsafe {
            let target = self.outs[out].get().add(self.first);
            target.copy_from_nonoverlapping(numbers.as_ptr(), numbers.len());
        }
    }
}

impl<E: Float, const M: usize, const N: usize> CpuRows<'_, E, M, N> {
    /// Evaluates `f` at every element of a tile, and behind the rows' ends.
    #[inline(always)]
    fn evaluate<const A: usize, const S: usize, const W: usize>(
        &mut self,
        tile: Tile,
        ins: [usize; A],
        numbers: &[Values<E>; S],
        f: impl Fn([E; A], [E; S]) -> [E; W],
        values: &mut [Values<E>; W],
    ) {
        let mut laid_out = unknown::<E, A>();
        let mut from = [std::ptr::null(); A];
        unrolled!(k in A => from[k] = self.laid_out(ins[k], tile, &mut laid_out[k]));
        let steps = tile.steps();
        for i in 0..steps {
            // Without tests of bounds, which would be a second way out of the loop: the compiler would then compute
            // its last step one by one.
            // SAFETY: `steps` is at most the length of the tiles' memory; `from` are good for as many elements,
            // and `numbers` are written for them.
            unsafe {
                let elements = std::array::from_fn(
                    #[inline(always)]
                    |k| *from[k].add(i),
                );
                let numbers = std::array::from_fn(
                    #[inline(always)]
                    |k| numbers[k].get_unchecked(i).assume_init(),
                );
                for (values, result) in values.iter_mut().zip(f(elements, numbers)) {
                    values.get_unchecked_mut(i).write(result);
                }
            }
        }
    }

    /// The number of each row at all elements of the row, as tiles need it.
    #[inline(always)]
    fn spread(&self, number: usize, memory: &mut Values<E>) {
        let pitch = pitch(self.len).clamp(1, CHUNK);
        spread(&self.numbers[number * BLOCK..][..self.count], pitch, memory);
    }

    /// A pointer to the elements of an input or a kept row, the tile's rows at their pitch: where they are, or in
    /// `memory`.
    #[inline(always)]
    fn laid_out(&mut self, input: usize, tile: Tile, memory: &mut Values<E>) -> *const E {
        let Tile { place, len, pitch, .. } = tile;
        if let Some(kept) = input.checked_sub(N) {
            return self.kept_from(kept, 0, place, tile.steps()).as_ptr();
        }
        let first = self.elements(input, 0, place, [len, pitch]);
        if self.block == 1 {
            return first;
        }
        self.several_laid_out(input, tile, first, memory)
    }

    /// The elements of several rows in `memory`; `first` are those of the first row.
    #[inline(never)]
    fn several_laid_out(
        &mut self,
        input: usize,
        tile: Tile,
        first: *const E,
        memory: &mut Values<E>,
    ) -> *const E {
        let Tile { rows, place, len, pitch } = tile;
        let repeats = self.chunks.repeats(input, len);
        for row in 0..rows {
            let from = match repeats || row == 0 {
                true => first,
                false => self.elements(input, row, place, [len, pitch]),
            };
            for group in (0..pitch).step_by(LANES) {
                let to = memory[row * pitch + group..][..LANES].as_mut_ptr().cast::<E>();
                // SAFETY: the elements are good for the pitch, and `memory` is another place.
                unsafe { to.copy_from_nonoverlapping(from.add(group), LANES) };
            }
        }
        memory[rows * pitch..tile.steps()].fill(MaybeUninit::new(E::ZERO));
        memory.as_ptr().cast()
    }

    #[inline(never)]
    fn keep(&mut self, tile: Tile, kept: usize, values: &[E]) {
        for (row, values) in values.chunks_exact(tile.pitch).enumerate() {
            copy(values, self.kept_from(kept, row, tile.place, tile.pitch));
        }
    }

    #[inline(never)]
    fn store(&mut self, tile: Tile, out: usize, values: &[E]) {
        for (row, values) in values.chunks_exact(tile.pitch).enumerate() {
            let target = self.out_from(out, row, tile.place);
            // SAFETY: a wide output has room for all rows, and these belong to this thread.
            let target = unsafe { std::slice::from_raw_parts_mut(target, tile.len) };
            copy(&values[..tile.len], target);
        }
    }

    /// Takes down a number of each row.
    #[inline(always)]
    fn learn(&mut self, number: usize, values: [E; BLOCK]) {
        self.numbers[number * BLOCK..][..BLOCK].copy_from_slice(&values);
    }
}

/// The rows of a block, or a piece of one row: at most [`CHUNK`] elements.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    /// The first element of each row.
    place: usize,
    /// How many there are of each row, and their distance from those of the next.
    len: usize,
    pitch: usize,
}

impl Tile {
    /// How many elements are computed, those behind the ends among them.
    #[inline(always)]
    fn steps(self) -> usize {
        (self.rows * self.pitch).next_multiple_of(STEP).min(CHUNK)
    }
}

// What does not depend on the program is not printed with every program, and pass, and instruction set: calls cost
// little beside a tile.

/// Writes each number `pitch` times, and zeros to the end of the last step.
#[inline(always)]
fn spread<E: Float>(numbers: &[E], pitch: usize, memory: &mut Values<E>) {
    for (row, &number) in memory.chunks_exact_mut(pitch).zip(numbers) {
        row.fill(MaybeUninit::new(number));
    }
    let written = pitch * numbers.len();
    memory[written..written.next_multiple_of(STEP).min(CHUNK)].fill(MaybeUninit::new(E::ZERO));
}

/// Adds the sum of each row.
#[inline(always)]
fn add_up<E: Float>(tile: Tile, values: &[E], sums: &mut [f64; BLOCK]) {
    for (sum, row) in sums.iter_mut().zip(values.chunks_exact(tile.pitch)) {
        *sum += fold::sum(row, tile.len);
    }
}

/// Takes in the maximum of each row.
#[inline(always)]
fn take_largest<E: Float>(tile: Tile, values: &[E], maxima: &mut [E; BLOCK]) {
    for (max, row) in maxima.iter_mut().zip(values.chunks_exact(tile.pitch)) {
        *max = fold::larger(*max, fold::max(row, tile.len));
    }
}

/// What is computed in a tile.
///
/// # Safety
/// It must be written.
#[inline(always)]
unsafe fn known<E>(values: &Values<E>, tile: Tile) -> &[E] {
    let count = (tile.rows * tile.pitch).min(CHUNK);
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), count) }
}

/// Copies without the cost of a call where it is short.
#[inline(always)]
fn copy<E: Float>(from: &[E], to: &mut [E]) {
    const SHORT: usize = 64;
    if from.len() > SHORT {
        to.copy_from_slice(from);
    } else {
        frame::copy(from, to);
    }
}

/// The place that an index says. What was rounded to a float of 2^24 or more in f32 may have been another.
#[inline(always)]
fn place_of<E: Float>(index: E) -> Option<usize> {
    let (x, exact) =
        (index.to_f64(), if E::NAME == "F32" { 16_777_216.0 } else { 4_294_967_296.0 });
    let right = (0.0..exact).contains(&x) && x.fract() == 0.0;
    right.then_some(x as usize)
}
