//! `scan(xs, h0, |h, x| (h, y))`: the closure's body is lowered into a graph of its own, and what it uses of
//! the outer ones is captured.

use super::values::Value;
use super::{Chain, Lowered, Reported, words};
use crate::ast::{Argument, Block, Expr, ExprKind, Pattern};
use crate::errors::Range;
use crate::graph::{Graph, NodeId};
use crate::ops::scan::Body;
use crate::shape::{Shape, show};

/// A graph outside the body that is being lowered, and what the body has captured of it.
pub struct Frame {
    outer: Graph,
    body: Body,
}

impl Chain {
    /// How many bodies are around the current value.
    pub fn depth(&self) -> usize {
        self.frames.len()
    }

    /// The graph that no scan is around.
    pub fn root(&mut self) -> &mut Graph {
        match self.frames.first_mut() {
            Some(frame) => &mut frame.outer,
            None => &mut self.graph,
        }
    }

    /// A node of the graph at a depth, in the current one.
    pub fn captured(&mut self, depth: usize, mut id: NodeId) -> NodeId {
        for level in depth..self.frames.len() {
            let (front, behind) = self.frames.split_at_mut(level + 1);
            let Frame { outer, body } = &mut front[level];
            let inner = behind.first_mut().map_or(&mut self.graph, |frame| &mut frame.outer);
            std::mem::swap(&mut body.graph, inner);
            id = body.capture(outer, id);
            std::mem::swap(&mut body.graph, inner);
        }
        id
    }

    /// The node of the outermost graph that a node of the current one stands for.
    pub fn outermost(&self, id: NodeId) -> Option<NodeId> {
        self.frames.iter().rev().try_fold(id, |id, frame| {
            let mut captured = frame.body.captured.iter();
            captured.find(|(_, inner)| *inner == id).map(|(outer, _)| *outer)
        })
    }

    /// A value of the graph at a depth, in the current one.
    pub fn captured_value(&mut self, depth: usize, value: Value) -> Value {
        match value {
            Value::Tensor(id) => Value::Tensor(self.captured(depth, id)),
            Value::Tuple(values) => {
                Value::Tuple(values.into_iter().map(|v| self.captured_value(depth, v)).collect())
            }
            other => other,
        }
    }

    /// `let (ys, h) = scan(xs, h0, |h, x| (h, y));` over the first axis of a sample. Several carries or
    /// several values to scan are tuples.
    pub fn scan(&mut self, args: &[Argument], at: Range) -> Lowered<Value> {
        const USAGE: &str = "`scan` is called as `scan(xs, h0, |h, x| (h, y))`";
        let (mut unnamed, mut reverse) = (vec![], false);
        for arg in args {
            match &arg.name {
                None => unnamed.push(&arg.value),
                Some(name) if name == "reverse" => match arg.value.kind {
                    ExprKind::Bool(value) => reverse = value,
                    _ => return self.report(arg.range, "`reverse` of `scan` is `true` or `false`"),
                },
                Some(name) => {
                    return self.report(Range::of(name), format!("unknown argument `{name}` of `scan`; {USAGE}, with `reverse = true` to begin at the end"));
                }
            }
        }
        let [xs, h0, closure] = unnamed[..] else {
            return self.report(at, format!("{USAGE}, found {} operands", unnamed.len()));
        };
        let ExprKind::Closure(patterns, block) = &closure.kind else {
            return self.report(
                closure.range,
                format!("{USAGE}: the last operand is a closure, found `{closure}`"),
            );
        };
        let [carry, step] = &patterns[..] else {
            return self.report(
                closure.range,
                format!("{USAGE}: its closure takes two values, found {}", patterns.len()),
            );
        };
        let stacked = self.time_major(xs, at)?;
        let carries = self.batched_values(h0)?;
        self.body(block, [(carry, h0), (step, xs)], [&carries, &stacked])?;
        let frame = self.frames.pop().ok_or(Reported)?;
        self.forget_inner_words();
        let body = Body { graph: std::mem::replace(&mut self.graph, frame.outer), ..frame.body };
        let values = self.graph.scan(body, reverse, &carries, &stacked);
        let values = self.at(at, values)?;
        let mut ys = vec![];
        for id in values.kept {
            ys.push(self.sample_major(id, at)?);
        }
        let single = |ids: Vec<NodeId>| match ids[..] {
            [id] => Value::Tensor(id),
            _ => Value::Tuple(ids.into_iter().map(Value::Tensor).collect()),
        };
        Ok(Value::Tuple(vec![single(ys), single(values.carries)]))
    }

