//! One item through the stages: lowered, differentiated, simplified, planned.

mod calls;

use std::collections::BTreeSet;
use std::rc::Rc;

pub use calls::{CompiledTensorFunction, is_scalar, tensor_function};

use crate::ast::{Function, Network, TensorType};
use crate::autodiff;
use crate::errors::Range;
use crate::graph::{Graph, Node, NodeId};
use crate::lower::{self, Chain, Check, Declarations, Param};
use crate::ops::Op;
use crate::plan::{Place, Plan, Request, plan};
use crate::shape::Dim;
use crate::simplify::simplify;

/// A network ready to be printed.
pub struct CompiledNetwork {
    pub chain: Chain,
    pub infer: Plan,
    pub train: Plan,
    /// The storage of each output and of its gradient, in the training plan.
    pub train_outputs: Vec<NodeId>,
    pub train_seeds: Vec<NodeId>,
    /// Forward and backward with the gradients of the inputs too, in training mode.
    pub vjp_train: Plan,
    /// The same in evaluation mode; `None` where it is no different.
    pub vjp_evaluate: Option<Plan>,
    pub listing: String,
}

/// A function ready to be printed.
pub struct CompiledFunction {
    pub value: Plan,
    /// With the gradient for the first input: what training needs of a loss.
    pub gradient: Plan,
    /// With the gradients for all float inputs.
    pub gradients: Plan,
    /// Products with the Hessian; what is missing where there are none.
    pub hessian: Result<Plan, String>,
    pub checks: Vec<Check>,
    /// The settings that are rates of dropout.
    pub rates: BTreeSet<usize>,
    pub listing: String,
}

/// Compiles a chain that was lowered without errors.
pub fn network(
    ast: &Network,
    chain: Chain,
    uses: &Rc<Declarations>,
) -> Result<CompiledNetwork, String> {
    let evaluation = lower::network(ast, uses, false);
    let infer = infer(&evaluation)?;
    let train = train(&chain)?;
    let outputs = 0..chain.graph.outputs.len();
    let base = |i: usize| crate::fuse::view(&train.graph, train.graph.outputs[i]).map(|v| v.base);
    let train_outputs =
        outputs.clone().map(base).collect::<Option<_>>().ok_or("an output without storage")?;
    let inputs = chain.graph.inputs.len();
    let seed = |i: usize| input_node(&train.graph, inputs + i);
    let train_seeds =
        outputs.map(seed).collect::<Option<_>>().ok_or("an output without a gradient")?;
    let vjp_train = vjp(&chain)?;
    let vjp_evaluate = if same(&chain, &evaluation)? { None } else { Some(vjp(&evaluation)?) };
    let listing = listing(&chain, &infer, &train);
    Ok(CompiledNetwork {
        chain,
        infer,
        train_outputs,
        train_seeds,
        train,
        vjp_train,
        vjp_evaluate,
        listing,
    })
}

/// Whether a network computes the same in training as in evaluation.
fn same(train: &Chain, evaluate: &Chain) -> Result<bool, String> {
    let (a, b) = (train.graph.inline()?, evaluate.graph.inline()?);
    Ok(train.updates.is_empty() && a.outputs == b.outputs && a.listing() == b.listing())
}

