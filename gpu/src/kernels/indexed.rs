//! Elements and rows by index, and back. Indices are checked first, by a kernel of their own: where one is wrong, what
//! follows yields zeros and the pass ends in an error.

use netform_core::device::{IndexDims, Misindexed, Slot, Span};

use super::{Check, Limits, Program, THREADS, begin_units, elementwise, end_units, groups};
use crate::shader::{Dispatch, Place, Shader, line};
use crate::tape::{Indexing, Piece};

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
    of: Misindexed,
) {
    let IndexDims { rows, cols, picks } = dims;
    let (count, size) = match kind {
        Indexing::GatherAlong | Indexing::ScatterAlong => (rows * picks, cols),
        Indexing::Embedding | Indexing::EmbeddingAdd => (picks, rows),
    };
    let check = program.check(Check { of, size, says_index: true, integers: vec![] });
    if count > 0 {
        program.dispatches.push(checking(program.limits, spans[2], count, size, check));
    }
    let limits = program.limits;
    let kernel = match kind {
        Indexing::GatherAlong => gather_along(limits, spans, dims, check),
        Indexing::ScatterAlong => scatter_along(limits, spans, dims, check),
        Indexing::Embedding => embedding(limits, spans, dims, check),
        Indexing::EmbeddingAdd => return embedding_add(program, spans, dims, check),
    };
    program.dispatches.extend(kernel);
}

