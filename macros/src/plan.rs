//! Graph to steps: which ops fuse into one kernel, in which order kernels run, where values live.

use std::collections::{BTreeMap, BTreeSet};

use crate::fuse::{Leaf, number, view};
use crate::graph::{Graph, NodeId};
use crate::groups::{Groups, scalar};
use crate::kernels::{Kernel, kernel};
use crate::memory::{self, Buffer};
use crate::ops::Op;
use crate::ops::scan::siblings;
use crate::recompute::{Recomputed, recomputed};
use crate::rows::rows;
use crate::shape::{Dim, numel};

/// Where a value lives.
#[derive(Clone, PartialEq)]
pub enum Place {
    /// In the parameter buffer, from an offset on.
    Param(Dim),
    /// In the gradient buffer, from an offset on.
    Grad(Dim),
    /// In the state buffer, from an offset on.
    State(Dim),
    /// In a span that the printed function gets as argument `i`.
    Argument(usize),
    /// In the workspace: at an offset that the plan finds.
    Work,
}

/// What to plan, and where its ends are.
pub struct Request<'g> {
    pub graph: &'g Graph,
    /// For each input of the graph.
    pub inputs: Vec<Place>,
    /// For each parameter, its offset.
    pub params: Vec<Dim>,
    /// For each state, its offset.
    pub states: Vec<Dim>,
    /// For each output of the graph.
    pub outputs: Vec<Place>,
    /// How many outputs belong to a forward pass of its own, after which the caller goes on with
    /// something else before the rest.
    pub forward: usize,
}

/// A planned function.
pub struct Plan {
    pub graph: Graph,
    pub steps: Vec<Step>,
    /// Steps before this one are the forward pass.
    pub boundary: usize,
    /// For each node that has storage.
    pub places: BTreeMap<NodeId, Place>,
    /// Offsets of nodes in the workspace.
    pub offsets: BTreeMap<NodeId, Dim>,
    /// The length of the workspace, in elements.
    pub len: Dim,
}

/// One call of a kernel, which writes the storage of one node or of several.
pub struct Step {
    pub writes: Vec<NodeId>,
    pub kernel: Kernel,
    pub reads: Vec<NodeId>,
    /// What it needs beside: memory that nothing else uses meanwhile, and where that is.
    pub scratch: Option<Scratch>,
}

/// Memory of one step.
pub struct Scratch {
    pub len: Dim,
    pub offset: Dim,
}

impl Plan {
    /// The number of spans that the printed function gets.
    pub fn arguments(&self) -> usize {
        let number = |place: &Place| match place {
            Place::Argument(i) => i + 1,
            _ => 0,
        };
        self.places.values().map(number).max().unwrap_or(0)
    }
}

/// Plans a function.
pub fn plan(request: &Request) -> Result<Plan, String> {
    // Loops whose axes are too many to be one grid read copies instead of views.
    scheduled(request, false).or_else(|_| scheduled(request, true))
}

/// The plan; with copies of strided values in front of every loop where `copies`.
fn scheduled(request: &Request, copies: bool) -> Result<Plan, String> {
    let graph = legalise(request, copies)?;
    graph.check()?;
    let Recomputed { graph, again } = recomputed(&graph, request.forward)?;
    graph.check()?;
    let updates = updates(&graph, request);
    let groups = Groups::of(&graph, request.forward, &updates, &again);
    let mut steps = schedule(&graph, &groups, &updates)?;
    // The forward pass first; each part keeps the order of the graph.
    let forward = |step: &Step| step.writes.iter().any(|id| groups.forward[*id]);
    steps.sort_by_key(|step| !forward(step));
    let boundary = steps.iter().take_while(|step| forward(step)).count();
    let places = places(&graph, request, &steps);
    let (offsets, len) = lay_out(&graph, request, &mut steps, boundary, &places);
    Ok(Plan { graph, steps, boundary, places, offsets, len })
}

/// Outputs that are written where an input lies, with that input: sums of a loop, running statistics.
fn updates(g: &Graph, request: &Request) -> BTreeMap<NodeId, NodeId> {
    let place = |id: NodeId| match g.nodes[id].op {
        Op::Input(i) => request.inputs.get(i).cloned(),
        Op::State(i) => request.states.get(i).cloned().map(Place::State),
        _ => None,
    };
    let given: Vec<(NodeId, Place)> = (0..g.nodes.len())
        .filter_map(|id| Some((id, place(id).filter(|place| *place != Place::Work)?)))
        .collect();
    let outputs = g.outputs.iter().zip(&request.outputs);
    let over = |(id, place): (&NodeId, &Place)| {
        let (input, _) = given.iter().find(|(_, given)| given == place)?;
        Some((view(g, *id)?.base, *input))
    };
    outputs.filter_map(over).collect()
}

