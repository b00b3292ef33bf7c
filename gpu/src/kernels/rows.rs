//! Programs over rows: a team of threads has a row from its first pass to its last.
//!
//! A thread visits the same elements of the row in every pass, so that what is kept between passes is its own.

use netform_core::device::{Arg, Fold, RowStep, RowTo, Slot};

use super::shared::{Teams, beginning, combined};
use super::{Check, Program, THREADS, arguments, constants, groups, statements};
use crate::shader::{Argument, Part, Place, Shader, line};
use crate::tape::{RowsCall, Tape};

/// Rows are kept in variables where a thread has so many elements: some drivers compile more of them for seconds, and
/// others keep them in memory anyway.
const IN_VARIABLES: usize = 32;

/// Rows that are kept in scratch have so many elements altogether, or are those of one group.
const IN_SCRATCH: usize = 1 << 24;

/// What the steps of a program are written with.
struct Writer<'c> {
    shader: Shader,
    teams: Teams,
    parts: [Part<'c>; 2],
    args: Vec<Argument>,
    targets: Vec<Place>,
    wide: &'c [bool],
    /// The elements of a row.
    len: usize,
    /// What a thread has of a row.
    own: usize,
    /// Where rows are kept, unless in variables.
    kept: Option<Place>,
    /// The number of the check of indices.
    check: Option<usize>,
}

pub(super) fn rows(program: &mut Program, tape: &Tape, call: &RowsCall) -> Result<(), String> {
    let grid = call.grid;
    let (lead, row): (Vec<usize>, Vec<usize>) = (0..4).partition(|&axis| axis < call.lead);
    let size = |axes: &[usize]| axes.iter().map(|&axis| grid[axis]).product::<usize>();
    let (count, len) = (size(&lead), size(&row));
    if count == 0 {
        return Ok(());
    }
    let picks = call.steps.0.iter().any(|step| matches!(step, RowStep::Pick { .. }));
    let check = picks.then(|| program.check(check_of(tape, call, len)));
    let teams = Teams::along(len, count, program.limits.subgroup);
    let mut shader = program.limits.shader(THREADS);
    constants(&mut shader, call.consts);
    let args = arguments(&mut shader, tape.args(call.ins));
    let params = arguments(&mut shader, tape.args(call.params));
    let targets = tape.spans(call.outs).iter().map(|out| shader.write(*out)).collect();
    let count_word = shader.word(count);
    teams.declare(&mut shader);
    let (team_count, own) = (teams.count, len.div_ceil(teams.lanes).max(1));
    line!(
        shader,
        "for (var first = group.x * {team_count}u; first < {count_word}; first += groups.x * {team_count}u) {{"
    );
    line!(shader, "let wanted = first + team;");
    line!(shader, "let is_row = wanted < {count_word};");
    line!(shader, "let row = select({count_word} - 1u, wanted, is_row);");
    let parts = [
        Part { variable: "row", axes: &lead, grid: &grid },
        Part { variable: "element", axes: &row, grid: &grid },
    ];
    for (i, param) in params.iter().enumerate() {
        line!(shader, "let p{i} = {};", param.value(&parts[..1]));
    }
    let turns = count.div_ceil(team_count);
    let (groups, kept) = match call.kept {
        0 => (groups(turns), None),
        kept if own <= IN_VARIABLES => {
            for i in 0..kept {
                line!(shader, "var kept{i}: array<f32, {own}>;");
            }
            (groups(turns), None)
        }
        kept => {
            // A team has a place for each row that it keeps.
            let each = team_count * kept * own * teams.lanes;
            let groups = groups(turns.min(IN_SCRATCH / each));
            let piece = program.scratch.take(groups as usize * each);
            line!(shader, "let first_kept = (group.x * {team_count}u + team) * {kept}u;");
            (groups, Some(shader.scratch(piece, false, true)))
        }
    };
    let wide = call.wide.0;
    let mut writer = Writer { shader, teams, parts, args, targets, wide, len, own, kept, check };
    call.steps.0.iter().try_for_each(|step| writer.step(step))?;
    writer.teams.end_loop(&mut writer.shader);
    writer.teams.finish(&mut writer.shader);
    program.dispatches.push(writer.shader.finish([groups, 1, 1]));
    Ok(())
}

fn check_of(tape: &Tape, call: &RowsCall, len: usize) -> Check {
    let mut of_rows = call.grid;
    of_rows[call.lead..].fill(1);
    let integers = tape.args(call.params).iter().filter_map(|param| match *param {
        Arg::View { span, strides } if matches!(span.slot, Slot::Index(_)) => {
            Some((span, strides, of_rows))
        }
        _ => None,
    });
    Check { of: call.of, size: len, says_index: false, integers: integers.collect() }
}

