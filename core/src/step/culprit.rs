//! What made a loss that is not finite: the first number on the way to it that is none.
//!
//! The forward pass runs once more, on the same samples with the same parameters and random numbers, and what each kernel
//! makes is looked at. The plan of the network, which has the steps of the pass as text, says what they are.

use super::{Buffer, Pass, TrainStep};
use crate::data::MiniBatch;
use crate::device::{Access, Bindings, Counter, Device, Grade, Made, Memory, Slot, Watch};
use crate::element::{Element, Float};
use crate::error::Result;
use crate::loss::Loss;
use crate::module::Spans;
use crate::network::{Network, ParamSpec};
use crate::optim::Optimizer;
use crate::shape::{SameSample, SampleShape};

/// Where the grades of outputs are bound, and of how many at once.
const GRADES: u8 = 0;
const ROOM: usize = 16;

impl<N, L, O, Y, T> TrainStep<'_, N, L, O, Y, T>
where
    N: Network,
    L: Loss<N::Elem, N::Output, Y, T>,
    O: Optimizer,
    Y: SampleShape,
    T: Element,
{
    /// Says what makes the loss of a batch infinite or not a number, where it is: a sample's inputs or targets, a
    /// parameter, or the first step of the forward pass whose output is not finite, by its text in
    /// [`Module::PLAN`](crate::module::Module::PLAN). For the batch of the step before: later ones have changed the
    /// parameters. The loss's own formula is left where all outputs are finite. Inputs of minus infinity, which masks are
    /// made of, are not the cause where a later step is; they are named beside it.
    ///
    /// The batch runs once more, and the network stays as it is. Steps under way are waited for, and their losses dropped.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [1] { fc1: Linear(1) } }
    /// # fn main() -> netform_core::error::Result<()> {
    /// # use netform_core::{data::MiniBatch, dim::D, loss::Mse, network::Network, optim::Sgd, random::Seed};
    /// # use netform_core::tensor::Tensor;
    /// # let mut net = Net::new(Seed(1));
    /// let batch = MiniBatch::<(D<2>,), (D<1>,), f32, f32> {
    ///     inputs: Tensor::from_vec(vec![0.1, 0.2, f32::NAN, 0.4])?,
    ///     targets: Tensor::from_vec(vec![1.0, 2.0])?,
    /// };
    /// let mut step = net.train_step(Mse, Sgd::new(0.1), 2)?;
    /// if !step.run(&batch)?.is_finite() {
    ///     let cause = step.explain(&batch)?;
    ///     assert_eq!(cause, "number 0 of the inputs of sample 1 of the batch is NaN (counted from 0)");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the batch is larger than the step's capacity, the device has not enough memory, or it is lost.
    pub fn explain<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<String> {
        Ok(self.culprit(batch)?.to_string())
    }

    /// [`TrainStep::explain`], with what is known of it.
    pub(crate) fn culprit<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<Culprit> {
        self.memories.settle(self.net.store_mut(), &mut self.updates.state);
        let samples = batch.inputs.batch();
        super::check_capacity("a training step", samples, self.memories.capacity)?;
        let device = self.net.store().device.clone();
        let inputs = first(&device, batch.inputs.buffer(), samples * N::Input::NUMEL)?;
        let targets = first(&device, batch.targets.buffer(), samples * Y::NUMEL)?;
        let sample = |what, each: usize, (place, value): (usize, f64)| {
            let (sample, place) = (place / each.max(1), place % each.max(1));
            Culprit::Sample { what, sample, among: "batch", place, value }
        };
        let input = inputs.map(|found| sample("inputs", N::Input::NUMEL, found));
        // Masks are made of minus infinity, which is the cause only if nothing else is found.
        let is_low = inputs.is_some_and(|(_, value)| value == f64::NEG_INFINITY);
        let cause = input.clone().filter(|_| !is_low);
        if let Some(cause) = cause.or(targets.map(|found| sample("targets", Y::NUMEL, found))) {
            return Ok(cause);
        }
        let store = self.net.store();
        for (specs, buffer, len) in
            [(N::PARAMS, &store.params, N::PARAM_LEN), (N::STATES, &store.state, N::STATE_LEN)]
        {
            if let Some((place, value)) = first(&device, buffer, len)? {
                let of =
                    specs.iter().find(|it| (it.offset..it.offset + it.numel()).contains(&place));
                return Ok(Culprit::Weight { name: of.map_or("", |it| it.name), value });
            }
        }
        let Watched { made, grades } = self.watched(batch)?;
        let steps = planned(N::PLAN);
        let named = |i: usize| at(&steps, &made, i);
        let bad = grades.iter().enumerate().find(|&(i, &grade)| {
            let masks = || is_low || matches!(named(i), Some((_, text)) if text.contains("-inf"));
            grade > Grade::LOW || grade == Grade::LOW && !masks()
        });
        let Some((i, &grade)) = bad else { return Ok(input.unwrap_or(Culprit::Loss)) };
        let value = ["finite", "-inf", "inf", "NaN"][usize::from(grade.min(Grade::NAN))];
        let cause = match named(i) {
            Some((number, text)) => Culprit::Step {
                layer: layer(N::PARAMS, &text),
                after: layer_before(N::PARAMS, &steps, number),
                number: number + 1,
                of: steps.len(),
                text,
                value,
            },
            None => Culprit::Kernel { number: i + 1, of: made.len(), value },
        };
        Ok(match input {
            Some(input) => Culprit::Beside(Box::new(cause), Box::new(input)),
            None => cause,
        })
    }

    /// The forward pass once more, with a grade of everything that it makes.
    fn watched<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<Watched> {
        let store = self.net.store();
        let device = store.device.clone();
        let extent = super::extent(self.net, batch.inputs.batch());
        let mut buffer: Buffer<N> = device.zeros(ROOM)?;
        // Running statistics may move in a forward pass: those of a copy.
        let mut statistics = vec![N::Elem::ZERO; N::STATE_LEN];
        device.read(&store.state, 0, &mut statistics)?;
        let mut state: Buffer<N> = device.zeros(N::STATE_LEN)?;
        let mut grades = Vec::new();
        loop {
            device.write(&mut state, 0, &statistics)?;
            let mut made = Vec::new();
            let window = [grades.len(), ROOM];
            let mut bound = Bindings {
                params: Access::Read(&store.params),
                state: Access::Write(&mut state),
                grads: Access::Write(&mut self.memories.grads),
                workspace: Access::Write(&mut self.memories.workspace),
                counter: Counter { seed: store.seed.0, step: store.steps, first_sample: 0 },
                watch: Some(Watch { made: &mut made, to: Slot::Output(GRADES), window }),
                ..Bindings::default()
            };
            bound.outputs[usize::from(GRADES)] = Access::Write(&mut buffer);
            let pass = Pass::<N, L, Y, T> {
                constants: self.constants.as_ref(),
                ..Pass::of(extent, &batch.inputs, &batch.targets, &self.loss)?
            };
            pass.bind(&mut bound);
            let mut run = device.run(bound);
            N::train_forward(&mut run, extent, Spans::inputs::<N>(extent).as_slice());
            crate::device::Run::finish(run)?;
            let new = made.len().saturating_sub(grades.len()).min(ROOM);
            let mut found = vec![N::Elem::ZERO; new];
            device.read(&buffer, 0, &mut found)?;
            grades.extend(found.into_iter().map(|grade| grade.to_f64() as u8));
            if new < ROOM {
                return Ok(Watched { made, grades });
            }
        }
    }
}

