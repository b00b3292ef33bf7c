//! Running sums along an axis. Each element goes into the sums after it: the derivative runs the other way.

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Shape, show};

pub fn shape(x: &Shape, axis: usize) -> Result<Shape, String> {
    match axis < x.len() {
        true => Ok(x.clone()),
        false => Err(format!("running sums along axis {axis} of {}", show(x))),
    }
}

pub fn cotangents(
    axis: usize,
    reverse: bool,
    g: &mut Graph,
    dy: NodeId,
) -> Result<Cotangents, String> {
    Ok(vec![Some(g.cumsum(dy, axis, !reverse)?)])
}

impl Graph {
    /// The sums up to each element along an axis, itself included; from the other end where `reverse`.
    pub fn cumsum(&mut self, x: NodeId, axis: usize, reverse: bool) -> Result<NodeId, String> {
        self.push(Op::Cumsum { axis, reverse }, &[x])
    }
}
