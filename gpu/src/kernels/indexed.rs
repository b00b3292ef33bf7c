//! Elements and rows by index, and back. Indices are checked first, by a kernel of their own: where one is wrong, what
//! follows yields zeros and the pass ends in an error.

use netform_core::device::{IndexDims, Slot, Span};

use super::{Check, Program, THREADS, begin_units, end_units};
use crate::shader::{Dispatch, Place, Shader, line};
use crate::tape::Indexing;

/// What is no index is larger than every size: also a float of 2^24 or more, to which another integer may have been
/// rounded.
const OF_FLOAT: &str = "fn index_of(x: f32) -> u32 {
    if (x >= 0.0 && x < 16777216.0 && floor(x) == x) { return u32(x); }
    return 0xffffffffu;
}
";

/// Indices of a buffer of integers or floats.
struct Indices {
    place: Place,
    integers: bool,
}

impl Indices {
    fn new(shader: &mut Shader, index: Span) -> Self {
        let integers = matches!(index.slot, Slot::Index(_));
        if !integers {
            shader.declarations.push_str(OF_FLOAT);
        }
        Indices { place: shader.read(index), integers }
    }

    fn at(&self, i: &str) -> String {
        let element = self.place.at(i);
        if self.integers { element } else { format!("index_of({element})") }
    }
}

pub(super) fn index(
    program: &mut Program,
    kind: Indexing,
    spans: [Span; 3],
    dims: IndexDims,
    what: &'static str,
) {
    let IndexDims { rows, cols, picks } = dims;
    let (count, size) = match kind {
        Indexing::GatherAlong | Indexing::ScatterAlong => (rows * picks, cols),
        Indexing::Embedding | Indexing::EmbeddingAdd => (picks, rows),
    };
    let check = program.check(Check { what, size, says_index: true, integers: vec![] });
    if count > 0 {
        program.dispatches.push(checking(spans[2], count, size, check));
    }
    let kernel = match kind {
        Indexing::GatherAlong => gather_along(spans, dims, check),
        Indexing::ScatterAlong => scatter_along(spans, dims, check),
        Indexing::Embedding => embedding(spans, dims, check),
        Indexing::EmbeddingAdd => embedding_add(spans, dims, check),
    };
    program.dispatches.extend(kernel);
}

/// One group of threads looks for the first index that is wrong, and says where it is and which.
fn checking(index: Span, count: usize, size: usize, check: usize) -> Dispatch {
    let mut shader = Shader::new(THREADS);
    let indices = Indices::new(&mut shader, index);
    let (count, size) = (shader.word(count), shader.word(size));
    let (faults, fault) = (shader.faults(), shader.word(2 * check));
    shader.declarations.push_str("var<workgroup> first_wrong: atomic<u32>;\n");
    line!(shader, "if (thread == 0u) {{ atomicStore(&first_wrong, 0xffffffffu); }}");
    shader.push_line("workgroupBarrier();");
    line!(shader, "for (var i = thread; i < {count}; i += {THREADS}u) {{");
    line!(shader, "if ({} >= {size}) {{ atomicMin(&first_wrong, i); break; }}", indices.at("i"));
    shader.push_line("}\nworkgroupBarrier();\nif (thread == 0u) {");
    line!(shader, "let wrong = atomicLoad(&first_wrong);");
    line!(shader, "if (wrong != 0xffffffffu) {{");
    line!(shader, "atomicStore(&{faults}[{fault}], wrong);");
    line!(shader, "atomicStore(&{faults}[{fault} + 1u], {});", indices.at("wrong"));
    shader.push_line("}\n}");
    shader.finish([1, 1, 1])
}

/// Declares `right`: whether the check has found nothing wrong.
fn declare_right(shader: &mut Shader, check: usize) {
    let (faults, fault) = (shader.faults(), shader.word(2 * check));
    line!(shader, "let right = atomicLoad(&{faults}[{fault}]) == 0xffffffffu;");
}

