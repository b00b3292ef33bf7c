//! A value whose gradient is kept between two bounds on its way back (Graves, "Generating sequences with recurrent
//! neural networks", 2013, section 2.1).

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};

/// dy between -max and max.
pub fn cotangents(max: f64, g: &mut Graph, dy: NodeId) -> Result<Cotangents, String> {
    let (low, high) = (g.constant(-max), g.constant(max));
    Ok(vec![Some(g.clamp(dy, low, high)?)])
}

impl Graph {
    /// The value, whose gradient is kept between `-max` and `max`.
    pub fn clip_gradient(&mut self, x: NodeId, max: f64) -> Result<NodeId, String> {
        self.push(Op::ClipGradient(max.to_bits()), &[x])
    }
}
