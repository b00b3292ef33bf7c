//! One element of each row, by index: the logit of the right class.

use crate::cpu::run::{CpuRun, disjoint, sized};
use crate::device::Span;
use crate::element::Float;
use crate::error::Error;

pub(super) fn gather<E: Float>(
    run: &mut CpuRun<'_, E>,
    out: Span,
    x: Span,
    index: Span,
    rows: usize,
    cols: usize,
) {
    if rows == 0 {
        return;
    }
    sized(out, rows);
    sized(x, rows * cols);
    sized(index, rows);
    disjoint(out, x);
    let (target, x, indices) = (run.write(out), run.read(x), run.integers(index));
    for row in 0..rows {
        // SAFETY: the spans hold a row, an index and a result for every row.
        let index = unsafe { *indices.get().add(row) } as usize;
        let value = if index < cols {
            // SAFETY: as above, and the index lies in the row.
            unsafe { *x.get().add(row * cols + index) }
        } else {
            let what = format!("row {row}");
            run.fault.get_or_insert(Error::IndexOutOfRange {
                what,
                index,
                size: cols,
            });
            E::ZERO
        };
        // SAFETY: as above.
        unsafe { target.get().add(row).write(value) };
    }
}
