//! Elements and rows by index: the logit of the right class, the embedding of a token; and back.

use super::{TASK_ELEMENTS, units_per_task};
use crate::cpu::run::{CpuRun, Ptr, disjoint, sized};
use crate::device::{Counted, IndexDims, Misindexed, Slot, Span};
use crate::element::Float;

/// Indices as they lie in memory.
#[derive(Clone, Copy)]
enum Indices<E> {
    Integers(Ptr<u32>),
    /// What an expression computed, or a copy of a part of an input.
    Floats(Ptr<E>),
}

impl<E: Float> Indices<E> {
    fn new(run: &CpuRun<'_, E>, index: Span, count: usize) -> Self {
        sized(index, count);
        match index.slot {
            Slot::Index(_) => Indices::Integers(run.integers(index)),
            _ => Indices::Floats(run.read(index)),
        }
    }

    /// Index `i`. What is no index is larger than every size: also a float of 2^24 or more in f32, to which
    /// another integer may have been rounded.
    ///
    /// # Safety
    /// `i` must be below the count.
    unsafe fn at(self, i: usize) -> usize {
        match self {
            // SAFETY: the caller's promise.
            Indices::Integers(first) => (unsafe { *first.get().add(i) }) as usize,
            Indices::Floats(first) => {
                // SAFETY: as above.
                let x = unsafe { *first.get().add(i) }.to_f64();
                let exact = if E::NAME == "F32" { 16_777_216.0 } else { 4_294_967_296.0 };
                if (0.0..exact).contains(&x) && x.fract() == 0.0 { x as usize } else { usize::MAX }
            }
        }
    }

    /// Checks `count` indices into `size` places; the first that is wrong is the run's fault.
    fn check(self, run: &mut CpuRun<'_, E>, count: usize, size: usize, of: Misindexed) -> bool {
        // SAFETY: `new` has checked the count.
        let wrong = (0..count).find(|&i| unsafe { self.at(i) } >= size);
        if let Some(i) = wrong {
            // SAFETY: as above.
            let index = unsafe { self.at(i) };
            run.fault.get_or_insert_with(|| of.error(i, index, size));
        }
        wrong.is_none()
    }
}

pub(super) fn gather<E: Float>(
    run: &mut CpuRun<'_, E>,
    out: Span,
    x: Span,
    index: Span,
    rows: usize,
    cols: usize,
) {
    along(run, out, x, index, IndexDims { rows, cols, picks: 1 }, Counted::Row);
}

pub(super) fn gather_along<E: Float>(
    run: &mut CpuRun<'_, E>,
    out: Span,
    x: Span,
    index: Span,
    dims: IndexDims,
) {
    along(run, out, x, index, dims, Counted::Index);
}

fn along<E: Float>(
    run: &mut CpuRun<'_, E>,
    out: Span,
    x: Span,
    index: Span,
    dims: IndexDims,
    counted: Counted,
) {
    let IndexDims { rows, cols, picks } = dims;
    let count = rows * picks;
    if count == 0 {
        return;
    }
    sized(out, count);
    sized(x, rows * cols);
    disjoint(out, x);
    disjoint(out, index);
    let indices = Indices::new(run, index, count);
    let right =
        indices.check(run, count, cols, Misindexed::new(run.name, counted, Some(x), Some(index)));
    let (target, x) = (run.write(out), run.read(x));
    for i in 0..count {
        // SAFETY: the spans hold a row for each pick, an index and a result; a right index lies in the row.
        unsafe {
            let value =
                if right { *x.get().add(i / picks * cols + indices.at(i)) } else { E::ZERO };
            target.get().add(i).write(value);
        }
    }
}

