//! Values that no operand gives: random numbers, ranges, constants; and dropout.

use super::{Entry, entry};
use crate::graph::{Graph, NodeId};
use crate::lower::operands::Operands;
use crate::lower::values::Value;
use crate::lower::{Chain, Lowered};
use crate::ops::Op;
use crate::shape::{Dim, Shape};

pub const FUNCTIONS: &[Entry] = &[
    entry("normal", "normal([4, 4])", |cx, call| {
        let (stream, shape) = drawn(cx, call)?;
        let y = cx.graph.normal(&stream, shape);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("uniform", "uniform([4, 4])", |cx, call| {
        let (stream, shape) = drawn(cx, call)?;
        let y = cx.graph.uniform(&stream, shape);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("arange", "arange(n)", |cx, call| {
        let n = call.size(cx, "n", 1)?;
        let y = cx.graph.push(Op::Coordinate(n), &[]);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("zeros", "zeros([4, 4])", |cx, call| filled(cx, call, 0.0)),
    entry("ones", "ones([4, 4])", |cx, call| filled(cx, call, 1.0)),
    entry("full", "full([4, 4], 0.5)", |cx, call| {
        let (shape, _) = call.shape(cx)?;
        let value = call.number(cx, "value", None)?;
        constant(cx, call, shape, value)
    }),
    entry("dropout", "dropout(x, 0.25)", |cx, call| {
        let x = call.float(cx)?;
        let expr = call.expr(cx, "rate")?;
        let rate = cx.rate(expr)?;
        cx.dropout(x, rate, "dropout", call.at).map(Value::Tensor)
    }),
];

/// A stream of its own, and the shape of what is drawn: for each sample where samples are in batches.
fn drawn(cx: &mut Chain, call: &mut Operands) -> Lowered<(String, Shape)> {
    let (sample, _) = call.shape(cx)?;
    let prefix = cx.prefix.clone();
    let stream = cx.stream(&format!("{prefix}{}", call.name));
    let batch = cx.batched.then(Dim::batch);
    Ok((stream, batch.into_iter().chain(sample).collect()))
}

fn filled(cx: &mut Chain, call: &mut Operands, value: f64) -> Lowered<Value> {
    let (shape, _) = call.shape(cx)?;
    constant(cx, call, shape, value)
}

fn constant(cx: &mut Chain, call: &Operands, shape: Shape, value: f64) -> Lowered<Value> {
    let number = cx.graph.constant(value);
    let y = cx.graph.broadcast(number, shape);
    cx.at(call.at, y).map(Value::Tensor)
}

/// How much is dropped: a number that is written in the declaration, or a value.
#[derive(Clone, Copy)]
pub enum Rate {
    Literal(f64),
    Value(NodeId),
}

/// A number, or one that is computed from a setting: `scale * setting + offset`.
#[derive(Clone, Copy)]
struct Line {
    scale: f64,
    setting: Option<usize>,
    offset: f64,
}

impl Line {
    fn of(graph: &Graph, id: NodeId) -> Option<Line> {
        let node = &graph.nodes[id];
        let row = match &node.op {
            Op::Const(bits) => return Some(Line::number(f64::from_bits(*bits))),
            Op::Setting(i) => return Some(Line { scale: 1.0, setting: Some(*i), offset: 0.0 }),
            Op::Scalar(row) => row,
            _ => return None,
        };
        let operands = node.inputs.iter().map(|id| Line::of(graph, *id));
        match (row.name, &operands.collect::<Option<Vec<_>>>()?[..]) {
            ("neg", [x]) => Some(x.times(-1.0)),
            ("add", [a, b]) => a.plus(*b),
            ("sub", [a, b]) => a.plus(b.times(-1.0)),
            ("mul", [a, b]) if b.setting.is_none() => Some(a.times(b.offset)),
            ("mul", [a, b]) if a.setting.is_none() => Some(b.times(a.offset)),
            ("div", [a, b]) if b.setting.is_none() => Some(a.times(1.0 / b.offset)),
            _ => None,
        }
    }

    fn number(offset: f64) -> Line {
        Line { scale: 0.0, setting: None, offset }
    }

    fn times(self, by: f64) -> Line {
        Line { scale: self.scale * by, offset: self.offset * by, ..self }
    }

    /// `None` where two settings meet.
    fn plus(self, other: Line) -> Option<Line> {
        if self.setting.is_some() && other.setting.is_some() && self.setting != other.setting {
            return None;
        }
        Some(Line {
            scale: self.scale + other.scale,
            setting: self.setting.or(other.setting),
            offset: self.offset + other.offset,
        })
    }
}

impl Chain {
    /// A rate from 0 to 1.
    pub fn rate(&mut self, expr: &crate::ast::Expr) -> Lowered<Rate> {
        match crate::arguments::number(expr) {
            Some(rate) if (0.0..=1.0).contains(&rate) => Ok(Rate::Literal(rate)),
            Some(_) => self.report(
                expr.range,
                format!("a rate of dropout is a number from 0 to 1, found `{expr}`"),
            ),
            None => {
                let id = self.float(expr)?;
                if !self.graph.shape(id).is_empty() {
                    let message = format!("a rate of dropout is one number, found `{expr}`");
                    return self.report(expr.range, message);
                }
                self.require_rate(id, expr)
            }
        }
    }

    /// That a value is a rate: numbers are checked here, and a setting where it is given, if the rate is
    /// one for every setting from 0 to 1.
    fn require_rate(&mut self, id: NodeId, expr: &crate::ast::Expr) -> Lowered<Rate> {
        let outermost = self.outermost(id);
        let line = outermost.and_then(|id| Line::of(self.root(), id));
        let Some(Line { scale, setting, offset }) = line else { return Ok(Rate::Value(id)) };
        let unit = |rate: f64| (0.0..=1.0).contains(&rate);
        match setting {
            Some(i) if unit(offset) && unit(scale + offset) => drop(self.rates.insert(i)),
            None if !unit(offset) => {
                let message = format!(
                    "a rate of dropout is a number from 0 to 1, found `{expr}`, which is {offset}"
                );
                return self.report(expr.range, message);
            }
            _ => {}
        }
        Ok(Rate::Value(id))
    }

    /// In training, zero with probability `rate`, else scaled by 1 / (1 - rate); in evaluation, nothing.
    pub fn dropout(
        &mut self,
        x: NodeId,
        rate: Rate,
        name: &str,
        at: crate::errors::Range,
    ) -> Lowered<NodeId> {
        if !self.train {
            return Ok(x);
        }
        let stream = self.stream(name);
        let y = match rate {
            Rate::Literal(0.0) => return Ok(x),
            Rate::Literal(rate) => self.graph.dropout(x, rate, &stream),
            Rate::Value(rate) => self.graph.dropout_at(x, rate, &stream),
        };
        self.at(at, y)
    }

    /// The rate of a layer `Dropout`.
    pub fn rate_of(&mut self, layer: &crate::ast::Layer, expr: &crate::ast::Expr) -> Option<Rate> {
        match crate::arguments::number(expr) {
            Some(rate) if (0.0..=1.0).contains(&rate) => Some(Rate::Literal(rate)),
            None if expr
                .as_name()
                .is_some_and(|name| self.look_up(&name.to_string()).is_some()) =>
            {
                self.rate(expr).ok()
            }
            _ => {
                let message =
                    format!("`rate` of `{}` is a number from 0 to 1, found `{expr}`", layer.kind);
                let _: Lowered<()> = self.report(expr.range, message);
                None
            }
        }
    }
}
