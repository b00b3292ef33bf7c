//! Running sums: a thread for each line where lines are short or very many, a team of threads for each other one, and
//! several teams for a line where lines are few and long: then sums of its parts come first, and running sums of those.
//! Sums are trees of a form that sizes fix: of f32 they are as good as long ones can be.

use netform_core::device::{Fold, Span};

use super::reduce::{Cut, Target};
use super::shared::Teams;
use super::{Program, THREADS, begin_units, end_units, groups};
use crate::shader::{Dispatch, Place, Shader, line};
use crate::tape::Piece;

/// Elements of a line that a thread has at once, side by side.
const OWN: usize = 8;

/// The longest line of one thread; where lines keep a device busy; and so many are then enough.
const SHORT: usize = 32;
const MEDIUM: usize = 512;
const MANY: usize = 1 << 15;

/// So many groups keep a device busy.
const BUSY: usize = 512;

/// Where the elements of a line are.
#[derive(Clone, Copy)]
struct Lines {
    count: usize,
    len: usize,
    inner: usize,
    reverse: bool,
}

/// What is summed up.
#[derive(Clone, Copy)]
enum Source {
    Elements(Span),
    /// Sums of parts; what is wanted is the sum of those before each.
    Parts(Piece),
}

pub(super) fn cumsum(
    program: &mut Program,
    out: Span,
    x: Span,
    [outer, len, inner]: [usize; 3],
    reverse: bool,
) {
    let lines = Lines { count: outer * inner, len, inner, reverse };
    if lines.count * len == 0 {
        return;
    }
    if len <= SHORT || len <= MEDIUM && lines.count >= MANY {
        program.dispatches.push(alone(out, x, lines));
        return;
    }
    let teams = lines.teams();
    let (tile, busy) = (teams.lanes * OWN, lines.count.div_ceil(teams.count));
    let parts = (BUSY / busy).min(len.div_ceil(tile)).max(1);
    if parts <= 2 {
        let kernel = scan(lines, Source::Elements(x), Target::Results(out), len, None);
        program.dispatches.push(kernel);
        return;
    }
    let chunk = len.div_ceil(parts).next_multiple_of(tile);
    let parts = len.div_ceil(chunk);
    let mut take = || program.scratch.take(lines.count * parts);
    let (sums, before) = (take(), take());
    program.dispatches.push(part_sums(lines, x, sums, chunk, program.subgroup));
    let of_parts = Lines { count: lines.count, len: parts, inner: 1, reverse: false };
    let kernel = scan(of_parts, Source::Parts(sums), Target::Parts(before), parts, None);
    program.dispatches.push(kernel);
    let kernel = scan(lines, Source::Elements(x), Target::Results(out), chunk, Some(before));
    program.dispatches.push(kernel);
}

impl Lines {
    /// Lines that lie side by side have neighbouring threads.
    fn teams(&self) -> Teams {
        match self.inner {
            1 => Teams::along(THREADS as usize, 1, None),
            inner => Teams::across(THREADS as usize / inner.next_power_of_two().min(32)),
        }
    }

    /// Where element `i` of a line is.
    fn at(&self, shader: &mut Shader, place: &Place, line: &str, i: &str) -> String {
        let [len, inner] = [self.len, self.inner].map(|size| shader.word(size));
        let i = if self.reverse { format!("({len} - 1u - {i})") } else { i.to_owned() };
        place.at(&match self.inner {
            1 => format!("{line} * {len} + {i}"),
            _ => format!("({line} / {inner} * {len} + {i}) * {inner} + {line} % {inner}"),
        })
    }
}

/// A thread has a line.
fn alone(out: Span, x: Span, lines: Lines) -> Dispatch {
    let mut shader = Shader::new(THREADS);
    let (target, source) = (shader.write(out), shader.read(x));
    let len = shader.word(lines.len);
    let target = lines.at(&mut shader, &target, "unit", "i");
    let source = lines.at(&mut shader, &source, "unit", "i");
    begin_units(&mut shader, "unit", lines.count);
    line!(shader, "var sum = 0.0;\nfor (var i = 0u; i < {len}; i++) {{");
    line!(shader, "sum += {source};\n{target} = sum;\n}}");
    let groups = end_units(&mut shader, lines.count);
    shader.finish(groups)
}

