//! The second half of a product whose sums are cut: adds the parts, always in the same order.

use super::tile::Sizes;
use super::{Ending, POSITION};
use crate::kernels::{Limits, THREADS, begin_units, end_units};
use crate::shader::{Dispatch, line};
use crate::tape::Piece;

/// Adds `parts` parts of each element and hands the sum to what becomes of it.
pub(super) fn sum(
    limits: Limits,
    sizes: &Sizes,
    parts: usize,
    piece: Piece,
    ending: &Ending<'_>,
) -> Dispatch {
    let total = sizes.results();
    let mut shader = limits.shader(THREADS);
    let place = shader.scratch(piece, false, false);
    let (total_word, parts) = (shader.word(total), shader.word(parts));
    begin_units(&mut shader, "position", total);
    shader.push_line("var x = 0.0;");
    line!(shader, "for (var part = 0u; part < {parts}; part++) {{");
    line!(shader, "x += {};\n}}", place.at(&format!("part * {total_word} + position")));
    ending.end(&mut shader, &POSITION, "position");
    let groups = end_units(&mut shader, total);
    shader.finish(groups)
}
