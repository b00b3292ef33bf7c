//! Reductions over some axes of a grid. A team of threads has a result, or a part of one: where results are few and
//! elements many, parts are folded by a second kernel. Which elements belong together depends on sizes alone.

use netform_core::device::{Arg, Fold, GRID_RANK, Grid, Span};

use super::shared::{Teams, beginning, combined};
use super::{Limits, Program, THREADS, arguments, constants, groups, statements, values};
use crate::shader::{Dispatch, Part, Shader, line};
use crate::tape::{Expression, Piece, Tape};

/// So many groups keep a device busy.
const BUSY: usize = 512;

/// The fewest elements of a thread, where a result has several parts.
const LEAST: usize = 16;

/// Of a grid with neighbouring results a group takes so many at once: what memory gives at once.
const NEIGHBOURS: usize = 32;

/// How a reduction is cut.
pub(super) struct Cut {
    pub results: usize,
    pub elements: usize,
    pub teams: Teams,
    /// Parts of a result, and the elements of each.
    pub parts: usize,
    pub chunk: usize,
}

impl Cut {
    /// `run` results lie side by side, element by element; where it is 1, elements of the same result do.
    pub fn new(results: usize, elements: usize, run: usize, subgroup: Option<usize>) -> Self {
        let threads = THREADS as usize;
        let teams = match run {
            _ if elements <= 8 || elements <= 64 && results >= BUSY * threads => Teams::across(1),
            0..=1 => Teams::along(elements, results, subgroup),
            // Results alone keep the device busy: each has one thread.
            _ if results >= BUSY * threads => Teams::across(1),
            _ => {
                let most = threads / run.next_power_of_two().min(NEIGHBOURS);
                Teams::across(most.min(elements.next_power_of_two()))
            }
        };
        let groups = results.div_ceil(teams.count);
        let parts = (BUSY / groups.max(1)).min(elements / (teams.lanes * LEAST)).max(1);
        let chunk = elements.div_ceil(parts).next_multiple_of(teams.lanes).max(1);
        let parts = elements.div_ceil(chunk).max(1);
        Cut { results, elements, teams, parts, chunk }
    }

    /// Where a part of a result is kept: neighbours in a kernel lie side by side.
    fn kept(&self, shader: &mut Shader, result: &str, part: &str) -> String {
        match self.teams.is_across() {
            true => format!("{part} * {} + {result}", shader.word(self.results)),
            false => format!("{result} * {} + {part}", shader.word(self.parts)),
        }
    }

