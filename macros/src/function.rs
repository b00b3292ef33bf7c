//! `fn` items to graphs: expressions of tensors, lowered for the sizes of each call.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::ast::{Argument, Expr, ExprKind, Function};
use crate::errors::{Errors, Range, suggestion};
use crate::graph::{Graph, NodeId};
use crate::ops::{Op, scalar};
use crate::shape::{Atom, Dim, Shape, broadcast, show};
use crate::sizes::tensor_type;

/// Functions of one `network!` that may call each other.
pub type Functions<'f> = BTreeMap<String, &'f Function>;

/// The function over a batch: one value a sample. `dims` gives the generic parameters their sizes.
pub fn lower(
    function: &Function,
    dims: &BTreeMap<String, Dim>,
    functions: &Functions,
) -> syn::Result<Graph> {
    lower_called(function, dims, functions, &[])
}

/// The function as it is called by `callers`.
fn lower_called(
    function: &Function,
    dims: &BTreeMap<String, Dim>,
    functions: &Functions,
    callers: &[String],
) -> syn::Result<Graph> {
    let mut errors = Errors::default();
    let name = function.name.to_string();
    let calls = [callers, std::slice::from_ref(&name)].concat();
    let mut cx = Body { graph: Graph::new(name), names: BTreeMap::new(), functions, calls };
    let generics: Vec<String> = function.generics.iter().map(ToString::to_string).collect();
    for (name, declared) in &function.inputs {
        let Some(shape) = tensor_type(declared, &generics, &mut errors) else { continue };
        let shape = shape.iter().map(|dim| substitute(dim, dims));
        let batched = [Dim::batch()].into_iter().chain(shape).collect();
        let id = cx.graph.input(&name.to_string(), batched, declared.integer);
        cx.names.insert(name.to_string(), id);
    }
    errors.propagate()?;
    for (name, value) in &function.body.lets {
        let id = cx.value(value)?;
        cx.names.insert(name.to_string(), id);
    }
    let result = cx.value(&function.body.result)?;
    let mut errors = Errors::default();
    let want = tensor_type(&function.output, &generics, &mut errors);
    errors.propagate()?;
    let want: Shape = want.iter().flatten().map(|dim| substitute(dim, dims)).collect();
    let got = cx.graph.shape(result).get(1..).unwrap_or_default().to_vec();
    if want != got {
        return Err(function.body.result.range.error(format!(
            "shape mismatch in `{}`: its output is declared as {}, but this yields {}",
            function.name,
            show(&want),
            show(&got)
        )));
    }
    cx.graph.outputs = vec![result];
    cx.graph.check().map_err(|message| Range::of(&function.name).error(message))?;
    Ok(cx.graph)
}

/// A size with generic parameters replaced; only parameters that stand alone are.
fn substitute(dim: &Dim, dims: &BTreeMap<String, Dim>) -> Dim {
    dims.iter()
        .find(|(name, _)| *dim == Dim::atom(Atom::Param((*name).clone())))
        .map_or_else(|| dim.clone(), |(_, size)| size.clone())
}

struct Body<'f> {
    graph: Graph,
    names: BTreeMap<String, NodeId>,
    functions: &'f Functions<'f>,
    /// This function, and those that are being lowered because they call it.
    calls: Vec<String>,
}

