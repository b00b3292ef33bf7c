//! Plans of what a function does on tensors beside its value and gradient: products with its Hessian and, where
//! its output is more than one number, products with its Jacobian.

use std::rc::Rc;

use super::{input_node, or_zeros};
use crate::ast::Function;
use crate::autodiff;
use crate::errors::Range;
use crate::graph::{Graph, NodeId};
use crate::lower::{self, Chain, Check, Declarations};
use crate::plan::{Place, Plan, Request, plan};
use crate::shape::Shape;
use crate::simplify::simplify;

/// A function whose output is a tensor, ready to be printed.
pub struct CompiledTensorFunction {
    /// The output is the argument after the inputs.
    pub value: Plan,
    /// After the inputs: the gradient with respect to the output, then those with respect to the float inputs.
    pub vjp: Plan,
    /// The output's shape for one sample.
    pub output: Shape,
    pub checks: Vec<Check>,
    pub listing: String,
}

/// Whether a function's output is declared as one number.
pub fn is_scalar(ast: &Function) -> bool {
    ast.outputs.tuple || ast.outputs.types.iter().all(|output| output.dims.is_empty())
}

/// That there is an input to differentiate by, whose element is that of the output.
pub fn require_float(ast: &Function) -> syn::Result<()> {
    match ast.inputs.iter().all(|(_, input)| input.integer || input.shared.is_some()) {
        true => Err(Range::of(&ast.name).error(
            "a function has at least one input of floats: its gradient is with respect to these",
        )),
        false => Ok(()),
    }
}

/// That a function has no parameters: there is nothing that would hold them.
pub fn require_no_parameters(ast: &Function, lowered: &Chain) -> syn::Result<()> {
    let Some(param) = lowered.params.first() else { return Ok(()) };
    let (name, param) = (&ast.name, &param.name);
    Err(Range::of(name).error(format!(
        "function `{name}` has the parameter `{param}`, and a function has none: declare a network, `pub Net: (x: [4]) -> [2] {{ .. }}`, or take the weights as inputs"
    )))
}

/// Compiles a function of exactly the declared shapes whose output is not a scalar.
pub fn tensor_function(
    ast: &Function,
    uses: &Rc<Declarations>,
) -> syn::Result<CompiledTensorFunction> {
    require_float(ast)?;
    let output = &ast.outputs.types[0];
    if ast.has_fields() {
        return Err(output.range.error(
            "only a loss is given numbers at run time, a function with the output `[]` or `([], [])`; give this one tensors",
        ));
    }
    let leading = ast.inputs.iter().map(|(_, input)| input).find(|input| input.leading);
    if let Some(input) = leading.or(output.leading.then_some(output)) {
        return Err(input.range.error(
            "`..` stands for leading axes of functions whose output is one number, `[]`; write each size, or a generic one",
        ));
    }
    if output.integer {
        return Err(output.range.error("the output of a function is of floats, as its body is"));
    }
    let mut lowered = lower::function(ast, uses, true);
    std::mem::take(&mut lowered.errors).propagate()?;
    require_no_parameters(ast, &lowered)?;
    plan_tensor(lowered).map_err(|message| Range::of(&ast.name).error(message))
}

fn plan_tensor(lowered: Chain) -> Result<CompiledTensorFunction, String> {
    let graph = &lowered.graph;
    graph.check()?;
    let inputs = graph.inputs.len();
    let value = planned(simplify(&graph.inline()?)?, inputs)?;
    let mut g = graph.clone();
    let wrt = floats(&g)?;
    let y = g.outputs[0];
    let shape = g.shape(y).clone();
    let dy = g.input("dy", shape, false);
    g.outputs.clear();
    outputs(&mut g, &[(y, dy)], &wrt)?;
    let vjp = planned(simplify(&g.inline()?)?, inputs + 1)?;
    let listing = format!(
        "graph of `{}`\n{}steps\n{}graph of its vector-Jacobian product\n{}steps\n{}",
        graph.name,
        value.graph.listing(),
        value.listing(0..value.steps.len()),
        vjp.graph.listing(),
        vjp.listing(0..vjp.steps.len()),
    );
    let output = lowered.output_shape(0);
    Ok(CompiledTensorFunction { value, vjp, output, checks: lowered.checks, listing })
}

/// The product of the Hessian of a scalar with a vector: the gradient of the gradient's product with it. After the
/// inputs come the parts of the vector, then those of the product, one for each float input.
pub fn hessian_vector(scalar: &Graph) -> Result<Plan, String> {
    let mut g = scalar.clone();
    let wrt = floats(&g)?;
    let (y, one) = (g.outputs[0], g.constant(1.0));
    let gradients = autodiff::gradients(&mut g, &[(y, one)], &wrt)?;
    g.outputs.clear();
    let mut seeds = vec![];
    for (i, (&input, gradient)) in wrt.iter().zip(gradients).enumerate() {
        let shape = g.shape(input).clone();
        let v = g.input(&format!("v{i}"), shape, false);
        seeds.extend(gradient.map(|gradient| (gradient, v)));
    }
    outputs(&mut g, &seeds, &wrt)?;
    let given = scalar.inputs.len() + wrt.len();
    planned(simplify(&g.inline()?)?, given)
}

/// The nodes of the float inputs.
fn floats(g: &Graph) -> Result<Vec<NodeId>, String> {
    let floats = (0..g.inputs.len()).filter(|i| !g.inputs[*i].integer);
    floats.map(|i| input_node(g, i).ok_or_else(|| "an input without a node".to_owned())).collect()
}

/// The gradients as outputs.
fn outputs(g: &mut Graph, seeds: &[(NodeId, NodeId)], wrt: &[NodeId]) -> Result<(), String> {
    let found = autodiff::gradients(g, seeds, wrt)?;
    for (&input, gradient) in wrt.iter().zip(found) {
        let id = or_zeros(g, gradient, input)?;
        g.outputs.push(id);
    }
    g.check()
}

/// A plan all ends of which are arguments: so many that are given, then the outputs.
fn planned(graph: Graph, given: usize) -> Result<Plan, String> {
    plan(&Request {
        inputs: (0..given).map(Place::Argument).collect(),
        params: vec![],
        states: vec![],
        outputs: (0..graph.outputs.len()).map(|i| Place::Argument(given + i)).collect(),
        forward: 0,
        graph: &graph,
    })
}