/// Whether the value has no storage: kernels compute it where they need it.
pub fn inline(op: &Op) -> bool {
    number(op).is_some() || matches!(op, Op::Coordinate(_) | Op::Uniform { .. })
}

/// Puts a copy where a kernel needs elements in row order and would not find them so, and where an output
/// has no storage of its own.
fn legalise(request: &Request, copies: bool) -> Result<Graph, String> {
    let from = request.graph;
    let mut to = Graph { nodes: vec![], outputs: vec![], ..from.clone() };
    let mut map = vec![];
    let mut random = Random::default();
    let mut copied: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for node in &from.nodes {
        let mut inputs: Vec<NodeId> = node.inputs.iter().map(|id| map[*id]).collect();
        for input in &mut inputs {
            let loops = matches!(node.op, Op::Scalar(_) | Op::Reduce { .. } | Op::Broadcast(_));
            if random.moved(&to, node, *input) || copies && loops && is_strided(&to, *input) {
                *input = to.push(Op::Contiguous, &[*input])?;
            }
        }
        let strided = match node.op {
            Op::Permute(_) | Op::Slice { .. } => false,
            Op::Place { .. } | Op::Concat(_) | Op::Flip(_) => {
                for input in &mut inputs {
                    if view(&to, *input).is_none_or(|v| inline(&to.nodes[v.base].op)) {
                        *input = to.push(Op::Contiguous, &[*input])?;
                    }
                }
                false
            }
            Op::Scalar(_) | Op::Contiguous | Op::Broadcast(_) => false,
            // A reduction reads any strides, but not a number.
            Op::Reduce { .. } => false,
            Op::Reshape(_) => reshape_needs_copy(&mut to, &node.op, &inputs)?,
            Op::Scan { .. } => {
                for input in &mut inputs {
                    *input = stored(&mut to, &mut copied, *input)?;
                }
                false
            }
            _ => true,
        };
        if strided {
            for input in &mut inputs {
                *input = stored(&mut to, &mut copied, *input)?;
            }
        }
        map.push(to.push(node.op.clone(), &inputs)?);
    }
    let mut taken = BTreeSet::new();
    for id in &from.outputs {
        let mut id = stored(&mut to, &mut copied, map[*id])?;
        let base = view(&to, id).ok_or("an output that needs a copy")?.base;
        let given = matches!(to.nodes[base].op, Op::Input(_) | Op::Param(_) | Op::State(_));
        if given || !taken.insert(base) || numel(to.shape(base)) != numel(to.shape(id)) {
            id = to.push(Op::Contiguous, &[id])?;
            taken.insert(id);
        }
        to.outputs.push(id);
    }
    Ok(to)
}

/// Which values are computed from random numbers, and which from nothing stored at all: those again by
/// every reader.
#[derive(Default)]
struct Random {
    known: BTreeMap<NodeId, (bool, bool)>,
}

impl Random {
    /// Whether `input` is such a value that `node` reads in another order, or more than once: its numbers
    /// belong to positions, and need to be stored first. The same holds for a part of coordinates.
    fn moved(&mut self, g: &Graph, node: &crate::graph::Node, input: NodeId) -> bool {
        match node.op {
            Op::Scalar(_) | Op::Broadcast(_) => {
                numel(&node.shape) != numel(g.shape(input)) && self.of(g, input) == (true, true)
            }
            Op::Permute(_) => self.of(g, input) == (true, true),
            Op::Slice { .. } => self.of(g, input) == (true, true) || is_coordinate(g, input),
            _ => false,
        }
    }

    /// Whether a value is computed from random numbers, and whether from nothing stored.
    fn of(&mut self, g: &Graph, id: NodeId) -> (bool, bool) {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let of = match &g.nodes[id].op {
            Op::Uniform { .. } => (true, true),
            Op::Scalar(_) | Op::Reshape(_) | Op::Broadcast(_) => {
                let inputs = g.nodes[id].inputs.iter().map(|input| self.of(g, *input));
                inputs.fold((false, true), |all, one| (all.0 || one.0, all.1 && one.1))
            }
            op => (false, inline(op)),
        };
        self.known.insert(id, of);
        of
    }
}

fn is_coordinate(g: &Graph, id: NodeId) -> bool {
    view(g, id).is_some_and(|v| matches!(g.nodes[v.base].op, Op::Coordinate(_)))
}

/// Whether a value is read in another order than it is stored in. A broadcast is not.
fn is_strided(g: &Graph, id: NodeId) -> bool {
    match g.nodes[id].op {
        Op::Permute(_) | Op::Slice { .. } => true,
        Op::Reshape(_) | Op::Broadcast(_) => is_strided(g, g.nodes[id].inputs[0]),
        _ => false,
    }
}

