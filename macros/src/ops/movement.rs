//! Ops that move elements and compute nothing: most of them fold into an index.

use crate::shape::{self, Dim, Shape, numel, show};

/// Equal numbers of elements, as far as the macro can see: sizes that it cannot see into are checked by
/// the layer that asked for the reshape.
pub fn reshape(from: &Shape, to: &Shape) -> Result<Shape, String> {
    let (have, want) = (numel(from), numel(to));
    let known = |n: &Dim| {
        n.as_term().is_some_and(|(_, atoms)| {
            atoms.iter().all(|atom| matches!(atom, shape::Atom::Batch | shape::Atom::Param(_)))
        })
    };
    if have != want && known(&have) && known(&want) {
        return Err(format!("{} has {have} elements, {} has {want}", show(from), show(to)));
    }
    Ok(to.clone())
}

pub fn broadcast(x: &Shape, to: &Shape) -> Result<Shape, String> {
    match shape::broadcast(x, to) {
        Some(all) if all == *to => Ok(all),
        _ => Err(format!("{} does not broadcast to {}", show(x), show(to))),
    }
}
