//! Two-dimensional convolution. It is linear in x and in w, and so the three ops, y from (x, w), dx from
//! (dy, w) and dw from (x, dy), are each other's derivatives of any order.

use std::fmt;

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Dim, Shape, show};

/// Kernel, stride, padding and dilation along height and width, and groups of channels that do not see each
/// other. Poolings have neither dilation nor groups.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Window2 {
    pub kernel: [Dim; 2],
    pub stride: [Dim; 2],
    pub padding: [Dim; 2],
    pub dilation: [Dim; 2],
    pub groups: Dim,
}

impl Window2 {
    /// Without dilation and groups.
    pub fn new(kernel: [Dim; 2], stride: [Dim; 2], padding: [Dim; 2]) -> Self {
        let dilation = [Dim::one(), Dim::one()];
        Window2 { kernel, stride, padding, dilation, groups: Dim::one() }
    }

    /// Height and width of the result.
    pub fn out(&self, height: &Dim, width: &Dim) -> [Dim; 2] {
        let axis = |i: usize, size: &Dim| {
            Dim::window(size, &self.kernel[i], &self.stride[i], &self.padding[i], &self.dilation[i])
        };
        [axis(0, height), axis(1, width)]
    }
}

impl fmt::Display for Window2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kernel, stride, padding] =
            [&self.kernel, &self.stride, &self.padding].map(|pair| show(pair));
        write!(f, "kernel {kernel} stride {stride} padding {padding}")?;
        if !self.dilation.iter().all(Dim::is_one) {
            write!(f, " dilation {}", show(&self.dilation))?;
        }
        if !self.groups.is_one() {
            write!(f, " groups {}", self.groups)?;
        }
        Ok(())
    }
}

/// x `[batch, c, h, w]`, w `[o, c / groups, kh, kw]`, y `[batch, o, oh, ow]`.
pub fn shape(x: &Shape, w: &Shape, window: &Window2) -> Result<Shape, String> {
    let ([batch, c, height, width], [o, c2, _, _]) = (&x[..], &w[..]) else {
        return Err(format!("a convolution of {} with {}", show(x), show(w)));
    };
    let groups = &window.groups;
    if *c != c2.mul(groups) {
        let each =
            if groups.is_one() { String::new() } else { format!(" in each of {groups} groups") };
        return Err(format!("a convolution over {c2} channels{each} of {}", show(x)));
    }
    if let (Some(o), Some(n)) = (o.as_literal(), groups.as_literal())
        && (n < 1 || o % n != 0)
    {
        return Err(format!("a convolution to {o} channels in {n} groups: they must divide {o}"));
    }
    let [oh, ow] = window.out(height, width);
    Ok(vec![batch.clone(), o.clone(), oh, ow])
}

/// The shape of x as it is given, where the convolution of it has the shape of dy; as far as the macro
/// can see.
pub fn input_shape(dy: &Shape, w: &Shape, window: &Window2, x: &Shape) -> Result<Shape, String> {
    let y = shape(x, w, window)?;
    let differs = |(a, b): (&Dim, &Dim)| a.sub(b).as_literal().is_some_and(|n| n != 0);
    if y.len() != dy.len() || y.iter().zip(dy).any(differs) {
        return Err(format!(
            "a transposed convolution of {} to {}, whose convolution is {}",
            show(dy),
            show(x),
            show(&y)
        ));
    }
    Ok(x.clone())
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

impl Graph {
    /// x `[batch, c, h, w]` with w `[o, c / groups, kh, kw]`.
    pub fn conv2d(&mut self, x: NodeId, w: NodeId, window: Window2) -> Result<NodeId, String> {
        self.push(Op::Conv2d(window), &[x, w])
    }

    /// The transposed convolution: x `[batch, i, h, w]` with w `[i, o / groups, kh, kw]` to
    /// `[batch, o, out_hw..]`, of which x has the shape of the convolution.
    pub fn conv2d_transpose(
        &mut self,
        x: NodeId,
        w: NodeId,
        window: Window2,
        out_hw: [Dim; 2],
    ) -> Result<NodeId, String> {
        let ([batch, ..], [_, o, ..]) = (&self.shape(x)[..], &self.shape(w)[..]) else {
            let (x, w) = (show(self.shape(x)), show(self.shape(w)));
            return Err(format!("a transposed convolution of {x} with {w}"));
        };
        let [height, width] = out_hw;
        let shape = vec![batch.clone(), o.mul(&window.groups), height, width];
        self.push(Op::Conv2dInput(window, shape), &[x, w])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::derivative;

    fn shape(sizes: &[i32]) -> Shape {
        sizes.iter().map(|n| Dim::literal(*n)).collect()
    }

    /// Derivatives of the first three orders have the shapes that their ops' rules give.
    #[test]
    fn groups_dilation_and_transposition_differentiate() {
        let pair = |n: i32| [Dim::literal(n), Dim::literal(n)];
        let mut window = Window2::new(pair(3), pair(2), pair(1));
        (window.dilation, window.groups) = (pair(2), Dim::literal(2));
        for transposed in [false, true] {
            let mut g = Graph::new("conv");
            let x =
                g.input("x", shape(if transposed { &[5, 6, 4, 5] } else { &[5, 4, 9, 11] }), false);
            let w = g.input("w", shape(&[6, 2, 3, 3]), false);
            let y = match transposed {
                false => g.conv2d(x, w, window.clone()).unwrap(),
                true => {
                    let out = [Dim::literal(9), Dim::literal(11)];
                    g.conv2d_transpose(x, w, window.clone(), out).unwrap()
                }
            };
            let wanted = shape(if transposed { &[5, 4, 9, 11] } else { &[5, 6, 4, 5] });
            assert!(*g.shape(y) == wanted, "{}", show(g.shape(y)));
            g.outputs = vec![y];
            for _ in 0..3 {
                g = derivative(&g, 0).unwrap();
            }
        }
    }

    #[test]
    fn channels_that_do_not_fit_are_errors() {
        let pair = |n: i32| [Dim::literal(n), Dim::literal(n)];
        let mut window = Window2::new(pair(1), pair(1), pair(0));
        window.groups = Dim::literal(2);
        let mut g = Graph::new("conv");
        let x = g.input("x", shape(&[1, 4, 3, 3]), false);
        let (w, odd) = (g.param("w", shape(&[6, 4, 1, 1])), g.param("odd", shape(&[5, 2, 1, 1])));
        let error = g.conv2d(x, w, window.clone()).unwrap_err();
        assert!(error.contains("4 channels in each of 2 groups of [1, 4, 3, 3]"), "{error}");
        let error = g.conv2d(x, odd, window.clone()).unwrap_err();
        assert!(error.contains("5 channels in 2 groups"), "{error}");
        let error = g.conv2d_transpose(x, odd, window, pair(3)).unwrap_err();
        assert!(error.contains("5 channels"), "{error}");
    }
}
