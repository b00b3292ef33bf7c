//! Reductions over some axes of a grid: a thread, or a team of threads, for each element of the result.

use netform_core::device::{Fold, GRID_RANK, Grid, Span};

use super::shared::{Teams, beginning, combined};
use super::{THREADS, arguments, constants, groups, statements, values};
use crate::shader::{Dispatch, Part, Shader, line};
use crate::tape::{Expression, Tape};

/// So many elements one thread folds, where there are results enough for all threads.
const FEW: usize = 1024;

/// So many results keep all threads of a device busy.
const MANY: usize = 1 << 14;

pub(super) fn reduce(
    tape: &Tape,
    out: Span,
    fold: Fold,
    grid: Grid,
    reduced: [bool; GRID_RANK],
    f: &Expression,
) -> Option<Dispatch> {
    let axes = |flag: bool| -> Vec<usize> {
        (0..GRID_RANK).filter(|&axis| reduced[axis] == flag).collect()
    };
    let (kept, folded) = (axes(false), axes(true));
    let size = |axes: &[usize]| axes.iter().map(|&axis| grid[axis]).product::<usize>();
    let (results, elements) = (size(&kept), size(&folded));
    if results == 0 {
        return None;
    }
    let alone = elements <= 16 || elements <= FEW && results >= MANY;
    let teams = Teams::new(if alone { 1 } else { elements });
    let mut shader = Shader::new(THREADS);
    constants(&mut shader, f.consts);
    let args = arguments(&mut shader, tape.args(f.ins));
    let target = shader.write(out);
    let (results_word, elements_word) = (shader.word(results), shader.word(elements));
    teams.declare(&mut shader);
    let (count, lanes) = (teams.count, teams.lanes);
    line!(
        shader,
        "for (var first = group.x * {count}u; first < {results_word}; first += groups.x * {count}u) {{"
    );
    line!(shader, "let wanted = first + team;");
    line!(shader, "let result = select({results_word} - 1u, wanted, wanted < {results_word});");
    line!(shader, "var folded = {};", beginning(fold));
    line!(shader, "for (var element = lane; element < {elements_word}; element += {lanes}u) {{");
    let parts = [
        Part { variable: "result", axes: &kept, grid: &grid },
        Part { variable: "element", axes: &folded, grid: &grid },
    ];
    values(&mut shader, &args, &parts);
    let (lines, results_of) = statements(f.text.0, 1);
    lines.iter().for_each(|text| shader.push_line(text));
    let value = format!("({})", results_of.concat());
    line!(shader, "folded = {};", combined(fold, "folded", &value));
    shader.push_line("}");
    teams.fold(&mut shader, fold, "folded");
    line!(shader, "if (lane == 0u && wanted < {results_word}) {{");
    line!(shader, "{} = folded;", target.at("result"));
    shader.push_line("}\n}");
    Some(shader.finish([groups(results.div_ceil(count)), 1, 1]))
}
