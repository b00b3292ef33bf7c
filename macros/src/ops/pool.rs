//! Maximum and average pooling. Where the maximum is depends on x alone; given that, scattering and gathering are
//! linear, and each other's derivative. So are averaging, in which the padding counts, and spreading.

use crate::graph::{Graph, NodeId};
use crate::ops::conv::Window2;
use crate::ops::{Cotangents, Op};
use crate::shape::{Shape, show};

/// x `[batch, c, h, w]`, y `[batch, c, oh, ow]`.
pub fn shape(x: &Shape, window: &Window2) -> Result<Shape, String> {
    let [batch, c, height, width] = &x[..] else {
        return Err(format!("a pooling of {}", show(x)));
    };
    let [oh, ow] = window.out(height, width);
    Ok(vec![batch.clone(), c.clone(), oh, ow])
}

pub fn cotangents(
    op: &Op,
    window: &Window2,
    g: &mut Graph,
    inputs: &[NodeId],
    d: NodeId,
) -> Result<Cotangents, String> {
    let x = inputs[0];
    Ok(match op {
        Op::MaxPool2d(_) => vec![Some(g.push(Op::MaxPool2dScatter(window.clone()), &[x, d])?)],
        Op::MaxPool2dScatter(_) => {
            vec![None, Some(g.push(Op::MaxPool2dGather(window.clone()), &[x, d])?)]
        }
        Op::AvgPool2d(_) => {
            let shape = g.shape(x).clone();
            vec![Some(g.push(Op::AvgPool2dSpread(window.clone(), shape), &[d])?)]
        }
        Op::AvgPool2dSpread(..) => vec![Some(g.push(Op::AvgPool2d(window.clone()), &[d])?)],
        _ => vec![None, Some(g.push(Op::MaxPool2dScatter(window.clone()), &[x, d])?)],
    })
}

impl Graph {
    /// The mean of each window, in which the padding counts as zeros.
    pub fn avg_pool2d(&mut self, x: NodeId, window: Window2) -> Result<NodeId, String> {
        self.push(Op::AvgPool2d(window), &[x])
    }
}