/// Forward and backward by hand, all ends of which are the caller's: inputs, gradients with respect to
/// outputs, outputs, gradients with respect to float inputs.
fn vjp(chain: &Chain) -> Result<Plan, String> {
    let mut g = chain.graph.clone();
    let (inputs, outputs) = (g.inputs.len(), g.outputs.len());
    let mut wrt: Vec<NodeId> = chain.params.iter().map(|param| param.node).collect();
    let floats = (0..inputs).filter(|i| !g.inputs[*i].integer);
    let floats = floats.map(|i| input_node(&g, i).ok_or("an input without a node"));
    wrt.extend(floats.collect::<Result<Vec<_>, _>>()?);
    let mut seeds = vec![];
    for (i, output) in g.outputs.clone().into_iter().enumerate() {
        let shape = g.shape(output).clone();
        seeds.push((output, g.input(&format!("gradient of output {i}"), shape, false)));
    }
    let gradients = autodiff::gradients(&mut g, &seeds, &wrt)?;
    for (&of, gradient) in wrt.iter().zip(gradients) {
        let id = or_zeros(&mut g, gradient, of)?;
        g.outputs.push(id);
    }
    g.outputs.extend(chain.updates.values());
    g.check()?;
    let g = simplify(&g.inline()?)?;
    let states = offsets(&chain.states);
    let argument = |from: usize, count: usize| (from..from + count).map(Place::Argument);
    let mut places: Vec<Place> = argument(inputs + outputs, outputs).collect();
    places.extend(offsets(&chain.params).into_iter().map(Place::Grad));
    places.extend(argument(inputs + 2 * outputs, wrt.len() - chain.params.len()));
    places.extend(chain.updates.keys().map(|i| Place::State(states[*i].clone())));
    plan(&Request {
        graph: &g,
        inputs: argument(0, inputs + outputs).collect(),
        params: offsets(&chain.params),
        states,
        outputs: places,
        forward: outputs,
    })
}

/// The node of an input.
fn input_node(g: &Graph, i: usize) -> Option<NodeId> {
    g.nodes.iter().position(|node| matches!(node.op, Op::Input(j) if i == j))
}

fn offsets(params: &[Param]) -> Vec<Dim> {
    params.iter().map(|param| param.offset.clone()).collect()
}

/// Evaluation: inputs and outputs are the caller's.
fn infer(chain: &Chain) -> Result<Plan, String> {
    chain.graph.check()?;
    let graph = simplify(&chain.graph.inline()?)?;
    let inputs = graph.inputs.len();
    plan(&Request {
        inputs: (0..inputs).map(Place::Argument).collect(),
        params: offsets(&chain.params),
        states: offsets(&chain.states),
        outputs: (0..graph.outputs.len()).map(|i| Place::Argument(inputs + i)).collect(),
        forward: 0,
        graph: &graph,
    })
}

/// Training: forward, then the caller's loss, then backward from the gradients of the outputs.
fn train(chain: &Chain) -> Result<Plan, String> {
    let mut g = chain.graph.clone();
    g.check()?;
    let (inputs, forward) = (g.inputs.len(), g.outputs.len());
    let weights: Vec<NodeId> = chain.params.iter().map(|param| param.node).collect();
    let mut seeds = vec![];
    for output in g.outputs.clone() {
        let shape = g.shape(output).clone();
        let name = match forward {
            1 => "output gradient".to_owned(),
            _ => format!("gradient of output {}", seeds.len()),
        };
        seeds.push((output, g.input(&name, shape, false)));
    }
    let gradients = autodiff::gradients(&mut g, &seeds, &weights)?;
    for (&weight, gradient) in weights.iter().zip(gradients) {
        let id = or_zeros(&mut g, gradient, weight)?;
        g.outputs.push(id);
    }
    g.outputs.extend(chain.updates.values());
    g.check()?;
    let g = simplify(&g.inline()?)?;
    let mut outputs = vec![Place::Work; forward];
    outputs.extend(offsets(&chain.params).into_iter().map(Place::Grad));
    let states = offsets(&chain.states);
    outputs.extend(chain.updates.keys().map(|i| Place::State(states[*i].clone())));
    let mut places: Vec<Place> = (0..inputs).map(Place::Argument).collect();
    places.extend(vec![Place::Work; forward]);
    plan(&Request {
        graph: &with_seeds(g, inputs),
        inputs: places,
        params: offsets(&chain.params),
        states,
        outputs,
        forward,
    })
}

/// A gradient, or zeros for what nothing depends on.
fn or_zeros(g: &mut Graph, gradient: Option<NodeId>, of: NodeId) -> Result<NodeId, String> {
    match gradient {
        Some(id) => Ok(id),
        None => {
            let (zero, shape) = (g.constant(0.0), g.shape(of).clone());
            g.broadcast(zero, shape)
        }
    }
}