/// Whether the elements that a reshape takes in row order are strided in a way that it cannot express.
fn reshape_needs_copy(g: &mut Graph, op: &Op, inputs: &[NodeId]) -> Result<bool, String> {
    let probe = g.push(op.clone(), inputs)?;
    let copy = view(g, probe).is_none();
    g.nodes.pop();
    Ok(copy)
}

/// The node, or a copy of it in row order: the backward pass reads the copy of the forward pass.
fn stored(
    g: &mut Graph,
    copied: &mut BTreeMap<NodeId, NodeId>,
    id: NodeId,
) -> Result<NodeId, String> {
    if let Some(v) = view(g, id)
        && v.is_stored()
        && !inline(&g.nodes[v.base].op)
    {
        return Ok(id);
    }
    if let Some(copy) = copied.get(&id) {
        return Ok(*copy);
    }
    let copy = g.push(Op::Contiguous, &[id])?;
    copied.insert(id, copy);
    Ok(copy)
}

/// Kernels in the order of the graph, as far as a kernel with several outputs does not come between them.
fn schedule(
    g: &Graph,
    groups: &Groups,
    updates: &BTreeMap<NodeId, NodeId>,
) -> Result<Vec<Step>, String> {
    let mut steps = vec![];
    for id in 0..g.nodes.len() {
        let op = &g.nodes[id].op;
        let is_root = groups.root[id] == Some(id) && groups.host_of[id].is_none();
        let computes = match op {
            _ if groups.row_of[id].is_some() => false,
            Op::Reduce { .. } => true,
            _ if scalar(op) => is_root,
            Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Reshape(_) | Op::Broadcast(_) => false,
            Op::Permute(_) | Op::Slice { .. } => false,
            Op::Scan { .. } => siblings(g, id, id).is_empty(),
            op => !inline(op),
        };
        if computes {
            let (kernel, mut reads) = kernel(g, groups, id)?;
            reads.sort_unstable();
            reads.dedup();
            let (writes, scratch) = match &kernel {
                Kernel::Scan(scan) => {
                    let scratch = Scratch { len: scan.scratch.clone(), offset: Dim::literal(0) };
                    (scan.writes(), Some(scratch))
                }
                _ => (groups.epilogue.get(&id).map_or(vec![id], |of| of.outs.clone()), None),
            };
            steps.push(Step { writes, kernel, reads, scratch });
        }
    }
    for group in &groups.rows {
        let kernel = Box::new(rows(g, groups, group, &groups.outs(g, group))?);
        let mut reads = kernel.reads();
        reads.sort_unstable();
        reads.dedup();
        let writes = kernel.outs.iter().map(|(id, _)| *id).collect();
        steps.push(Step { writes, kernel: Kernel::Rows(kernel), reads, scratch: None });
    }
    in_order(steps, updates)
}

/// Each step after those that write what it reads, and before those that write over it; of several that could be next, the one whose first node
/// comes first in the graph.
fn in_order(steps: Vec<Step>, updates: &BTreeMap<NodeId, NodeId>) -> Result<Vec<Step>, String> {
    let writers =
        steps.iter().enumerate().flat_map(|(i, step)| step.writes.iter().map(move |id| (*id, i)));
    let writer: BTreeMap<NodeId, usize> = writers.collect();
    let mut waits: Vec<BTreeSet<usize>> = steps
        .iter()
        .map(|step| step.reads.iter().filter_map(|id| writer.get(id).copied()).collect())
        .collect();
    for (i, step) in steps.iter().enumerate() {
        for over in step.writes.iter().filter_map(|id| updates.get(id)) {
            let reads = |other: &usize| *other != i && steps[*other].reads.contains(over);
            waits[i].extend((0..steps.len()).filter(reads));
        }
    }
    let mut readers = vec![vec![]; steps.len()];
    for (i, on) in waits.iter().enumerate() {
        on.iter().for_each(|writer| readers[*writer].push(i));
    }
    let first = |i: usize, step: &Step| (step.writes.first().copied(), i);
    let mut ready: BTreeSet<(Option<NodeId>, usize)> = BTreeSet::new();
    ready.extend(
        steps
            .iter()
            .enumerate()
            .filter(|(i, _)| waits[*i].is_empty())
            .map(|(i, step)| first(i, step)),
    );
    let mut order = vec![];
    while let Some((_, next)) = ready.pop_first() {
        order.push(next);
        for &reader in &readers[next] {
            waits[reader].remove(&next);
            if waits[reader].is_empty() {
                ready.insert(first(reader, &steps[reader]));
            }
        }
    }
    if order.len() < steps.len() {
        return Err("kernels that wait for each other".to_owned());
    }
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|i| steps[i].take()).collect())
}

