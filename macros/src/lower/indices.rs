//! Indices: parts of tensors, one of several values, one of a repeat of layers.

use std::rc::Rc;

use super::values::{Declared, Value};
use super::{Chain, Lowered};
use crate::ast::{Expr, ExprKind, Index, Layer};
use crate::errors::Range;
use crate::graph::NodeId;
use crate::shape::{Dim, Shape, show};

impl Chain {
    /// `x[0, 1..3]`: the axes of a sample from the first on; or one of several values.
    pub fn index(&mut self, x: &Expr, places: &[Index], at: Range) -> Lowered<Value> {
        let value = self.value(x)?;
        if let Value::Tuple(values) = &value {
            let [Index::At(place)] = places else {
                return self.report(
                    at,
                    format!("`{x}` is {} values: index it by one number", values.len()),
                );
            };
            let i = self.constant(place)?;
            return match values.get(usize::try_from(i).unwrap_or(usize::MAX)) {
                Some(value) => Ok(value.clone()),
                None => self.report(
                    place.range,
                    format!(
                        "`{x}` has {} values, with numbers from 0; there is no number {i}",
                        values.len()
                    ),
                ),
            };
        }
        if let Value::Inside(outer) = &value {
            return self.inside_repeat(x, outer, places, at);
        }
        if let Value::Layer(declared) = &value
            && let Some(count) = &declared.layer.repeat
        {
            return self.one_of(declared, count, x, places, at);
        }
        let id = self.as_tensor(value, x.range, x)?;
        let sample = self.sample_of(id);
        if places.len() > sample.len() {
            return self.report(
                at,
                format!(
                    "`{x}` has shape {}, {}, found {} indices",
                    show(&sample),
                    match sample.len() {
                        0 => "no axes".to_owned(),
                        1 => "one axis".to_owned(),
                        n => format!("{n} axes"),
                    },
                    places.len()
                ),
            );
        }
        self.take(id, x, places, &sample, at).map(Value::Tensor)
    }

    /// `blocks[0]`: one of a repeat.
    fn one_of(
        &mut self,
        declared: &Declared,
        count: &Expr,
        x: &Expr,
        places: &[Index],
        at: Range,
    ) -> Lowered<Value> {
        let [Index::At(place)] = places else {
            return self.report(at, format!("`{x}` is a repeat of layers: index it by one number"));
        };
        let (i, n) = (self.constant(place)?, self.constant(count)?);
        if !(0..n).contains(&i) {
            let message =
                format!("`{x}` has {n} layers, with numbers from 0; there is no number {i}");
            return self.report(place.range, message);
        }
        let layer = Layer { repeat: None, ..declared.layer.clone() };
        Ok(Value::Layer(Rc::new(Declared { layer, name: format!("{}.{i}", declared.name) })))
    }

    fn take(
        &mut self,
        mut id: NodeId,
        x: &Expr,
        places: &[Index],
        sample: &Shape,
        at: Range,
    ) -> Lowered<NodeId> {
        let first = usize::from(self.is_batched(id));
        let mut kept: Shape = vec![];
        for (axis, place) in places.iter().enumerate() {
            let size = sample[axis].clone();
            let (start, len) = match place {
                Index::At(place) => (self.place(place, (axis, sample), x, true)?, None),
                Index::Range(from, to) => {
                    let start = match from {
                        Some(from) => self.place(from, (axis, sample), x, false)?,
                        None => Dim::literal(0),
                    };
                    let end = match to {
                        Some(to) => self.place(to, (axis, sample), x, false)?,
                        None => size.clone(),
                    };
                    (start.clone(), Some(end.sub(&start)))
                }
            };
            if let Some(n) = len.as_ref().and_then(Dim::as_literal)
                && n < 1
            {
                return self.report(
                    at,
                    format!("`{}` of `{x}` takes {n} elements; at least 1 is needed", places[axis]),
                );
            }
            let taken = len.clone().unwrap_or_else(Dim::one);
            if taken != size {
                let sliced = self.graph.slice(id, first + axis, start, taken.clone(), 1);
                id = self.at(at, sliced)?;
            }
            kept.extend(len);
        }
        kept.extend(sample[places.len()..].iter().cloned());
        let shape: Shape = self.graph.shape(id)[..first].iter().cloned().chain(kept).collect();
        let reshaped = self.graph.reshape(id, shape);
        self.at(at, reshaped)
    }

    /// A position along an axis; from the end where it is negative.
    fn place(
        &mut self,
        expr: &Expr,
        (axis, sample): (usize, &Shape),
        x: &Expr,
        element: bool,
    ) -> Lowered<Dim> {
        if let Some(name) = expr.as_name()
            && let Some(Value::Tensor(_)) = self.look_up(&name.to_string())
        {
            let message = format!(
                "`{name}` is a tensor, and an index is a size; `lookup({x}, {name})` takes a row for each index, `gather({x}, {name})` an element of each row"
            );
            return self.report(expr.range, message);
        }
        let size = &sample[axis];
        let dim = match &expr.kind {
            ExprKind::Negative(back) => {
                let back = self.size(back, 0)?;
                size.sub(&back)
            }
            _ => self.size(expr, 0)?,
        };
        let room = size.sub(&dim).as_literal();
        let outside = dim.as_literal().is_some_and(|n| n < 0)
            || room.is_some_and(|room| room < i128::from(element));
        if outside {
            let (what, shape) = (if element { "index" } else { "bound" }, show(sample));
            return self.report(
                expr.range,
                format!(
                    "{what} `{expr}` is outside of axis {axis} of `{x}`, which has shape {shape}"
                ),
            );
        }
        Ok(dim)
    }
}
