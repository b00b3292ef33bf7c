//! Functions that move elements: shapes, axes, parts.

use super::{Entry, entry};
use crate::errors::Range;
use crate::graph::NodeId;
use crate::lower::checks::{Part, text};
use crate::lower::operands::Operands;
use crate::lower::values::Value;
use crate::lower::{Chain, Lowered, Reported};
use crate::shape::{Dim, Shape, broadcast, numel, show};

/// The most values that a tensor is taken apart into.
const MAX_PARTS: i128 = 1000;

pub const FUNCTIONS: &[Entry] = &[
    entry("reshape", "reshape(x, [4, 4])", |cx, call| {
        let x = call.tensor(cx)?;
        let (to, _) = call.shape(cx)?;
        let from = cx.sample_of(x);
        let message = [
            text(format!("shape mismatch in `{}`: `reshape` to ", cx.network)),
            Part::Total(to.clone()),
            text(format!(" values, but {} is ", cx.word_or(x, "its operand"))),
            Part::Total(from.clone()),
        ];
        cx.require_equal(&numel(&to), &numel(&from), call.at, &message);
        if !cx.known {
            return Err(Reported);
        }
        let shape = cx.with_batch(x, to);
        match cx.graph.reshape(x, shape) {
            Ok(y) => Ok(Value::Tensor(y)),
            Err(_) => {
                cx.fail(call.at, &message);
                Err(Reported)
            }
        }
    }),
    entry("flatten", "flatten(x)", |cx, call| {
        let x = call.tensor(cx)?;
        let total = numel(&cx.sample_of(x));
        cx.reshaped(x, vec![total], call.at).map(Value::Tensor)
    }),
    entry("squeeze", "squeeze(x, axis = 0)", |cx, call| {
        let x = call.tensor(cx)?;
        let mut sample = cx.sample_of(x);
        let axis = call.axis(cx, &sample, None)?;
        if !sample[axis].is_one() {
            let message = format!(
                "`squeeze` removes an axis of size 1, but axis {axis} of {} has size {}",
                cx.shown(x),
                sample[axis]
            );
            return cx.report(call.at, message);
        }
        sample.remove(axis);
        cx.reshaped(x, sample, call.at).map(Value::Tensor)
    }),
    entry("unsqueeze", "unsqueeze(x, axis = 0)", |cx, call| {
        let x = call.tensor(cx)?;
        let mut sample = cx.sample_of(x);
        // The new axis may stand behind the last.
        let longer: Shape = sample.iter().cloned().chain([Dim::one()]).collect();
        let axis = call.axis(cx, &longer, None)?;
        sample.insert(axis, Dim::one());
        cx.reshaped(x, sample, call.at).map(Value::Tensor)
    }),
    entry("transpose", "transpose(x, axes = (-2, -1))", |cx, call| {
        let x = call.tensor(cx)?;
        let sample = cx.sample_of(x);
        let rank = sample.len();
        let pair = match call.axes(cx, &sample)? {
            Some(axes) => axes,
            None if rank >= 2 => vec![rank - 2, rank - 1],
            None => {
                return cx.report(
                    call.at,
                    format!(
                        "`transpose` exchanges 2 axes, but {} has shape {}; `{}` makes a matrix of one row of a vector",
                        cx.word_or(x, "its operand"),
                        show(&sample),
                        cx.method_of(x, ".unsqueeze(0)")
                    ),
                );
            }
        };
        let [a, b] = pair[..] else {
            return cx
                .report(call.at, format!("`transpose` exchanges two axes, found {}", pair.len()));
        };
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(a, b);
        permuted(cx, x, axes, call.at).map(Value::Tensor)
    }),
    entry("permute", "permute(x, [1, 0, 2])", |cx, call| {
        let x = call.tensor(cx)?;
        let sample = cx.sample_of(x);
        let axes = call.axes(cx, &sample)?.unwrap_or_default();
        if axes.len() != sample.len() {
            let message = format!(
                "`permute` names every axis once: {} has shape {}, {} axes, found {}",
                cx.word_or(x, "its operand"),
                show(&sample),
                sample.len(),
                axes.len()
            );
            return cx.report(call.at, message);
        }
        permuted(cx, x, axes, call.at).map(Value::Tensor)
    }),
    entry("unstack", "unstack(x, axis)", |cx, call| {
        let x = call.tensor(cx)?;
        let mut sample = cx.sample_of(x);
        let axis = call.axis(cx, &sample, Some(0))?;
        let Some(n) = sample[axis].as_literal().filter(|n| *n <= MAX_PARTS) else {
            return cx.report(
                call.at,
                format!(
                    "`unstack` takes an axis of a literal size up to {MAX_PARTS}, found {} in {}; `scan` goes along longer ones",
                    sample[axis],
                    cx.shown(x)
                ),
            );
        };
        sample.remove(axis);
        let along = cx.axis_of(x, axis);
        let part = |i: i128| {
            let slice = cx.graph.slice(x, along, Dim::literal(i), Dim::one(), 1);
            let slice = cx.at(call.at, slice)?;
            cx.reshaped(slice, sample.clone(), call.at).map(Value::Tensor)
        };
        (0..n).map(part).collect::<Lowered<Vec<_>>>().map(Value::Tuple)
    }),
    entry("split", "split(x, n, axis = -1)", split),
    entry("slice", "slice(x, start, end, axis = 0, step = 1)", slice),
    entry("concat", "concat(a, b, axis = 0)", |cx, call| {
        let axis = call.axis_expr();
        let ids = call.floats(cx)?;
        let Some(&first) = ids.first() else {
            return cx
                .report(call.at, "`concat` needs values to concatenate: `concat(a, b, axis = 0)`");
        };
        let sample = cx.sample_of(first);
        let axis = call.axis_at(cx, axis, &sample, 0)?;
        cx.concat(&ids, axis, call.at).map(Value::Tensor)
    }),
    entry("stack", "stack(a, b, axis = 0)", |cx, call| {
        let axis = call.axis_expr();
        let ids = call.floats(cx)?;
        let Some(&first) = ids.first() else {
            return cx.report(call.at, "`stack` needs values to stack: `stack(a, b, axis = 0)`");
        };
        let longer: Shape = cx.sample_of(first).into_iter().chain([Dim::one()]).collect();
        let axis = call.axis_at(cx, axis, &longer, 0)?;
        cx.stack(&ids, axis, call.at).map(Value::Tensor)
    }),
    entry("pad", "pad(x, before = 1, after = 1, axis = -1)", |cx, call| {
        let (before, after) = (call.size_or(cx, "before", 0)?, call.size_or(cx, "after", 0)?);
        let x = call.float(cx)?;
        let sample = cx.sample_of(x);
        let axis = call.axis(cx, &sample, Some(-1))?;
        let whole = before.add(&sample[axis]).add(&after);
        let along = cx.axis_of(x, axis);
        let y = cx.graph.place(x, along, before, 1, whole);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("flip", "flip(x, axis = 0)", |cx, call| {
        let x = call.float(cx)?;
        let sample = cx.sample_of(x);
        let axis = call.axis(cx, &sample, Some(0))?;
        let along = cx.axis_of(x, axis);
        let y = cx.graph.flip(x, along);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("broadcast", "broadcast(x, [4, 4])", |cx, call| {
        let x = call.tensor(cx)?;
        let (to, _) = call.shape(cx)?;
        let from = cx.sample_of(x);
        if broadcast(&from, &to).as_ref() != Some(&to) {
            return cx.report(
                call.at,
                format!(
                    "shape mismatch in `{}`: {} does not broadcast to {}: from the last axis, sizes are equal or 1",
                    cx.network,
                    cx.shown(x),
                    show(&to)
                ),
            );
        }
        let aligned: Shape =
            vec![Dim::one(); to.len() - from.len()].into_iter().chain(from).collect();
        let x = cx.reshaped(x, aligned, call.at)?;
        let shape = cx.with_batch(x, to);
        let y = cx.graph.broadcast(x, shape);
        cx.at(call.at, y).map(Value::Tensor)
    }),
    entry("gather", "gather(x, indices)", gather),
    entry("lookup", "lookup(table, indices)", |cx, call| {
        let table = call.float(cx)?;
        let index = call.integer(cx)?;
        if cx.is_batched(table) || cx.sample_of(table).len() != 2 {
            return cx.report(call.at, format!("`lookup` takes rows of a table, a parameter of shape [rows, columns], found {}", cx.shown(table)));
        }
        let y = cx.graph.embedding(table, index);
        cx.at(call.at, y).map(Value::Tensor)
    }),
];

/// The axes of a sample in another order.
fn permuted(cx: &mut Chain, x: NodeId, axes: Vec<usize>, at: Range) -> Lowered<NodeId> {
    let order = match cx.is_batched(x) {
        true => [0].into_iter().chain(axes.into_iter().map(|axis| axis + 1)).collect(),
        false => axes,
    };
    let y = cx.graph.permute(x, order);
    cx.at(at, y)
}

/// Parts of equal size along an axis.
fn split(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let axis = call.axis_expr();
    let x = call.tensor(cx)?;
    let parts = call.expr(cx, "n")?;
    let n = cx.constant(parts)?;
    let sample = cx.sample_of(x);
    let axis = call.axis_at(cx, axis, &sample, -1)?;
    let size = sample[axis].clone();
    let part = match size.div(&Dim::literal(n)) {
        Some(part) if n > 0 && i128::from(n) <= MAX_PARTS => part,
        _ => {
            return cx.report(
                parts.range,
                format!("axis {axis} of {} cannot be split into {n} equal parts: it has {size} elements", cx.shown(x)),
            );
        }
    };
    let along = cx.axis_of(x, axis);
    let part = |i: i64| {
        let start = part.mul(&Dim::literal(i));
        let slice = cx.graph.slice(x, along, start, part.clone(), 1);
        cx.at(call.at, slice).map(Value::Tensor)
    };
    (0..n).map(part).collect::<Lowered<Vec<_>>>().map(Value::Tuple)
}

/// Every `step`th element from `start` to before `end`.
fn slice(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let axis = call.axis_expr();
    let step_at = call.at;
    let step = call.size_or(cx, "step", 1)?;
    let x = call.tensor(cx)?;
    let (start, end) = (call.size(cx, "start", 0)?, call.size(cx, "end", 0)?);
    let sample = cx.sample_of(x);
    let axis = call.axis_at(cx, axis, &sample, 0)?;
    let Some(step) = step.as_literal().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0)
    else {
        return cx.report(
            step_at,
            "`step` of `slice` is a whole number of at least 1 that is written here",
        );
    };
    let outside = sample[axis].sub(&end).as_literal().is_some_and(|room| room < 0);
    let length = end.sub(&start);
    if outside || length.as_literal().is_some_and(|n| n < 1) {
        return cx.report(
            call.at,
            format!(
                "`slice` from {start} to {end} does not lie in axis {axis} of {}, of size {}",
                cx.shown(x),
                sample[axis]
            ),
        );
    }
    let size = match (length.as_literal(), step) {
        (_, 1) => length,
        (Some(n), _) => Dim::literal((n + step as i128 - 1) / step as i128),
        (None, _) => return cx.report(call.at, "`slice` with a step takes literal ends"),
    };
    let along = cx.axis_of(x, axis);
    let y = cx.graph.slice(x, along, start, size, step);
    cx.at(call.at, y).map(Value::Tensor)
}

/// Elements of the last axis by integer indices: one a row, or several.
fn gather(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let x = call.float(cx)?;
    let index = call.integer(cx)?;
    let ids = cx.same_batch(&[x, index], call.at)?;
    let (rows, indices) = (cx.sample_of(ids[0]), cx.sample_of(ids[1]));
    let Some((_, lead)) = rows.split_last() else {
        return cx.report(
            call.at,
            "`gather` takes elements of the last axis, but its operand is a scalar",
        );
    };
    let y = if indices == lead {
        cx.graph.push(crate::ops::Op::Gather, &[ids[0], ids[1]])
    } else if indices.split_last().is_some_and(|(_, rest)| rest == lead) {
        cx.graph.gather_along(ids[0], ids[1])
    } else {
        return cx.report(call.at, format!("shape mismatch in `{}`: `gather` takes indices of shape {} or with one more axis for rows of {}, found {}", cx.network, show(lead), cx.shown(x), cx.shown(index)));
    };
    cx.at(call.at, y).map(Value::Tensor)
}

/// The only axis along which two shapes differ.
fn other_axis(a: &Shape, b: &Shape) -> Option<usize> {
    let mut differ = a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| i);
    match (a.len() == b.len(), differ.next(), differ.next()) {
        (true, Some(axis), None) => Some(axis),
        _ => None,
    }
}

impl Chain {
    /// Values one after another along an axis of a sample.
    pub fn concat(&mut self, ids: &[NodeId], axis: usize, at: Range) -> Lowered<NodeId> {
        let written = ids;
        let ids = self.same_batch(ids, at)?;
        let first = self.sample_of(ids[0]);
        for (i, id) in ids.iter().enumerate().skip(1) {
            let next = self.sample_of(*id);
            let fits = next.len() == first.len()
                && first.iter().zip(&next).enumerate().all(|(i, (a, b))| i == axis || a == b);
            if !fits {
                let (a, b) = (self.shown(written[0]), self.shown(written[i]));
                let hint = match other_axis(&first, &next) {
                    Some(other) => format!("; they can be along axis {other}"),
                    None => String::new(),
                };
                return self.report(at, format!("shape mismatch in `{}`: {a} and {b} cannot be concatenated along axis {axis}: all other axes have to be equal{hint}", self.network));
            }
        }
        if let [id] = ids[..] {
            return Ok(id);
        }
        let along = self.axis_of(ids[0], axis);
        let y = self.graph.concat(&ids, along);
        self.at(at, y)
    }

    /// Values on a new axis of a sample.
    pub fn stack(&mut self, ids: &[NodeId], axis: usize, at: Range) -> Lowered<NodeId> {
        let written = ids;
        let ids = self.same_batch(ids, at)?;
        let Some(&first) = ids.first() else {
            return self.report(at, "an empty list is no tensor");
        };
        let sample = self.sample_of(first);
        let mut longer = vec![];
        for (i, id) in ids.into_iter().enumerate() {
            let mut next = self.sample_of(id);
            if next != sample {
                let (a, b) = (self.shown(written[0]), self.shown(written[i]));
                let hint = match other_axis(&sample, &next) {
                    Some(other) => {
                        format!("; `concat(.., axis = {other})` puts them one after another")
                    }
                    None => String::new(),
                };
                let message = format!(
                    "shape mismatch in `{}`: {a} and {b} cannot be stacked: their shapes have to be equal{hint}",
                    self.network
                );
                return self.report(at, message);
            }
            next.insert(axis, Dim::one());
            longer.push(self.reshaped(id, next, at)?);
        }
        self.concat(&longer, axis, at)
    }
}

impl<'e> Operands<'e> {
    /// The axis by name, before the operands without names are read.
    fn axis_expr(&mut self) -> Option<&'e crate::ast::Expr> {
        self.take_named("axis")
    }

    fn axis_at(
        &mut self,
        cx: &mut Chain,
        expr: Option<&crate::ast::Expr>,
        sample: &[Dim],
        default: i64,
    ) -> Lowered<usize> {
        let (axis, at) = match expr {
            Some(expr) => (cx.constant(expr)?, expr.range),
            None => (default, self.at),
        };
        self.position(cx, axis, sample, at)
    }
}
