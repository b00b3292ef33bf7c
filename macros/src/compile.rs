//! One item through the stages: lowered, differentiated, simplified, planned.

use std::collections::BTreeMap;

use crate::ast::{Function, Network};
use crate::autodiff;
use crate::errors::Range;
use crate::function::{self, Functions};
use crate::graph::{Graph, NodeId};
use crate::lower::{self, Chain};
use crate::ops::Op;
use crate::plan::{Place, Plan, Request, plan};
use crate::shape::{Atom, Dim};
use crate::simplify::simplify;

/// A network ready to be printed.
pub struct CompiledNetwork {
    pub chain: Chain,
    pub infer: Plan,
    pub train: Plan,
    /// The storage of the output and of its gradient, in the training plan.
    pub train_output: NodeId,
    pub train_seed: NodeId,
    pub listing: String,
}

/// A function ready to be printed.
pub struct CompiledFunction {
    pub value: Plan,
    /// With the gradient for the first input: what training needs of a loss.
    pub gradient: Plan,
    /// With the gradients for all float inputs.
    pub gradients: Plan,
    pub listing: String,
}

/// Compiles a chain that was lowered without errors.
pub fn network(ast: &Network, chain: Chain) -> Result<CompiledNetwork, String> {
    let evaluation = lower::chain(ast, false);
    let params: Vec<Dim> = chain.params.iter().map(|param| param.offset.clone()).collect();
    let infer = infer(&evaluation.graph, &params)?;
    let train = train(&chain.graph, &params)?;
    let output = crate::fuse::view(&train.graph, train.graph.outputs[0])
        .ok_or("an output without storage")?;
    let seed = |node: &crate::graph::Node| matches!(node.op, Op::Input(1));
    let train_seed = train
        .graph
        .nodes
        .iter()
        .position(seed)
        .ok_or("a network without parameters before its end")?;
    let listing = listing(&chain, &infer, &train);
    Ok(CompiledNetwork { chain, infer, train_output: output.base, train_seed, train, listing })
}

/// Evaluation: input and output are the caller's.
fn infer(graph: &Graph, params: &[Dim]) -> Result<Plan, String> {
    graph.check()?;
    let graph = simplify(&graph.inline()?)?;
    plan(&Request {
        graph: &graph,
        inputs: vec![Place::Argument(0)],
        params: params.to_vec(),
        outputs: vec![Place::Argument(1)],
        forward: 0,
    })
}

/// Training: forward, then the caller's loss, then backward from the gradient of the output.
fn train(graph: &Graph, params: &[Dim]) -> Result<Plan, String> {
    let mut g = graph.clone();
    g.check()?;
    let output = g.outputs[0];
    let shape = g.shape(output).clone();
    let weights: Vec<NodeId> =
        (0..g.nodes.len()).filter(|id| matches!(g.nodes[*id].op, Op::Param(_))).collect();
    let seed = g.input("output gradient", shape, false);
    let gradients = autodiff::gradients(&mut g, output, seed, &weights)?;
    g.outputs = vec![output];
    for (&weight, gradient) in weights.iter().zip(gradients) {
        let id = match gradient {
            Some(id) => id,
            // A parameter that the output does not depend on.
            None => {
                let (zero, shape) = (g.constant(0.0), g.shape(weight).clone());
                g.broadcast(zero, shape)?
            }
        };
        g.outputs.push(id);
    }
    g.check()?;
    let g = simplify(&g.inline()?)?;
    let mut outputs = vec![Place::Work];
    outputs.extend(params.iter().cloned().map(Place::Grad));
    plan(&Request {
        graph: &with_seed(g),
        inputs: vec![Place::Argument(0), Place::Work],
        params: params.to_vec(),
        outputs,
        forward: 1,
    })
}

/// The gradient of the output has a place even where no parameter needs it: the loss writes it.
fn with_seed(mut g: Graph) -> Graph {
    if !g.nodes.iter().any(|node| matches!(node.op, Op::Input(1))) {
        let port = g.inputs[1].clone();
        g.nodes.push(crate::graph::Node {
            op: Op::Input(1),
            inputs: vec![],
            shape: port.shape,
            integer: false,
        });
    }
    g
}