/// One group of threads looks for the first index that is wrong, and says where it is and which.
fn checking(limits: Limits, index: Span, count: usize, size: usize, check: usize) -> Dispatch {
    let mut shader = limits.shader(THREADS);
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

fn gather_along(
    limits: Limits,
    [out, x, index]: [Span; 3],
    dims: IndexDims,
    check: usize,
) -> Option<Dispatch> {
    let IndexDims { rows, cols, picks } = dims;
    let count = rows * picks;
    if count == 0 {
        return None;
    }
    let mut shader = limits.shader(THREADS);
    declare_right(&mut shader, check);
    let (target, x) = (shader.write(out), shader.read(x));
    let indices = Indices::new(&mut shader, index);
    let (cols, picks) = (format!("{cols}u"), format!("{picks}u"));
    begin_units(&mut shader, "i", count);
    line!(shader, "var value = 0.0;");
    let element = x.at(&format!("i / {picks} * {cols} + {}", indices.at("i")));
    line!(shader, "if (right) {{ value = {element}; }}");
    shader.push_line(&target.set("i", "value"));
    let groups = end_units(&mut shader, count);
    Some(shader.finish(groups))
}

/// Of a row with few indices, or few columns, each element has a thread, which looks at all indices of the row.
const FEW: usize = 16;
const NARROW: usize = 64;

/// Groups of a row that has many indices.
const GROUPS: usize = 16;

fn scatter_along(
    limits: Limits,
    spans: [Span; 3],
    dims: IndexDims,
    check: usize,
) -> Option<Dispatch> {
    match dims {
        IndexDims { rows, cols, .. } if rows * cols == 0 => None,
        IndexDims { picks, cols, .. } if picks <= FEW || cols <= NARROW => {
            Some(scatter_few(limits, spans, dims, check))
        }
        _ => Some(scatter_many(limits, spans, dims, check)),
    }
}

fn scatter_few(
    limits: Limits,
    [out, dy, index]: [Span; 3],
    dims: IndexDims,
    check: usize,
) -> Dispatch {
    let IndexDims { rows, cols, picks } = dims;
    let mut shader = limits.shader(THREADS);
    declare_right(&mut shader, check);
    let (target, dy) = (shader.write(out), shader.read(dy));
    let indices = Indices::new(&mut shader, index);
    let (cols, picks) = (format!("{cols}u"), format!("{picks}u"));
    begin_units(&mut shader, "place", rows * dims.cols);
    line!(shader, "var sum = 0.0;\nlet row = place / {cols};\nlet col = place % {cols};");
    line!(shader, "for (var j = 0u; right && j < {picks}; j++) {{\nlet i = row * {picks} + j;");
    line!(shader, "if ({} == col) {{ sum += {}; }}\n}}", indices.at("i"), dy.at("i"));
    shader.push_line(&target.set("place", "sum"));
    let groups = end_units(&mut shader, rows * dims.cols);
    shader.finish(groups)
}

/// A thread has every column of a row whose remainder is its own, and takes the row's indices in their order: sums have
/// one order. Each thread looks at each index of the row, 256 of them at once from shared memory.
fn scatter_many(
    limits: Limits,
    [out, dy, index]: [Span; 3],
    dims: IndexDims,
    check: usize,
) -> Dispatch {
    let IndexDims { rows, cols, picks } = dims;
    let mut shader = limits.shader(THREADS);
    declare_right(&mut shader, check);
    let (target, dy) = (shader.write(out), shader.read(dy));
    let indices = Indices::new(&mut shader, index);
    let parts = cols.div_ceil(THREADS as usize).min(GROUPS);
    let units = rows * parts;
    let [cols, picks, parts, units_word] =
        [cols, picks, parts, units].map(|size| shader.word(size));
    line!(
        shader,
        "for (var unit = group.x; unit < {units_word}; unit += groups.x) {{
let row = unit / {parts};
let own = unit % {parts} * {THREADS}u + thread;
let all = {parts} * {THREADS}u;
for (var col = own; col < {cols}; col += all) {{ {} }}",
        target.set(&format!("row * {cols} + col"), "0.0")
    );
    let begin = format!("row * {picks}");
    begin_seen(&mut shader, &indices, &picks, &begin, " % all", "own");
    let place = format!("{begin} + start + 4u * j + c");
    let col = format!("row * {cols} + {}", indices.at(&place));
    let add = target.set(&col, &format!("{} + {}", target.at(&col), dy.at(&place)));
    line!(shader, "if (right && same[c]) {{ {add} }}");
    shader.push_line(END_SEEN);
    shader.push_line("}");
    shader.finish([groups(units), 1, 1])
}

/// Loops over indices from place `first` on, in their order: as many at once as a group has threads, and of those four at
/// once from shared memory. Where one of the four, after `operation`, is `own`, the body sees for each `c` whether it is
/// the `same`; it is number `start + 4 j + c`. Ends with [`END_SEEN`]; all threads must come by.
fn begin_seen(
    shader: &mut Shader,
    indices: &Indices,
    picks: &str,
    first: &str,
    operation: &str,
    own: &str,
) {
    shader
        .declarations
        .push_str(&format!("var<workgroup> seen: array<vec4<u32>, {}>;\n", THREADS / 4));
    let index = indices.at(&format!("{first} + start + thread"));
    line!(
        shader,
        "for (var start = 0u; start < {picks}; start += {THREADS}u) {{
var index = 0xffffffffu;
if (start + thread < {picks}) {{ index = {index}{operation}; }}
seen[thread / 4u][thread % 4u] = index;
workgroupBarrier();
let rest = ({picks} - start + 3u) / 4u;
let count = select({0}u, rest, rest < {0}u);
for (var j = 0u; j < count; j++) {{
let same = seen[j] == vec4<u32>({own});
if (!any(same)) {{ continue; }}
for (var c = 0u; c < 4u; c++) {{",
        THREADS / 4
    );
}

/// Ends what [`begin_seen`] begins.
const END_SEEN: &str = "}\n}\nworkgroupBarrier();\n}";

fn embedding(
    limits: Limits,
    [out, table, index]: [Span; 3],
    dims: IndexDims,
    check: usize,
) -> Option<Dispatch> {
    let IndexDims { cols, picks, .. } = dims;
    let count = picks * cols;
    if count == 0 {
        return None;
    }
    let mut shader = limits.shader(THREADS);
    declare_right(&mut shader, check);
    let (target, table) = (shader.write(out), shader.read(table));
    let indices = Indices::new(&mut shader, index);
    let cols = format!("{cols}u");
    begin_units(&mut shader, "i", count);
    line!(shader, "var value = 0.0;");
    let row = indices.at(&format!("i / {cols}"));
    let element = table.at(&format!("{row} * {cols} + i % {cols}"));
    line!(shader, "if (right) {{ value = {element}; }}");
    shader.push_line(&target.set("i", "value"));
    let groups = end_units(&mut shader, count);
    Some(shader.finish(groups))
}

/// What stands for no further pick of the same row; and what marks the first one.
const NONE: u32 = 0x7fff_ffff;
const FIRST: u32 = 0x8000_0000;

/// Zeros; then picks of the same row are linked, in their order; then the first one of each row adds up what belongs to
/// it, a thread for each column: sums have one order. The cost is a comparison for each pair of picks, in a thread for each
/// pick, then each row of dy once; of a row that is picked n times, n loads follow one another.
fn embedding_add(
    program: &mut Program,
    [out, dy, index]: [Span; 3],
    dims: IndexDims,
    check: usize,
) {
    let IndexDims { rows, cols, picks } = dims;
    if rows * cols == 0 {
        return;
    }
    elementwise::fill(program, out, None);
    if picks == 0 {
        return;
    }
    let links = program.scratch.take(picks);
    program.dispatches.push(link(program.limits, index, picks, links));
    let mut shader = program.limits.shader(THREADS);
    declare_right(&mut shader, check);
    let (target, dy) = (shader.write(out), shader.read(dy));
    let links = shader.scratch(links, true, false);
    let indices = Indices::new(&mut shader, index);
    let cols = format!("{cols}u");
    begin_units(&mut shader, "i", picks * dims.cols);
    line!(
        shader,
        "let pick = i / {cols};
let col = i % {cols};
let link = {};
if (right && link >= {FIRST}u) {{
var sum = {};
for (var next = link & {NONE}u; next != {NONE}u; next = {} & {NONE}u) {{
sum += {};
}}
{}
}}",
        links.at("pick"),
        dy.at("i"),
        links.at("next"),
        dy.at(&format!("next * {cols} + col")),
        target.set(&format!("{} * {cols} + col", indices.at("pick")), "sum"),
    );
    let groups = end_units(&mut shader, picks * dims.cols);
    program.dispatches.push(shader.finish(groups));
}

/// For each pick the next one of the same row, and whether it is the first one.
fn link(limits: Limits, index: Span, picks: usize, links: Piece) -> Dispatch {
    let mut shader = limits.shader(THREADS);
    let indices = Indices::new(&mut shader, index);
    let links = shader.scratch(links, true, true);
    let picks_word = shader.word(picks);
    line!(
        shader,
        "for (var first = group.x * {THREADS}u; first < {picks_word}; first += groups.x * {THREADS}u) {{
let pick = first + thread;
let mine = {};
var mark = {FIRST}u;
var next = {NONE}u;",
        indices.at(&format!("select({picks_word} - 1u, pick, pick < {picks_word})"))
    );
    begin_seen(&mut shader, &indices, &picks_word, "0u", "", "mine");
    line!(
        shader,
        "let other = start + 4u * j + c;
if (same[c] && other < pick) {{ mark = 0u; }}
if (same[c] && other > pick && next == {NONE}u) {{ next = other; }}
{END_SEEN}
if (pick < {picks_word}) {{ {} }}
}}",
        links.set("pick", "mark | next")
    );
    shader.finish([groups(picks.div_ceil(THREADS as usize)), 1, 1])
}
