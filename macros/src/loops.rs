//! Scans as loops: the plan of the body, and the memory that goes from one step to the next.

use std::rc::Rc;

use crate::graph::{Graph, NodeId};
use crate::memory::{self, Buffer};
use crate::ops::Op;
use crate::ops::scan::{Output, Scan, siblings};
use crate::plan::{Place, Plan, Request, plan};
use crate::shape::{Dim, Shape, numel};

/// A loop over the steps of a scan. The body is a function of spans: its inputs, then the sums so far, then
/// its other outputs. Sums are added to where they are.
pub struct Loop {
    pub scan: Rc<Scan>,
    pub body: Plan,
    /// The storage of the scan's inputs.
    pub inputs: Vec<NodeId>,
    /// The values that are stored.
    pub values: Vec<(Output, NodeId)>,
    /// The memory of all this: of the body's workspace, which comes first, and of carries.
    pub scratch: Dim,
    /// For each carry whose values before each step are not stored, two places in the scratch memory that
    /// steps write in turn. A stored carry has one: a place for the last value, if that is not stored.
    pub turns: Vec<Vec<Dim>>,
}

impl Loop {
    /// The loop that computes a value and its siblings.
    pub fn new(
        g: &Graph,
        scan: &Rc<Scan>,
        id: NodeId,
        inputs: Vec<NodeId>,
    ) -> Result<Loop, String> {
        let value = |id: NodeId| match &g.nodes[id].op {
            Op::Scan { output, .. } => Some((*output, id)),
            _ => None,
        };
        let values: Vec<(Output, NodeId)> =
            siblings(g, id, g.nodes.len()).into_iter().filter_map(value).collect();
        for (i, (output, _)) in values.iter().enumerate() {
            if values[..i].iter().any(|(other, _)| other == output) {
                return Err(format!("{output} of `{}` is two nodes", scan.body.name));
            }
        }
        let body = body(scan)?;
        let mut buffers = vec![Buffer { size: body.len.clone(), start: 0, end: 0 }];
        let mut counts = vec![];
        for i in 0..scan.carries {
            let before = values.iter().any(|(output, _)| *output == Output::Before(i));
            let count = if before { 1 } else { 2 };
            let size = numel(&scan.body.inputs[i].shape);
            buffers.extend(vec![Buffer { size, start: 0, end: 0 }; count]);
            counts.push(count);
        }
        let layout = memory::pack(&buffers[1..]);
        let mut offsets = layout.offsets.iter().map(|offset| body.len.add(offset));
        let turns = counts.into_iter().map(|n| offsets.by_ref().take(n).collect()).collect();
        let scratch = body.len.add(&layout.len);
        Ok(Loop { scan: scan.clone(), body, inputs, values, scratch, turns })
    }

    pub fn name(&self) -> &str {
        &self.scan.body.name
    }

    /// What the step writes.
    pub fn writes(&self) -> Vec<NodeId> {
        self.values.iter().map(|(_, id)| *id).collect()
    }

    /// The node of a value, if it is stored.
    pub fn value(&self, output: Output) -> Option<NodeId> {
        self.values.iter().find(|(other, _)| *other == output).map(|(_, id)| *id)
    }

    /// The shape of an output of the body.
    pub fn shape(&self, output: Output) -> &Shape {
        let body = &self.scan.body;
        body.shape(body.outputs[self.scan.source(output)])
    }

    /// How many sums there are.
    pub fn sums(&self) -> usize {
        self.scan.body.outputs.len() - self.scan.carries - self.scan.kept
    }
}

/// The plan of a body: its sums as what they were plus the step's part, in one place.
fn body(scan: &Scan) -> Result<Plan, String> {
    let mut g = scan.body.clone();
    let inputs = g.inputs.len();
    let first = scan.carries + scan.kept;
    let sums = g.outputs.len() - first;
    for k in 0..sums {
        let part = g.outputs[first + k];
        let shape = g.shape(part).clone();
        let so_far = g.input(&format!("sum {k}"), shape, false);
        g.outputs[first + k] = g.scalar("add", &[so_far, part])?;
    }
    let own = (0..first).map(|i| Place::Argument(inputs + sums + i));
    let outputs = own.chain((0..sums).map(|k| Place::Argument(inputs + k))).collect();
    plan(&Request {
        graph: &g,
        inputs: (0..inputs + sums).map(Place::Argument).collect(),
        params: vec![],
        states: vec![],
        outputs,
        forward: 0,
    })
}
