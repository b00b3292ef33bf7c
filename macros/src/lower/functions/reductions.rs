//! Folds over axes of a sample, and what is normalised by them. An axis that is folded vanishes, unless
//! `keep = true`.

use super::{Entry, entry};
use crate::graph::{Graph, NodeId};
use crate::lower::operands::Operands;
use crate::lower::values::Value;
use crate::lower::{Chain, Lowered};
use crate::ops::Op;
use crate::ops::reduce::Fold;
use crate::shape::{Dim, Shape};

pub const FUNCTIONS: &[Entry] = &[
    entry("sum", "sum(x, axis = 0, keep = false)", |cx, call| {
        fold(cx, call, |g, x, axes| g.sum(x, axes))
    }),
    entry("mean", "mean(x, axis = 0, keep = false)", |cx, call| {
        fold(cx, call, |g, x, axes| g.mean(x, axes))
    }),
    entry("max", "max(x, axis = 0, keep = false)", |cx, call| fold(cx, call, largest)),
    entry("min", "min(x, axis = 0, keep = false)", |cx, call| {
        fold(cx, call, |g, x, axes| {
            let negative = g.scalar("neg", &[x])?;
            let most = largest(g, negative, axes)?;
            g.scalar("neg", &[most])
        })
    }),
    entry("variance", "variance(x, axis = 0, unbiased = true, keep = false)", variance),
    entry("log_sum_exp", "log_sum_exp(x, axis = 0, keep = false)", |cx, call| {
        fold(cx, call, |g, x, axes| match axes[..] {
            [axis] => g.log_sum_exp(x, axis),
            _ => {
                // Over several axes: one after another.
                axes.iter().try_fold(x, |x, axis| g.log_sum_exp(x, *axis))
            }
        })
    }),
    entry("prod", "prod(x, axis = 0)", product),
    entry("argmax", "argmax(x, axis = -1)", |cx, call| {
        let x = call.float(cx)?;
        let sample = cx.sample_of(x);
        let axis = call.axis(cx, &sample, Some(-1))?;
        let along = cx.axis_of(x, axis);
        let y = cx.graph.argmax(x, along);
        let y = cx.at(call.at, y)?;
        dropped(cx, y, sample, &[axis], call).map(Value::Tensor)
    }),
    entry("cumsum", "cumsum(x, axis = -1)", |cx, call| {
        along(cx, call, |g, x, axis| g.cumsum(x, axis, false))
    }),
    entry("softmax", "softmax(x, axis = -1)", |cx, call| along(cx, call, Graph::softmax)),
    entry("log_softmax", "log_softmax(x, axis = -1)", |cx, call| {
        along(cx, call, Graph::log_softmax)
    }),
    entry("causal", "causal(scores)", |cx, call| {
        let x = call.float(cx)?;
        cx.require_square(x, call.at)?;
        let y = cx.graph.causal_mask(x);
        cx.at(call.at, y).map(Value::Tensor)
    }),
];

fn largest(g: &mut Graph, x: NodeId, axes: Vec<usize>) -> Result<NodeId, String> {
    g.push(Op::Reduce { fold: Fold::Max, axes }, &[x])
}

/// A fold over some axes of a sample, or all.
fn fold(
    cx: &mut Chain,
    call: &mut Operands,
    lower: impl Fn(&mut Graph, NodeId, Vec<usize>) -> Result<NodeId, String>,
) -> Lowered<Value> {
    let x = call.float(cx)?;
    let sample = cx.sample_of(x);
    let axes = call.axes(cx, &sample)?.unwrap_or_else(|| (0..sample.len()).collect());
    let keep = call.flag(cx, "keep", false)?;
    if axes.is_empty() {
        return Ok(Value::Tensor(x));
    }
    let in_graph = axes.iter().map(|axis| cx.axis_of(x, *axis)).collect();
    let y = lower(&mut cx.graph, x, in_graph);
    let y = cx.at(call.at, y)?;
    match keep {
        true => Ok(Value::Tensor(y)),
        false => dropped(cx, y, sample, &axes, call).map(Value::Tensor),
    }
}

/// A folded value without the axes of size 1 that the fold left.
fn dropped(
    cx: &mut Chain,
    y: NodeId,
    sample: Shape,
    axes: &[usize],
    call: &Operands,
) -> Lowered<NodeId> {
    let kept =
        sample.into_iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, dim)| dim);
    cx.reshaped(y, kept.collect(), call.at)
}

/// <https://docs.pytorch.org/docs/stable/generated/torch.var.html>
fn variance(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let unbiased = call.flag(cx, "unbiased", true)?;
    fold(cx, call, |g, x, axes| g.variance(x, axes, unbiased))
}

/// The product along an axis, as products of halves: its derivative needs no quotient, and so a zero is no
/// exception.
fn product(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let x = call.float(cx)?;
    let sample = cx.sample_of(x);
    let axis =
        match call.axis_or_none(cx, &sample)? {
            Some(axis) => axis,
            None if sample.len() == 1 => 0,
            None => return cx.report(
                call.at,
                "`prod` takes the axis along which it multiplies, for example `prod(x, axis = 1)`",
            ),
        };
    let Some(size) = sample[axis].as_literal().filter(|n| *n <= 4096) else {
        return cx.report(
            call.at,
            format!("`prod` takes an axis of a literal size up to 4096, found {}", sample[axis]),
        );
    };
    let along = cx.axis_of(x, axis);
    let y = halves(&mut cx.graph, x, along, size);
    let y = cx.at(call.at, y)?;
    dropped(cx, y, sample, &[axis], call).map(Value::Tensor)
}

fn halves(g: &mut Graph, x: NodeId, axis: usize, size: i128) -> Result<NodeId, String> {
    if size <= 1 {
        return Ok(x);
    }
    let half = size / 2;
    let part =
        |g: &mut Graph, from: i128| g.slice(x, axis, Dim::literal(from), Dim::literal(half), 1);
    let (a, b) = (part(g, 0)?, part(g, half)?);
    let product = g.scalar("mul", &[a, b])?;
    let product = halves(g, product, axis, half)?;
    if size % 2 == 0 {
        return Ok(product);
    }
    let last = g.slice(x, axis, Dim::literal(size - 1), Dim::one(), 1)?;
    g.scalar("mul", &[product, last])
}

/// What keeps the shape, along one axis.
fn along(
    cx: &mut Chain,
    call: &mut Operands,
    lower: impl Fn(&mut Graph, NodeId, usize) -> Result<NodeId, String>,
) -> Lowered<Value> {
    let x = call.float(cx)?;
    let sample = cx.sample_of(x);
    let axis = call.axis(cx, &sample, Some(-1))?;
    let axis = cx.axis_of(x, axis);
    let y = lower(&mut cx.graph, x, axis);
    cx.at(call.at, y).map(Value::Tensor)
}
