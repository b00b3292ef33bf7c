//! Running sums: a thread for each line where lines are short or very many, a team of threads for each other one, and
//! several teams for a line where lines are few and long: then sums of its parts come first, and running sums of those.
//! Sums are trees of a form that sizes fix: of f32 they are as good as long ones can be.

use netform_core::device::{Fold, Span};

use super::reduce::{Cut, Target};
use super::shared::Teams;
use super::{Limits, Program, THREADS, begin_units, end_units, groups};
use crate::shader::{Dispatch, Shader, line};
use crate::tape::Piece;

/// Elements of a line that a thread has at once, side by side.
const OWN: usize = 4;

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
        program.dispatches.push(alone(program.limits, out, x, lines));
        return;
    }
    let teams = lines.teams(program.limits.subgroup);
    let (tile, busy) = (teams.lanes * OWN, lines.count.div_ceil(teams.count));
    let parts = (BUSY / busy).min(len.div_ceil(tile)).max(1);
    if parts <= 2 {
        let kernel =
            scan(lines, Source::Elements(x), Target::Results(out), len, None, program.limits);
        program.dispatches.push(kernel);
        return;
    }
    let chunk = len.div_ceil(parts).next_multiple_of(tile);
    let parts = len.div_ceil(chunk);
    let mut take = || program.scratch.take(lines.count * parts);
    let (sums, before) = (take(), take());
    program.dispatches.push(part_sums(program.limits, lines, x, sums, chunk));
    let of_parts = Lines { count: lines.count, len: parts, inner: 1, reverse: false };
    let kernel =
        scan(of_parts, Source::Parts(sums), Target::Parts(before), parts, None, program.limits);
    program.dispatches.push(kernel);
    let kernel =
        scan(lines, Source::Elements(x), Target::Results(out), chunk, Some(before), program.limits);
    program.dispatches.push(kernel);
}

impl Lines {
    /// Lines that lie side by side have neighbouring threads.
    fn teams(&self, subgroup: Option<usize>) -> Teams {
        match self.inner {
            1 => Teams::along(THREADS as usize, 1, subgroup),
            inner => Teams::across(THREADS as usize / inner.next_power_of_two().min(32)),
        }
    }

    /// Declares `base`, where a line begins, and returns where its element `i` is from there.
    fn declare(&self, shader: &mut Shader, line: &str, i: &str) -> String {
        let Lines { len, inner, reverse, .. } = *self;
        let i = if reverse { format!("({len}u - 1u - {i})") } else { i.to_owned() };
        if inner == 1 {
            line!(shader, "let base = {line} * {len}u;");
            return format!("base + {i}");
        }
        line!(shader, "let base = {line} / {inner}u * {}u + {line} % {inner}u;", len * inner);
        format!("base + {i} * {inner}u")
    }
}

/// A thread has a line.
fn alone(limits: Limits, out: Span, x: Span, lines: Lines) -> Dispatch {
    let mut shader = limits.shader(THREADS);
    let (target, source) = (shader.write(out), shader.read(x));
    let len = shader.word(lines.len);
    begin_units(&mut shader, "unit", lines.count);
    let place = lines.declare(&mut shader, "unit", "i");
    let (store, source) = (target.set(&place, "sum"), source.at(&place));
    line!(shader, "var sum = 0.0;\nfor (var i = 0u; i < {len}; i++) {{");
    line!(shader, "sum += {source};\n{store}\n}}");
    let groups = end_units(&mut shader, lines.count);
    shader.finish(groups)
}

/// The sum of each part of each line.
fn part_sums(limits: Limits, lines: Lines, x: Span, sums: Piece, chunk: usize) -> Dispatch {
    let mut cut = Cut::new(lines.count, lines.len, lines.inner, limits.subgroup);
    (cut.chunk, cut.parts) = (chunk, lines.len.div_ceil(chunk));
    let mut shader = limits.shader(THREADS);
    let source = shader.read(x);
    cut.fold(shader, Fold::Sum, Target::LineParts(sums), |shader| {
        let place = lines.declare(shader, "unit", "element");
        line!(shader, "let value = {};", source.at(&place));
    })
}

/// A team has a part of a line, of `chunk` elements, and begins with what was `before` it.
fn scan(
    lines: Lines,
    source: Source,
    target: Target,
    chunk: usize,
    before: Option<Piece>,
    limits: Limits,
) -> Dispatch {
    let mut teams = lines.teams(limits.subgroup);
    let tile = teams.lanes * OWN;
    let sizes = [lines.count, lines.len.div_ceil(chunk)];
    let mut shader = limits.shader(THREADS);
    let target = match target {
        Target::Results(span) => shader.write(span),
        Target::Parts(piece) | Target::LineParts(piece) => shader.scratch(piece, false, true),
    };
    let (place, of_parts) = match source {
        Source::Elements(span) => (shader.read(span), false),
        Source::Parts(piece) => (shader.scratch(piece, false, false), true),
    };
    let [count, parts, len, chunk, tiles] =
        [sizes[0], sizes[1], lines.len, chunk, chunk.div_ceil(tile)].map(|size| shader.word(size));
    let carry = before.map_or("0.0".to_owned(), |piece| {
        let place = shader.scratch(piece, false, false);
        place.at(&format!("unit * {parts} + part"))
    });
    teams.declare(&mut shader);
    let turns = teams.begin_parts(&mut shader, sizes, [&count, &parts]);
    line!(
        shader,
        "let rest = {len} - part * {chunk};
let limit = part * {chunk} + select({chunk}, rest, rest < {chunk});
var carry = {carry};"
    );
    let at = lines.declare(&mut shader, "unit", "i");
    line!(
        shader,
        "for (var turn_ = 0u; turn_ < {tiles}; turn_++) {{
let first = part * {chunk} + turn_ * {tile}u + lane * {OWN}u;
var own: array<f32, {OWN}>;
var sum = 0.0;
for (var j = 0u; j < {OWN}u; j++) {{
let i = first + j;"
    );
    let keep = "own[j] = sum;";
    let add = format!("if (i < limit) {{ sum += {}; }}", place.at(&at));
    let both = if of_parts { [keep, &add] } else { [&add, keep] };
    line!(shader, "{}\n}}", both.join("\n"));
    teams.prefix(&mut shader, "sum");
    line!(
        shader,
        "before += carry;
carry += all;
for (var j = 0u; is_one && j < {OWN}u; j++) {{
let i = first + j;
if (i < limit) {{ {} }}
}}",
        target.set(&at, "before + own[j]")
    );
    teams.end_loop(&mut shader);
    shader.push_line("}");
    teams.finish(&mut shader);
    shader.finish([groups(turns), 1, 1])
}