/// The gradients of the outputs have places even where no parameter needs them: the loss writes them.
fn with_seeds(mut g: Graph, first: usize) -> Graph {
    for i in first..g.inputs.len() {
        if input_node(&g, i).is_none() {
            let shape = g.inputs[i].shape.clone();
            g.nodes.push(Node { op: Op::Input(i), inputs: vec![], shape, integer: false });
        }
    }
    g
}

/// Compiles a function whose output is a scalar a sample.
pub fn function(ast: &Function, uses: &Rc<Declarations>) -> syn::Result<CompiledFunction> {
    let at = Range::of(&ast.name);
    let outputs = &ast.outputs.types;
    let scalar = |output: &TensorType| !output.integer && !output.leading && output.dims.is_empty();
    if outputs.len() != 1 + usize::from(ast.outputs.tuple) || !outputs.iter().all(scalar) {
        let range = outputs.iter().map(|output| output.range).reduce(Range::to).unwrap_or(at);
        return Err(range.error(
            "a function yields one number for each sample, `-> []`, or as a loss a value and its weight, `-> ([], [])`: a batch's loss is the sum of values over the sum of weights",
        ));
    }
    calls::require_float(ast)?;
    let mut lowered = lower::function(ast, uses, true);
    std::mem::take(&mut lowered.errors).propagate()?;
    calls::require_no_parameters(ast, &lowered)?;
    plan_function(ast, lowered).map_err(|message| at.error(message))
}

fn plan_function(ast: &Function, lowered: Chain) -> Result<CompiledFunction, String> {
    let Chain { graph, checks, rates, .. } = lowered;
    // What gradients are with respect to: not integers, nor what is given beside the samples.
    let floats = ast.inputs.iter().enumerate();
    let floats = floats.filter(|(_, (_, declared))| !declared.integer && declared.shared.is_none());
    let floats: Vec<usize> = floats.map(|(i, _)| i).collect();
    let mean = mean_over_batch(&graph)?;
    mean.check()?;
    let value_graph = simplify(&mean.inline()?)?;
    let value = plan(&Request {
        graph: &value_graph,
        inputs: (0..graph.inputs.len()).map(Place::Argument).collect(),
        params: vec![],
        states: vec![],
        outputs: vec![Place::Work],
        forward: 0,
    })?;
    let gradient = plan_gradients(&mean, &floats[..1])?;
    let gradients = plan_gradients(&mean, &floats)?;
    let hessian = match ast.has_fields() {
        true => Err("it is given numbers at run time".to_owned()),
        false => calls::hessian_vector(&mean),
    };
    let listing = format!(
        "graph of `{}` with gradient\n{}steps\n{}",
        graph.name,
        gradient.graph.listing(),
        gradient.listing(0..gradient.steps.len())
    );
    Ok(CompiledFunction { value, gradient, gradients, hessian, checks, rates, listing })
}

/// The value, and its gradient with respect to some of the inputs: the spans for these are arguments after
/// the inputs.
fn plan_gradients(mean: &Graph, inputs: &[usize]) -> Result<Plan, String> {
    let mut g = mean.clone();
    let wrt: Vec<NodeId> = inputs
        .iter()
        .map(|i| input_node(mean, *i))
        .collect::<Option<_>>()
        .ok_or("an input without a node")?;
    let (y, one) = (g.outputs[0], g.constant(1.0));
    let found = autodiff::gradients(&mut g, &[(y, one)], &wrt)?;
    for (&input, gradient) in wrt.iter().zip(found) {
        let id = or_zeros(&mut g, gradient, input)?;
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
        states: vec![],
        outputs,
        forward: 0,
    })
}

/// The mean of a function's values over the batch, as a second graph on top of the first. Where it yields
/// weights too, the sum of values over the sum of weights.
fn mean_over_batch(graph: &Graph) -> Result<Graph, String> {
    let mut g = graph.clone();
    let sum = g.sum(graph.outputs[0], vec![0])?;
    let count = match graph.outputs.get(1) {
        Some(&weights) => g.sum(weights, vec![0])?,
        None => g.size(Dim::batch()),
    };
    let mean = g.scalar("div", &[sum, count])?;
    let scalar = g.reshape(mean, vec![])?;
    g.outputs = vec![scalar];
    Ok(g)
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
