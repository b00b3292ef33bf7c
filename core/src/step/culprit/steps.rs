//! The steps of a plan as text, and which of them an output of a kernel is of.

use crate::device::Made;
use crate::network::ParamSpec;

/// A step as the plan has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Planned {
    /// One output of a kernel: the value with its shape, and what makes it.
    Output(String),
    /// A loop, of which nobody knows from outside how many kernels it runs.
    Loop(String),
}

/// A part of a plan, which is a pass of its own where it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Forward,
    Backward,
    Inference,
}

impl Part {
    /// What it begins and ends with in a plan.
    fn between(self) -> [&'static str; 2] {
        match self {
            Part::Forward => ["forward steps\n", "backward steps\n"],
            Part::Backward => ["backward steps\n", "workspace of a training step"],
            Part::Inference => ["steps of inference\n", "workspace of inference"],
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Part::Forward => "the forward pass",
            Part::Backward => "the backward pass",
            Part::Inference => "inference",
        })
    }
}

/// The steps of a part in the text of a plan.
pub(super) fn planned(plan: &str, part: Part) -> Vec<Planned> {
    let [begin, end] = part.between();
    let rest = plan.split_once(begin).map_or("", |(_, rest)| rest);
    let lines = rest.split_once(end).map_or("", |(lines, _)| lines);
    let mut steps: Vec<Planned> = Vec::new();
    // Outputs whose step has others, which come behind and say what it does.
    let mut waiting = Vec::new();
    for line in lines.lines() {
        let Some(line) = line.strip_prefix("  ") else { continue };
        if line.starts_with(' ') {
            // The body of a loop.
            continue;
        }
        if let Some(head) = line.strip_prefix("for ") {
            let name = head.split('`').nth(1).unwrap_or_default();
            let end = format!(" of `{name}`");
            while matches!(steps.last(), Some(Planned::Output(text)) if text.ends_with(&end)) {
                steps.pop();
            }
            steps.push(Planned::Loop(line.trim_end_matches(':').to_owned()));
            continue;
        }
        let Some((value, rest)) = line.split_once(" -> ") else { continue };
        let Some((_, call)) = rest.split_once(": ") else {
            waiting.push(value);
            continue;
        };
        let output = |value: &str| Planned::Output(format!("{value} = {call}"));
        steps.extend(waiting.drain(..).map(output));
        steps.push(output(value));
    }
    steps
}

/// The step that output `i` of what was made is of, with its text.
pub(super) fn at(steps: &[Planned], made: &[Made], i: usize) -> Option<(usize, String)> {
    // Moves into one place are one step.
    let begins = |i: usize| {
        let one = |i: usize| made[i].moved.then_some(made[i].span);
        i == 0 || one(i).is_none() || one(i) != one(i - 1)
    };
    let (all, before) = (
        (0..made.len()).filter(|i| begins(*i)).count(),
        (0..=i).filter(|i| begins(*i)).count() - 1,
    );
    let is_loop = |step: &Planned| matches!(step, Planned::Loop(_));
    let number = match (steps.iter().position(is_loop), steps.iter().rposition(is_loop)) {
        (Some(first), Some(last)) => {
            let behind = steps.len() - 1 - last;
            if before < first {
                before
            } else if before + behind >= all {
                steps.len() - (all - before)
            } else if first == last {
                first
            } else {
                return None;
            }
        }
        _ if all == steps.len() => before,
        _ => return None,
    };
    match steps.get(number)? {
        Planned::Output(text) | Planned::Loop(text) => Some((number, text.clone())),
    }
}

/// The layers whose parameters a step reads.
pub(super) fn layer(params: &[ParamSpec], text: &str) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let words: Vec<&str> = text.split(|c| !is_part(c)).collect();
    let read = params.iter().filter(|it| words.contains(&it.name));
    let mut layers: Vec<&str> =
        read.map(|it| it.name.rsplit_once('.').map_or(it.name, |(layer, _)| layer)).collect();
    layers.dedup();
    (!layers.is_empty()).then(|| layers.join("`, `"))
}

