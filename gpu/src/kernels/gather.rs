//! Rows by index before a pass's calls: a batch of a data set that the device keeps.

use netform_core::device::{Counted, Misindexed, Span};

use super::{Check, Program, THREADS, begin_units, end_units};
use crate::bound::slots_of_gather;
use crate::shader::{first_of_gather, line};
use crate::tape::{Rows, Tape};

/// Appends the dispatch that copies rows, four words at once where rows have a multiple of that. A thread that finds an
/// index too large says for which row, and copies nothing.
pub(super) fn rows(program: &mut Program, tape: &Tape, i: usize) {
    let Rows { width, size, count, indices } = tape.gathers[i];
    let [from, rows, to] = slots_of_gather(i);
    let integers = vec![(Span::new(rows, 0, count), [0, 0, 0, 1], [1, 1, 1, count])];
    let of = Misindexed::unnamed(Counted::Sample);
    let check = program.check(Check { of, size, says_index: false, integers });
    let fours = width.is_multiple_of(4);
    let units = if fours { width / 4 } else { width };
    let mut shader = program.limits.shader(THREADS);
    let source = shader.words(Span::new(from, 0, size * width), fours, false);
    let target = shader.words(Span::new(to, 0, count * width), fours, true);
    // They may begin anywhere.
    let index = shader.words(Span::new(rows, 0, indices), false, false);
    let first = shader.number(first_of_gather(tape, i));
    let (faults, fault) = (shader.faults(), shader.word(2 * check));
    let (size, width) = (shader.word(size), shader.word(units));
    line!(shader, "let first = {first};");
    begin_units(&mut shader, "i", count * units);
    line!(shader, "let row = i / {width};");
    line!(shader, "let index = {};", index.at("first + row"));
    line!(shader, "if (index < {size}) {{");
    let element = source.at(&format!("index * {width} + i % {width}"));
    shader.push_line(&target.set("i", &element));
    line!(shader, "}} else {{");
    shader.push_line(&target.set("i", if fours { "vec4<u32>()" } else { "u32()" }));
    line!(shader, "atomicMin(&{faults}[{fault}], row);");
    shader.push_line("}");
    let groups = end_units(&mut shader, count * units);
    program.dispatches.push(shader.finish(groups));
}
