//! The functions and methods of expressions: a table of names, usages and what each lowers to. A method is
//! the function of its name with the receiver as its first operand.

mod elementwise;
mod losses;
mod movement;
mod products;
mod random;
mod reductions;
#[cfg(test)]
mod tests;

use syn::Ident;

use super::operands::Operands;
use super::values::Value;
use super::{Chain, Lowered};
use crate::ast::{Argument, Expr};
use crate::errors::{Range, count, suggestion};
use crate::graph::NodeId;
use crate::ops::scalar;
use crate::shape::{Dim, Shape};

type Lower = fn(&mut Chain, &mut Operands) -> Lowered<Value>;

/// A function by its name.
pub struct Entry {
    pub name: &'static str,
    /// How it is called, for messages.
    pub usage: &'static str,
    lower: Lower,
}

const fn entry(name: &'static str, usage: &'static str, lower: Lower) -> Entry {
    Entry { name, usage, lower }
}

/// All functions beside the rows of the scalar table.
fn entries() -> impl Iterator<Item = &'static Entry> {
    let tables = [
        elementwise::FUNCTIONS,
        reductions::FUNCTIONS,
        movement::FUNCTIONS,
        products::FUNCTIONS,
        random::FUNCTIONS,
        losses::FUNCTIONS,
    ];
    tables.into_iter().flatten()
}

/// The names of all functions beside the scalar ops.
pub fn names() -> impl Iterator<Item = &'static str> {
    entries().map(|entry| entry.name)
}

/// Scalar ops of what may be integers.
const COMPARISONS: &[&str] = &["gt", "lt", "ge", "le", "ne", "eq"];

/// How a scalar op is called.
const SCALAR: [&str; 4] = ["f()", "f(a)", "f(a, b)", "f(a, b, c)"];

impl Chain {
    /// `f(a, b, axis = 1)`: a function of the user's, a layer in scope, a built-in function, a scalar op.
    pub fn call(&mut self, name: &Ident, args: &[Argument], at: Range) -> Lowered<Value> {
        let text = name.to_string();
        if let Some(value) = self.look_up(&text) {
            return self.apply(value, name, args, at);
        }
        if self.uses.functions.contains_key(&text) {
            return self.call_function(&text, args, at);
        }
        if text == "grad" {
            return self.grad(args, at).map(Value::Tensor);
        }
        if text == "scan" {
            return self.scan(args, at);
        }
        self.built_in(name, None, args, at)
    }

    /// `x.f(axis = 1)`
    pub fn method(
        &mut self,
        x: &Expr,
        name: &Ident,
        args: &[Argument],
        at: Range,
    ) -> Lowered<Value> {
        self.no_module(x, name, args)?;
        let receiver = self.value(x)?;
        self.built_in(name, Some((receiver, x)), args, at)
    }

    /// That `x` is no module of another framework: functions stand alone here.
    fn no_module(&mut self, x: &Expr, name: &Ident, args: &[Argument]) -> Lowered<()> {
        let module = x.to_string();
        if !crate::synonyms::is_module(&module) || self.look_up(&module).is_some() {
            return Ok(());
        }
        let args: Vec<String> = args.iter().map(Argument::to_string).collect();
        let message = format!(
            "`{module}` is no value; functions stand without a module: `{name}({})`",
            args.join(", ")
        );
        self.report(x.range, message)
    }

