//! Whole items: networks, functions, networks inside networks, calls of functions, gradients.

use std::rc::Rc;

use proc_macro2::TokenStream;
use syn::Ident;

use super::inputs::takes;
use super::values::Value;
use super::{Chain, Condition, Declarations, Lowered, Part, Reported, text, words};
use crate::ast::{
    Argument, Body, Expr, ExprKind, Function, Layer, Network, Outputs, Setting, TensorType,
};
use crate::errors::{Range, count};
use crate::graph::{Node, NodeId};
use crate::layers;
use crate::ops::Op;
use crate::shape::{Dim, Shape, numel, show};
use crate::sizes::{Scope, tensor_type};

/// Lowers a network.
pub fn network(network: &Network, uses: &Rc<Declarations>, train: bool) -> Chain {
    let at = network.inputs.first().map_or(Range::of(&network.name), |(_, shape)| shape.range);
    let scope = Scope::of(&network.generics);
    let mut cx = Chain::new(&network.name, at, train, uses.clone(), scope);
    cx.settings(&network.settings);
    let known = cx.inputs(&network.inputs, matches!(network.body, Body::Chain(_)));
    if known.is_err() {
        cx.known = false;
    }
    match &network.body {
        Body::Chain(layers) => {
            // Settings come before it.
            let input = |node: &Node| matches!(node.op, Op::Input(0));
            cx.x = cx.graph.nodes.iter().position(input).unwrap_or(0);
            cx.chain(layers, &network.name);
            if cx.known {
                cx.graph.outputs = vec![cx.x];
                cx.require_used(0);
            }
        }
        Body::Block(block) if cx.known => {
            if let Ok(value) = cx.block(block) {
                cx.outputs(value, &block.result);
                cx.require_used(0);
            }
        }
        Body::Block(_) => {}
    }
    if let Some(outputs) = &network.outputs {
        let at = match &network.body {
            Body::Chain(_) => None,
            Body::Block(block) => Some(&block.result),
        };
        cx.check_outputs(outputs, at);
    }
    cx.without_implied()
}

/// Lowers a function: over a batch, or for exactly the declared shapes.
pub fn function(function: &Function, uses: &Rc<Declarations>, batched: bool) -> Chain {
    let at = Range::of(&function.name);
    let scope = Scope::of(&function.generics);
    let mut cx = Chain::new(&function.name, at, true, uses.clone(), scope);
    cx.batched = batched;
    cx.settings(&function.settings);
    if cx.inputs(&function.inputs, false).is_err() {
        return cx;
    }
    if let Ok(value) = cx.block(&function.body) {
        cx.outputs(value, &function.body.result);
        cx.require_used(0);
        cx.check_outputs(&function.outputs, Some(&function.body.result));
    }
    let mut cx = cx.without_implied();
    // What is given is in memory already.
    let of_sample = |shape: &Shape| -> Shape {
        shape.iter().filter(|dim| **dim != Dim::batch()).cloned().collect()
    };
    let given = cx.graph.inputs.iter().map(|port| numel(&of_sample(&port.shape)));
    let given: Vec<Condition> = given.map(Condition::Memory).collect();
    cx.checks.retain(|check| !given.iter().any(|given| check.condition.is_implied_by(given)));
    cx
}

impl Chain {
    /// Inputs of the graph.
    fn inputs(&mut self, inputs: &[(Ident, TensorType)], chain: bool) -> Lowered<()> {
        let mut all = Ok(());
        for (name, declared) in inputs {
            let scope = self.scope.clone();
            let Some(sample) = tensor_type(declared, &scope, &mut self.errors) else {
                all = Err(Reported);
                continue;
            };
            let batch = (self.batched && declared.shared.is_none()).then(Dim::batch);
            let shape: Shape = batch.into_iter().chain(sample.iter().cloned()).collect();
            let id = self.graph.input(&name.to_string(), shape, declared.integer);
            for (expr, dim) in declared.dims.iter().zip(&sample) {
                self.require_size(expr, dim, 1);
            }
            let what = match chain {
                true => format!("the input of network `{}` is", self.network),
                false => format!("input `{name}` of `{}` is", self.network),
            };
            self.require_memory(text(what), &sample, declared.range);
            if !chain {
                self.bind(&name.to_string(), Value::Tensor(id), Range::of(name), Some("input"));
            }
        }
        all
    }

