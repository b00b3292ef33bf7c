//! Recurrences: one body, run once for each place of the time axis.
//!
//! ```text
//! for t in 0..length { (carries, kept[t], parts) = body(carries, stacked[t], shared); sums += parts }
//! ```
//!
//! The derivative is a scan in the other direction, whose body is the body's vector-Jacobian product: it
//! carries the gradients of the carries, and computes a step again from the carries that the step began
//! with. So it is of the same kind, and derivatives of any order follow from one rule.

use std::fmt;
use std::rc::Rc;

use crate::autodiff;
use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Dim, Shape, show};

/// A body and how it is run. All values of a scan are nodes of their own with the same inputs: the initial
/// carries, the stacked values `[length, ..]`, the shared values.
pub struct Scan {
    /// Its inputs are carries, one place of each stacked value, shared values; its outputs are the next
    /// carries, one place of each kept value, summands.
    pub body: Graph,
    pub length: Dim,
    /// From the last place to the first.
    pub reverse: bool,
    pub carries: usize,
    /// Stacked inputs.
    pub stacked: usize,
    /// Outputs of which every step's value is kept.
    pub kept: usize,
    /// Equal for scans that compute the same.
    key: u64,
}

/// A value of a scan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// A carry after the last step.
    Last(usize),
    /// The carries before each step, `[length, ..]`, by place.
    Before(usize),
    /// Every step's value, `[length, ..]`, by place.
    Kept(usize),
    /// The sum of all steps' values.
    Sum(usize),
}

impl Scan {
    pub fn new(
        body: Graph,
        length: Dim,
        reverse: bool,
        [carries, stacked, kept]: [usize; 3],
    ) -> Result<Scan, String> {
        let scan = Scan { key: 0, body, length, reverse, carries, stacked, kept };
        scan.check()?;
        Ok(Scan { key: scan.fingerprint(), ..scan })
    }

    /// The same scan of another body.
    pub fn with_body(&self, body: Graph) -> Result<Scan, String> {
        Scan::new(body, self.length.clone(), self.reverse, [self.carries, self.stacked, self.kept])
    }

    /// Whether both compute the same of the same inputs.
    pub fn same(&self, other: &Scan) -> bool {
        self.key == other.key
    }

    /// That the body has the inputs and outputs that were announced, and carries what it gets.
    fn check(&self) -> Result<(), String> {
        let (body, name) = (&self.body, &self.body.name);
        body.check()?;
        if body.inputs.len() < self.carries + self.stacked
            || body.outputs.len() < self.carries + self.kept
        {
            return Err(format!("the body of `{name}` has too few inputs or outputs"));
        }
        for (port, &output) in body.inputs.iter().zip(&body.outputs[..self.carries]) {
            if port.integer || body.nodes[output].integer {
                return Err(format!("`{}` is carried, and only floats can be", port.name));
            }
            if port.shape != *body.shape(output) {
                return Err(format!(
                    "`{}` is carried: it begins with shape {} and a step yields {}",
                    port.name,
                    show(&port.shape),
                    show(body.shape(output))
                ));
            }
        }
        let own = |op: &Op| matches!(op, Op::Param(_) | Op::State(_) | Op::Setting(_));
        match body.nodes.iter().any(|node| own(&node.op)) {
            true => Err(format!("the body of `{name}` reads what is no shared input of it")),
            false => Ok(()),
        }
    }

    /// FNV-1a over everything but names.
    fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |text: &str| {
            for byte in text.bytes().chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        let Scan { body, length, reverse, carries, stacked, kept, .. } = self;
        add(&format!("{length} {reverse} {carries} {stacked} {kept} {:?}", body.outputs));
        for port in &body.inputs {
            add(&format!("{} {}", show(&port.shape), port.integer));
        }
        for node in &body.nodes {
            add(&format!("{} {:?} {}", node.op, node.inputs, show(&node.shape)));
        }
        hash
    }

    /// The body's output that a value comes from.
    pub fn source(&self, output: Output) -> usize {
        match output {
            Output::Last(i) | Output::Before(i) => i,
            Output::Kept(j) => self.carries + j,
            Output::Sum(k) => self.carries + self.kept + k,
        }
    }

    /// One place of an input or an output with a time axis.
    pub fn stacked(&self, one: &Shape) -> Shape {
        [vec![self.length.clone()], one.clone()].concat()
    }
}