    fn built_in(
        &mut self,
        name: &Ident,
        receiver: Option<(Value, &Expr)>,
        args: &[Argument],
        at: Range,
    ) -> Lowered<Value> {
        let text = name.to_string();
        // `max(x)` is a reduction, `max(x, y)` an op of elements.
        let operands =
            args.iter().filter(|arg| arg.name.is_none()).count() + usize::from(receiver.is_some());
        let row = scalar::find(&text);
        if let Some(row) =
            row.filter(|row| row.arity() == operands || !entries().any(|e| e.name == text))
        {
            let mut call = Operands::new(SCALAR[row.arity()], &text, at, receiver, args);
            if call.unnamed() != row.arity() {
                let (takes, found) = (count(row.arity(), "operand"), call.unnamed());
                return self.report(at, format!("`{text}` takes {takes}, found {found}"));
            }
            let mut ids = vec![];
            for _ in 0..row.arity() {
                // Integers can be compared; what is selected or computed is floats.
                ids.push(match COMPARISONS.contains(&row.name) {
                    true => call.tensor(self)?,
                    false => call.float(self)?,
                });
            }
            call.end(self)?;
            return self.scalar(row.name, &ids, at).map(Value::Tensor);
        }
        let Some(entry) = entries().find(|entry| entry.name == text) else {
            if receiver.is_some()
                && (self.look_up(&text).is_some() || self.uses.functions.contains_key(&text))
            {
                let message = format!("`{text}` is no method; call it: `{text}(..)`");
                return self.report(Range::of(name), message);
            }
            if let ("forward" | "call" | "apply", Some((_, layer))) = (text.as_str(), &receiver) {
                let args: Vec<String> = args.iter().map(Argument::to_string).collect();
                let message = format!(
                    "`{text}` is no method; call the layer: `{layer}({})`",
                    args.join(", ")
                );
                return self.report(Range::of(name), message);
            }
            let names: Vec<String> = entries()
                .map(|entry| entry.name.to_owned())
                .chain(scalar::TABLE.iter().map(|row| row.name.to_owned()))
                .chain(self.uses.functions.keys().cloned())
                .chain(["grad".to_owned(), "scan".to_owned()])
                .chain(self.bound.iter().map(|bound| bound.name.clone()))
                .collect();
            let near = match crate::synonyms::function(&text) {
                Some(ours) => format!("; did you mean `{ours}`?"),
                None => suggestion(&text, names.iter().map(String::as_str)),
            };
            let near = match near.is_empty() {
                true => "; all functions are listed in the documentation of `network!`".to_owned(),
                false => near,
            };
            let kind = if receiver.is_some() { "method" } else { "function" };
            return self.report(Range::of(name), format!("unknown {kind} `{text}`{near}"));
        };
        if let Some(row) = row.filter(|row| operands > row.arity()) {
            let (takes, usage) = (count(row.arity(), "operand"), entry.usage);
            let message =
                format!("`{text}` takes {takes}, or is called as `{usage}`; found {operands}");
            return self.report(at, message);
        }
        let mut call = Operands::new(entry.usage, &text, at, receiver, args);
        let value = (entry.lower)(self, &mut call)?;
        call.end(self)?;
        Ok(value)
    }

    /// The axis of the graph that a sample's axis is.
    pub fn axis_of(&self, id: NodeId, axis: usize) -> usize {
        axis + usize::from(self.is_batched(id))
    }

    /// A sample's shape with the batch, where the value has it.
    pub fn with_batch(&self, id: NodeId, sample: Shape) -> Shape {
        let batch = self.is_batched(id).then(Dim::batch);
        batch.into_iter().chain(sample).collect()
    }

    /// The value in another shape of a sample.
    pub fn reshaped(&mut self, id: NodeId, sample: Shape, at: Range) -> Lowered<NodeId> {
        let shape = self.with_batch(id, sample);
        let reshaped = self.graph.reshape(id, shape);
        self.at(at, reshaped)
    }

    /// The value with a batch axis.
    pub fn batched_value(&mut self, id: NodeId, at: Range) -> Lowered<NodeId> {
        if !self.batched || self.is_batched(id) {
            return Ok(id);
        }
        let shape: Shape = [Dim::batch()].into_iter().chain(self.sample_of(id)).collect();
        let repeated = self.graph.broadcast(id, shape);
        self.at(at, repeated)
    }

    /// Values of which some have a batch axis, all with one.
    pub fn same_batch(&mut self, ids: &[NodeId], at: Range) -> Lowered<Vec<NodeId>> {
        if !ids.iter().any(|id| self.is_batched(*id)) {
            return Ok(ids.to_vec());
        }
        ids.iter().map(|id| self.batched_value(*id, at)).collect()
    }
}