    /// Run-time settings are values without axes.
    fn settings(&mut self, settings: &[Setting]) {
        for Setting { name, .. } in settings {
            let id = self.graph.setting(&name.to_string());
            self.bind(&name.to_string(), Value::Tensor(id), Range::of(name), Some("setting"));
        }
    }

    /// Layers one after another.
    pub fn chain(&mut self, all: &[Layer], of: &Ident) {
        if all.is_empty() {
            let message = format!(
                "network `{}` has no layers; write some in braces, for example `{{ Linear(10) }}`",
                self.network
            );
            self.errors.push(Range::of(of).error(message));
            self.known = false;
        }
        for layer in all {
            if let Some(name) = &layer.name {
                self.check_name(name);
            }
            layers::apply(self, layer);
        }
    }

    /// The outputs of the graph, each with a batch.
    fn outputs(&mut self, value: Value, result: &Expr) {
        for (value, result) in words::members(value, result) {
            let Ok(id) = self.as_tensor(value, result.range, result) else { return };
            let Ok(id) = self.require_float(id, result.range, result) else { return };
            let Ok(id) = self.batched_value(id, result.range) else { return };
            self.graph.outputs.push(id);
        }
    }

    /// That the outputs are what is declared. `at` is the expression that yields them; nothing for a chain,
    /// whose layers cannot be seen together.
    fn check_outputs(&mut self, outputs: &Outputs, at: Option<&Expr>) {
        let scope = self.scope.clone();
        let mut declared = vec![];
        // What is wrong before may be why the outputs are.
        if !self.errors.is_empty() {
            return;
        }
        for output in &outputs.types {
            if output.integer {
                let message = format!(
                    "outputs are floats, found `{output}`; `float(..)` makes floats of integers"
                );
                let _: Lowered<()> = self.report(output.range, message);
                return;
            }
            match tensor_type(output, &scope, &mut self.errors) {
                Some(shape) => declared.push(shape),
                None => return,
            }
        }
        if !self.known {
            return;
        }
        if self.graph.outputs.len() != declared.len() {
            let (found, want) = (self.graph.outputs.len(), declared.len());
            let range = at.map_or(outputs.types[0].range, |at| at.range);
            let want = count(want, "output");
            let shapes: Vec<String> =
                self.graph.outputs.iter().map(|id| show(&self.sample_of(*id))).collect();
            let message = format!(
                "`{}` declares {want}, but its body yields {found}: {}",
                self.network,
                shapes.join(", ")
            );
            let _: Lowered<()> = self.report(range, message);
            return;
        }
        self.declared = declared.clone();
        for (i, want) in declared.into_iter().enumerate() {
            let got = self.sample_of(self.graph.outputs[i]);
            let at = at.map(|result| match &result.kind {
                ExprKind::Tuple(items) => items.get(i).unwrap_or(result),
                _ => result,
            });
            self.check_output((i, outputs), &want, &got, at);
        }
    }

    fn check_output(
        &mut self,
        (i, outputs): (usize, &Outputs),
        want: &Shape,
        got: &Shape,
        at: Option<&Expr>,
    ) {
        let (of, range) = match at {
            None => (format!("but `{}` yields ", self.previous.0), outputs.types[i].range),
            Some(result) => {
                let what = self.word_or(self.graph.outputs[i], "this");
                (format!("but {what} yields "), result.range)
            }
        };
        let which = if outputs.types.len() > 1 { format!(" {}", i + 1) } else { String::new() };
        let message = [
            match at {
                None => text(format!(
                    "shape mismatch in network `{}`: the declared output is ",
                    self.network
                )),
                Some(_) => text(format!(
                    "shape mismatch in `{}`: its output{which} is declared as ",
                    self.network
                )),
            },
            Part::Shape(want.clone()),
            text(format!(", {of}")),
            Part::Shape(got.clone()),
        ];
        // One error, however many axes differ; const evaluation checks all that is open at once.
        let differ = want.len() != got.len()
            || want.iter().zip(got).any(|(a, b)| a != b && a.sub(b).as_literal().is_some());
        if differ {
            self.fail(range, &message);
            return;
        }
        let pairs = want.iter().zip(got).filter(|(a, b)| !a.differs(b).is_zero());
        let open: Vec<(Dim, Dim)> = pairs.map(|(a, b)| (a.clone(), b.clone())).collect();
        if !open.is_empty() {
            self.require(true, Condition::Equal(open), range, &message);
        }
    }