    /// Lowers the closure in a graph of its own, which becomes the current one.
    fn body(
        &mut self,
        block: &Block,
        patterns: [(&Pattern, &Expr); 2],
        [carries, stacked]: [&[NodeId]; 2],
    ) -> Lowered<()> {
        let mut graph = Graph::new("body");
        let one = |id: &NodeId, skip: usize| self.graph.shape(*id)[skip..].to_vec();
        let carry_shapes: Vec<Shape> = carries.iter().map(|id| one(id, 0)).collect();
        let step_shapes: Vec<(Shape, bool)> =
            stacked.iter().map(|id| (one(id, 1), self.graph.nodes[*id].integer)).collect();
        let mut inner = [vec![], vec![]];
        for shape in &carry_shapes {
            inner[0].push(Value::Tensor(graph.input("carry", shape.clone(), false)));
        }
        for (shape, integer) in &step_shapes {
            inner[1].push(Value::Tensor(graph.input("step", shape.clone(), *integer)));
        }
        let outer = std::mem::replace(&mut self.graph, graph);
        self.frames.push(Frame { outer, body: Body::new(Graph::new("body")) });
        let names = self.bound_len();
        for ((pattern, of), mut values) in patterns.into_iter().zip(inner) {
            let value = match values.len() {
                1 => values.remove(0),
                _ => Value::Tuple(values),
            };
            self.bind_pattern(pattern, value, of)?;
        }
        let value = self.block(block)?;
        self.forget(names);
        let at = block.result.range;
        let Value::Tuple(parts) = value else {
            return self.report(at, "the closure of `scan` yields two values: the next carry, and what is kept of the step: `(h, y)`");
        };
        let Ok([next, kept]) = <[Value; 2]>::try_from(parts) else {
            return self.report(at, "the closure of `scan` yields two values: the next carry, and what is kept of the step: `(h, y)`");
        };
        let parts = match &block.result.kind {
            ExprKind::Tuple(parts) if parts.len() == 2 => [&parts[0], &parts[1]],
            _ => [&block.result, &block.result],
        };
        let next = self.flat(next, parts[0])?;
        let kept = self.flat(kept, parts[1])?;
        if next.len() != carries.len() {
            return self.report(
                at,
                format!(
                    "`scan` begins with {} carries, but its closure yields {}",
                    carries.len(),
                    next.len()
                ),
            );
        }
        let skip = usize::from(self.batched_now());
        for (id, shape) in next.iter().zip(&carry_shapes) {
            if self.graph.shape(*id) != shape {
                let (was, is) = (show(&shape[skip..]), self.shown(*id));
                let network = self.network.clone();
                return self.report(at, format!("shape mismatch in `{network}`: a carry of `scan` begins as {was}, but its closure yields {is}; it keeps its shape from step to step"));
            }
        }
        self.graph.outputs = [next.clone(), kept.clone()].concat();
        Ok(())
    }

    /// The tensors of a value, each with the batch.
    fn flat(&mut self, value: Value, of: &Expr) -> Lowered<Vec<NodeId>> {
        let mut ids = vec![];
        for (value, of) in words::members(value, of) {
            let id = self.as_tensor(value, of.range, of)?;
            let id = self.require_float(id, of.range, of)?;
            ids.push(self.batched_value(id, of.range)?);
        }
        Ok(ids)
    }

    fn batched_values(&mut self, expr: &Expr) -> Lowered<Vec<NodeId>> {
        let value = self.value(expr)?;
        self.flat(value, expr)
    }

    /// Values with the axis that is scanned in front of the batch: [t, batch, ..].
    fn time_major(&mut self, expr: &Expr, at: Range) -> Lowered<Vec<NodeId>> {
        let value = self.value(expr)?;
        let mut ids: Vec<NodeId> = vec![];
        for (value, expr) in words::members(value, expr) {
            let id = self.as_tensor(value, expr.range, expr)?;
            let id = self.batched_value(id, expr.range)?;
            let sample = self.sample_of(id);
            let Some(length) = sample.first() else {
                return self.report(
                    expr.range,
                    format!("`scan` goes along the first axis, but `{expr}` has shape [], 0 axes"),
                );
            };
            if let Some(first) = ids.first()
                && self.graph.shape(*first).first() != Some(length)
            {
                let (n, whole) = (self.graph.shape(*first)[0].clone(), show(&sample));
                let message = format!(
                    "shape mismatch in `{}`: `scan` goes along values of one length, but `{expr}` {whole} has {length} steps and the first value has {n}",
                    self.network
                );
                return self.report(expr.range, message);
            }
            ids.push(self.swapped(id, at)?);
        }
        Ok(ids)
    }

    /// [t, batch, ..] as [batch, t, ..].
    pub fn sample_major(&mut self, id: NodeId, at: Range) -> Lowered<NodeId> {
        self.swapped(id, at)
    }

    /// The first two axes exchanged, where samples are in batches.
    pub fn swapped(&mut self, id: NodeId, at: Range) -> Lowered<NodeId> {
        if !self.batched_now() {
            return Ok(id);
        }
        let rank = self.graph.shape(id).len();
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(0, 1);
        let swapped = self.graph.permute(id, axes);
        self.at(at, swapped)
    }
}
