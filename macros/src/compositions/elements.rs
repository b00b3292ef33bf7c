//! Activations, masks, indices and random numbers that are compositions of other ops.

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::{Dim, Shape, show};

impl Graph {
    /// x sigmoid(x)
    pub fn silu(&mut self, x: NodeId) -> Result<NodeId, String> {
        let sigmoid = self.scalar("sigmoid", &[x])?;
        self.scalar("mul", &[x, sigmoid])
    }

    /// a sigmoid(b), of the halves a and b of an axis.
    pub fn glu(&mut self, x: NodeId, axis: usize, half: Dim) -> Result<NodeId, String> {
        let a = self.slice(x, axis, Dim::literal(0), half.clone(), 1)?;
        let b = self.slice(x, axis, half.clone(), half, 1)?;
        let gate = self.scalar("sigmoid", &[b])?;
        self.scalar("mul", &[a, gate])
    }

    /// x where it is positive, else alpha (e^x - 1).
    pub fn elu(&mut self, x: NodeId, alpha: f64) -> Result<NodeId, String> {
        let (zero, alpha) = (self.constant(0.0), self.constant(alpha));
        // The exponential of what is not taken must not be infinite: its derivative would not be a number.
        let positive = self.scalar("gt", &[x, zero])?;
        let low = self.scalar("select", &[positive, zero, x])?;
        let e = self.scalar("expm1", &[low])?;
        let scaled = self.scalar("mul", &[alpha, e])?;
        self.scalar("select", &[positive, x, scaled])
    }

    /// x where it is positive, else slope x.
    pub fn leaky_relu(&mut self, x: NodeId, slope: f64) -> Result<NodeId, String> {
        let (zero, slope) = (self.constant(0.0), self.constant(slope));
        let positive = self.scalar("gt", &[x, zero])?;
        let scaled = self.scalar("mul", &[x, slope])?;
        self.scalar("select", &[positive, x, scaled])
    }

    /// x between two bounds, at which the derivative is 1, as PyTorch has it.
    pub fn clamp(&mut self, x: NodeId, min: NodeId, max: NodeId) -> Result<NodeId, String> {
        let above = self.scalar("gt", &[x, max])?;
        let high = self.scalar("select", &[above, max, x])?;
        let below = self.scalar("lt", &[high, min])?;
        self.scalar("select", &[below, min, high])
    }

    /// The coordinate along an axis of a value with `rank` axes, as a float: `[.., n, 1, ..]`.
    fn coordinate(&mut self, n: &Dim, axis: usize, rank: usize) -> Result<NodeId, String> {
        let coordinate = self.push(Op::Coordinate(n.clone()), &[])?;
        let mut shape = vec![Dim::one(); rank - axis];
        shape[0] = n.clone();
        self.reshape(coordinate, shape)
    }

    /// The first place of the maximum along an axis, an integer; the axis goes. What is not a number is never
    /// the largest.
    pub fn argmax(&mut self, x: NodeId, axis: usize) -> Result<NodeId, String> {
        let (same, none) = (self.scalar("eq", &[x, x])?, self.constant(f64::NEG_INFINITY));
        let x = self.scalar("select", &[same, x, none])?;
        let mut shape = self.shape(x).clone();
        let max = self.max(x, vec![axis])?;
        let size = shape.remove(axis);
        let hit = self.scalar("eq", &[x, max])?;
        // The smallest place is minus the largest of minus the places.
        let place = self.coordinate(&size, axis, shape.len() + 1)?;
        let minus = self.scalar("neg", &[place])?;
        let hits = self.scalar("select", &[hit, minus, none])?;
        let last = self.max(hits, vec![axis])?;
        let first = self.scalar("neg", &[last])?;
        let flat = self.reshape(first, shape)?;
        self.push(Op::Integers, &[flat])
    }

    /// 1 at the index along a new last axis of `n`, else 0.
    pub fn one_hot(&mut self, index: NodeId, n: Dim) -> Result<NodeId, String> {
        let column: Shape = self.shape(index).iter().cloned().chain([Dim::one()]).collect();
        let column = self.reshape(index, column)?;
        let coordinate = self.push(Op::Coordinate(n), &[])?;
        self.scalar("eq", &[coordinate, column])
    }

    /// Normally distributed numbers: Box and Muller's sqrt(-2 ln u) cos(2 pi v) of two uniform ones.
    pub fn normal(&mut self, stream: &str, shape: Shape) -> Result<NodeId, String> {
        let radius = self.uniform(&format!("{stream}.radius"), shape.clone())?;
        let angle = self.uniform(&format!("{stream}.angle"), shape)?;
        // From (0, 1], so that the logarithm is finite.
        let (one, two) = (self.constant(1.0), self.constant(-2.0));
        let u = self.scalar("sub", &[one, radius])?;
        let ln = self.scalar("ln", &[u])?;
        let square = self.scalar("mul", &[two, ln])?;
        let radius = self.scalar("sqrt", &[square])?;
        let turn = self.constant(std::f64::consts::TAU);
        let angle = self.scalar("mul", &[turn, angle])?;
        let cos = self.scalar("cos", &[angle])?;
        self.scalar("mul", &[radius, cos])
    }

    /// Scores `[.., queries, keys]`, minus infinity where the key is after the query.
    pub fn causal_mask(&mut self, scores: NodeId) -> Result<NodeId, String> {
        let shape = self.shape(scores).clone();
        let [.., queries, keys] = &shape[..] else {
            return Err(format!("a causal mask of {}: it needs [.., queries, keys]", show(&shape)));
        };
        let row = self.coordinate(queries, 0, 2)?;
        let col = self.coordinate(keys, 1, 2)?;
        let later = self.scalar("gt", &[col, row])?;
        let never = self.constant(f64::NEG_INFINITY);
        self.scalar("select", &[later, never, scores])
    }

    /// Every point of `[batch, c, h, w]` repeated along height and width.
    pub fn upsample_nearest(&mut self, x: NodeId, scale: [Dim; 2]) -> Result<NodeId, String> {
        let [batch, c, h, w] = &self.shape(x).clone()[..] else {
            return Err(format!("an upsampling of {}", show(self.shape(x))));
        };
        let [by_h, by_w] = scale;
        let lead = || [batch, c].map(Dim::clone).to_vec();
        let one = Dim::one();
        let apart = [lead(), vec![h.clone(), one.clone(), w.clone(), one]].concat();
        let repeated = [lead(), vec![h.clone(), by_h.clone(), w.clone(), by_w.clone()]].concat();
        let x = self.reshape(x, apart)?;
        let x = self.broadcast(x, repeated)?;
        self.reshape(x, [lead(), vec![h.mul(&by_h), w.mul(&by_w)]].concat())
    }
}
