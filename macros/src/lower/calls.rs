//! Calls of layers: what is called, and on which values.

use std::rc::Rc;

use super::values::{Declared, Value};
use super::{Chain, Lowered, Reported};
use crate::ast::{Argument, Expr, ExprKind, Layer};
use crate::errors::Range;
use crate::graph::NodeId;
use crate::layers;

impl Chain {
    /// What is called: a layer in scope, or one that is written here.
    pub fn callee(&mut self, callee: &Expr) -> Lowered<Value> {
        match &callee.kind {
            ExprKind::Layer(layer) => {
                let name = self.name_of(layer);
                let declared = Declared { layer: (**layer).clone(), name };
                Ok(Value::Layer(Rc::new(declared)))
            }
            _ => self.value(callee),
        }
    }

    /// Calls a layer.
    pub fn apply(
        &mut self,
        callee: Value,
        what: &dyn std::fmt::Display,
        args: &[Argument],
        at: Range,
    ) -> Lowered<Value> {
        let Value::Layer(declared) = callee else {
            return self.report(
                at,
                format!(
                    "`{what}` is {}; only layers and functions can be called",
                    callee.describe()
                ),
            );
        };
        let mut operands = vec![];
        for arg in args {
            if let Some(name) = &arg.name {
                return self.report(arg.range, format!("a layer takes its settings where it is declared, not where it is called: move `{name}` there"));
            }
            operands.push((self.tensor(&arg.value)?, arg.value.to_string(), arg.range));
        }
        self.apply_layer(&declared, &operands, at)
    }

    /// Applies a layer to values; the caret of a mismatch is under `at`.
    pub fn apply_layer(
        &mut self,
        declared: &Declared,
        operands: &[(NodeId, String, Range)],
        at: Range,
    ) -> Lowered<Value> {
        let layer = Layer { range: at, ..declared.layer.clone() };
        let instance = self.instance.replace(declared.name.clone());
        let flattened = self.flattened.take();
        let result = layers::call(self, &layer, operands);
        self.instance = instance;
        self.flattened = flattened;
        match result {
            Some(value) if self.known => Ok(value),
            _ => Err(Reported),
        }
    }
}
