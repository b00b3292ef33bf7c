//! Ops that move elements: what undoes each other vanishes, what is read one after another becomes one.

use super::Simplifier;
use crate::graph::{Node, NodeId};
use crate::ops::Op;
use crate::ops::movement::Range;
use crate::shape::{Dim, Shape, numel};

impl Simplifier {
    /// A permutation, slice, place or concatenation of simple inputs.
    pub(super) fn movement(&mut self, node: &Node, inputs: Vec<NodeId>) -> Result<NodeId, String> {
        let x = inputs[0];
        let source = self.source(x);
        let single = numel(self.out.shape(source)).is_one();
        let zero = self.constant(source) == Some(0.0);
        Ok(match &node.op {
            Op::Permute(_) | Op::Slice { .. } if single && self.out.shape(source).is_empty() => {
                self.stretched(source, node)
            }
            Op::Place { .. } if zero => self.stretched(source, node),
            Op::Permute(axes) => self.permuted(node, x, axes)?,
            Op::Slice { range, size } => match self.part(x, range, size) {
                Some(part) => part,
                None => self.merged(node.op.clone(), node, inputs),
            },
            Op::Place { range, whole } if range.step == 1 && *self.size(x, range) == *whole => x,
            Op::Concat(_) if inputs.len() == 1 => x,
            op => self.merged(op.clone(), node, inputs),
        })
    }

    fn size(&self, x: NodeId, range: &Range) -> &Dim {
        &self.out.shape(x)[range.axis]
    }

    fn permuted(&mut self, node: &Node, x: NodeId, axes: &[usize]) -> Result<NodeId, String> {
        let inner = self.out.nodes[x].clone();
        if let Op::Permute(first) = &inner.op {
            let both: Vec<usize> = axes.iter().map(|axis| first[*axis]).collect();
            return self.permuted(node, inner.inputs[0], &both);
        }
        // The order of axes of size 1 is a reshape, or nothing.
        let wide: Vec<usize> =
            axes.iter().copied().filter(|axis| !inner.shape[*axis].is_one()).collect();
        if wide.is_sorted() {
            if node.shape == inner.shape {
                return Ok(x);
            }
            return self.appended(Op::Reshape(node.shape.clone()), vec![x]);
        }
        // Parts are copied into their places anyway, in any order of axes.
        if let Op::Concat(axis) = inner.op {
            let place = axes.iter().position(|from| *from == axis).ok_or("a lost axis")?;
            let mut parts = vec![];
            for &input in &inner.inputs {
                let shape: Shape =
                    axes.iter().map(|axis| self.out.shape(input)[*axis].clone()).collect();
                let part = Node { shape, ..node.clone() };
                parts.push(self.permuted(&part, input, axes)?);
            }
            return self.appended(Op::Concat(place), parts);
        }
        Ok(self.merged(Op::Permute(axes.to_vec()), node, vec![x]))
    }

    /// What a slice is, where it is all of its input or just what was put there.
    fn part(&self, x: NodeId, range: &Range, size: &Dim) -> Option<NodeId> {
        let Node { op, inputs, shape, .. } = &self.out.nodes[x];
        match op {
            _ if range.start.is_zero() && range.step == 1 && shape[range.axis] == *size => Some(x),
            Op::Place { range: placed, .. }
                if placed == range && self.size(inputs[0], range) == size =>
            {
                Some(inputs[0])
            }
            Op::Concat(axis) if *axis == range.axis && range.step == 1 => {
                let mut start = Dim::literal(0);
                for &input in inputs {
                    let part = self.size(input, range);
                    if start == range.start && part == size {
                        return Some(input);
                    }
                    start = start.add(part);
                }
                None
            }
            _ => None,
        }
    }

    /// A sum of values in different places of an axis that cover all of it is their concatenation: what the
    /// slices of a value give as its derivative.
    pub(super) fn joined(&mut self, inputs: &[NodeId]) -> Result<Option<NodeId>, String> {
        let mut open = inputs.to_vec();
        let mut parts: Vec<(Range, Dim, NodeId)> = vec![];
        while let Some(id) = open.pop() {
            match &self.out.nodes[id] {
                Node { op: Op::Place { range, whole }, inputs, .. } if range.step == 1 => {
                    parts.push((range.clone(), whole.clone(), inputs[0]));
                }
                Node { op: Op::Scalar(row), inputs, .. } if row.name == "add" => {
                    open.extend(inputs);
                }
                _ => return Ok(None),
            }
        }
        let Some((Range { axis, .. }, whole, first)) = parts.first().cloned() else {
            return Ok(None);
        };
        let rank = self.out.shape(first).len();
        let mut end = Dim::literal(0);
        let mut order = vec![];
        while end != whole && order.len() < parts.len() {
            let next = parts.iter().find(|(range, all, x)| {
                let alike = range.axis == axis && *all == whole && self.out.shape(*x).len() == rank;
                alike && range.start == end && !self.size(*x, range).is_zero()
            });
            let Some((range, _, x)) = next else { return Ok(None) };
            end = end.add(self.size(*x, range));
            order.push(*x);
        }
        let covers = end == whole && order.len() == parts.len();
        let shapes = || order.iter().map(|x| self.out.shape(*x)).collect::<Vec<_>>();
        if !covers || crate::ops::movement::concat(&shapes(), axis).is_err() {
            return Ok(None);
        }
        self.appended(Op::Concat(axis), order).map(Some)
    }

    /// What a permutation that exchanges just the last two axes is of.
    pub(super) fn transposed(&self, id: NodeId) -> Option<NodeId> {
        let Node { op: Op::Permute(axes), inputs, .. } = &self.out.nodes[id] else { return None };
        let lead = axes.len().checked_sub(2)?;
        let swaps = axes[..lead].iter().copied().eq(0..lead) && axes[lead..] == [lead + 1, lead];
        swaps.then_some(inputs[0])
    }
}
