//! Folds over axes. The axes remain, with size 1; squeezing them away is a reshape.

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Dim, Shape};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    Sum,
    Max,
}

impl Fold {
    pub fn name(self) -> &'static str {
        match self {
            Fold::Sum => "sum",
            Fold::Max => "max",
        }
    }
}

pub fn shape(x: &Shape, axes: &[usize]) -> Result<Shape, String> {
    if let Some(axis) = axes.iter().find(|axis| **axis >= x.len()) {
        return Err(format!("axis {axis} of a value with {} axes", x.len()));
    }
    let kept = x.iter().enumerate();
    Ok(kept.map(|(i, dim)| if axes.contains(&i) { Dim::one() } else { dim.clone() }).collect())
}

pub fn cotangents(
    fold: Fold,
    axes: &[usize],
    g: &mut Graph,
    y: NodeId,
    dy: NodeId,
) -> Result<Cotangents, String> {
    let x = g.nodes[y].inputs[0];
    let shape = g.shape(x).clone();
    Ok(vec![Some(match fold {
        Fold::Sum => g.broadcast(dy, shape)?,
        // Elements that are equal to the maximum share the gradient, as PyTorch's amax does.
        Fold::Max => {
            let hit = g.scalar("eq", &[x, y])?;
            let hits = g.push(Op::Reduce { fold: Fold::Sum, axes: axes.to_vec() }, &[hit])?;
            let share = g.scalar("div", &[dy, hits])?;
            g.scalar("mul", &[hit, share])?
        }
    })])
}

impl Graph {
    /// The sum over axes, which remain with size 1.
    pub fn sum(&mut self, x: NodeId, axes: Vec<usize>) -> Result<NodeId, String> {
        if axes.is_empty() { Ok(x) } else { self.push(Op::Reduce { fold: Fold::Sum, axes }, &[x]) }
    }

    /// Sums what was repeated to get from `shape` to the shape of `x`.
    pub fn sum_to(&mut self, x: NodeId, shape: &Shape) -> Result<NodeId, String> {
        let from = self.shape(x).clone();
        let added = from.len() - shape.len();
        let axes = (0..from.len())
            .filter(|&i| i < added || (shape[i - added].is_one() && !from[i].is_one()))
            .collect();
        let sum = self.sum(x, axes)?;
        self.reshape(sum, shape.clone())
    }
}
