//! Calls of another graph. The derivative is a call of the other graph's derivative, which computes
//! forward again what it needs: after inlining, equal nodes are merged and nothing is computed twice. A graph
//! may have a derivative of its own.

use std::rc::Rc;

use crate::autodiff;
use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Shape, show};

pub fn shape(called: &Graph, output: usize, g: &Graph, inputs: &[NodeId]) -> Result<Shape, String> {
    if inputs.len() != called.inputs.len() {
        return Err(format!(
            "`{}` takes {} inputs, found {}",
            called.name,
            called.inputs.len(),
            inputs.len()
        ));
    }
    for (port, &input) in called.inputs.iter().zip(inputs) {
        if port.shape != *g.shape(input) {
            return Err(format!(
                "`{}` takes `{}` of shape {}, found {}",
                called.name,
                port.name,
                show(&port.shape),
                show(g.shape(input))
            ));
        }
    }
    Ok(called.shape(called.outputs[output]).clone())
}

pub fn cotangents(
    called: &Rc<Graph>,
    output: usize,
    g: &mut Graph,
    inputs: &[NodeId],
    dy: NodeId,
) -> Result<Cotangents, String> {
    let derivative = match &called.derivative {
        Some(derivative) => derivative.clone(),
        None => Rc::new(autodiff::derivative(called, output)?),
    };
    let mut arguments = inputs.to_vec();
    arguments.push(dy);
    (0..inputs.len())
        .map(|i| match called.inputs[i].integer {
            true => Ok(None),
            false => {
                g.push(Op::Call { graph: derivative.clone(), output: i }, &arguments).map(Some)
            }
        })
        .collect()
}
