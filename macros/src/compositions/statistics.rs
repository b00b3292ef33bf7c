//! Means, variances and what is normalised by them. Axes that are summed over remain, with size 1.

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::ops::reduce::Fold;
use crate::shape::{Dim, Shape, numel, show};

/// What a normalisation over a training batch yields.
pub struct BatchNorm {
    pub y: NodeId,
    /// `[channels]`
    pub mean: NodeId,
    /// `[channels]`, divided by one less than the number of elements: what running statistics take in.
    pub variance: NodeId,
}

impl Graph {
    /// A size as a number, which is a constant where it is known.
    pub fn count(&mut self, dim: &Dim) -> NodeId {
        match dim.as_literal() {
            Some(n) => self.constant(n as f64),
            None => self.size(dim.clone()),
        }
    }

    fn sizes(&self, x: NodeId, axes: &[usize]) -> Result<Dim, String> {
        let shape = self.shape(x);
        let missing = |axis: &usize| format!("axis {axis} of {}", show(shape));
        let size = |axis: &usize| shape.get(*axis).cloned().ok_or_else(|| missing(axis));
        Ok(numel(&axes.iter().map(size).collect::<Result<Shape, String>>()?))
    }

    /// The maximum over axes, which remain with size 1.
    pub fn max(&mut self, x: NodeId, axes: Vec<usize>) -> Result<NodeId, String> {
        if axes.is_empty() {
            return Ok(x);
        }
        self.push(Op::Reduce { fold: Fold::Max, axes }, &[x])
    }

    pub fn mean(&mut self, x: NodeId, axes: Vec<usize>) -> Result<NodeId, String> {
        let count = self.sizes(x, &axes)?;
        let (sum, count) = (self.sum(x, axes)?, self.count(&count));
        self.scalar("div", &[sum, count])
    }

    /// The mean of squared distances from the mean; `unbiased` divides by one less than their number.
    pub fn variance(
        &mut self,
        x: NodeId,
        axes: Vec<usize>,
        unbiased: bool,
    ) -> Result<NodeId, String> {
        let count = self.sizes(x, &axes)?;
        let mean = self.mean(x, axes.clone())?;
        let centred = self.scalar("sub", &[x, mean])?;
        let square = self.scalar("square", &[centred])?;
        let sum = self.sum(square, axes)?;
        let count = self.count(&if unbiased { count.sub(&Dim::one()) } else { count });
        self.scalar("div", &[sum, count])
    }

    /// (x - mean) / sqrt(variance + eps), and what is multiplied by for the division.
    fn standardised(
        &mut self,
        x: NodeId,
        mean: NodeId,
        variance: NodeId,
        eps: f64,
    ) -> Result<[NodeId; 2], String> {
        let centred = self.scalar("sub", &[x, mean])?;
        let eps = self.constant(eps);
        let shifted = self.scalar("add", &[variance, eps])?;
        let scale = self.scalar("rsqrt", &[shifted])?;
        Ok([self.scalar("mul", &[centred, scale])?, scale])
    }

    /// `x * weight + bias`, as far as there are any.
    fn affine(
        &mut self,
        mut x: NodeId,
        weight: Option<NodeId>,
        bias: Option<NodeId>,
    ) -> Result<NodeId, String> {
        if let Some(weight) = weight {
            x = self.scalar("mul", &[x, weight])?;
        }
        if let Some(bias) = bias {
            x = self.scalar("add", &[x, bias])?;
        }
        Ok(x)
    }

    /// A value per channel `[c]` in the shape that broadcasts to `x`, whose channels are axis 1.
    fn per_channel(&mut self, value: NodeId, x: NodeId) -> Result<NodeId, String> {
        let mut shape = vec![Dim::one(); self.shape(x).len().saturating_sub(1)];
        match (shape.first_mut(), &self.shape(value)[..]) {
            (Some(first), [channels]) => *first = channels.clone(),
            _ => {
                let (value, x) = (show(self.shape(value)), show(self.shape(x)));
                return Err(format!("a value per channel of shape {value} for {x}"));
            }
        }
        self.reshape(value, shape)
    }

    /// Over `axes`, usually the last ones; weight and bias broadcast to x.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html>
    pub fn layer_norm(
        &mut self,
        x: NodeId,
        weight: Option<NodeId>,
        bias: Option<NodeId>,
        axes: Vec<usize>,
        eps: f64,
    ) -> Result<NodeId, String> {
        let parts = |g: &mut Graph, x: NodeId| {
            let mean = g.mean(x, axes.clone())?;
            let variance = g.variance(x, axes.clone(), false)?;
            g.standardised(x, mean, variance, eps)
        };
        let y = self.with_derivative(
            "normalised",
            x,
            |g, x| parts(g, x).map(|[y, _]| y),
            // (dy - mean of dy - y mean of dy y) / sqrt(variance + eps)
            |g, x, dy| {
                let [y, scale] = parts(g, x)?;
                let product = g.scalar("mul", &[dy, y])?;
                let [along, mean] = [product, dy].map(|it| g.mean(it, axes.clone()));
                let along = g.scalar("mul", &[y, along?])?;
                let rest = g.scalar("sub", &[dy, mean?])?;
                let rest = g.scalar("sub", &[rest, along])?;
                g.scalar("mul", &[rest, scale])
            },
        )?;
        self.affine(y, weight, bias)
    }