pub fn shape(scan: &Scan, output: Output, g: &Graph, inputs: &[NodeId]) -> Result<Shape, String> {
    let name = &scan.body.name;
    if inputs.len() != scan.body.inputs.len() {
        let wanted = scan.body.inputs.len();
        return Err(format!("`{name}` scans {wanted} inputs, found {}", inputs.len()));
    }
    for (i, (port, &input)) in scan.body.inputs.iter().zip(inputs).enumerate() {
        let stacked = (scan.carries..scan.carries + scan.stacked).contains(&i);
        let wanted = if stacked { scan.stacked(&port.shape) } else { port.shape.clone() };
        if wanted != *g.shape(input) {
            return Err(format!(
                "`{name}` scans `{}` of shape {}, found {}",
                port.name,
                show(&wanted),
                show(g.shape(input))
            ));
        }
    }
    let from = scan.body.outputs.get(scan.source(output));
    let one = scan.body.shape(*from.ok_or_else(|| format!("`{name}` has no {output}"))?).clone();
    Ok(match output {
        Output::Last(_) | Output::Sum(_) => one,
        Output::Before(_) | Output::Kept(_) => scan.stacked(&one),
    })
}

/// The nodes below `end` that are values of the same scan of the same inputs as `id`.
pub fn siblings(g: &Graph, id: NodeId, end: NodeId) -> Vec<NodeId> {
    let Op::Scan { scan, .. } = &g.nodes[id].op else { return vec![] };
    let is = |other: &NodeId| match &g.nodes[*other].op {
        Op::Scan { scan: other_scan, .. } => {
            scan.same(other_scan) && g.nodes[*other].inputs == g.nodes[id].inputs
        }
        _ => false,
    };
    (0..end).filter(is).collect()
}

/// The gradient of every input, given those of some values.
pub fn cotangents(
    scan: &Rc<Scan>,
    g: &mut Graph,
    inputs: &[NodeId],
    gradients: &[(Output, NodeId)],
) -> Result<Cotangents, String> {
    let of = |output: Output, g: &mut Graph| -> Result<Option<NodeId>, String> {
        let mut sum = None;
        for (_, gradient) in gradients.iter().filter(|(other, _)| *other == output) {
            sum = Some(match sum {
                Some(sum) => g.scalar("add", &[sum, *gradient])?,
                None => *gradient,
            });
        }
        Ok(sum)
    };
    let mut reads = Reads::default();
    for i in 0..scan.carries {
        reads.carries.push(match of(Output::Last(i), g)? {
            Some(gradient) => gradient,
            None => {
                let (zero, shape) = (g.constant(0.0), g.shape(inputs[i]).clone());
                g.broadcast(zero, shape)?
            }
        });
        let before = Op::Scan { scan: scan.clone(), output: Output::Before(i) };
        reads.before.push(g.push(before, inputs)?);
        reads.d_before.push(of(Output::Before(i), g)?);
    }
    for j in 0..scan.kept {
        reads.d_kept.push(of(Output::Kept(j), g)?);
    }
    for k in 0..scan.body.outputs.len() - scan.carries - scan.kept {
        reads.d_sums.push(of(Output::Sum(k), g)?);
    }
    let (backward, values) = backward(scan, &reads)?;
    let backward = Rc::new(backward);
    let arguments = reads.arguments(&inputs[scan.carries..], scan.stacked);
    let value = |value: Option<Output>| match value {
        Some(output) => g.push(Op::Scan { scan: backward.clone(), output }, &arguments).map(Some),
        None => Ok(None),
    };
    values.into_iter().map(value).collect()
}

/// What the backward scan reads of the outer graph beside the forward scan's own inputs.
#[derive(Default)]
struct Reads {
    /// The gradients of the carries after the last step.
    carries: Vec<NodeId>,
    before: Vec<NodeId>,
    d_before: Vec<Option<NodeId>>,
    d_kept: Vec<Option<NodeId>>,
    d_sums: Vec<Option<NodeId>>,
}

impl Reads {
    /// In the order of the backward body's inputs.
    fn arguments(&self, inputs: &[NodeId], stacked: usize) -> Vec<NodeId> {
        let (stacked, shared) = inputs.split_at(stacked);
        let mut all = [&self.carries[..], &self.before, stacked].concat();
        all.extend(self.d_before.iter().chain(&self.d_kept).flatten());
        all.extend(shared);
        all.extend(self.d_sums.iter().flatten());
        all
    }
}