    /// Lowers another function in place, with the sizes that the operands give its parameters.
    pub fn call_function(&mut self, name: &str, args: &[Argument], at: Range) -> Lowered<Value> {
        let uses = self.uses.clone();
        let Some(linked) = uses.functions.get(name) else {
            return self.report(at, format!("unknown function `{name}`"));
        };
        let function = &linked.item;
        if self.open.iter().any(|open| open == name) {
            return self
                .report(at, format!("`{name}` calls itself; a function's graph has no end then"));
        }
        self.turn_of(at)?;
        let inputs = function.inputs.iter().map(|(name, _)| name);
        let names: Vec<&Ident> =
            inputs.chain(function.settings.iter().map(|setting| &setting.name)).collect();
        if args.len() != names.len() {
            let takes = takes(&names);
            return self.report(at, format!("`{name}` takes {takes}, found {}", args.len()));
        }
        let (args, numbers) = args.split_at(function.inputs.len());
        let numbers = self.numbers(function, numbers)?;
        let mut operands = vec![];
        for (arg, (_, declared)) in args.iter().zip(&function.inputs) {
            let id = match declared.integer {
                true => self.tensor(&arg.value)?,
                false => self.float(&arg.value)?,
            };
            operands.push((id, arg.value.to_string(), arg.range));
        }
        let mut scope = self.generics_of(function, &operands, at)?;
        scope.owners = self.owners(linked.owner.as_ref());
        let outer = std::mem::replace(&mut self.scope, Rc::new(scope));
        let bound = std::mem::take(&mut self.bound);
        let network = std::mem::replace(&mut self.network, name.to_owned());
        let inner = linked.uses.clone().unwrap_or_else(|| uses.clone());
        let outer_uses = std::mem::replace(&mut self.uses, inner);
        self.open.push(name.to_owned());
        let result = self.inline(function, &operands, &numbers, at);
        self.open.pop();
        self.scope = outer;
        self.bound = bound;
        self.network = network;
        self.uses = outer_uses;
        result
    }

    /// Where the constants of an item are that is lowered inside this one.
    pub fn owners(&self, owner: Option<&TokenStream>) -> Vec<TokenStream> {
        owner.into_iter().cloned().chain(self.scope.owners.iter().cloned()).collect()
    }

    /// The values of a function's settings: scalars, in their order; a name in front must be the setting's.
    fn numbers(&mut self, function: &Function, args: &[Argument]) -> Lowered<Vec<NodeId>> {
        let mut ids = vec![];
        for (arg, Setting { name: setting, .. }) in args.iter().zip(&function.settings) {
            if let Some(name) = arg.name.as_ref().filter(|name| *name != setting) {
                let message =
                    format!("expected `{setting}` of `{}`, found `{name}`", function.name);
                return self.report(Range::of(name), message);
            }
            let id = self.float(&arg.value)?;
            let sample = self.sample_of(id);
            if !sample.is_empty() {
                let message = format!(
                    "`{setting}` of `{}` is one number, found {}",
                    function.name,
                    show(&sample)
                );
                return self.report(arg.range, message);
            }
            ids.push(id);
        }
        Ok(ids)
    }

    fn inline(
        &mut self,
        function: &Function,
        operands: &[(NodeId, String, Range)],
        numbers: &[NodeId],
        at: Range,
    ) -> Lowered<Value> {
        for (Setting { name, .. }, &id) in function.settings.iter().zip(numbers) {
            self.bind(&name.to_string(), Value::Tensor(id), at, None);
        }
        for ((name, declared), operand) in function.inputs.iter().zip(operands) {
            let id = self.argument(&name.to_string(), declared, operand)?;
            self.bind(&name.to_string(), Value::Tensor(id), at, None);
        }
        self.block(&function.body)
    }
}
