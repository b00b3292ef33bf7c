//! Losses as functions of a sample: their value is one number a sample, which a batch averages.

use super::{Entry, entry};
use crate::graph::NodeId;
use crate::lower::operands::Operands;
use crate::lower::values::Value;
use crate::lower::{Chain, Lowered};
use crate::ops::Op;
use crate::shape::show;

pub const FUNCTIONS: &[Entry] = &[
    entry("mse", "mse(x, target)", |cx, call| {
        let (x, target) = (call.float(cx)?, call.float(cx)?);
        let difference = cx.scalar("sub", &[x, target], call.at)?;
        let square = cx.scalar("square", &[difference], call.at)?;
        mean(cx, square, call).map(Value::Tensor)
    }),
    entry("bce_with_logits", "bce_with_logits(logits, target)", |cx, call| {
        let (x, target) = (call.float(cx)?, call.float(cx)?);
        let soft = cx.scalar("softplus", &[x], call.at)?;
        let hit = cx.scalar("mul", &[x, target], call.at)?;
        let loss = cx.scalar("sub", &[soft, hit], call.at)?;
        mean(cx, loss, call).map(Value::Tensor)
    }),
    entry("cross_entropy", "cross_entropy(logits, labels, smoothing = 0.1)", cross_entropy),
    entry("nll", "nll(log_probabilities, labels)", nll),
    entry("l1", "l1(x, target)", |cx, call| {
        let (x, target) = (call.float(cx)?, call.float(cx)?);
        let difference = cx.scalar("sub", &[x, target], call.at)?;
        let size = cx.scalar("abs", &[difference], call.at)?;
        mean(cx, size, call).map(Value::Tensor)
    }),
    entry("huber", "huber(x, target, delta = 1.0)", huber),
    entry("bce", "bce(probabilities, target)", bce),
    entry("hinge", "hinge(x, signs)", |cx, call| {
        let (x, sign) = (call.float(cx)?, call.float(cx)?);
        let one = cx.graph.constant(1.0);
        let product = cx.scalar("mul", &[x, sign], call.at)?;
        let margin = cx.scalar("sub", &[one, product], call.at)?;
        let loss = cx.scalar("relu", &[margin], call.at)?;
        mean(cx, loss, call).map(Value::Tensor)
    }),
    entry("kl_divergence", "kl_divergence(log_q, p)", kl_divergence),
    entry("cosine_similarity", "cosine_similarity(a, b)", cosine_similarity),
];

/// The mean over all axes of a sample.
fn mean(cx: &mut Chain, x: NodeId, call: &Operands) -> Lowered<NodeId> {
    let sample = cx.sample_of(x);
    if sample.is_empty() {
        return Ok(x);
    }
    let axes: Vec<usize> = (0..sample.len()).map(|axis| cx.axis_of(x, axis)).collect();
    let y = cx.graph.mean(x, axes);
    let y = cx.at(call.at, y)?;
    cx.reshaped(y, vec![], call.at)
}

/// The mean, over the positions of a sample, of ln sum e^logits minus the label's logit.
/// With `smoothing`, that share of the label's probability goes to all classes alike (Szegedy et al., 2016).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
fn cross_entropy(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let smoothing = call.named_number(cx, "smoothing", 0.0)?;
    let logits = call.float(cx)?;
    let labels = call.integer(cx)?;
    let (x, index) = (cx.sample_of(logits), cx.sample_of(labels));
    if x.split_last().is_none_or(|(_, lead)| lead != index.as_slice()) {
        let message = format!(
            "shape mismatch in `{}`: `cross_entropy` of logits {} takes labels of shape {}, found {}",
            cx.network,
            cx.shown(logits),
            show(&x[..x.len().saturating_sub(1)]),
            cx.shown(labels)
        );
        return cx.report(call.at, message);
    }
    let ids = cx.same_batch(&[logits, labels], call.at)?;
    let last = cx.graph.shape(ids[0]).len() - 1;
    let all = cx.graph.log_sum_exp(ids[0], last);
    let all = cx.at(call.at, all)?;
    let all = cx.reshaped(all, index, call.at)?;
    let right = cx.graph.push(Op::Gather, &ids);
    let right = cx.at(call.at, right)?;
    let mut loss = cx.scalar("sub", &[all, right], call.at)?;
    if smoothing != 0.0 {
        // (1 - s) (all - right) + s mean over classes of (all - logit)
        let classes = cx.graph.mean(ids[0], vec![last]);
        let classes = cx.at(call.at, classes)?;
        let index = cx.sample_of(loss);
        let classes = cx.reshaped(classes, index, call.at)?;
        let spread = cx.scalar("sub", &[all, classes], call.at)?;
        let (keep, share) = (cx.graph.constant(1.0 - smoothing), cx.graph.constant(smoothing));
        let kept = cx.scalar("mul", &[loss, keep], call.at)?;
        let shared = cx.scalar("mul", &[spread, share], call.at)?;
        loss = cx.scalar("add", &[kept, shared], call.at)?;
    }
    mean(cx, loss, call).map(Value::Tensor)
}