pub(super) fn scatter_along<E: Float>(
    run: &mut CpuRun<'_, E>,
    out: Span,
    dy: Span,
    index: Span,
    dims: IndexDims,
) {
    let IndexDims { rows, cols, picks } = dims;
    let count = rows * picks;
    sized(out, rows * cols);
    sized(dy, count);
    disjoint(out, dy);
    disjoint(out, index);
    let indices = Indices::new(run, index, count);
    let right = indices.check(
        run,
        count,
        cols,
        Misindexed::new(run.name, Counted::Index, Some(out), Some(index)),
    );
    let (target, dy) = (run.write(out), run.read(dy));
    // SAFETY: the span holds the rows, and nothing else refers to them.
    let target = unsafe { std::slice::from_raw_parts_mut(target.get(), rows * cols) };
    target.fill(E::ZERO);
    if right {
        for i in 0..count {
            // SAFETY: the spans hold an index and a gradient for each pick.
            let (place, dy) = unsafe { (i / picks * cols + indices.at(i), *dy.get().add(i)) };
            target[place] = target[place] + dy;
        }
    }
}

pub(super) fn embedding<E: Float>(
    run: &mut CpuRun<'_, E>,
    out: Span,
    table: Span,
    index: Span,
    dims: IndexDims,
) {
    let IndexDims { rows, cols, picks } = dims;
    if picks * cols == 0 {
        return;
    }
    sized(out, picks * cols);
    sized(table, rows * cols);
    disjoint(out, table);
    disjoint(out, index);
    let indices = Indices::new(run, index, picks);
    let right = indices.check(
        run,
        picks,
        rows,
        Misindexed::new(run.name, Counted::LookUp, Some(table), Some(index)),
    );
    let (target, table) = (run.write(out), run.read(table));
    in_tasks(run, picks, picks * cols, |range| {
        for i in range {
            // SAFETY: the spans hold an index and a result for each pick, which belongs to one task; a right
            // index is one of a row.
            unsafe {
                let to = target.get().add(i * cols);
                if right {
                    let from = table.get().add(indices.at(i) * cols);
                    to.copy_from_nonoverlapping(from, cols);
                } else {
                    std::slice::from_raw_parts_mut(to, cols).fill(E::ZERO);
                }
            }
        }
    });
}

/// A task has some of the columns, and takes the indices in their order: sums have one order for any
/// number of threads.
pub(super) fn embedding_add<E: Float>(
    run: &mut CpuRun<'_, E>,
    out: Span,
    dy: Span,
    index: Span,
    dims: IndexDims,
) {
    let IndexDims { rows, cols, picks } = dims;
    sized(out, rows * cols);
    sized(dy, picks * cols);
    disjoint(out, dy);
    disjoint(out, index);
    let indices = Indices::new(run, index, picks);
    let right = indices.check(
        run,
        picks,
        rows,
        Misindexed::new(run.name, Counted::LookUp, Some(out), Some(index)),
    );
    let (target, dy) = (run.write(out), run.read(dy));
    in_tasks(run, cols, (rows + picks) * cols, |range| {
        let (first, len) = (range.start, range.len());
        // SAFETY: the spans hold all rows; a task refers to its own columns only, and to one row at a time.
        let columns = |row: usize| unsafe {
            std::slice::from_raw_parts_mut(target.get().add(row * cols + first), len)
        };
        (0..rows).for_each(|row| columns(row).fill(E::ZERO));
        for i in (0..picks).take_while(|_| right) {
            // SAFETY: the spans hold an index and a row of gradients for each pick.
            let (row, dy) = unsafe {
                let dy = dy.get().add(i * cols + first).cast_const();
                (indices.at(i), std::slice::from_raw_parts(dy, len))
            };
            for (sum, &dy) in columns(row).iter_mut().zip(dy) {
                *sum = *sum + dy;
            }
        }
    });
}

/// Cuts `units`, which are `work` elements altogether.
fn in_tasks<E>(
    run: &CpuRun<'_, E>,
    units: usize,
    work: usize,
    task: impl Fn(std::ops::Range<usize>) + Sync,
) {
    if work < 2 * TASK_ELEMENTS {
        task(0..units);
        return;
    }
    let per_task = units_per_task(units, work, TASK_ELEMENTS);
    run.pool.run(units.div_ceil(per_task), |i| {
        task(i * per_task..((i + 1) * per_task).min(units));
    });
}