/// The layers of the last step before one that reads parameters.
pub(super) fn layer_before(
    params: &[ParamSpec],
    steps: &[Planned],
    number: usize,
) -> Option<String> {
    steps[..number].iter().rev().find_map(|step| match step {
        Planned::Output(text) | Planned::Loop(text) => layer(params, text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Slot, Span};

    const PLAN: &str =
        "network Net\ngraph of a training step\n  %3: [batch, 2] = add(w, x)\nforward steps
  %4: [batch, 2] -> workspace[0]
  %5: [batch, 2] -> workspace[16]: matmul input fc1.weight^T (m = batch), then %4 = ln(%3); %5 = %4
  %6: [batch, 3, 2] -> workspace[32]: 0 of `scan`
  for 3 steps of `scan`(%5):
    %1: [batch, 2] -> workspace[0]: map x
  %7: [batch, 2] -> workspace[64]: copy %6, zeros elsewhere
  %8: [batch, 2] -> workspace[80]: map select(%7, -inf, 1)
backward steps
  %9: [2] -> grads[0]: sum output gradient
workspace of a training step, without the loss: 96 elements
steps of inference
  %5: [batch, 2] -> argument 1: matmul input fc1.weight^T (m = batch)
workspace of inference: 0 elements
";

    fn made(spans: &[(usize, bool)]) -> Vec<Made> {
        let made = |&(offset, moved)| {
            let span = Span::new(Slot::Workspace, offset, 2);
            Made { span, moved }
        };
        spans.iter().map(made).collect()
    }

    #[test]
    fn steps_of_a_plan() {
        let steps = planned(PLAN, Part::Forward);
        assert_eq!(steps.len(), 5);
        let text = "matmul input fc1.weight^T (m = batch), then %4 = ln(%3); %5 = %4";
        assert_eq!(steps[0], Planned::Output(format!("%4: [batch, 2] = {text}")));
        assert_eq!(steps[1], Planned::Output(format!("%5: [batch, 2] = {text}")));
        assert_eq!(steps[2], Planned::Loop("for 3 steps of `scan`(%5)".to_owned()));
        assert_eq!(
            steps[4],
            Planned::Output("%8: [batch, 2] = map select(%7, -inf, 1)".to_owned())
        );
        let of = |part| planned(PLAN, part);
        let output = |text: &str| vec![Planned::Output(text.to_owned())];
        assert_eq!(of(Part::Backward), output("%9: [2] = sum output gradient"));
        let text = "%5: [batch, 2] = matmul input fc1.weight^T (m = batch)";
        assert_eq!(of(Part::Inference), output(text));
    }

    #[test]
    fn outputs_are_found_before_in_and_behind_a_loop() {
        let steps = planned(PLAN, Part::Forward);
        let made = made(&[
            (0, false),
            (16, false),
            (32, false),
            (34, false),
            (36, false),
            (64, true),
            (64, true),
            (80, false),
        ]);
        let found: Vec<_> =
            (0..8).map(|i| at(&steps, &made, i).map(|(number, _)| number)).collect();
        assert_eq!(found, [0, 1, 2, 2, 2, 3, 3, 4].map(Some));
        // Without a loop there is one for each.
        let outputs = &steps[3..];
        assert_eq!(at(outputs, &made[5..], 2).map(|(number, _)| number), Some(1));
        assert_eq!(at(outputs, &made, 2), None);
    }

    #[test]
    fn layers_by_their_parameters() {
        let spec =
            |name| ParamSpec { name, shape: &[2], offset: 0, init: crate::init::Init::Zeros };
        let params = [spec("fc1.weight"), spec("fc1.bias"), spec("fc10.weight"), spec("w")];
        assert_eq!(
            layer(&params, "matmul x fc1.weight^T, then add(fc1.bias, %3)").as_deref(),
            Some("fc1")
        );
        assert_eq!(layer(&params, "matmul x fc10.weight^T").as_deref(), Some("fc10"));
        assert_eq!(layer(&params, "map add(w, fc1.bias)").as_deref(), Some("fc1`, `w"));
        assert_eq!(layer(&params, "max_pool2d %3"), None);
        assert_eq!(layer_before(&params, &planned(PLAN, Part::Forward), 3).as_deref(), Some("fc1"));
    }
}