/// Compiles a function whose output is a scalar a sample.
pub fn function(ast: &Function, functions: &Functions) -> syn::Result<CompiledFunction> {
    let at = Range::of(&ast.name);
    if ast.output.integer || ast.output.leading || !ast.output.dims.is_empty() {
        return Err(ast
            .output
            .range
            .error("only functions with one scalar output, `[]`, are supported yet"));
    }
    if ast.inputs.first().is_none_or(|(_, first)| first.integer) {
        return Err(at.error(
            "the first input of a function is a float tensor: the gradient is with respect to it",
        ));
    }
    let generics = ast.generics.iter().map(ToString::to_string);
    let dims: BTreeMap<String, Dim> =
        generics.map(|name| (name.clone(), Dim::atom(Atom::Param(name)))).collect();
    let graph = function::lower(ast, &dims, functions)?;
    plan_function(&graph).map_err(|message| at.error(message))
}

fn plan_function(graph: &Graph) -> Result<CompiledFunction, String> {
    let mean = function::mean_over_batch(graph)?;
    mean.check()?;
    let value_graph = simplify(&mean.inline()?)?;
    let value = plan(&Request {
        graph: &value_graph,
        inputs: (0..graph.inputs.len()).map(Place::Argument).collect(),
        params: vec![],
        outputs: vec![Place::Work],
        forward: 0,
    })?;
    let floats: Vec<usize> =
        (0..graph.inputs.len()).filter(|i| !graph.inputs[*i].integer).collect();
    let gradient = plan_gradients(&mean, &floats[..1])?;
    let gradients = plan_gradients(&mean, &floats)?;
    let listing = format!(
        "graph of `{}` with gradient\n{}steps\n{}",
        graph.name,
        gradient.graph.listing(),
        gradient.listing(0..gradient.steps.len())
    );
    Ok(CompiledFunction { value, gradient, gradients, listing })
}

/// The value, and its gradient with respect to some of the inputs: the spans for these are arguments after
/// the inputs.
fn plan_gradients(mean: &Graph, inputs: &[usize]) -> Result<Plan, String> {
    let mut g = mean.clone();
    let node = |input: &usize| {
        let is = |node: &crate::graph::Node| matches!(node.op, Op::Input(i) if i == *input);
        mean.nodes.iter().position(is).ok_or("an input without a node")
    };
    let wrt = inputs.iter().map(node).collect::<Result<Vec<NodeId>, _>>()?;
    let (y, one) = (g.outputs[0], g.constant(1.0));
    let found = autodiff::gradients(&mut g, y, one, &wrt)?;
    g.outputs = vec![y];
    for (&input, gradient) in wrt.iter().zip(found) {
        let id = match gradient {
            Some(id) => id,
            None => {
                let (zero, shape) = (g.constant(0.0), g.shape(input).clone());
                g.broadcast(zero, shape)?
            }
        };
        g.outputs.push(id);
    }
    g.check()?;
    let g = simplify(&g.inline()?)?;
    let count = mean.inputs.len();
    let mut outputs = vec![Place::Work];
    outputs.extend((0..inputs.len()).map(|i| Place::Argument(count + i)));
    plan(&Request {
        graph: &g,
        inputs: (0..count).map(Place::Argument).collect(),
        params: vec![],
        outputs,
        forward: 0,
    })
}

/// The text of `PLAN`.
fn listing(chain: &Chain, infer: &Plan, train: &Plan) -> String {
    let params: String = chain
        .params
        .iter()
        .map(|p| {
            format!("  {}: {} at params[{}]\n", p.name, crate::shape::show(&p.shape), p.offset)
        })
        .collect();
    format!(
        "network {}\nparameters, {} elements\n{params}graph of a training step\n{}\
         forward steps\n{}backward steps\n{}workspace of a training step, without the loss: {} elements\n\
         steps of inference\n{}workspace of inference: {} elements\n",
        chain.network,
        chain.param_len,
        train.graph.listing(),
        train.listing(0..train.boundary),
        train.listing(train.boundary..train.steps.len()),
        train.len,
        infer.listing(0..infer.steps.len()),
        infer.len,
    )
}
