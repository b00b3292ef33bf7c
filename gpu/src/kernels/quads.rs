//! Fused expressions over large grids: a thread has four elements side by side, which memory gives and takes at once.
//! Random numbers come four at once too.
//!
//! For small grids the text would be four times as long for nothing: there a launch costs more than memory does.

use netform_core::device::{Arg, GRID_RANK, Grid, Slot, Span};

use super::elementwise::ALL;
use super::{Limits, THREADS, begin_units, constants, end_units, product, statements};
use crate::shader::{Dispatch, Part, Place, Shader, index, line};
use crate::tape::Expression;

/// The fewest elements.
const LARGE: usize = 1 << 16;

const COMPONENTS: [&str; 4] = ["x", "y", "z", "w"];

/// Whether four elements at once are worth it, and can be stored in a span: where windows divide it, only whole fours.
pub(super) fn serve(limits: Limits, out: &Span, total: usize) -> bool {
    let whole = total.is_multiple_of(4) || !limits.windows.divide(out);
    total >= LARGE && out.offset.is_multiple_of(4) && whole
}

/// How four elements of an input are found.
enum Four {
    /// Side by side.
    Vector,
    /// The same one.
    Same,
    /// Each from its coordinates.
    Coordinate,
    Uniform,
}

/// How the elements of an input lie; `None` where four at once are not to be had.
fn four(arg: &Arg, grid: &Grid, total: usize) -> Option<Four> {
    match *arg {
        Arg::Coordinate { .. } => Some(Four::Coordinate),
        Arg::Uniform { per_sample, .. } => {
            per_sample.max(1).is_multiple_of(4).then_some(Four::Uniform)
        }
        Arg::View { span, strides } => {
            let mut axes = (0..GRID_RANK).rev().filter(|&axis| grid[axis] > 1).peekable();
            let stride = axes.peek().map_or(0, |&axis| strides[axis]);
            // Inner axes that continue each other.
            let mut run = 1;
            while let Some(axis) = axes.next_if(|&axis| strides[axis] == stride * run) {
                run *= grid[axis];
            }
            let whole = run == total || run.is_multiple_of(4);
            let aligned = axes.all(|axis| strides[axis].is_multiple_of(4));
            match stride {
                0 if whole && span.offset.is_multiple_of(4) => Some(Four::Same),
                1 if whole && aligned && span.offset.is_multiple_of(4) => Some(Four::Vector),
                _ => None,
            }
        }
    }
}

pub(super) fn map(
    limits: Limits,
    outs: &[Span],
    grid: Grid,
    args: &[Arg],
    f: &Expression,
) -> Option<Dispatch> {
    let total = product(&grid);
    if !outs.iter().all(|out| serve(limits, out, total)) {
        return None;
    }
    let fours: Vec<Four> = args.iter().map(|arg| four(arg, &grid, total)).collect::<Option<_>>()?;
    let mut shader = limits.shader(THREADS);
    shader.quads = true;
    constants(&mut shader, f.consts);
    let places: Vec<Option<Place>> = args
        .iter()
        .map(|arg| match arg {
            Arg::View { span, .. } => Some(shader.read(*span)),
            _ => None,
        })
        .collect();
    let streams: Vec<Option<String>> = args
        .iter()
        .map(|arg| match arg {
            Arg::Uniform { stream, .. } => Some(shader.stream(*stream)),
            _ => None,
        })
        .collect();
    let targets: Vec<Place> = outs.iter().map(|out| shader.write(*out)).collect();
    let total_word = shader.word(total);
    let quads = total.div_ceil(4);
    begin_units(&mut shader, "quad", quads);
    shader.push_line("let position = quad * 4u;");
    for (i, arg) in args.iter().enumerate() {
        if let Some(value) = loaded(arg, &fours[i], &places[i], &streams[i], &grid) {
            line!(shader, "let v{i} = {value};");
        }
    }
    for j in 0..outs.len() {
        line!(shader, "var y{j}: vec4<f32>;");
    }
    let (lines, results) = statements(f.text.0, outs.len());
    for (c, component) in COMPONENTS.iter().enumerate() {
        shader.push_line("{");
        for (i, arg) in args.iter().enumerate() {
            let value = component_of(arg, &fours[i], i, component, c, &grid);
            line!(shader, "let a{i} = {value};");
        }
        lines.iter().for_each(|text| shader.push_line(text));
        for (j, result) in results.iter().enumerate() {
            line!(shader, "y{j}.{component} = {result};");
        }
        shader.push_line("}");
    }
    store(&mut shader, &targets, total, &total_word);
    let groups = end_units(&mut shader, quads);
    Some(shader.finish(groups))
}

