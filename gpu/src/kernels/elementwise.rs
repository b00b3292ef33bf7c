//! Fused expressions over a grid, fills, and copies into strided places: a thread for each element.

use netform_core::device::{Arg, GRID_RANK, Grid, Span};

use super::{
    THREADS, arguments, begin_units, constants, end_units, epilogue, product, quads, values,
};
use crate::shader::{Dispatch, Part, Shader, index, line};
use crate::tape::{Expression, Piece, Tape};

/// All axes of a grid, by the position in it.
pub(super) const ALL: [usize; GRID_RANK] = [0, 1, 2, 3];

pub(super) fn map(tape: &Tape, outs: &[Span], grid: Grid, f: &Expression) -> Option<Dispatch> {
    let total = product(&grid);
    if total == 0 {
        return None;
    }
    if let Some(dispatch) = quads::map(tape, outs, grid, f) {
        return Some(dispatch);
    }
    let mut shader = Shader::new(THREADS);
    constants(&mut shader, f.consts);
    let args = arguments(&mut shader, tape.args(f.ins));
    let targets: Vec<_> = outs.iter().map(|out| shader.write(*out)).collect();
    begin_units(&mut shader, "position", total);
    let parts = [Part { variable: "position", axes: &ALL, grid: &grid }];
    epilogue(&mut shader, f, &args, &parts, &targets, "position");
    let groups = end_units(&mut shader, total);
    Some(shader.finish(groups))
}

pub(super) fn fill(out: Span, value: Piece) -> Option<Dispatch> {
    filled(out, Some(value))
}

pub(super) fn zeros(out: Span) -> Option<Dispatch> {
    filled(out, None)
}

fn filled(out: Span, value: Option<Piece>) -> Option<Dispatch> {
    if out.len == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    let text = match value {
        Some(value) => {
            constants(&mut shader, value);
            "c0"
        }
        None => "0.0",
    };
    if quads::serve(out.len) && out.offset.is_multiple_of(4) {
        return Some(quads::fill(shader, out, text));
    }
    let target = shader.write(out);
    begin_units(&mut shader, "position", out.len);
    line!(shader, "{} = {text};", target.at("position"));
    let groups = end_units(&mut shader, out.len);
    Some(shader.finish(groups))
}

pub(super) fn copy(
    out: Span,
    offset: usize,
    strides: [isize; GRID_RANK],
    grid: Grid,
    input: &Arg,
) -> Option<Dispatch> {
    let total = product(&grid);
    if total == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    let args = arguments(&mut shader, std::slice::from_ref(input));
    let target = shader.write(out);
    let offset = shader.word(offset);
    begin_units(&mut shader, "position", total);
    let parts = [Part { variable: "position", axes: &ALL, grid: &grid }];
    values(&mut shader, &args, &parts);
    let place = format!("{offset} + {}", index(&parts, &strides));
    line!(shader, "{} = a0;", target.at(&place));
    let groups = end_units(&mut shader, total);
    Some(shader.finish(groups))
}
