//! The norms of a network's parameters.

use super::history::WeightNorm;
use crate::device::{Access, Bindings, Device, Fold, Kernels, Memory, Run, Slot, Span};
use crate::element::Float;
use crate::error::Result;
use crate::module::Module;
use crate::optim::each;

/// The norm of each parameter: one pass on the device, and as many numbers from there.
pub(super) fn of_weights<N: Module>(net: &N) -> Result<Vec<WeightNorm>> {
    let store = net.store();
    let mut sums = store.device.zeros::<N::Elem>(N::PARAMS.len())?;
    let mut bound = Bindings { params: Access::Read(&store.params), ..Bindings::default() };
    bound.outputs[0] = Access::Write(&mut sums);
    let mut run = store.device.run(bound);
    for (i, spec) in N::PARAMS.iter().enumerate() {
        let (out, len) = (Span::new(Slot::Output(0), i, 1), spec.numel());
        let weights = each(Span::new(Slot::Params, spec.offset, len));
        let square = |[x]: [N::Elem; 1], []: [N::Elem; 0]| x * x;
        run.reduce(out, Fold::Sum, [1, 1, 1, len], [true; 4], [weights], [], square, &["a0 * a0"]);
    }
    run.finish()?;
    let mut squares = vec![N::Elem::ZERO; N::PARAMS.len()];
    store.device.read(&sums, 0, &mut squares)?;
    let named = N::PARAMS.iter().zip(squares);
    let norm = |(spec, squares): (&crate::network::ParamSpec, N::Elem)| WeightNorm {
        name: spec.name.to_owned(),
        norm: squares.to_f64().sqrt(),
    };
    Ok(named.map(norm).collect())
}
