//! Functions of elements that are composed of scalar ops, and what has no derivative.

use super::{Entry, entry};
use crate::lower::values::Value;
use crate::ops::Op;

pub const FUNCTIONS: &[Entry] = &[
    entry("gelu", "gelu(x, approximate = none)", |cx, call| {
        let x = call.float(cx)?;
        let tanh = call.word(cx, "approximate", &["none", "tanh"])? == "tanh";
        let y = cx.graph.gelu(x, tanh);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("silu", "silu(x)", |cx, call| {
        let x = call.float(cx)?;
        let y = cx.graph.silu(x);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("elu", "elu(x, alpha = 1.0)", |cx, call| {
        let (x, alpha) = (call.float(cx)?, call.number(cx, "alpha", Some(1.0))?);
        let y = cx.graph.elu(x, alpha);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("leaky_relu", "leaky_relu(x, slope = 0.01)", |cx, call| {
        let (x, slope) = (call.float(cx)?, call.number(cx, "slope", Some(0.01))?);
        let y = cx.graph.leaky_relu(x, slope);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("clamp", "clamp(x, min = 0.0, max = 1.0)", |cx, call| {
        let x = call.float(cx)?;
        let (min, max) = (call.number(cx, "min", None)?, call.number(cx, "max", None)?);
        let (min, max) = (cx.graph.constant(min), cx.graph.constant(max));
        let y = cx.graph.clamp(x, min, max);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("stop_gradient", "stop_gradient(x)", |cx, call| {
        let x = call.float(cx)?;
        let y = cx.graph.push(Op::StopGradient, &[x]);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("clip_gradient", "clip_gradient(x, max = 1.0)", |cx, call| {
        let (x, max) = (call.float(cx)?, call.number(cx, "max", None)?);
        if !(max >= 0.0 && max.is_finite()) {
            let message = format!("`clip_gradient` to at most {max}; expected 0 or more");
            return cx.report(call.at, message);
        }
        let y = cx.graph.clip_gradient(x, max);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("float", "float(indices)", |cx, call| {
        let x = call.tensor(cx)?;
        if !cx.graph.nodes[x].integer {
            return Ok(Value::Tensor(x));
        }
        let zero = cx.graph.constant(0.0);
        let y = cx.graph.scalar("add", &[x, zero]);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("one_hot", "one_hot(indices, n)", |cx, call| {
        let (index, n) = (call.integer(cx)?, call.size(cx, "n", 1)?);
        let y = cx.graph.one_hot(index, n);
        cx.at(call.at, y).map(Value::Tensor)
    }),
];
