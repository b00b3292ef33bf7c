//! Fused expressions over a grid, fills, copies into strided places, and running sums: a thread for each element or
//! line.

use netform_core::device::{Arg, GRID_RANK, Grid, Span};

use super::{THREADS, arguments, begin_units, constants, end_units, epilogue, product, values};
use crate::shader::{Dispatch, Part, Shader, index, line};
use crate::tape::{Expression, Piece, Tape};

/// All axes of a grid, by the position in it.
pub(super) const ALL: [usize; GRID_RANK] = [0, 1, 2, 3];

pub(super) fn map(tape: &Tape, outs: &[Span], grid: Grid, f: &Expression) -> Option<Dispatch> {
    let total = product(&grid);
    if total == 0 {
        return None;
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
    if out.len == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    constants(&mut shader, value);
    let target = shader.write(out);
    begin_units(&mut shader, "position", out.len);
    line!(shader, "{} = c0;", target.at("position"));
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

pub(super) fn cumsum(
    out: Span,
    x: Span,
    [outer, len, inner]: [usize; 3],
    reverse: bool,
) -> Option<Dispatch> {
    let lines = outer * inner;
    if lines * len == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    let (target, source) = (shader.write(out), shader.read(x));
    let (len_word, inner_word) = (shader.word(len), shader.word(inner));
    begin_units(&mut shader, "unit", lines);
    line!(
        shader,
        "let first = unit / {inner_word} * {len_word} * {inner_word} + unit % {inner_word};"
    );
    line!(shader, "var sum = 0.0;");
    line!(shader, "for (var i = 0u; i < {len_word}; i++) {{");
    let i = if reverse { format!("({len_word} - 1u - i)") } else { "i".to_owned() };
    line!(shader, "let place = first + {i} * {inner_word};");
    line!(shader, "sum += {};", source.at("place"));
    line!(shader, "{} = sum;", target.at("place"));
    shader.push_line("}");
    let groups = end_units(&mut shader, lines);
    Some(shader.finish(groups))
}
