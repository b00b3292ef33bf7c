//! Two-dimensional convolution. It is linear in x and in w, and so the three ops, y from (x, w), dx from
//! (dy, w) and dw from (x, dy), are each other's derivatives of any order.

use std::fmt;

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Dim, Shape, show};

/// Kernel, stride and padding along height and width.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Window2 {
    pub kernel: [Dim; 2],
    pub stride: [Dim; 2],
    pub padding: [Dim; 2],
}

impl Window2 {
    /// Height and width of the result.
    pub fn out(&self, height: &Dim, width: &Dim) -> [Dim; 2] {
        [
            Dim::window(height, &self.kernel[0], &self.stride[0], &self.padding[0]),
            Dim::window(width, &self.kernel[1], &self.stride[1], &self.padding[1]),
        ]
    }
}

impl fmt::Display for Window2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kernel, stride, padding] =
            [&self.kernel, &self.stride, &self.padding].map(|pair| show(pair));
        write!(f, "kernel {kernel} stride {stride} padding {padding}")
    }
}

/// x `[batch, c, h, w]`, w `[o, c, kh, kw]`, y `[batch, o, oh, ow]`.
pub fn shape(x: &Shape, w: &Shape, window: &Window2) -> Result<Shape, String> {
    let ([batch, c, height, width], [o, c2, _, _]) = (&x[..], &w[..]) else {
        return Err(format!("a convolution of {} with {}", show(x), show(w)));
    };
    if c != c2 {
        return Err(format!("a convolution over {c2} channels of {}", show(x)));
    }
    let [oh, ow] = window.out(height, width);
    Ok(vec![batch.clone(), o.clone(), oh, ow])
}

pub fn cotangents(
    op: &Op,
    window: &Window2,
    g: &mut Graph,
    inputs: &[NodeId],
    d: NodeId,
) -> Result<Cotangents, String> {
    let (first, second) = (inputs[0], inputs[1]);
    let shapes = [g.shape(first).clone(), g.shape(second).clone()];
    let [shape0, shape1] = shapes;
    let conv = |g: &mut Graph, x, w| g.push(Op::Conv2d(window.clone()), &[x, w]);
    let input =
        |g: &mut Graph, dy, w, shape| g.push(Op::Conv2dInput(window.clone(), shape), &[dy, w]);
    let weight =
        |g: &mut Graph, x, dy, shape| g.push(Op::Conv2dWeight(window.clone(), shape), &[x, dy]);
    let (da, db) = match op {
        // (x, w)
        Op::Conv2d(_) => (input(g, d, second, shape0)?, weight(g, first, d, shape1)?),
        // (dy, w), d has the shape of x
        Op::Conv2dInput(..) => (conv(g, d, second)?, weight(g, d, first, shape1)?),
        // (x, dy), d has the shape of w
        _ => (input(g, second, d, shape0)?, conv(g, first, d)?),
    };
    Ok(vec![Some(da), Some(db)])
}