/// What a pass has made, each with its grade.
struct Watched {
    made: Vec<Made>,
    grades: Vec<u8>,
}

/// What was first not finite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Culprit {
    /// A number of a sample, of its inputs or its targets, from 0.
    Sample { what: &'static str, sample: usize, among: &'static str, place: usize, value: f64 },
    /// A parameter, or a running statistic.
    Weight { name: &'static str, value: f64 },
    /// The output of a step of the plan.
    Step {
        layer: Option<String>,
        after: Option<String>,
        number: usize,
        of: usize,
        text: String,
        value: &'static str,
    },
    /// That of a kernel which no step of the plan could be found for.
    Kernel { number: usize, of: usize, value: &'static str },
    /// The first of these, where the second may be a mask or what has made it.
    Beside(Box<Culprit>, Box<Culprit>),
    /// The loss, of finite outputs.
    Loss,
}

impl Culprit {
    /// With the numbers that the batch's samples have among others: `indices`.
    pub fn among(self, others: &'static str, indices: &[usize]) -> Self {
        match self {
            Culprit::Sample { what, sample, place, value, .. } => {
                let sample = indices.get(sample).copied().unwrap_or(sample);
                Culprit::Sample { what, sample, among: others, place, value }
            }
            Culprit::Beside(cause, input) => {
                Culprit::Beside(cause, Box::new(input.among(others, indices)))
            }
            other => other,
        }
    }
}

impl std::fmt::Display for Culprit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Culprit::Sample { what, sample, among, place, value } => write!(
                f,
                "number {place} of the {what} of sample {sample} of the {among} is {value} (counted from 0)"
            ),
            Culprit::Weight { name, value } => write!(f, "`{name}` has a number that is {value}"),
            Culprit::Step { layer, after, number, of, text, value } => {
                match (layer, after) {
                    (Some(layer), _) => {
                        write!(f, "the output of `{layer}` is the first that is {value}")?
                    }
                    (None, Some(after)) => {
                        write!(f, "what follows `{after}` is the first output that is {value}")?;
                    }
                    (None, None) => write!(f, "the first output is {value}")?,
                }
                write!(f, ", in step {number} of {of} of the forward pass: {text}")
            }
            Culprit::Kernel { number, of, value } => {
                write!(
                    f,
                    "the output of kernel {number} of {of} of the forward pass is the first that is {value}"
                )
            }
            Culprit::Beside(cause, input) => write!(f, "{cause}; before it, {input}"),
            Culprit::Loss => write!(
                f,
                "all outputs of the network are finite: a loss of them that is not is its formula's"
            ),
        }
    }
}

