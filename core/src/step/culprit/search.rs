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

/// The output that grades of other outputs are bound to, and of how many at once.
pub(crate) const GRADES: u8 = 4;
const ROOM: usize = 16;

/// What is first not finite on the way to the loss of a batch: of its samples, of the weights, or of what `pass` makes,
/// which runs the kernels of `part` with the watch, and the buffer of grades bound to the output [`GRADES`].
pub(crate) fn search<N, X, Y, T>(
    net: &N,
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
    if let Some(weight) = weight(net)? {
        return Ok(weight);
    }
    let cause = made::<N>(device, part, is_low, pass)?;
    Ok(match (cause, input) {
        (None, input) => input.unwrap_or(Culprit::Loss),
        (Some(cause), Some(input)) => Culprit::Beside(Box::new(cause), Box::new(input)),
        (Some(cause), None) => cause,
    })
}

/// The first parameter or running statistic that has a number that is not finite.
fn weight<N: Module>(net: &N) -> Result<Option<Culprit>> {
    let store = net.store();
    for (specs, buffer, len) in
        [(N::PARAMS, &store.params, N::PARAM_LEN), (N::STATES, &store.state, N::STATE_LEN)]
    {
        if let Some((place, value)) = first(&store.device, buffer, len)? {
            let name = of(specs, place).unwrap_or("");
            return Ok(Some(Culprit::Weight { name, value, after: None }));
        }
    }
    Ok(None)
}

/// The parameter that an element of the buffer is of.
fn of(specs: &[ParamSpec], place: usize) -> Option<&'static str> {
    let mut specs = specs.iter();
    specs.find(|it| (it.offset..it.offset + it.numel()).contains(&place)).map(|it| it.name)
}

/// The first output of a pass that is not finite; minus infinity, only where nothing is masked.
pub(super) fn made<N: Module>(
    device: &N::Device,
    part: Part,
    is_low: bool,
    pass: impl FnMut(Watch<'_>, &mut Buffer<N>) -> Result<()>,
) -> Result<Option<Culprit>> {
    let Watched { made, grades } = watched::<N>(device, pass)?;
    let steps = planned(N::PLAN, part);
    let named = |i: usize| at(&steps, &made, i);
    let bad = grades.iter().enumerate().find(|&(i, &grade)| {
        let masks = || is_low || matches!(named(i), Some((_, text)) if text.contains("-inf"));
        grade > Grade::LOW || grade == Grade::LOW && !masks()
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
    let mut low = None;
    for found @ (_, x) in numbers.enumerate().filter(|(_, x)| !x.is_finite()) {
        if x != f64::NEG_INFINITY {
            return Ok(Some(found));
        }
        low = low.or(Some(found));
    }
    Ok(low)
}