/// The backward scan, and its value that is the gradient of each input of the forward scan.
fn backward(scan: &Scan, reads: &Reads) -> Result<(Scan, Vec<Option<Output>>), String> {
    let (body, n) = (&scan.body, scan.carries);
    let mut b = Graph::new(format!("{}'", body.name));
    let (carried, rest) = body.inputs.split_at(n);
    let (stacked, shared) = rest.split_at(scan.stacked);
    let d: Vec<NodeId> = carried
        .iter()
        .map(|port| b.input(&format!("d{}", port.name), port.shape.clone(), false))
        .collect();
    let mut arguments: Vec<NodeId> = carried
        .iter()
        .chain(stacked)
        .map(|port| b.input(&port.name, port.shape.clone(), port.integer))
        .collect();
    let given = |b: &mut Graph, name: &str, gradients: &[Option<NodeId>], first: usize| {
        let input = |(i, gradient): (usize, &Option<NodeId>)| {
            let shape = body.shape(body.outputs[first + i]).clone();
            gradient.map(|_| b.input(&format!("d{name}{i}"), shape, false))
        };
        gradients.iter().enumerate().map(input).collect::<Vec<_>>()
    };
    let d_before = given(&mut b, "before", &reads.d_before, 0);
    let d_kept = given(&mut b, "kept", &reads.d_kept, n);
    let count = b.inputs.len() - n;
    arguments
        .extend(shared.iter().map(|port| b.input(&port.name, port.shape.clone(), port.integer)));
    let d_sums = given(&mut b, "sum", &reads.d_sums, n + scan.kept);

    let map = b.splice(body, Some(&arguments))?;
    let seeds = d.into_iter().map(Some).chain(d_kept).chain(d_sums);
    let seeds: Vec<(NodeId, NodeId)> = body
        .outputs
        .iter()
        .zip(seeds)
        .filter_map(|(output, seed)| Some((map[*output], seed?)))
        .collect();
    let parts = autodiff::gradients(&mut b, &seeds, &arguments)?;
    let mut parts = arguments.iter().zip(parts);
    for ((&carry, part), more) in parts.by_ref().take(n).zip(d_before) {
        let id = match (part, more) {
            (Some(part), Some(more)) => b.scalar("add", &[part, more])?,
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => {
                let (zero, shape) = (b.constant(0.0), b.shape(carry).clone());
                b.broadcast(zero, shape)?
            }
        };
        b.outputs.push(id);
    }
    let mut values: Vec<Option<Output>> = (0..n).map(|i| Some(Output::Last(i))).collect();
    let (mut kept, mut sums) = (0, 0);
    for (i, (_, part)) in parts.enumerate() {
        let counter = if i < scan.stacked { &mut kept } else { &mut sums };
        values.push(part.map(|part| {
            b.outputs.push(part);
            *counter += 1;
            if i < scan.stacked { Output::Kept(*counter - 1) } else { Output::Sum(*counter - 1) }
        }));
    }
    let backward = Scan::new(b, scan.length.clone(), !scan.reverse, [n, count, kept])?;
    Ok((backward, values))
}

/// The body of a scan while it is built: what it uses of the outer graph becomes a shared input.
///
/// Carries and stacked values are inputs of `graph`, in this order, before anything is captured.
pub struct Body {
    pub graph: Graph,
    /// Outer nodes and the body's nodes for them.
    pub captured: Vec<(NodeId, NodeId)>,
    pub shared: Vec<NodeId>,
}

impl Body {
    pub fn new(graph: Graph) -> Body {
        Body { graph, captured: vec![], shared: vec![] }
    }

    /// A node of the outer graph, in the body.
    pub fn capture(&mut self, outer: &Graph, id: NodeId) -> NodeId {
        if let Some((_, inner)) = self.captured.iter().find(|(known, _)| *known == id) {
            return *inner;
        }
        let node = &outer.nodes[id];
        let inner = match &node.op {
            Op::Const(_) | Op::Size(_) | Op::Number(_) => {
                self.graph.nodes.push(node.clone());
                self.graph.nodes.len() - 1
            }
            _ => {
                self.shared.push(id);
                self.graph.input(&outer.label(id), node.shape.clone(), node.integer)
            }
        };
        self.captured.push((id, inner));
        inner
    }
}

/// The values of a scan that its user sees.
pub struct Values {
    pub carries: Vec<NodeId>,
    pub kept: Vec<NodeId>,
}

impl Graph {
    /// Runs a body, whose outputs are the next carries and then what is kept of every step, over the first
    /// axis of `stacked`.
    pub fn scan(
        &mut self,
        body: Body,
        reverse: bool,
        carries: &[NodeId],
        stacked: &[NodeId],
    ) -> Result<Values, String> {
        let first = stacked.first().and_then(|id| self.shape(*id).first());
        let length = first.cloned().ok_or("a scan needs a value with an axis to scan")?;
        let kept = body.graph.outputs.len().saturating_sub(carries.len());
        let counts = [carries.len(), stacked.len(), kept];
        let scan = Rc::new(Scan::new(body.graph, length, reverse, counts)?);
        let inputs = [carries, stacked, &body.shared].concat();
        let mut value =
            |output: Output| self.push(Op::Scan { scan: scan.clone(), output }, &inputs);
        Ok(Values {
            carries: (0..carries.len())
                .map(|i| value(Output::Last(i)))
                .collect::<Result<_, _>>()?,
            kept: (0..kept).map(|j| value(Output::Kept(j))).collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Last(i) => write!(f, "carry {i}"),
            Output::Before(i) => write!(f, "carry {i} before each step"),
            Output::Kept(j) => write!(f, "kept {j}"),
            Output::Sum(k) => write!(f, "sum {k}"),
        }
    }
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backwards = if self.reverse { " backwards" } else { "" };
        write!(f, "scan {:016x} over {}{backwards}", self.key, self.length)
    }
}

#[cfg(test)]
mod tests;