/// The first of so many elements of a buffer that is a float and not finite; minus infinity only where nothing else is.
fn first<T: Element, D: Memory>(
    device: &D,
    buffer: &D::Buffer<T>,
    len: usize,
) -> Result<Option<(usize, f64)>> {
    if !matches!(T::NAME, "F32" | "F64") {
        return Ok(None);
    }
    let mut values = vec![T::default(); len];
    device.read(buffer, 0, &mut values)?;
    let mut bytes = Vec::new();
    let numbers = values.into_iter().map(|x| {
        bytes.clear();
        x.extend_le_bytes(&mut bytes);
        match T::NAME {
            "F32" => f64::from(<f32 as Element>::from_le_bytes(&bytes)),
            _ => <f64 as Element>::from_le_bytes(&bytes),
        }
    });
    let mut low = None;
    for found @ (_, x) in numbers.enumerate().filter(|(_, x)| !x.is_finite()) {
        if x != f64::NEG_INFINITY {
            return Ok(Some(found));
        }
        low = low.or(Some(found));
    }
    Ok(low)
}

/// A step of the forward pass as the plan has it.
#[derive(Clone, Debug, PartialEq)]
enum Planned {
    /// One output of a kernel: the value with its shape, and what makes it.
    Output(String),
    /// A loop, of which nobody knows from outside how many kernels it runs.
    Loop(String),
}

/// The steps of the forward pass in the text of a plan.
fn planned(plan: &str) -> Vec<Planned> {
    let forward = plan.split_once("forward steps\n").map_or("", |(_, rest)| rest);
    let forward = forward.split_once("backward steps\n").map_or("", |(forward, _)| forward);
    let mut steps: Vec<Planned> = Vec::new();
    // Outputs whose step has others, which come behind and say what it does.
    let mut waiting = Vec::new();
    for line in forward.lines() {
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
fn at(steps: &[Planned], made: &[Made], i: usize) -> Option<(usize, String)> {
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
fn layer(params: &[ParamSpec], text: &str) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let words: Vec<&str> = text.split(|c| !is_part(c)).collect();
    let read = params.iter().filter(|it| words.contains(&it.name));
    let mut layers: Vec<&str> =
        read.map(|it| it.name.rsplit_once('.').map_or(it.name, |(layer, _)| layer)).collect();
    layers.dedup();
    (!layers.is_empty()).then(|| layers.join("`, `"))
}

/// The layers of the last step before one that reads parameters.
fn layer_before(params: &[ParamSpec], steps: &[Planned], number: usize) -> Option<String> {
    steps[..number].iter().rev().find_map(|step| match step {
        Planned::Output(text) | Planned::Loop(text) => layer(params, text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Span;

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
        let steps = planned(PLAN);
        assert_eq!(steps.len(), 5);
        let text = "matmul input fc1.weight^T (m = batch), then %4 = ln(%3); %5 = %4";
        assert_eq!(steps[0], Planned::Output(format!("%4: [batch, 2] = {text}")));
        assert_eq!(steps[1], Planned::Output(format!("%5: [batch, 2] = {text}")));
        assert_eq!(steps[2], Planned::Loop("for 3 steps of `scan`(%5)".to_owned()));
        assert_eq!(
            steps[4],
            Planned::Output("%8: [batch, 2] = map select(%7, -inf, 1)".to_owned())
        );
    }

    #[test]
    fn outputs_are_found_before_in_and_behind_a_loop() {
        let steps = planned(PLAN);
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
        assert_eq!(layer_before(&params, &planned(PLAN), 3).as_deref(), Some("fc1"));
    }
}