impl Writer<'_> {
    fn step(&mut self, step: &RowStep) -> Result<(), String> {
        match step {
            RowStep::Pass { ins, to, names, text } => self.pass(ins, to, names, text),
            RowStep::Pick { name, index, ins, text } => self.pick(name, index, ins, text),
            RowStep::Number { name, text } => {
                line!(self.shader, "var {name}: f32;\n{{");
                self.assign(name, text);
                self.shader.push_line("}");
            }
            RowStep::Put { out, name } => {
                let target = self.targets.get(*out).ok_or("an output that is not there")?;
                let store = target.set("row", name);
                line!(self.shader, "if (is_row && lane == 0u) {{ {store} }}");
            }
        }
        Ok(())
    }

    /// `name = ` the expression of a text, after its statements.
    fn assign(&mut self, name: &str, text: &[&str]) {
        let (lines, values) = statements(text, 1);
        lines.iter().for_each(|text| self.shader.push_line(text));
        line!(self.shader, "{name} = {};", values.concat());
    }

    /// The value of an input of a pass at `element`, which is the thread's number `own`.
    fn input(&self, input: usize, own: &str) -> String {
        match input.checked_sub(self.args.len()) {
            None => self.args[input].value(&self.parts),
            Some(kept) => self.kept(kept, own),
        }
    }

    /// What the thread has kept of its element number `own`.
    fn kept(&self, kept: usize, own: &str) -> String {
        let (each, lanes) = (self.own * self.teams.lanes, self.teams.lanes);
        match &self.kept {
            None => format!("kept{kept}[{own}]"),
            // Elements of neighbouring threads lie side by side.
            Some(place) => {
                place.at(&format!("(first_kept + {kept}u) * {each}u + ({own}) * {lanes}u + lane"))
            }
        }
    }

    fn pass(&mut self, ins: &[usize], to: &[RowTo], names: &[&str], text: &[&str]) {
        let fold = |to: &RowTo| match to {
            RowTo::Sum => Some(Fold::Sum),
            RowTo::Max => Some(Fold::Max),
            _ => None,
        };
        let folds: Vec<(usize, Fold, &str)> = (to.iter().zip(names).enumerate())
            .filter_map(|(w, (to, name))| Some((w, fold(to)?, *name)))
            .collect();
        for (_, fold, name) in &folds {
            line!(self.shader, "var {name} = {};", beginning(*fold));
        }
        let (own, lanes, len) = (self.own, self.teams.lanes, self.len);
        line!(self.shader, "for (var own = 0u; own < {own}u; own++) {{");
        line!(self.shader, "let element = own * {lanes}u + lane;");
        line!(self.shader, "if (element < {len}u) {{");
        for (i, &input) in ins.iter().enumerate() {
            let value = self.input(input, "own");
            line!(self.shader, "let a{i} = {value};");
        }
        let (lines, values) = statements(text, to.len());
        lines.iter().for_each(|text| self.shader.push_line(text));
        for (w, value) in values.iter().enumerate() {
            line!(self.shader, "let value{w} = {value};");
        }
        for (w, fold, name) in &folds {
            line!(self.shader, "{name} = {};", combined(*fold, name, &format!("value{w}")));
        }
        for (w, to) in to.iter().enumerate() {
            match to {
                RowTo::Out(out) if self.wide.get(*out).is_some_and(|wide| *wide) => {
                    let index = format!("row * {len}u + element");
                    let store = self.targets[*out].set(&index, &format!("value{w}"));
                    line!(self.shader, "if (is_row) {{ {store} }}");
                }
                RowTo::Keep(kept) => {
                    let place = self.kept(*kept, "own");
                    line!(self.shader, "{place} = value{w};");
                }
                _ => {}
            }
        }
        self.shader.push_line("}\n}");
        let folds: Vec<_> = folds.iter().map(|(_, fold, name)| (*fold, *name)).collect();
        self.teams.fold(&mut self.shader, &folds);
    }

    /// Every thread of the team evaluates the expression at the element, of which one has what was kept.
    fn pick(&mut self, name: &str, index: &str, ins: &[usize], text: &[&str]) {
        let (len, lanes) = (self.len, self.teams.lanes);
        let faults = self.shader.faults();
        line!(self.shader, "var {name}: f32;\n{{");
        line!(
            self.shader,
            "let is_index = {index} >= 0.0 && {index} < {len}.0 && floor({index}) == {index};"
        );
        line!(self.shader, "let element = u32(select(0.0, {index}, is_index));");
        if let Some(check) = self.check {
            line!(
                self.shader,
                "if (is_row && !is_index && lane == 0u) {{ atomicMin(&{faults}[{}], row); }}",
                2 * check
            );
        }
        for (i, &input) in ins.iter().enumerate() {
            let own = format!("element / {lanes}u");
            let value = self.input(input, &own);
            if input < self.args.len() {
                line!(self.shader, "let a{i} = {value};");
                continue;
            }
            let lane = format!("element % {lanes}u");
            self.teams.pick(&mut self.shader, &format!("a{i}"), &value, &lane);
        }
        self.assign(name, text);
        self.shader.push_line("}");
    }
}