/// The sum of each part of each line.
fn part_sums(
    lines: Lines,
    x: Span,
    sums: Piece,
    chunk: usize,
    subgroup: Option<usize>,
) -> Dispatch {
    let mut cut = Cut::new(lines.count, lines.len, lines.inner, subgroup);
    (cut.chunk, cut.parts) = (chunk, lines.len.div_ceil(chunk));
    let mut shader = Shader::new(THREADS);
    let source = shader.read(x);
    let value = lines.at(&mut shader, &source, "result", "element");
    let target = Target::LineParts(sums);
    cut.fold(shader, Fold::Sum, target, |shader| line!(shader, "let value = {value};"))
}

/// A team has a part of a line, of `chunk` elements, and begins with what was `before` it.
fn scan(
    lines: Lines,
    source: Source,
    target: Target,
    chunk: usize,
    before: Option<Piece>,
) -> Dispatch {
    let teams = lines.teams();
    let (lanes, count, step) = (teams.lanes, teams.count, teams.step);
    let tile = lanes * OWN;
    let parts = lines.len.div_ceil(chunk);
    let units = lines.count.div_ceil(count) * parts;
    let mut shader = Shader::new(THREADS);
    shader.declarations.push_str(&format!("var<workgroup> sums: array<f32, {THREADS}>;\n"));
    let target = match target {
        Target::Results(span) => shader.write(span),
        Target::Parts(piece) | Target::LineParts(piece) => shader.scratch(piece, false, true),
    };
    let (place, of_parts) = match source {
        Source::Elements(span) => (shader.read(span), false),
        Source::Parts(piece) => (shader.scratch(piece, false, false), true),
    };
    let element = lines.at(&mut shader, &place, "line", "i");
    let target = lines.at(&mut shader, &target, "line", "i");
    let [count_word, len, chunk, parts, units_word] =
        [lines.count, lines.len, chunk, parts, units].map(|size| shader.word(size));
    let carry = before.map_or("0.0".to_owned(), |piece| {
        let place = shader.scratch(piece, false, false);
        place.at(&format!("line * {parts} + part"))
    });
    teams.declare(&mut shader);
    line!(
        shader,
        "for (var unit = group.x; unit < {units_word}; unit += groups.x) {{
let part = unit % {parts};
let wanted = unit / {parts} * {count}u + team;
let line = select({count_word} - 1u, wanted, wanted < {count_word});
let rest = {len} - part * {chunk};
let limit = part * {chunk} + select({chunk}, rest, rest < {chunk});
var carry = {carry};
for (var start = part * {chunk}; start < limit; start += {tile}u) {{
let first = start + lane * {OWN}u;
var own: array<f32, {OWN}>;
var sum = 0.0;
for (var j = 0u; j < {OWN}u; j++) {{
let i = first + j;"
    );
    let keep = "own[j] = sum;";
    let add = format!("if (i < limit) {{ sum += {element}; }}");
    let both = if of_parts { [keep, &add] } else { [&add, keep] };
    line!(shader, "{}\n}}", both.join("\n"));
    prefixes(&mut shader, lanes, step);
    line!(
        shader,
        "if (wanted < {count_word}) {{
for (var j = 0u; j < {OWN}u; j++) {{
let i = first + j;
if (i < limit) {{ {target} = before + own[j]; }}
}}
}}
}}
}}"
    );
    shader.finish([groups(units), 1, 1])
}

/// Declares `before`, what comes before a thread's elements, and moves `carry` on (Hillis and Steele, "Data parallel
/// algorithms", 1986).
fn prefixes(shader: &mut Shader, lanes: usize, step: usize) {
    shader.push_line("sums[thread] = sum;\nworkgroupBarrier();");
    let mut distance = 1;
    while distance < lanes {
        let from = format!("select(thread, thread - {}u, lane >= {distance}u)", distance * step);
        line!(shader, "sum = select(0.0, sums[{from}], lane >= {distance}u);");
        shader.push_line("workgroupBarrier();");
        shader.push_line("sums[thread] += sum;\nworkgroupBarrier();");
        distance *= 2;
    }
    line!(
        shader,
        "let before = carry + select(0.0, sums[select(thread, thread - {step}u, lane > 0u)], lane > 0u);
carry += sums[thread + ({lanes}u - 1u - lane) * {step}u];
workgroupBarrier();"
    );
}
