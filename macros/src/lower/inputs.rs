//! That what an item is called with fits its inputs.

use std::collections::BTreeMap;

use syn::Ident;

use super::{Chain, Lowered, Part, Reported, text};
use crate::ast::{Function, TensorType};
use crate::errors::{Range, count, listed};
use crate::graph::NodeId;
use crate::shape::{Shape, broadcast, numel};
use crate::sizes::{Scope, tensor_type};

/// "2 inputs, `x` and `y`".
pub fn takes(names: &[&Ident]) -> String {
    let these = match names.is_empty() {
        true => String::new(),
        false => format!(", {}", listed(names.iter())),
    };
    format!("{}{these}", count(names.len(), "input"))
}

impl Chain {
    /// That an operand has the shape of the input that it is for. Leading axes of `[..S]` are part of it.
    pub fn argument(
        &mut self,
        name: &str,
        declared: &TensorType,
        (id, from, at): &(NodeId, String, Range),
    ) -> Lowered<NodeId> {
        let (id, at) = (*id, *at);
        let scope = self.scope.clone();
        let Some(want) = tensor_type(declared, &scope, &mut self.errors) else {
            self.known = false;
            return Err(Reported);
        };
        if declared.integer != self.graph.nodes[id].integer {
            let (kind, found) = match declared.integer {
                true => ("integers", "floats"),
                false => ("floats", "integers"),
            };
            let message =
                format!("input `{name}` of `{}` is {kind}, but `{from}` is {found}", self.network);
            return self.report(at, message);
        }
        let got = self.sample_of(id);
        let fits = match declared.leading {
            true => got.ends_with(&want),
            false => got == want,
        };
        if fits {
            return Ok(id);
        }
        if got.len() == want.len() && !declared.leading && broadcast(&got, &want).is_none() {
            let message = self.mismatch_of_input(name, &want, from, &got);
            for (a, b) in want.iter().zip(&got) {
                self.require_equal(a, b, at, &message);
            }
            if self.known {
                return self.reshaped(id, want, at);
            }
            return Err(Reported);
        }
        let message = self.mismatch_of_input(name, &want, from, &got);
        self.fail(at, &message);
        Err(Reported)
    }

    fn mismatch_of_input(&self, name: &str, want: &Shape, from: &str, got: &Shape) -> [Part; 5] {
        let input = match name {
            "input" => "the input".to_owned(),
            name => format!("input `{name}`"),
        };
        let flat = want.len() == 1 && got.len() > 1 && numel(want) == numel(got);
        [
            text(format!("shape mismatch: {input} of `{}` is ", self.network)),
            Part::Shape(want.clone()),
            text(format!(", but `{from}` has shape ")),
            Part::Shape(got.clone()),
            text(if flat { "; flatten it before" } else { "" }),
        ]
    }

    /// The sizes of a function's parameters: each is the size of the first axis that is it.
    pub fn generics_of(
        &mut self,
        function: &Function,
        operands: &[(NodeId, String, Range)],
        at: Range,
    ) -> Lowered<Scope> {
        let mut dims = BTreeMap::new();
        for ((_, declared), (id, ..)) in function.inputs.iter().zip(operands) {
            let sample = self.sample_of(*id);
            let skip = sample.len().saturating_sub(declared.dims.len());
            for (expr, size) in declared.dims.iter().zip(&sample[skip..]) {
                if let Some(name) = expr.as_name().filter(|name| function.generics.contains(name)) {
                    dims.entry(name.to_string()).or_insert_with(|| size.clone());
                }
            }
        }
        match function.generics.iter().find(|name| !dims.contains_key(&name.to_string())) {
            Some(name) => self
                .report(at, format!("`{}` has a size `{name}` that no input tells", function.name)),
            None => Ok(Scope { dims, owners: vec![] }),
        }
    }
}
