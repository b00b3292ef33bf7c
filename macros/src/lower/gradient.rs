//! Gradients as expressions: `grad(e, x)`.

use super::{Chain, Lowered};
use crate::ast::{Argument, ExprKind};
use crate::autodiff;
use crate::errors::{Range, count};
use crate::graph::NodeId;
use crate::shape::show;

impl Chain {
    /// `grad(e, x)`: the gradient of the sum of `e` over the batch.
    pub fn grad(&mut self, args: &[Argument], at: Range) -> Lowered<NodeId> {
        let [of, by] = args else {
            return self.report(
                at,
                format!("`grad` is called as `grad(e, x)`, found {}", count(args.len(), "operand")),
            );
        };
        let (e, x) = (self.float(&of.value)?, self.float(&by.value)?);
        let sample = self.sample_of(e);
        if !sample.is_empty() {
            return self.report(of.range, format!("`grad` takes the gradient of one number a sample, but `{}` has shape {}; `sum` or `mean` makes one number of it", of.value, show(&sample)));
        }
        let one = self.graph.constant(1.0);
        let shape = self.graph.shape(e).clone();
        let seed = self.graph.broadcast(one, shape);
        let seed = self.at(at, seed)?;
        let gradients = autodiff::gradients(&mut self.graph, &[(e, seed)], &[x]);
        match self.at(at, gradients)?.pop().flatten() {
            Some(id) => Ok(id),
            None => {
                let hint = match by.value.kind {
                    ExprKind::Path(_) => String::new(),
                    _ => format!(
                        "; bind it with `let y = {};`, compute with `y`, and take the gradient for `y`",
                        by.value
                    ),
                };
                let (e, x) = (&of.value, &by.value);
                let message = format!("no gradient: `{e}` does not depend on `{x}`{hint}");
                self.report(by.range, message)
            }
        }
    }
}