/// Where each node with storage lives.
fn places(g: &Graph, request: &Request, steps: &[Step]) -> BTreeMap<NodeId, Place> {
    let mut places: BTreeMap<NodeId, Place> =
        steps.iter().flat_map(|step| &step.writes).map(|id| (*id, Place::Work)).collect();
    for (id, node) in g.nodes.iter().enumerate() {
        match node.op {
            Op::Input(i) => places.insert(id, request.inputs[i].clone()),
            Op::Param(i) => places.insert(id, Place::Param(request.params[i].clone())),
            Op::State(i) => places.insert(id, Place::State(request.states[i].clone())),
            _ => None,
        };
    }
    for (&id, place) in g.outputs.iter().zip(&request.outputs) {
        if let Some(v) = view(g, id) {
            places.insert(v.base, place.clone());
        }
    }
    places
}

/// Lifetimes of the workspace's values, and their offsets. Step `i` happens at time `2 i + 1`; what the
/// caller does between the passes, at the even time between them.
fn lay_out(
    g: &Graph,
    request: &Request,
    steps: &mut [Step],
    boundary: usize,
    places: &BTreeMap<NodeId, Place>,
) -> (BTreeMap<NodeId, Dim>, Dim) {
    let end = 2 * steps.len();
    let mut life: BTreeMap<NodeId, (usize, usize)> = BTreeMap::new();
    for (i, step) in steps.iter().enumerate() {
        let time = 2 * i + 1;
        for written in &step.writes {
            life.entry(*written).or_insert((time, time));
        }
        for read in &step.reads {
            life.entry(*read).and_modify(|(_, last)| *last = time).or_insert((0, time));
        }
    }
    // What the caller gives in the workspace exists between the passes; what it reads, until the end.
    for (id, node) in g.nodes.iter().enumerate() {
        if let Op::Input(i) = node.op
            && matches!(request.inputs[i], Place::Work)
        {
            let last = life.get(&id).map_or(2 * boundary, |(_, last)| *last);
            life.insert(id, (2 * boundary, last));
        }
    }
    for id in g.outputs.iter().filter_map(|id| Some(view(g, *id)?.base)) {
        life.entry(id).and_modify(|(_, last)| *last = end);
    }
    life.retain(|id, _| matches!(places.get(id), Some(Place::Work)));
    let shared = share(g, steps, &life);
    let mut buffers: Vec<Buffer> = vec![];
    let mut index: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (&id, &(start, last)) in &life {
        let owner = shared.get(&id).copied();
        match owner.and_then(|owner| index.get(&owner).copied()) {
            Some(i) => {
                buffers[i].end = buffers[i].end.max(last);
                index.insert(id, i);
            }
            None => {
                index.insert(id, buffers.len());
                buffers.push(Buffer { size: numel(g.shape(id)), start, end: last });
            }
        }
    }
    let values = buffers.len();
    for (i, step) in steps.iter().enumerate() {
        if let Some(scratch) = &step.scratch {
            let time = 2 * i + 1;
            buffers.push(Buffer { size: scratch.len.clone(), start: time, end: time });
        }
    }
    let layout = memory::pack(&buffers);
    let scratches = steps.iter_mut().filter_map(|step| step.scratch.as_mut());
    for (scratch, offset) in scratches.zip(&layout.offsets[values..]) {
        scratch.offset = offset.clone();
    }
    let offsets = index.into_iter().map(|(id, i)| (id, layout.offsets[i].clone())).collect();
    (offsets, layout.len)
}

/// Loops that write over an input: it dies there, and every leaf visits it in the order of the output.
fn share(
    g: &Graph,
    steps: &[Step],
    life: &BTreeMap<NodeId, (usize, usize)>,
) -> BTreeMap<NodeId, NodeId> {
    let mut owner: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for (i, step) in steps.iter().enumerate() {
        let (Kernel::Map { grid, tree }, &[written]) = (&step.kernel, &step.writes[..]) else {
            continue;
        };
        let row_order = crate::shape::contiguous(grid);
        let in_order = |id: NodeId| {
            tree.leaves.iter().all(|leaf| match leaf {
                Leaf::View { base, offset, strides } if *base == id => {
                    let mut axes = strides.iter().zip(&row_order).zip(grid);
                    offset.is_zero()
                        && axes
                            .all(|((stride, expected), size)| size.is_one() || stride == expected)
                }
                _ => true,
            })
        };
        let dying = step.reads.iter().copied().find(|id| {
            life.get(id).is_some_and(|(_, last)| *last == 2 * i + 1)
                && life.contains_key(&written)
                && numel(g.shape(*id)) == numel(g.shape(written))
                // An owner comes first in the order of ids, so that its buffer exists.
                && *id < written
                && in_order(*id)
        });
        if let Some(id) = dying {
            let first = owner.get(&id).copied().unwrap_or(id);
            owner.insert(written, first);
        }
    }
    owner
}
