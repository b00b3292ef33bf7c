//! Scalar ops go before a reshape of rows: what follows a product of the rows of all positions is then part
//! of the product's loop, or of one with it.

use super::Simplifier;
use crate::graph::NodeId;
use crate::ops::{Op, scalar};
use crate::shape::{Shape, numel};

impl Simplifier {
    /// `f(reshape(x), reshape(y), c)` as `reshape(f(x, y, c))`, where x and y are matrices `[rows, n]` that
    /// became `[.., n]`, and c is a number or a row `[n]`. A gradient that is multiplied by the weight of a norm
    /// stays where it is: it belongs to the kernel over rows that follows.
    pub(super) fn before_reshape(
        &mut self,
        row: &'static scalar::Row,
        inputs: &[NodeId],
        shape: &Shape,
    ) -> Result<Option<NodeId>, String> {
        let mut from: Option<Shape> = None;
        let mut operands = vec![];
        for &input in inputs {
            let node = &self.out.nodes[input];
            let matrix = match node.op {
                Op::Reshape(_) if node.shape == *shape => {
                    let inner = node.inputs[0];
                    Some(inner).filter(|id| is_matrix(self.out.shape(*id), shape))
                }
                _ => None,
            };
            match matrix {
                Some(inner) => {
                    let found = self.out.shape(inner).clone();
                    if from.as_ref().is_some_and(|known| *known != found) {
                        return Ok(None);
                    }
                    from = Some(found);
                    operands.push(inner);
                }
                None if is_row(&node.shape, shape) => operands.push(input),
                None => return Ok(None),
            }
        }
        let numbers = |id: &NodeId| numel(self.out.shape(*id)).is_one();
        let plain = matches!(row.name, "add" | "sub")
            || operands.iter().all(|id| numbers(id) || Some(self.out.shape(*id)) == from.as_ref())
            || operands.iter().any(|id| {
                let node = &self.out.nodes[*id];
                matches!(node.op, Op::Scalar(_)) && Some(&node.shape) == from.as_ref()
            });
        if from.is_none() || !plain {
            return Ok(None);
        }
        for operand in &mut operands {
            let last = self.out.shape(*operand).last().cloned();
            if let Some(last) = last.filter(|_| is_row(self.out.shape(*operand), shape)) {
                *operand = self.out.reshape(*operand, vec![last])?;
            }
        }
        let y = self.appended(Op::Scalar(row), operands)?;
        self.appended(Op::Reshape(shape.clone()), vec![y]).map(Some)
    }
}

/// Whether a shape is `[rows, n]` where `to` is `[.., n]`, of more axes.
fn is_matrix(from: &Shape, to: &Shape) -> bool {
    from.len() == 2 && to.len() > 2 && from.last() == to.last()
}

/// Whether a value is a number, or has one element for each place of the last axis of `to`.
fn is_row(from: &Shape, to: &Shape) -> bool {
    let wide = from.last().is_none_or(|size| size.is_one() || Some(size) == to.last());
    wide && from.last().is_none_or(|size| numel(from) == *size)
}