impl Body<'_> {
    fn value(&mut self, expr: &Expr) -> syn::Result<NodeId> {
        let at = expr.range;
        match &expr.kind {
            ExprKind::Int(n) => Ok(self.graph.constant(*n as f64)),
            ExprKind::Float(x) => Ok(self.graph.constant(*x)),
            ExprKind::Path(_) => {
                let name = expr.to_string();
                self.names.get(&name).copied().ok_or_else(|| {
                    let near = suggestion(&name, self.names.keys().map(String::as_str));
                    at.error(format!("unknown value `{name}`{near}"))
                })
            }
            ExprKind::Negative(x) => {
                let x = self.value(x)?;
                self.graph.scalar("neg", &[x]).map_err(|m| at.error(m))
            }
            ExprKind::Binary(op, a, b) => {
                let name = scalar::binary_name(*op).ok_or_else(|| {
                    at.error("matrix products in functions are not supported yet")
                })?;
                let operands = [self.value(a)?, self.value(b)?];
                self.scalar(name, &operands, at)
            }
            ExprKind::Call(name, args) => self.call(&name.to_string(), args, at),
            _ => Err(at.error(format!("`{expr}` is not supported in a function yet"))),
        }
    }

    fn call(&mut self, name: &str, args: &[Argument], at: Range) -> syn::Result<NodeId> {
        let operands =
            args.iter().map(|arg| self.value(&arg.value)).collect::<syn::Result<Vec<_>>>()?;
        if let Some(function) = self.functions.get(name).copied() {
            return self.call_function(function, &operands, at);
        }
        let result = match (name, &operands[..]) {
            ("sum", [x]) => self.fold(*x, "sum"),
            ("max", [x]) => self.fold(*x, "max"),
            ("gather", [x, index]) => self.graph.push(Op::Gather, &[*x, *index]),
            ("stop_gradient", [x]) => self.graph.push(Op::StopGradient, &[*x]),
            _ if scalar::find(name).is_some() => return self.scalar(name, &operands, at),
            _ => {
                let builtin = ["sum", "max", "gather", "stop_gradient"];
                let names = scalar::TABLE.iter().map(|row| row.name).chain(builtin);
                Err(format!("unknown function `{name}`{}", suggestion(name, names)))
            }
        };
        result.map_err(|message| at.error(message))
    }

    /// A scalar op of values per sample: one with fewer axes gets axes of size 1 after the batch.
    fn scalar(&mut self, name: &str, operands: &[NodeId], at: Range) -> syn::Result<NodeId> {
        let rank = operands.iter().map(|id| self.graph.shape(*id).len()).max().unwrap_or(0);
        let mut aligned = vec![];
        for &id in operands {
            let mut shape = self.graph.shape(id).clone();
            if !shape.is_empty() && shape.len() < rank {
                let missing = rank - shape.len();
                shape.splice(1..1, vec![Dim::one(); missing]);
            }
            aligned.push(self.graph.reshape(id, shape).map_err(|m| at.error(m))?);
        }
        if let [a, b] = aligned[..]
            && broadcast(self.graph.shape(a), self.graph.shape(b)).is_none()
        {
            let sample = |id: NodeId| show(self.graph.shape(id).get(1..).unwrap_or_default());
            let (x, y) = (sample(operands[0]), sample(operands[1]));
            return Err(at.error(format!(
                "shape mismatch in `{}`: {x} and {y} do not broadcast",
                self.graph.name
            )));
        }
        self.graph.scalar(name, &aligned).map_err(|m| at.error(m))
    }

    /// The fold over all axes of a sample.
    fn fold(&mut self, x: NodeId, name: &str) -> Result<NodeId, String> {
        let axes: Vec<usize> = (1..self.graph.shape(x).len()).collect();
        if axes.is_empty() {
            return Ok(x);
        }
        let folded = match name {
            "sum" => self.graph.sum(x, axes)?,
            _ => self.graph.push(Op::Reduce { fold: crate::ops::reduce::Fold::Max, axes }, &[x])?,
        };
        self.graph.reshape(folded, vec![Dim::batch()])
    }

    fn call_function(
        &mut self,
        function: &Function,
        operands: &[NodeId],
        at: Range,
    ) -> syn::Result<NodeId> {
        if self.calls.iter().any(|caller| function.name == *caller) {
            return Err(at.error(format!(
                "`{}` calls itself; a function's graph has no end then",
                function.name
            )));
        }
        if operands.len() != function.inputs.len() {
            return Err(at.error(format!(
                "`{}` takes {} inputs, found {}",
                function.name,
                function.inputs.len(),
                operands.len()
            )));
        }
        let mut dims = BTreeMap::new();
        for ((_, declared), &operand) in function.inputs.iter().zip(operands) {
            for (expr, size) in declared.dims.iter().zip(self.graph.shape(operand).iter().skip(1)) {
                if let Some(name) = expr.as_name().filter(|name| function.generics.contains(name)) {
                    dims.entry(name.to_string()).or_insert_with(|| size.clone());
                }
            }
        }
        let called = Rc::new(lower_called(function, &dims, self.functions, &self.calls)?);
        self.graph.push(Op::Call { graph: called, output: 0 }, operands).map_err(|m| at.error(m))
    }
}

/// The mean of a function's values over the batch, as a second graph on top of the first.
pub fn mean_over_batch(graph: &Graph) -> Result<Graph, String> {
    let mut g = graph.clone();
    let values = g.outputs[0];
    let sum = g.sum(values, vec![0])?;
    let count = g.size(Dim::batch());
    let mean = g.scalar("div", &[sum, count])?;
    let scalar = g.reshape(mean, vec![])?;
    g.outputs = vec![scalar];
    Ok(g)
}