    /// The kernel that folds `value`, which is declared by `declare` for result `unit` and `element`, into parts; or into the
    /// results where there is one part of each.
    pub fn fold(
        mut self,
        mut shader: Shader,
        fold: Fold,
        out: Target,
        declare: impl FnOnce(&mut Shader),
    ) -> Dispatch {
        let place = match out {
            Target::Results(span) => shader.write(span),
            Target::Parts(piece) | Target::LineParts(piece) => shader.scratch(piece, false, true),
        };
        let [results, elements, parts, chunk] =
            [self.results, self.elements, self.parts, self.chunk].map(|size| shader.word(size));
        let lanes = self.teams.lanes;
        self.teams.declare(&mut shader);
        let sizes = [self.results, self.parts];
        let turns = self.teams.begin_parts(&mut shader, sizes, [&results, &parts]);
        line!(
            shader,
            "let rest = {elements} - part * {chunk};
let limit = part * {chunk} + select({chunk}, rest, rest < {chunk});
var folded = {};
for (var element = part * {chunk} + lane; element < limit; element += {lanes}u) {{",
            beginning(fold)
        );
        declare(&mut shader);
        line!(shader, "folded = {};\n}}", combined(fold, "folded", "value"));
        self.teams.fold(&mut shader, &[(fold, "folded")]);
        let index = match out {
            Target::Results(_) => "unit".to_owned(),
            Target::Parts(_) => self.kept(&mut shader, "unit", "part"),
            Target::LineParts(_) => format!("unit * {parts} + part"),
        };
        line!(shader, "if (lane == 0u && is_one) {{ {} }}", place.set(&index, "folded"));
        self.teams.end_loop(&mut shader);
        self.teams.finish(&mut shader);
        shader.finish([groups(turns), 1, 1])
    }
}

/// What a kernel folds into.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Results(Span),
    Parts(Piece),
    /// The parts of each result side by side.
    LineParts(Piece),
}

pub(super) fn reduce(
    program: &mut Program,
    tape: &Tape,
    out: Span,
    fold: Fold,
    grid: Grid,
    reduced: [bool; GRID_RANK],
    f: &Expression,
) {
    let axes = |flag: bool| -> Vec<usize> {
        (0..GRID_RANK).filter(|&axis| reduced[axis] == flag).collect()
    };
    let (kept, folded) = (axes(false), axes(true));
    let size = |axes: &[usize]| axes.iter().map(|&axis| grid[axis]).product::<usize>();
    let (results, elements) = (size(&kept), size(&folded));
    if results == 0 {
        return;
    }
    let ins = tape.args(f.ins);
    let cut = Cut::new(results, elements, neighbours(grid, reduced, ins), program.limits.subgroup);
    let mut shader = program.limits.shader(THREADS);
    constants(&mut shader, f.consts);
    let args = arguments(&mut shader, ins);
    let piece = (cut.parts > 1).then(|| program.scratch.take(cut.parts * results));
    let second = piece.map(|piece| second(&cut, fold, out, piece, program.limits));
    let parts = [
        Part { variable: "unit", axes: &kept, grid: &grid },
        Part { variable: "element", axes: &folded, grid: &grid },
    ];
    let target = piece.map_or(Target::Results(out), Target::Parts);
    program.dispatches.push(cut.fold(shader, fold, target, |shader| {
        values(shader, &args, &parts);
        let (lines, results) = statements(f.text.0, 1);
        lines.iter().for_each(|text| shader.push_line(text));
        line!(shader, "let value = {};", results.concat());
    }));
    program.dispatches.extend(second);
}

/// How many results lie side by side in memory: those of the innermost axes, unless an input goes along a reduced axis.
fn neighbours(grid: Grid, reduced: [bool; GRID_RANK], ins: &[Arg]) -> usize {
    let is_along = |arg: &Arg| {
        matches!(arg, Arg::View { strides, .. }
            if (0..GRID_RANK).any(|axis| reduced[axis] && grid[axis] > 1 && strides[axis] == 1))
    };
    if ins.iter().any(is_along) {
        return 1;
    }
    let inner = (0..GRID_RANK).rev().filter(|&axis| grid[axis] > 1);
    inner.take_while(|&axis| !reduced[axis]).map(|axis| grid[axis]).product()
}

/// The kernel that folds the parts.
fn second(cut: &Cut, fold: Fold, out: Span, piece: Piece, limits: Limits) -> Dispatch {
    let run = if cut.teams.is_across() { cut.results } else { 1 };
    let mut all = Cut::new(cut.results, cut.parts, run, limits.subgroup);
    (all.parts, all.chunk) = (1, cut.parts);
    let mut shader = limits.shader(THREADS);
    let place = shader.scratch(piece, false, false);
    let part = place.at(&cut.kept(&mut shader, "unit", "element"));
    all.fold(shader, fold, Target::Results(out), |shader| line!(shader, "let value = {part};"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_thread_has_a_long_loop_while_others_idle() {
        let sizes = [1, 3, 10, 64, 1000, 4096, 50_000, 1_000_000];
        for subgroup in [None, Some(8), Some(32), Some(64)] {
            for (results, elements) in sizes.iter().flat_map(|a| sizes.iter().map(|b| (*a, *b))) {
                for run in [1, results] {
                    let cut = Cut::new(results, elements, run, subgroup);
                    let (lanes, count) = (cut.teams.lanes, cut.teams.count);
                    assert_eq!(lanes * count, THREADS as usize);
                    assert!(
                        cut.parts * cut.chunk >= elements && (cut.parts - 1) * cut.chunk < elements
                    );
                    let busy = results.div_ceil(count) * cut.parts;
                    let each = cut.chunk.div_ceil(lanes);
                    let what =
                        format!("{results} of {elements}, run {run}: {busy} groups, {each} each");
                    assert!(each <= 2 * LEAST || busy >= BUSY / 2, "{what}");
                }
            }
        }
    }
}
