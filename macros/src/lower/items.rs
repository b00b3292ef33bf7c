//! Whole items: networks, functions, networks inside networks, calls of functions, gradients.

use std::collections::BTreeMap;
use std::rc::Rc;

use proc_macro2::TokenStream;
use syn::Ident;

use super::values::Value;
use super::{Chain, Condition, Declarations, Lowered, Part, Reported, text};
use crate::ast::{Argument, Body, Expr, Function, Layer, Network, Outputs, TensorType};
use crate::autodiff;
use crate::errors::Range;
use crate::graph::{Node, NodeId};
use crate::layers;
use crate::ops::Op;
use crate::shape::{Dim, Shape, broadcast, show};
use crate::sizes::{Scope, tensor_type};

/// Lowers a network.
pub fn network(network: &Network, uses: &Rc<Declarations>, train: bool) -> Chain {
    let at = network.inputs.first().map_or(Range::of(&network.name), |(_, shape)| shape.range);
    let scope = Scope::of(&network.generics);
    let mut cx = Chain::new(&network.name, at, train, uses.clone(), scope);
    cx.settings(network);
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
            }
        }
        Body::Block(block) if cx.known => {
            if let Ok(value) = cx.block(block) {
                cx.outputs(value, &block.result);
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
    cx
}

/// Lowers a function: over a batch, or for exactly the declared shapes.
pub fn function(function: &Function, uses: &Rc<Declarations>, batched: bool) -> Chain {
    let at = Range::of(&function.name);
    let scope = Scope::of(&function.generics);
    let mut cx = Chain::new(&function.name, at, true, uses.clone(), scope);
    cx.batched = batched;
    if cx.inputs(&function.inputs, false).is_err() {
        return cx;
    }
    if let Ok(value) = cx.block(&function.body) {
        cx.outputs(value, &function.body.result);
        cx.check_outputs(&function.outputs, Some(&function.body.result));
    }
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
            let batch = self.batched.then(Dim::batch);
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
    fn settings(&mut self, network: &Network) {
        for name in &network.settings {
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
        let values = match value {
            Value::Tuple(values) => values,
            value => vec![value],
        };
        for value in values {
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
        for output in &outputs.types {
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
            let message =
                format!("`{}` declares {want} outputs, but its body yields {found}", self.network);
            let _: Lowered<()> = self.report(range, message);
            return;
        }
        self.declared = declared.clone();
        for (i, want) in declared.into_iter().enumerate() {
            let got = self.sample_of(self.graph.outputs[i]);
            self.check_output(&outputs.types[i], &want, &got, at);
        }
    }

    fn check_output(&mut self, output: &TensorType, want: &Shape, got: &Shape, at: Option<&Expr>) {
        let (of, range) = match at {
            None => (format!("but `{}` yields ", self.previous.0), output.range),
            Some(result) => ("but this yields ".to_owned(), result.range),
        };
        let message = [
            match at {
                None => text(format!(
                    "shape mismatch in network `{}`: the declared output is ",
                    self.network
                )),
                Some(_) => text(format!(
                    "shape mismatch in `{}`: its output is declared as ",
                    self.network
                )),
            },
            Part::Shape(want.clone()),
            text(match at {
                None => format!(", {of}"),
                Some(_) => format!(", {of}"),
            }),
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
        if args.len() != function.inputs.len() {
            return self.report(
                at,
                format!("`{name}` takes {} inputs, found {}", function.inputs.len(), args.len()),
            );
        }
        let mut operands = vec![];
        for (arg, (_, declared)) in args.iter().zip(&function.inputs) {
            let id = match declared.integer {
                true => self.tensor(&arg.value)?,
                false => self.float(&arg.value)?,
            };
            operands.push((id, arg.range));
        }
        let mut scope = self.generics_of(function, &operands, at)?;
        scope.owners = self.owners(linked.owner.as_ref());
        let outer = std::mem::replace(&mut self.scope, Rc::new(scope));
        let bound = std::mem::take(&mut self.bound);
        let network = std::mem::replace(&mut self.network, name.to_owned());
        let inner = linked.uses.clone().unwrap_or_else(|| uses.clone());
        let outer_uses = std::mem::replace(&mut self.uses, inner);
        self.open.push(name.to_owned());
        let result = self.inline(function, &operands, at);
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

    fn inline(
        &mut self,
        function: &Function,
        operands: &[(NodeId, Range)],
        at: Range,
    ) -> Lowered<Value> {
        for ((name, declared), &(id, range)) in function.inputs.iter().zip(operands) {
            let id = self.argument(&name.to_string(), declared, id, range)?;
            self.bind(&name.to_string(), Value::Tensor(id), at, None);
        }
        self.block(&function.body)
    }

    /// That an operand has the shape of the input that it is for. Leading axes of `[..S]` are part of it.
    pub fn argument(
        &mut self,
        name: &str,
        declared: &TensorType,
        id: NodeId,
        at: Range,
    ) -> Lowered<NodeId> {
        let scope = self.scope.clone();
        let Some(want) = tensor_type(declared, &scope, &mut self.errors) else {
            self.known = false;
            return Err(Reported);
        };
        if declared.integer != self.graph.nodes[id].integer {
            let kind = if declared.integer { "integers" } else { "floats" };
            return self
                .report(at, format!("input `{name}` of `{}` takes {kind}", self.network.clone()));
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
            let message = self.mismatch_of_input(name, &want, &got);
            for (a, b) in want.iter().zip(&got) {
                self.require_equal(a, b, at, &message);
            }
            if self.known {
                return self.reshaped(id, want, at);
            }
            return Err(Reported);
        }
        let message = self.mismatch_of_input(name, &want, &got);
        self.fail(at, &message);
        Err(Reported)
    }

    fn mismatch_of_input(&self, name: &str, want: &Shape, got: &Shape) -> [Part; 4] {
        [
            text(format!("shape mismatch: input `{name}` of `{}` is ", self.network)),
            Part::Shape(want.clone()),
            text(", found "),
            Part::Shape(got.clone()),
        ]
    }

    /// The sizes of a function's parameters: each is the size of the first axis that is it.
    fn generics_of(
        &mut self,
        function: &Function,
        operands: &[(NodeId, Range)],
        at: Range,
    ) -> Lowered<Scope> {
        let mut dims = BTreeMap::new();
        for ((_, declared), (id, _)) in function.inputs.iter().zip(operands) {
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

    /// `grad(e, x)`: the gradient of the sum of `e` over the batch.
    pub fn grad(&mut self, args: &[Argument], at: Range) -> Lowered<NodeId> {
        let [of, by] = args else {
            return self.report(
                at,
                format!("`grad` is called as `grad(e, x)`, found {} operands", args.len()),
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
            None => self.report(
                at,
                format!(
                    "`{}` does not depend on `{}`, so there is no gradient",
                    of.value, by.value
                ),
            ),
        }
    }
}
