//! Dispatches that run only where a value is finite, or only where not: a kernel writes how many groups of them there
//! are, none where they are not to run.

use super::Program;
use crate::shader::{Dispatch, line};
use crate::tape::{Condition, Tape};

/// So many dispatches are decided at once: each takes three words of the push constants.
const TOGETHER: usize = 8;

/// Appends the calls of conditions on the same value that follow each other.
pub(super) fn conditional(
    program: &mut Program,
    tape: &Tape,
    conditions: &[Condition],
) -> Result<(), String> {
    let before = program.dispatches.len();
    let mut wanted = vec![];
    for condition in conditions {
        program.all(tape, condition.from..condition.to)?;
        wanted.resize(program.dispatches.len() - before, condition.finite);
    }
    let dispatches = program.dispatches.split_off(before);
    let all: Vec<_> = dispatches.into_iter().zip(wanted).collect();
    let mut rest = all.into_iter().peekable();
    while rest.peek().is_some() {
        let mut part: Vec<(Dispatch, bool)> = rest.by_ref().take(TOGETHER).collect();
        for (dispatch, _) in &mut part {
            dispatch.condition = Some(program.conditional);
            program.conditional += 1;
        }
        program.dispatches.push(deciding(program, conditions[0], &part));
        program.dispatches.extend(part.into_iter().map(|(dispatch, _)| dispatch));
    }
    Ok(())
}

/// The kernel that decides: one thread.
fn deciding(program: &Program, condition: Condition, part: &[(Dispatch, bool)]) -> Dispatch {
    let mut shader = program.limits.shader(1);
    let value = shader.read(condition.value).at("0u");
    line!(shader, "var right = (bitcast<u32>({value}) & 0x7f800000u) != 0x7f800000u;");
    if !program.checks.is_empty() {
        let (faults, count) = (shader.faults(), shader.word(program.checks.len()));
        line!(shader, "for (var i = 0u; i < {count}; i++) {{");
        line!(shader, "if (atomicLoad(&{faults}[2u * i]) != 0xffffffffu) {{ right = false; }}\n}}");
    }
    let groups = shader.groups();
    for (dispatch, finite) in part {
        let first = 3 * dispatch.condition.unwrap_or_default();
        for (axis, &size) in (0..).zip(&dispatch.groups) {
            let (place, size) = (first + axis, shader.word(size as usize));
            line!(shader, "{groups}[{place}u] = select(0u, {size}, right == {finite});");
        }
    }
    shader.finish([1; 3])
}
