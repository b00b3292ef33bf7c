//! Ops that move elements and compute nothing: most of them fold into an index.

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
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

/// Every axis once.
pub fn permute(x: &Shape, axes: &[usize]) -> Result<Shape, String> {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..x.len()) {
        return Err(format!("a permutation {axes:?} of the {} axes of {}", x.len(), show(x)));
    }
    Ok(axes.iter().map(|axis| x[*axis].clone()).collect())
}

/// The axes that undo a permutation.
fn inverse(axes: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; axes.len()];
    axes.iter().enumerate().for_each(|(to, from)| inverse[*from] = to);
    inverse
}

/// Every `step`-th of the places of an axis, `size` of them from `start` on.
#[derive(Clone, PartialEq)]
pub struct Range {
    pub axis: usize,
    pub start: Dim,
    pub step: usize,
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "axis {} from {} step {}", self.axis, self.start, self.step)
    }
}

impl Range {
    /// That `size` places lie within the `whole` axis, as far as the macro can see.
    fn fits(&self, size: &Dim, whole: &Dim, of: &Shape) -> Result<(), String> {
        let step = Dim::literal(self.step as u64);
        let end = self.start.add(&size.sub(&Dim::one()).mul(&step)).add(&Dim::one());
        let negative = |dim: Dim| dim.as_literal().is_some_and(|n| n < 0);
        if self.step == 0 {
            return Err(format!("a step of 0 along axis {} of {}", self.axis, show(of)));
        }
        // An empty range has no end.
        if negative(self.start.clone())
            || negative(size.clone())
            || !size.is_zero() && negative(whole.sub(&end))
        {
            return Err(format!(
                "places {} to {end} of axis {} of {}, which has {whole}",
                self.start,
                self.axis,
                show(of)
            ));
        }
        Ok(())
    }
}

pub fn slice(x: &Shape, range: &Range, size: &Dim) -> Result<Shape, String> {
    let whole = x.get(range.axis).ok_or_else(|| missing_axis(x, range.axis))?;
    range.fits(size, whole, x)?;
    let mut shape = x.clone();
    shape[range.axis] = size.clone();
    Ok(shape)
}

pub fn place(x: &Shape, range: &Range, whole: &Dim) -> Result<Shape, String> {
    let size = x.get(range.axis).ok_or_else(|| missing_axis(x, range.axis))?;
    range.fits(size, whole, x)?;
    let mut shape = x.clone();
    shape[range.axis] = whole.clone();
    Ok(shape)
}

fn missing_axis(x: &Shape, axis: usize) -> String {
    format!("axis {axis} of {}, which has {} axes", show(x), x.len())
}

/// Equal shapes but for one axis.
pub fn concat(xs: &[&Shape], axis: usize) -> Result<Shape, String> {
    let first = xs.first().ok_or("nothing to concatenate")?;
    let mut all = (*first).clone();
    let mut sum = first.get(axis).ok_or_else(|| missing_axis(first, axis))?.clone();
    for x in &xs[1..] {
        let size = x.get(axis).ok_or_else(|| missing_axis(x, axis))?;
        let mut aligned = (*x).clone();
        aligned[axis] = first[axis].clone();
        if aligned != **first {
            return Err(format!(
                "{} and {} differ in more than axis {axis}, along which they are concatenated",
                show(first),
                show(x)
            ));
        }
        sum = sum.add(size);
    }
    all[axis] = sum;
    Ok(all)
}

pub fn cotangents(
    op: &Op,
    g: &mut Graph,
    inputs: &[NodeId],
    dy: NodeId,
) -> Result<Cotangents, String> {
    let shape = g.shape(inputs[0]).clone();
    Ok(match op {
        Op::Permute(axes) => vec![Some(g.permute(dy, inverse(axes))?)],
        Op::Slice { range, .. } => {
            let whole = shape[range.axis].clone();
            vec![Some(g.place(dy, range.axis, range.start.clone(), range.step, whole)?)]
        }
        Op::Place { range, .. } => {
            let size = shape[range.axis].clone();
            vec![Some(g.slice(dy, range.axis, range.start.clone(), size, range.step)?)]
        }
        Op::Flip(axis) => vec![Some(g.flip(dy, *axis)?)],
        Op::Concat(axis) => {
            let mut start = Dim::literal(0);
            let mut parts = vec![];
            for &input in inputs {
                let size = g.shape(input)[*axis].clone();
                parts.push(Some(g.slice(dy, *axis, start.clone(), size.clone(), 1)?));
                start = start.add(&size);
            }
            parts
        }
        _ => return Err(format!("`{op}` does not move elements")),
    })
}

impl Graph {
    /// Axis `i` of the result is axis `axes[i]`; nothing where the order stays.
    pub fn permute(&mut self, x: NodeId, axes: Vec<usize>) -> Result<NodeId, String> {
        if axes.iter().copied().eq(0..self.shape(x).len()) {
            return Ok(x);
        }
        self.push(Op::Permute(axes), &[x])
    }

    /// `size` places of an axis from `start` on, every `step`-th; nothing where they are all.
    pub fn slice(
        &mut self,
        x: NodeId,
        axis: usize,
        start: Dim,
        size: Dim,
        step: usize,
    ) -> Result<NodeId, String> {
        if start.is_zero() && step == 1 && self.shape(x).get(axis) == Some(&size) {
            return Ok(x);
        }
        self.push(Op::Slice { range: Range { axis, start, step }, size }, &[x])
    }

    /// The value among zeros along an axis that has `whole` places then: every `step`-th from `start` on
    /// is the value's. The transposed slice; also padding with zeros.
    pub fn place(
        &mut self,
        x: NodeId,
        axis: usize,
        start: Dim,
        step: usize,
        whole: Dim,
    ) -> Result<NodeId, String> {
        if start.is_zero() && step == 1 && self.shape(x).get(axis) == Some(&whole) {
            return Ok(x);
        }
        self.push(Op::Place { range: Range { axis, start, step }, whole }, &[x])
    }

    /// Values one after another along an axis.
    pub fn concat(&mut self, xs: &[NodeId], axis: usize) -> Result<NodeId, String> {
        if let [x] = xs
            && axis < self.shape(*x).len()
        {
            return Ok(*x);
        }
        self.push(Op::Concat(axis), xs)
    }

    /// An axis backwards.
    pub fn flip(&mut self, x: NodeId, axis: usize) -> Result<NodeId, String> {
        self.push(Op::Flip(axis), &[x])
    }
}
