//! Maximum pooling. Where the maximum is depends on x alone; given that, scattering and gathering are
//! linear, and each other's derivative.

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
        _ => vec![None, Some(g.push(Op::MaxPool2dScatter(window.clone()), &[x, d])?)],
    })
}
