//! The search for what is first not finite: in the samples, in the weights, and then in what each kernel of a pass makes.

use super::Culprit;
use super::steps::{Part, at, layer, layer_before, planned};
use crate::data::MiniBatch;
use crate::device::{Grade, Made, Memory, Slot, Watch};
use crate::element::{Element, Float};
use crate::error::Result;
use crate::module::Module;
use crate::network::{Network, ParamSpec};
use crate::shape::SampleShape;
use crate::step::Buffer;

/// The output that grades of other outputs are bound to.
pub(crate) const GRADES: u8 = 4;
/// How many outputs are graded in one pass.
const ROOM: usize = 16;

/// What is first not finite on the way to the loss of a batch: of its samples, of the weights, or of what `pass` makes,
/// which runs the kernels of `part` with the watch, and the buffer of grades bound to the output [`GRADES`]. `frozen` has
/// offset and length of the parameters that no update changes.
pub(crate) fn search<N, X, Y, T>(
    net: &N,
    frozen: &[(usize, usize)],
    batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    part: Part,
    pass: impl FnMut(Watch<'_>, &mut Buffer<N>) -> Result<()>,
) -> Result<Culprit>
where
    N: Network,
    X: SampleShape,
    Y: SampleShape,
    T: Element,
{
    let (device, samples) = (&net.store().device, batch.inputs.batch());
    let inputs = first(device, batch.inputs.buffer(), samples * N::Input::NUMEL)?;
    let targets = first(device, batch.targets.buffer(), samples * Y::NUMEL)?;
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
    let Weights { cause, beside, has_low } = weights(net, frozen)?;
    if let Some(cause) = cause {
        return Ok(cause);
    }
    let input = input.or(beside);
    let cause = made::<N>(device, part, is_low || has_low, |_| false, pass)?;
    Ok(match (cause, input) {
        (None, input) => input.unwrap_or(Culprit::Loss),
        (Some(cause), Some(input)) => Culprit::Beside(Box::new(cause), Box::new(input)),
        (Some(cause), None) => cause,
    })
}

/// What is not finite among parameters and running statistics.
struct Weights {
    /// The first that has a number that is not, but for what is beside.
    cause: Option<Culprit>,
    /// The first that is the cause only if nothing else is found: one of minus infinity, as in masks, or a frozen one.
    beside: Option<Culprit>,
    /// Whether there is minus infinity.
    has_low: bool,
}

fn weights<N: Module>(net: &N, frozen: &[(usize, usize)]) -> Result<Weights> {
    let store = net.store();
    let mut found = Weights { cause: None, beside: None, has_low: false };
    for (specs, buffer, len, frozen) in [
        (N::PARAMS, &store.params, N::PARAM_LEN, frozen),
        (N::STATES, &store.state, N::STATE_LEN, &[][..]),
    ] {
        let mut values = vec![N::Elem::ZERO; len];
        store.device.read(buffer, 0, &mut values)?;
        for spec in specs {
            let of = &values[spec.offset..spec.offset + spec.numel()];
            let Some((_, value)) = worst(of.iter().map(|x| x.to_f64())) else { continue };
            let is_low = |x: &N::Elem| x.to_f64() == f64::NEG_INFINITY;
            found.has_low |= of.iter().any(is_low);
            let is_beside = value == f64::NEG_INFINITY
                || frozen.iter().any(|(offset, _)| *offset == spec.offset);
            let place = if is_beside { &mut found.beside } else { &mut found.cause };
            place.get_or_insert(Culprit::Weight { name: spec.name, value, after: None });
        }
    }
    Ok(found)
}

/// The parameter that an element of the buffer is of.
fn of(specs: &[ParamSpec], place: usize) -> Option<&'static str> {
    let mut specs = specs.iter();
    specs.find(|it| (it.offset..it.offset + it.numel()).contains(&place)).map(|it| it.name)
}

/// The first output of a pass that is not finite; minus infinity, only where nothing is masked. What is `unused` does not
/// count.
pub(super) fn made<N: Module>(
    device: &N::Device,
    part: Part,
    is_low: bool,
    unused: impl Fn(&Made) -> bool,
    pass: impl FnMut(Watch<'_>, &mut Buffer<N>) -> Result<()>,
) -> Result<Option<Culprit>> {
    let Watched { made, grades } = watched::<N>(device, pass)?;
    let steps = planned(N::PLAN, part);
    let named = |i: usize| at(&steps, &made, i);
    let bad = grades.iter().enumerate().find(|&(i, &grade)| {
        let masks = || is_low || matches!(named(i), Some((_, text)) if text.contains("-inf"));
        (grade > Grade::LOW || grade == Grade::LOW && !masks()) && !unused(&made[i])
    });
    let Some((i, &grade)) = bad else { return Ok(None) };
    let value = ["finite", "-inf", "inf", "NaN"][usize::from(grade.min(Grade::NAN))];
    Ok(Some(match (named(i), part) {
        (Some((number, text)), Part::Backward) => Culprit::Step {
            part,
            layer: parameter(N::PARAMS, &made[i]),
            after: None,
            number: number + 1,
            of: steps.len(),
            text,
            value,
        },
        (Some((number, text)), _) => Culprit::Step {
            part,
            layer: layer(N::PARAMS, &text),
            after: layer_before(N::PARAMS, &steps, number),
            number: number + 1,
            of: steps.len(),
            text,
            value,
        },
        (None, _) => Culprit::Kernel { part, number: i + 1, of: made.len(), value },
    }))
}

/// The parameter whose gradient was made.
fn parameter(params: &[ParamSpec], made: &Made) -> Option<String> {
    let place = (made.span.slot == Slot::Grads).then_some(made.span.offset)?;
    of(params, place).map(str::to_owned)
}

/// What a pass has made, each with its grade.
struct Watched {
    made: Vec<Made>,
    grades: Vec<u8>,
}

/// Runs a pass as often as it takes to have a grade of everything that it makes.
fn watched<N: Module>(
    device: &N::Device,
    mut pass: impl FnMut(Watch<'_>, &mut Buffer<N>) -> Result<()>,
) -> Result<Watched> {
    let mut buffer: Buffer<N> = device.zeros(ROOM)?;
    let mut grades = Vec::new();
    loop {
        let mut made = Vec::new();
        let window = [grades.len(), ROOM];
        pass(Watch { made: &mut made, to: Slot::Output(GRADES), window }, &mut buffer)?;
        let new = made.len().saturating_sub(grades.len()).min(ROOM);
        let mut found = vec![N::Elem::ZERO; new];
        device.read(&buffer, 0, &mut found)?;
        grades.extend(found.into_iter().map(|grade| grade.to_f64() as u8));
        if new < ROOM {
            return Ok(Watched { made, grades });
        }
    }
}

/// The first of so many elements of a buffer that is a float and not finite; minus infinity only where nothing else is.
pub(super) fn first<T: Element, D: Memory>(
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
    Ok(worst(numbers))
}

/// The first number that is not finite; minus infinity only where nothing else is.
fn worst(numbers: impl Iterator<Item = f64>) -> Option<(usize, f64)> {
    let mut low = None;
    for found @ (_, x) in numbers.enumerate().filter(|(_, x)| !x.is_finite()) {
        if x != f64::NEG_INFINITY {
            return Some(found);
        }
        low = low.or(Some(found));
    }
    low
}
