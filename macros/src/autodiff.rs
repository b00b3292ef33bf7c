//! Reverse-mode differentiation, graph to graph: the backward pass is nodes like any other, and so it is
//! checked, simplified, fused and planned like the forward pass.

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op, scan};

/// Appends the gradients of outputs with respect to `wrt`. `seeds` are outputs, each with its own gradient.
/// `None` for what no output depends on.
pub fn gradients(
    g: &mut Graph,
    seeds: &[(NodeId, NodeId)],
    wrt: &[NodeId],
) -> Result<Vec<Option<NodeId>>, String> {
    let forward = g.nodes.len();
    let reaches = dependents(g, wrt);
    let mut gradient: Vec<Option<NodeId>> = vec![None; forward];
    for &(output, seed) in seeds {
        gradient[output] = Some(match gradient[output] {
            Some(sum) => g.scalar("add", &[sum, seed])?,
            None => seed,
        });
    }
    let last = seeds.iter().map(|(output, _)| *output).max().unwrap_or(0);
    for id in (0..=last).rev() {
        let node = g.nodes[id].clone();
        if !node.inputs.iter().any(|input| reaches[*input]) {
            continue;
        }
        let Some(parts) = parts(g, id, &gradient)? else { continue };
        for (&input, part) in node.inputs.iter().zip(parts) {
            let Some(part) = part.filter(|_| reaches[input]) else { continue };
            // Broadcasting is undone here, once, for every op.
            let shape = g.shape(input).clone();
            let part = g.sum_to(part, &shape)?;
            gradient[input] = Some(match gradient[input] {
                Some(sum) => g.scalar("add", &[sum, part])?,
                None => part,
            });
        }
    }
    Ok(wrt.iter().map(|&id| gradient[id]).collect())
}

/// The gradients of a node's inputs, if its own is known. All values of a scan have one derivative, taken at
/// the first of them: by then the gradients of the others are complete.
fn parts(
    g: &mut Graph,
    id: NodeId,
    gradient: &[Option<NodeId>],
) -> Result<Option<Cotangents>, String> {
    let Op::Scan { scan, .. } = g.nodes[id].op.clone() else {
        let Some(dy) = gradient[id] else { return Ok(None) };
        let op = g.nodes[id].op.clone();
        return op.cotangents(g, id, dy).map(Some);
    };
    let values = scan::siblings(g, id, gradient.len());
    let known = |value: &NodeId| match &g.nodes[*value].op {
        Op::Scan { output, .. } => Some((*output, gradient[*value]?)),
        _ => None,
    };
    let known: Vec<_> = values.iter().filter_map(known).collect();
    if values[0] != id || known.is_empty() {
        return Ok(None);
    }
    let inputs = g.nodes[id].inputs.clone();
    scan::cotangents(&scan, g, &inputs, &known).map(Some)
}

/// Which nodes depend on one of the given.
fn dependents(g: &Graph, on: &[NodeId]) -> Vec<bool> {
    let mut reaches = vec![false; g.nodes.len()];
    for &id in on {
        reaches[id] = true;
    }
    for id in 0..g.nodes.len() {
        reaches[id] |= g.nodes[id].inputs.iter().any(|input| reaches[*input]);
    }
    reaches
}

/// The vector-Jacobian product of one output as a graph of its own: the inputs of `graph` and the
/// gradient of the output in, the gradient of each input out; zeros for inputs without one.
pub fn derivative(graph: &Graph, output: usize) -> Result<Graph, String> {
    let mut g = graph.clone();
    g.name = format!("{}'", graph.name);
    let y = graph.outputs[output];
    let shape = g.shape(y).clone();
    let seed = g.input("dy", shape, false);
    let inputs = input_nodes(graph);
    let parts = gradients(&mut g, &[(y, seed)], &inputs)?;
    g.outputs = vec![];
    for (input, part) in inputs.into_iter().zip(parts) {
        let id = match part {
            Some(id) => id,
            None => {
                let shape = g.shape(input).clone();
                let zero = g.constant(0.0);
                g.broadcast(zero, shape)?
            }
        };
        g.outputs.push(id);
    }
    g.check()?;
    Ok(g)
}

/// The nodes of a graph's inputs, in their order.
fn input_nodes(graph: &Graph) -> Vec<NodeId> {
    let position =
        |i: usize| graph.nodes.iter().position(|node| matches!(node.op, Op::Input(j) if i == j));
    (0..graph.inputs.len()).filter_map(position).collect()
}