/// Minus the label's log-probability.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html>
fn nll(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let (x, labels) = (call.float(cx)?, call.integer(cx)?);
    let (rows, index) = (cx.sample_of(x), cx.sample_of(labels));
    if rows.split_last().is_none_or(|(_, lead)| lead != index.as_slice()) {
        let lead = show(&rows[..rows.len().saturating_sub(1)]);
        let (x, labels) = (cx.shown(x), cx.shown(labels));
        let message = format!(
            "shape mismatch in `{}`: `nll` of log-probabilities {x} takes labels of shape {lead}, found {labels}",
            cx.network
        );
        return cx.report(call.at, message);
    }
    let ids = cx.same_batch(&[x, labels], call.at)?;
    let right = cx.graph.push(Op::Gather, &ids);
    let right = cx.at(call.at, right)?;
    let loss = cx.scalar("neg", &[right], call.at)?;
    mean(cx, loss, call).map(Value::Tensor)
}

/// Half the square of small differences, delta (|d| - delta / 2) of others (Huber, 1964).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html>
fn huber(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let delta = call.named_number(cx, "delta", 1.0)?;
    let (x, target) = (call.float(cx)?, call.float(cx)?);
    let at = call.at;
    let difference = cx.scalar("sub", &[x, target], at)?;
    let size = cx.scalar("abs", &[difference], at)?;
    let (half, bound, rest) =
        (cx.graph.constant(0.5), cx.graph.constant(delta), cx.graph.constant(delta / 2.0));
    let square = cx.scalar("square", &[difference], at)?;
    let near = cx.scalar("mul", &[square, half], at)?;
    let shifted = cx.scalar("sub", &[size, rest], at)?;
    let far = cx.scalar("mul", &[shifted, bound], at)?;
    let small = cx.scalar("le", &[size, bound], at)?;
    let loss = cx.scalar("select", &[small, near, far], at)?;
    mean(cx, loss, call).map(Value::Tensor)
}

/// -t ln p - (1 - t) ln(1 - p), for probabilities; logarithms are at least -100, as PyTorch has it. At 0 the
/// derivative of what is selected is 0, not infinite.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html>
fn bce(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let (p, target) = (call.float(cx)?, call.float(cx)?);
    let at = call.at;
    let (one, floor) = (cx.graph.constant(1.0), cx.graph.constant(-100.0));
    let zero = cx.graph.constant(0.0);
    let ln = |cx: &mut Chain, x: NodeId| {
        let positive = cx.scalar("gt", &[x, zero], at)?;
        let safe = cx.scalar("select", &[positive, x, one], at)?;
        let ln = cx.scalar("ln", &[safe], at)?;
        let bounded = cx.scalar("max", &[ln, floor], at)?;
        cx.scalar("select", &[positive, bounded, floor], at)
    };
    let hit = ln(cx, p)?;
    let (other, rest) = (cx.scalar("sub", &[one, p], at)?, cx.scalar("sub", &[one, target], at)?);
    let miss = ln(cx, other)?;
    let (a, b) = (cx.scalar("mul", &[target, hit], at)?, cx.scalar("mul", &[rest, miss], at)?);
    let sum = cx.scalar("add", &[a, b], at)?;
    let loss = cx.scalar("neg", &[sum], at)?;
    mean(cx, loss, call).map(Value::Tensor)
}

/// sum of p (ln p - ln q) over the last axis; ln p counts nothing where p is 0.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html>
fn kl_divergence(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let (log_q, p) = (call.float(cx)?, call.float(cx)?);
    let at = call.at;
    let (zero, one) = (cx.graph.constant(0.0), cx.graph.constant(1.0));
    let positive = cx.scalar("gt", &[p, zero], at)?;
    let safe = cx.scalar("select", &[positive, p, one], at)?;
    let log_p = cx.scalar("ln", &[safe], at)?;
    let (own, cross) = (cx.scalar("mul", &[safe, log_p], at)?, cx.scalar("mul", &[p, log_q], at)?);
    let difference = cx.scalar("sub", &[own, cross], at)?;
    along_last(cx, difference, call).map(Value::Tensor)
}

/// a b / (|a| |b|) over the last axis; norms are at least 1e-8, with a derivative of 0 below.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html>
fn cosine_similarity(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let (a, b) = (call.float(cx)?, call.float(cx)?);
    let at = call.at;
    let least = cx.graph.constant(1e-16);
    let product = cx.scalar("mul", &[a, b], at)?;
    let dot = along_last(cx, product, call)?;
    let norm = |cx: &mut Chain, x: NodeId| {
        let square = cx.scalar("square", &[x], at)?;
        let sum = along_last(cx, square, call)?;
        let bounded = cx.scalar("max", &[sum, least], at)?;
        cx.scalar("sqrt", &[bounded], at)
    };
    let (x, y) = (norm(cx, a)?, norm(cx, b)?);
    let norms = cx.scalar("mul", &[x, y], at)?;
    cx.scalar("div", &[dot, norms], at).map(Value::Tensor)
}

/// The sum over the last axis, which vanishes.
fn along_last(cx: &mut Chain, x: NodeId, call: &Operands) -> Lowered<NodeId> {
    let mut sample = cx.sample_of(x);
    if sample.pop().is_none() {
        return cx.report(call.at, format!("`{}` takes vectors, found scalars", call.name));
    }
    let last = cx.graph.shape(x).len() - 1;
    let sum = cx.graph.sum(x, vec![last]);
    let sum = cx.at(call.at, sum)?;
    cx.reshaped(sum, sample, call.at)
}