fn gather_along([out, x, index]: [Span; 3], dims: IndexDims, check: usize) -> Option<Dispatch> {
    let IndexDims { rows, cols, picks } = dims;
    let count = rows * picks;
    if count == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    declare_right(&mut shader, check);
    let (target, x) = (shader.write(out), shader.read(x));
    let indices = Indices::new(&mut shader, index);
    let (cols, picks) = (shader.word(cols), shader.word(picks));
    begin_units(&mut shader, "i", count);
    line!(shader, "var value = 0.0;");
    let element = x.at(&format!("i / {picks} * {cols} + {}", indices.at("i")));
    line!(shader, "if (right) {{ value = {element}; }}");
    line!(shader, "{} = value;", target.at("i"));
    let groups = end_units(&mut shader, count);
    Some(shader.finish(groups))
}

/// A thread has a row.
fn scatter_along([out, dy, index]: [Span; 3], dims: IndexDims, check: usize) -> Option<Dispatch> {
    let IndexDims { rows, cols, picks } = dims;
    if rows * cols == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    declare_right(&mut shader, check);
    let (target, dy) = (shader.write(out), shader.read(dy));
    let indices = Indices::new(&mut shader, index);
    let (cols, picks) = (shader.word(cols), shader.word(picks));
    begin_units(&mut shader, "row", rows);
    line!(shader, "for (var col = 0u; col < {cols}; col++) {{");
    line!(shader, "{} = 0.0;\n}}", target.at(&format!("row * {cols} + col")));
    line!(shader, "for (var j = 0u; right && j < {picks}; j++) {{");
    line!(shader, "let i = row * {picks} + j;");
    line!(shader, "let place = row * {cols} + {};", indices.at("i"));
    line!(shader, "{} += {};\n}}", target.at("place"), dy.at("i"));
    let groups = end_units(&mut shader, rows);
    Some(shader.finish(groups))
}

fn embedding([out, table, index]: [Span; 3], dims: IndexDims, check: usize) -> Option<Dispatch> {
    let IndexDims { cols, picks, .. } = dims;
    let count = picks * cols;
    if count == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    declare_right(&mut shader, check);
    let (target, table) = (shader.write(out), shader.read(table));
    let indices = Indices::new(&mut shader, index);
    let cols = shader.word(cols);
    begin_units(&mut shader, "i", count);
    line!(shader, "var value = 0.0;");
    let row = indices.at(&format!("i / {cols}"));
    let element = table.at(&format!("{row} * {cols} + i % {cols}"));
    line!(shader, "if (right) {{ value = {element}; }}");
    line!(shader, "{} = value;", target.at("i"));
    let groups = end_units(&mut shader, count);
    Some(shader.finish(groups))
}

/// A thread has a column, and takes the indices in their order: sums have one order.
fn embedding_add([out, dy, index]: [Span; 3], dims: IndexDims, check: usize) -> Option<Dispatch> {
    let IndexDims { rows, cols, picks } = dims;
    if rows * cols == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    declare_right(&mut shader, check);
    let (target, dy) = (shader.write(out), shader.read(dy));
    let indices = Indices::new(&mut shader, index);
    let (rows, picks) = (shader.word(rows), shader.word(picks));
    let cols_word = shader.word(cols);
    begin_units(&mut shader, "col", cols);
    line!(shader, "for (var row = 0u; row < {rows}; row++) {{");
    line!(shader, "{} = 0.0;\n}}", target.at(&format!("row * {cols_word} + col")));
    line!(shader, "for (var i = 0u; right && i < {picks}; i++) {{");
    line!(shader, "let place = {} * {cols_word} + col;", indices.at("i"));
    line!(shader, "{} += {};\n}}", target.at("place"), dy.at(&format!("i * {cols_word} + col")));
    let groups = end_units(&mut shader, cols);
    Some(shader.finish(groups))
}