    /// x / sqrt(mean of x^2 + eps), weighted.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html>
    pub fn rms_norm(
        &mut self,
        x: NodeId,
        weight: Option<NodeId>,
        axes: Vec<usize>,
        eps: f64,
    ) -> Result<NodeId, String> {
        let square = self.scalar("square", &[x])?;
        let mean = self.mean(square, axes)?;
        let eps = self.constant(eps);
        let shifted = self.scalar("add", &[mean, eps])?;
        let scale = self.scalar("rsqrt", &[shifted])?;
        let y = self.scalar("mul", &[x, scale])?;
        self.affine(y, weight, None)
    }

    /// x `[batch, c, ..]` over each of `groups` groups of channels; weight and bias `[c]`.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html>
    pub fn group_norm(
        &mut self,
        x: NodeId,
        groups: &Dim,
        weight: Option<NodeId>,
        bias: Option<NodeId>,
        eps: f64,
    ) -> Result<NodeId, String> {
        let shape = self.shape(x).clone();
        let [batch, channels, points @ ..] = &shape[..] else {
            return Err(format!("groups of channels of {}", show(&shape)));
        };
        let each = channels.div(groups).ok_or_else(|| {
            format!("{channels} channels in {groups} groups: they must divide the channels")
        })?;
        let mut grouped = vec![batch.clone(), groups.clone(), each];
        grouped.extend(points.iter().cloned());
        let axes = (2..grouped.len()).collect();
        let split = self.reshape(x, grouped)?;
        let y = self.layer_norm(split, None, None, axes, eps)?;
        let y = self.reshape(y, shape)?;
        let weight = weight.map(|w| self.per_channel(w, x)).transpose()?;
        let bias = bias.map(|b| self.per_channel(b, x)).transpose()?;
        self.affine(y, weight, bias)
    }

    /// x `[batch, c, ..]` over the batch and all but the channels, in training.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html>
    pub fn batch_norm(
        &mut self,
        x: NodeId,
        weight: Option<NodeId>,
        bias: Option<NodeId>,
        eps: f64,
    ) -> Result<BatchNorm, String> {
        let shape = self.shape(x).clone();
        let Some(channels) = shape.get(1) else {
            return Err(format!("channels of {}", show(&shape)));
        };
        let axes: Vec<usize> = (0..shape.len()).filter(|axis| *axis != 1).collect();
        let mean = self.mean(x, axes.clone())?;
        let variance = self.variance(x, axes.clone(), false)?;
        let [y, _] = self.standardised(x, mean, variance, eps)?;
        let weight = weight.map(|w| self.per_channel(w, x)).transpose()?;
        let bias = bias.map(|b| self.per_channel(b, x)).transpose()?;
        let y = self.affine(y, weight, bias)?;
        let unbiased = self.variance(x, axes, true)?;
        let flat = vec![channels.clone()];
        let mean = self.reshape(mean, flat.clone())?;
        Ok(BatchNorm { y, mean, variance: self.reshape(unbiased, flat)? })
    }

    /// As [`Graph::batch_norm`], with given statistics `[c]`: in evaluation.
    pub fn batch_norm_by(
        &mut self,
        x: NodeId,
        [mean, variance]: [NodeId; 2],
        weight: Option<NodeId>,
        bias: Option<NodeId>,
        eps: f64,
    ) -> Result<NodeId, String> {
        let mean = self.per_channel(mean, x)?;
        let variance = self.per_channel(variance, x)?;
        let [y, _] = self.standardised(x, mean, variance, eps)?;
        let weight = weight.map(|w| self.per_channel(w, x)).transpose()?;
        let bias = bias.map(|b| self.per_channel(b, x)).transpose()?;
        self.affine(y, weight, bias)
    }

    /// ln of the sum of e^x along an axis, without overflow.
    pub fn log_sum_exp(&mut self, x: NodeId, axis: usize) -> Result<NodeId, String> {
        let (shifted, max) = self.shifted(x, axis)?;
        let e = self.scalar("exp", &[shifted])?;
        let sum = self.sum(e, vec![axis])?;
        let ln = self.scalar("ln", &[sum])?;
        self.scalar("add", &[ln, max])
    }

    /// ln of the softmax along an axis: x - max - ln(sum of e^(x - max)).
    pub fn log_softmax(&mut self, x: NodeId, axis: usize) -> Result<NodeId, String> {
        let shifted = self.shifted(x, axis)?.0;
        let e = self.scalar("exp", &[shifted])?;
        let sum = self.sum(e, vec![axis])?;
        let ln = self.scalar("ln", &[sum])?;
        self.scalar("sub", &[shifted, ln])
    }
}
