//! What a pass over a network's parameters on the device tells of each: its norm, and whether its numbers are finite.

use super::history::WeightNorm;
use crate::device::{Access, Bindings, Device, Fold, Kernels, Memory, Run, Slot, Span, Text};
use crate::element::Float;
use crate::error::Result;
use crate::module::Module;
use crate::optim::each;

/// The norm of each parameter.
pub(super) fn of_weights<N: Module>(net: &N) -> Result<Vec<WeightNorm>> {
    let squares = sums(net, |[x], []| x * x, &["a0 * a0"])?;
    let named = N::PARAMS.iter().zip(squares);
    let norm = |(spec, squares): (&crate::network::ParamSpec, N::Elem)| WeightNorm {
        name: spec.name.to_owned(),
        norm: squares.to_f64().sqrt(),
    };
    Ok(named.map(norm).collect())
}

/// The parameters that have a number that is infinite or none.
pub(super) fn not_finite<N: Module>(net: &N) -> Result<Vec<&'static str>> {
    let counts = sums(
        net,
        |[x], []| if x.is_finite() { N::Elem::ZERO } else { N::Elem::ONE },
        &["select(0.0, 1.0, (bitcast<u32>(a0) & 0x7f800000u) == 0x7f800000u)"],
    )?;
    let bad = N::PARAMS.iter().zip(counts).filter(|(_, count)| *count > N::Elem::ZERO);
    Ok(bad.map(|(spec, _)| spec.name).collect())
}

/// The sum over each parameter of a function of its elements: one pass on the device, and as many numbers from there.
fn sums<N: Module>(
    net: &N,
    f: impl Fn([N::Elem; 1], [N::Elem; 0]) -> N::Elem + Copy + Send + Sync,
    text: Text,
) -> Result<Vec<N::Elem>> {
    let store = net.store();
    let mut sums = store.device.zeros::<N::Elem>(N::PARAMS.len())?;
    let mut bound = Bindings { params: Access::Read(&store.params), ..Bindings::default() };
    bound.outputs[0] = Access::Write(&mut sums);
    let mut run = store.device.run(bound);
    for (i, spec) in N::PARAMS.iter().enumerate() {
        let (out, len) = (Span::new(Slot::Output(0), i, 1), spec.numel());
        let weights = each(Span::new(Slot::Params, spec.offset, len));
        run.reduce(out, Fold::Sum, [1, 1, 1, len], [true; 4], [weights], [], f, text);
    }
    run.finish()?;
    let mut values = vec![N::Elem::ZERO; N::PARAMS.len()];
    store.device.read(&sums, 0, &mut values)?;
    Ok(values)
}