/// What is read of an input for four elements at once.
fn loaded(
    arg: &Arg,
    four: &Four,
    place: &Option<Place>,
    stream: &Option<String>,
    grid: &Grid,
) -> Option<String> {
    let parts = [Part { variable: "position", axes: &ALL, grid }];
    match (arg, four) {
        (Arg::View { strides, .. }, Four::Vector | Four::Same) => {
            let element = index(&parts, &strides.map(|stride| stride as isize));
            let place = place.as_ref()?;
            Some(match four {
                Four::Vector if element == "position" => place.at("quad"),
                Four::Vector => place.at(&format!("({element}) / 4u")),
                _ => format!("{}[({element}) % 4u]", place.at(&format!("({element}) / 4u"))),
            })
        }
        (Arg::Uniform { per_sample, .. }, Four::Uniform) => {
            let stream = stream.as_ref()?;
            Some(format!("uniform_numbers(position, {per_sample}u, {stream})"))
        }
        _ => None,
    }
}

/// The value of input `i` at one of the four elements.
fn component_of(
    arg: &Arg,
    four: &Four,
    i: usize,
    component: &str,
    c: usize,
    grid: &Grid,
) -> String {
    let value = match (arg, four) {
        (Arg::Coordinate { strides }, _) => {
            let variable = format!("(position + {c}u)");
            let parts = [Part { variable: &variable, axes: &ALL, grid }];
            return format!("f32({})", index(&parts, &strides.map(|stride| stride as isize)));
        }
        (_, Four::Same) => format!("v{i}"),
        _ => format!("v{i}.{component}"),
    };
    match arg {
        Arg::View { span, .. } if matches!(span.slot, Slot::Index(_)) => format!("f32({value})"),
        _ => value,
    }
}

/// Stores `y0`, `y1`, .. of which the last ones may be beyond the end.
fn store(shader: &mut Shader, targets: &[Place], total: usize, total_word: &str) {
    let whole = total.is_multiple_of(4);
    if !whole {
        line!(shader, "if (position + 4u <= {total_word}) {{");
    }
    for (j, target) in targets.iter().enumerate() {
        shader.push_line(&target.set("quad", &format!("y{j}")));
    }
    if whole {
        return;
    }
    shader.push_line("} else {");
    for (j, target) in targets.iter().enumerate() {
        for (c, component) in COMPONENTS.iter().enumerate().take(3) {
            let place = target.at("quad");
            line!(
                shader,
                "if (position + {c}u < {total_word}) {{ {place}.{component} = y{j}.{component}; }}"
            );
        }
    }
    shader.push_line("}");
}

/// Sets every element to an expression, which is declared.
pub(super) fn fill(mut shader: Shader, out: Span, value: &str) -> Dispatch {
    shader.quads = true;
    let targets = [shader.write(out)];
    let total_word = shader.word(out.len);
    let quads = out.len.div_ceil(4);
    begin_units(&mut shader, "quad", quads);
    line!(shader, "let position = quad * 4u;\nlet y0 = vec4<f32>({value});");
    store(&mut shader, &targets, out.len, &total_word);
    let groups = end_units(&mut shader, quads);
    shader.finish(groups)
}
