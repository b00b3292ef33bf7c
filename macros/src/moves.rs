//! Ops that only move elements, where no kernel can do it on the way: copies into strided places.

use crate::fuse::{Leaf, merge, view};
use crate::graph::{Graph, NodeId};
use crate::kernels::GRID_RANK;
use crate::ops::Op;
use crate::plan::inline;
use crate::shape::{Dim, contiguous, show};

/// Copies that write a value; what none of them writes is zero.
pub struct Moves {
    pub zeros: bool,
    pub copies: Vec<Copy>,
}

/// A copy of a value into places of another. Strides of places may be negative.
pub struct Copy {
    pub from: NodeId,
    pub from_offset: Dim,
    pub to_offset: Dim,
    /// Axes that are loops around the kernel, because its grid has no room for them.
    pub outer: Vec<Axis>,
    /// As many as a grid has.
    pub grid: Vec<Axis>,
}

#[derive(Clone)]
pub struct Axis {
    pub size: Dim,
    pub from: Dim,
    pub to: Dim,
}

impl Moves {
    pub fn reads(&self) -> Vec<NodeId> {
        self.copies.iter().map(|copy| copy.from).collect()
    }
}

impl Copy {
    /// The copy as the kernel's argument.
    pub fn leaf(&self) -> Leaf {
        let strides = self.grid.iter().map(|axis| axis.from.clone()).collect();
        Leaf::View { base: self.from, offset: self.from_offset.clone(), strides }
    }
}

/// Whether a copy in row order has more axes than a grid, however they are merged: a loop over its elements
/// is then several copies.
pub fn is_deep(g: &Graph, id: NodeId) -> bool {
    let Some(v) = view(g, g.nodes[id].inputs[0]).filter(|v| !inline(&g.nodes[v.base].op)) else {
        return false;
    };
    let flags = vec![false; v.shape.len()];
    merge(&v.shape, &[v.strides], &flags).sizes.len() > GRID_RANK
}

/// The copies that compute a node.
pub fn moves(g: &Graph, id: NodeId) -> Result<Moves, String> {
    let node = &g.nodes[id];
    let row_order = contiguous(&node.shape);
    let zero = Dim::literal(0);
    let one = |copy: Result<Copy, String>, zeros| Ok(Moves { zeros, copies: vec![copy?] });
    match &node.op {
        Op::Contiguous => one(copy(g, node.inputs[0], zero, row_order), false),
        Op::Place { range, .. } => {
            let mut strides = row_order;
            let offset = range.start.mul(&strides[range.axis]);
            strides[range.axis] = strides[range.axis].mul(&Dim::literal(range.step as u64));
            one(copy(g, node.inputs[0], offset, strides), true)
        }
        Op::Flip(axis) => {
            let mut strides = row_order;
            let offset = node.shape[*axis].sub(&Dim::one()).mul(&strides[*axis]);
            strides[*axis] = strides[*axis].mul(&Dim::literal(-1));
            one(copy(g, node.inputs[0], offset, strides), false)
        }
        Op::Concat(axis) => {
            let mut start = zero;
            let mut copies = vec![];
            for &input in &node.inputs {
                copies.push(copy(g, input, start.mul(&row_order[*axis]), row_order.clone())?);
                start = start.add(&g.shape(input)[*axis]);
            }
            Ok(Moves { zeros: false, copies })
        }
        op => Err(format!("`{op}` is no copy")),
    }
}

/// The copy of a value to an offset and strides.
fn copy(g: &Graph, id: NodeId, to_offset: Dim, to: Vec<Dim>) -> Result<Copy, String> {
    let v = view(g, id).ok_or_else(|| format!("%{id} has no storage"))?;
    let merged = merge(&v.shape, &[v.strides, to], &vec![false; v.shape.len()]);
    let axes = merged.sizes.into_iter().zip(merged.strides[0].iter().zip(&merged.strides[1]));
    let mut grid: Vec<Axis> =
        axes.map(|(size, (from, to))| Axis { size, from: from.clone(), to: to.clone() }).collect();
    let mut outer = vec![];
    while grid.len() > GRID_RANK {
        // The smallest axis that is known, so that the loop is short; never the innermost.
        let candidates = grid[..grid.len() - 1].iter().enumerate();
        let known = candidates.filter_map(|(i, axis)| Some((axis.size.as_literal()?, i)));
        let (_, smallest) = known.min().ok_or_else(|| {
            format!("a copy of {}: at most {GRID_RANK} of its axes may have sizes that only the compiler \
                     knows", show(&v.shape))
        })?;
        outer.push(grid.remove(smallest));
    }
    let unit = Axis { size: Dim::one(), from: Dim::literal(0), to: Dim::literal(0) };
    grid.splice(0..0, vec![unit; GRID_RANK - grid.len()]);
    Ok(Copy { from: v.base, from_offset: v.offset, to_offset, outer, grid })
}
