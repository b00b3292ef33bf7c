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
    entry("cross_entropy", "cross_entropy(logits, labels)", cross_entropy),
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
fn cross_entropy(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let logits = call.float(cx)?;
    let labels = call.integer(cx)?;
    let (x, index) = (cx.sample_of(logits), cx.sample_of(labels));
    if x.split_last().is_none_or(|(_, lead)| lead != index.as_slice()) {
        let message = format!(
            "shape mismatch in `{}`: `cross_entropy` of logits {} takes labels of shape {}, found {}",
            cx.network,
            show(&x),
            show(&x[..x.len().saturating_sub(1)]),
            show(&index)
        );
        return cx.report(call.at, message);
    }
    let ids = cx.to_same_batch(&[logits, labels], call.at)?;
    let last = cx.graph.shape(ids[0]).len() - 1;
    let all = cx.graph.log_sum_exp(ids[0], last);
    let all = cx.at(call.at, all)?;
    let all = cx.reshaped(all, index, call.at)?;
    let right = cx.graph.push(Op::Gather, &ids);
    let right = cx.at(call.at, right)?;
    let loss = cx.scalar("sub", &[all, right], call.at)?;
    mean(cx, loss, call).map(Value::Tensor)
}
