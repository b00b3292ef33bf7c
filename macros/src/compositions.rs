//! What layers are composed of beside single ops.

use std::rc::Rc;

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::ops::reduce::Fold;

mod elements;
pub mod statistics;

impl Graph {
    pub fn gelu(&mut self, x: NodeId, tanh: bool) -> Result<NodeId, String> {
        let inner = if tanh {
            // tanh(sqrt(2 / pi) (x + 0.044715 x^3))
            let square = self.scalar("square", &[x])?;
            let cubic = self.constant(0.044715);
            let cubic = self.scalar("mul", &[square, cubic])?;
            let one = self.constant(1.0);
            let factor = self.scalar("add", &[cubic, one])?;
            let sum = self.scalar("mul", &[x, factor])?;
            let scale = self.constant((2.0 / std::f64::consts::PI).sqrt());
            let scaled = self.scalar("mul", &[sum, scale])?;
            self.scalar("tanh", &[scaled])?
        } else {
            let scale = self.constant(std::f64::consts::FRAC_1_SQRT_2);
            let scaled = self.scalar("mul", &[x, scale])?;
            self.scalar("erf", &[scaled])?
        };
        let one = self.constant(1.0);
        let shifted = self.scalar("add", &[inner, one])?;
        let half = self.constant(0.5);
        let halved = self.scalar("mul", &[x, half])?;
        self.scalar("mul", &[halved, shifted])
    }

    /// e^(x - max) / sum of e^(x - max): the maximum changes nothing but overflow, and gets no gradient.
    /// With y the result, the gradient is y (dy - sum of dy y): it reads neither x nor e^x.
    pub fn softmax(&mut self, x: NodeId, axis: usize) -> Result<NodeId, String> {
        let value = move |g: &mut Graph, x: NodeId| {
            let shifted = g.shifted(x, axis)?.0;
            let e = g.scalar("exp", &[shifted])?;
            let sum = g.sum(e, vec![axis])?;
            g.scalar("div", &[e, sum])
        };
        self.with_derivative("softmax", x, value, |g, x, dy| {
            let y = value(g, x)?;
            let part = g.scalar("mul", &[dy, y])?;
            let sum = g.sum(part, vec![axis])?;
            let difference = g.scalar("sub", &[dy, sum])?;
            g.scalar("mul", &[y, difference])
        })
    }

    /// A composition whose gradient is given too, from x and dy.
    pub fn with_derivative(
        &mut self,
        name: &str,
        x: NodeId,
        value: impl Fn(&mut Graph, NodeId) -> Result<NodeId, String>,
        gradient: impl Fn(&mut Graph, NodeId, NodeId) -> Result<NodeId, String>,
    ) -> Result<NodeId, String> {
        let shape = self.shape(x).clone();
        let mut derivative = Graph::new(format!("{name}'"));
        let inputs = ["x", "dy"].map(|name| derivative.input(name, shape.clone(), false));
        derivative.outputs = vec![gradient(&mut derivative, inputs[0], inputs[1])?];
        let mut called = Graph::new(name);
        let input = called.input("x", shape, false);
        called.outputs = vec![value(&mut called, input)?];
        called.derivative = Some(Rc::new(derivative));
        self.push(Op::Call { graph: Rc::new(called), output: 0 }, &[x])
    }

    /// x - max and max, over one axis, which remains.
    pub fn shifted(&mut self, x: NodeId, axis: usize) -> Result<(NodeId, NodeId), String> {
        let max = self.push(Op::Reduce { fold: Fold::Max, axes: vec![axis] }, &[x])?;
        let max = self.push(Op::StopGradient, &[max])?;
        Ok((self.scalar("sub", &[x, max])?, max))
    }

    pub fn dropout(&mut self, x: NodeId, rate: f64, stream: &str) -> Result<NodeId, String> {
        let shape = self.shape(x).clone();
        let random = self.uniform(stream, shape)?;
        let keep = self.constant(1.0 - rate);
        let kept = self.scalar("lt", &[random, keep])?;
        // With a rate of 1 nothing is kept, and nothing needs scaling.
        let scale = self.constant(if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 });
        let mask = self.scalar("mul", &[kept, scale])?;
        self.scalar("mul", &[x, mask])
    }

    /// Dropout with a rate that is known only at run time.
    pub fn dropout_at(&mut self, x: NodeId, rate: NodeId, stream: &str) -> Result<NodeId, String> {
        let shape = self.shape(x).clone();
        let random = self.uniform(stream, shape)?;
        let one = self.constant(1.0);
        let keep = self.scalar("sub", &[one, rate])?;
        let kept = self.scalar("lt", &[random, keep])?;
        // A rate of 1 keeps nothing: the quotient is infinite then, and nothing takes it.
        let scaled = self.scalar("div", &[x, keep])?;
        let zero = self.constant(0.0);
        self.scalar("select", &[kept, scaled, zero])
    }
}
