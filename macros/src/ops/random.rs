//! Random numbers: a pure function of seed, stream, step and sample, so that the backward pass computes
//! them again instead of storing them.

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::Shape;

impl Graph {
    /// Numbers in [0, 1). `stream` is the path of the call: no two calls share one.
    pub fn uniform(&mut self, stream: &str, shape: Shape) -> Result<NodeId, String> {
        self.push(Op::Uniform { stream: stream.to_owned(), shape }, &[])
    }
}
