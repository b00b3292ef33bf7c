//! Fused expressions over a grid, fills, and copies into strided places: a thread for each element.

use netform_core::device::{Arg, GRID_RANK, Grid, Span};

use super::parts::parts;
use super::{
    Limits, Program, THREADS, arguments, begin_units, constants, end_units, epilogue, product,
    quads, values,
};
use crate::shader::{Dispatch, Part, index};
use crate::tape::{Expression, Piece, Tape};

/// All axes of a grid, by the position in it.
pub(super) const ALL: [usize; GRID_RANK] = [0, 1, 2, 3];

pub(super) fn map(program: &mut Program, tape: &Tape, outs: &[Span], grid: Grid, f: &Expression) {
    if product(&grid) == 0 {
        return;
    }
    let limits = program.limits;
    for part in parts(limits.windows, outs, grid, tape.args(f.ins)) {
        let kernel = quads::map(limits, &part.outs, part.grid, &part.args, f);
        let kernel = kernel.unwrap_or_else(|| single(limits, &part.outs, part.grid, &part.args, f));
        program.dispatches.push(kernel);
    }
}

/// A thread has an element at a time.
fn single(limits: Limits, outs: &[Span], grid: Grid, args: &[Arg], f: &Expression) -> Dispatch {
    let total = product(&grid);
    let mut shader = limits.shader(THREADS);
    constants(&mut shader, f.consts);
    let args = arguments(&mut shader, args);
    let targets: Vec<_> = outs.iter().map(|out| shader.write(*out)).collect();
    begin_units(&mut shader, "position", total);
    let parts = [Part { variable: "position", axes: &ALL, grid: &grid }];
    epilogue(&mut shader, f, &args, &parts, &targets, "position");
    let groups = end_units(&mut shader, total);
    shader.finish(groups)
}

/// Sets every element to a number of the pass, or to 0.
pub(super) fn fill(program: &mut Program, out: Span, value: Option<Piece>) {
    if out.len == 0 {
        return;
    }
    let limits = program.limits;
    let all = parts(limits.windows, &[out], [1, 1, 1, out.len], &[]).into_iter();
    program.dispatches.extend(all.flat_map(|part| part.outs).map(|out| filled(limits, out, value)));
}

fn filled(limits: Limits, out: Span, value: Option<Piece>) -> Dispatch {
    let mut shader = limits.shader(THREADS);
    let text = match value {
        Some(value) => {
            constants(&mut shader, value);
            "c0"
        }
        None => "0.0",
    };
    if quads::serve(limits, &out, out.len) {
        return quads::fill(shader, out, text);
    }
    let target = shader.write(out);
    begin_units(&mut shader, "position", out.len);
    shader.push_line(&target.set("position", text));
    let groups = end_units(&mut shader, out.len);
    shader.finish(groups)
}

pub(super) fn copy(
    limits: Limits,
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
    let mut shader = limits.shader(THREADS);
    let args = arguments(&mut shader, std::slice::from_ref(input));
    let target = shader.write(out);
    let offset = shader.word(offset);
    begin_units(&mut shader, "position", total);
    let parts = [Part { variable: "position", axes: &ALL, grid: &grid }];
    values(&mut shader, &args, &parts);
    let place = format!("{offset} + {}", index(&parts, &strides));
    shader.push_line(&target.set(&place, "a0"));
    let groups = end_units(&mut shader, total);
    Some(shader.finish(groups))
}
