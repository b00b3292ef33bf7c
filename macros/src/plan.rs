//! Graph to steps: which ops fuse into one kernel, in which order kernels run, where values live.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::fuse::{Builder, Leaf, Tree, merge, number, view};
use crate::graph::{Graph, NodeId};
use crate::memory::{self, Buffer};
use crate::ops::Op;
use crate::ops::conv::Window2;
use crate::ops::reduce::Fold;
use crate::shape::{Dim, numel, show};

/// Where a value lives.
#[derive(Clone)]
pub enum Place {
    /// In the parameter buffer, from an offset on.
    Param(Dim),
    /// In the gradient buffer, from an offset on.
    Grad(Dim),
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

/// One call of a kernel, which writes the storage of `node`.
pub struct Step {
    pub node: NodeId,
    pub kernel: Kernel,
    pub reads: Vec<NodeId>,
}

/// The most axes of a kernel's index space: `GRID_RANK` of netform-core.
pub const GRID_RANK: usize = 4;

pub enum Kernel {
    Map { grid: Vec<Dim>, tree: Tree },
    Reduce { fold: Fold, grid: Vec<Dim>, reduced: Vec<bool>, tree: Tree },
    Matmul { a: NodeId, b: NodeId, dims: Matmul, tree: Tree },
    Conv2d { x: NodeId, w: NodeId, dims: Conv2d, tree: Tree },
    Conv2dInput { dy: NodeId, w: NodeId, dims: Conv2d },
    Conv2dWeight { x: NodeId, dy: NodeId, dims: Conv2d },
    MaxPool2d { x: NodeId, dims: Pool2d },
    MaxPool2dScatter { x: NodeId, dy: NodeId, dims: Pool2d },
    MaxPool2dGather { x: NodeId, g: NodeId, dims: Pool2d },
    Gather { x: NodeId, index: NodeId, rows: Dim, cols: Dim },
}

#[derive(Clone)]
pub struct Matmul {
    pub batch: Dim,
    pub m: Dim,
    pub n: Dim,
    pub k: Dim,
    pub transpose_a: bool,
    pub transpose_b: bool,
    pub stride_a: Dim,
    pub stride_b: Dim,
}

#[derive(Clone)]
pub struct Conv2d {
    pub batch: Dim,
    pub in_channels: Dim,
    pub height: Dim,
    pub width: Dim,
    pub out_channels: Dim,
    pub window: Window2,
}

#[derive(Clone)]
pub struct Pool2d {
    pub planes: Dim,
    pub height: Dim,
    pub width: Dim,
    pub window: Window2,
}

/// Plans a function.
pub fn plan(request: &Request) -> Result<Plan, String> {
    let graph = legalise(request)?;
    graph.check()?;
    let groups = Groups::of(&graph, request.forward);
    let mut steps = schedule(&graph, &groups)?;
    // The forward pass first; each part keeps the order of the graph.
    steps.sort_by_key(|step| !groups.forward[step.node]);
    let boundary = steps.iter().take_while(|step| groups.forward[step.node]).count();
    let places = places(&graph, request, &steps);
    let (offsets, len) = lay_out(&graph, request, &steps, boundary, &places);
    Ok(Plan { graph, steps, boundary, places, offsets, len })
}

/// Whether the value has no storage: kernels compute it where they need it.
fn inline(op: &Op) -> bool {
    number(op).is_some() || matches!(op, Op::Coordinate(_) | Op::Uniform { .. })
}

/// Puts a copy where a kernel needs elements in row order and would not find them so, and where an output
/// has no storage of its own.
fn legalise(request: &Request) -> Result<Graph, String> {
    let from = request.graph;
    let mut to = Graph { nodes: vec![], outputs: vec![], ..from.clone() };
    let mut map = vec![];
    for node in &from.nodes {
        let mut inputs: Vec<NodeId> = node.inputs.iter().map(|id| map[*id]).collect();
        let strided = match node.op {
            Op::Scalar(_) | Op::Contiguous | Op::Broadcast(_) => false,
            // A reduction reads any strides, but not a number.
            Op::Reduce { .. } => false,
            Op::Reshape(_) => reshape_needs_copy(&mut to, &node.op, &inputs)?,
            _ => true,
        };
        if strided {
            for input in &mut inputs {
                *input = stored(&mut to, *input)?;
            }
        }
        map.push(to.push(node.op.clone(), &inputs)?);
    }
    let mut taken = BTreeSet::new();
    for id in &from.outputs {
        let mut id = stored(&mut to, map[*id])?;
        let base = view(&to, id).ok_or("an output that needs a copy")?.base;
        let given = matches!(to.nodes[base].op, Op::Input(_) | Op::Param(_));
        if given || !taken.insert(base) || numel(to.shape(base)) != numel(to.shape(id)) {
            id = to.push(Op::Contiguous, &[id])?;
            taken.insert(id);
        }
        to.outputs.push(id);
    }
    Ok(to)
}

/// Whether the elements that a reshape takes in row order are strided in a way that it cannot express.
fn reshape_needs_copy(g: &mut Graph, op: &Op, inputs: &[NodeId]) -> Result<bool, String> {
    let probe = g.push(op.clone(), inputs)?;
    let copy = view(g, probe).is_none();
    g.nodes.pop();
    Ok(copy)
}

/// The node, or a copy of it in row order.
fn stored(g: &mut Graph, id: NodeId) -> Result<NodeId, String> {
    match view(g, id) {
        Some(v) if v.is_contiguous() && !inline(&g.nodes[v.base].op) => Ok(id),
        _ => g.push(Op::Contiguous, &[id]),
    }
}

/// Which nodes are computed together.
struct Groups {
    /// Nodes of the forward pass.
    forward: Vec<bool>,
    /// For each scalar op, the node of whose kernel it is a part: a scalar op or a reduction.
    root: Vec<Option<NodeId>>,
    /// Scalar ops that read no storage: computed again in every kernel that needs them.
    free: Vec<bool>,
    /// Matrix products and convolutions whose epilogue is the group of this root.
    epilogue: BTreeMap<NodeId, NodeId>,
}

fn scalar(op: &Op) -> bool {
    matches!(op, Op::Scalar(_) | Op::Contiguous)
}

impl Groups {
    fn of(g: &Graph, forward: usize) -> Groups {
        let forward = match forward {
            0 => vec![true; g.nodes.len()],
            n => g.ancestors(&g.outputs[..n]),
        };
        let consumers = consumers(g);
        let outputs: BTreeSet<NodeId> =
            g.outputs.iter().filter_map(|id| Some(view(g, *id)?.base)).collect();
        let free = free(g, &consumers, &outputs);
        let mut groups =
            Groups { forward, root: vec![None; g.nodes.len()], free, epilogue: BTreeMap::new() };
        for id in (0..g.nodes.len()).rev() {
            if scalar(&g.nodes[id].op) && !groups.free[id] {
                let joined =
                    groups.joined(g, id, &consumers[id]).filter(|_| !outputs.contains(&id));
                groups.root[id] = Some(joined.unwrap_or(id));
            }
        }
        for (id, node) in g.nodes.iter().enumerate() {
            if matches!(node.op, Op::Matmul { .. } | Op::Conv2d(_)) && !outputs.contains(&id) {
                groups.host(g, id, &consumers[id]);
            }
        }
        groups
    }

    /// The group that all consumers of a scalar op belong to, where it can be computed there.
    fn joined(&self, g: &Graph, id: NodeId, consumers: &[NodeId]) -> Option<NodeId> {
        let root = self.group(g, *consumers.first()?)?;
        let shape = match g.nodes[root].op {
            Op::Reduce { .. } => g.shape(g.nodes[root].inputs[0]),
            _ => g.shape(root),
        };
        let fits = consumers.iter().all(|c| self.group(g, *c) == Some(root))
            && shape == g.shape(id)
            && self.forward[id] == self.forward[root]
            && !matches!(g.nodes[id].op, Op::Contiguous);
        fits.then_some(root)
    }

    fn group(&self, g: &Graph, consumer: NodeId) -> Option<NodeId> {
        match g.nodes[consumer].op {
            Op::Reduce { .. } => Some(consumer),
            _ => self.root[consumer],
        }
    }

    /// Makes the group of all consumers the epilogue of a product, where that is possible.
    fn host(&mut self, g: &Graph, id: NodeId, consumers: &[NodeId]) {
        let root = consumers.first().and_then(|c| self.root[*c]);
        let Some(root) = root.filter(|root| scalar(&g.nodes[*root].op)) else { return };
        let fits = consumers.iter().all(|c| self.root[*c] == Some(root))
            && g.shape(id) == g.shape(root)
            && g.shape(id).len() <= GRID_RANK
            && self.forward[id] == self.forward[root]
            && !self.epilogue.values().any(|other| *other == root);
        if fits {
            self.epilogue.insert(id, root);
        }
    }

    /// The scalar ops that the kernel of `root` computes.
    fn members(&self, g: &Graph, root: NodeId) -> BTreeSet<NodeId> {
        let mut members = BTreeSet::new();
        let mut open = match scalar(&g.nodes[root].op) {
            true => vec![root],
            false => g.nodes[root].inputs.clone(),
        };
        while let Some(id) = open.pop() {
            if (self.root[id] == Some(root) || self.free[id]) && members.insert(id) {
                open.extend(&g.nodes[id].inputs);
            }
        }
        members
    }
}

fn consumers(g: &Graph) -> Vec<Vec<NodeId>> {
    let mut consumers = vec![vec![]; g.nodes.len()];
    for (id, node) in g.nodes.iter().enumerate() {
        for &input in &node.inputs {
            consumers[input].push(id);
        }
    }
    consumers
}

/// Scalar ops all of whose inputs are numbers, coordinates and random numbers, and that only scalar ops
/// and reductions read.
fn free(g: &Graph, consumers: &[Vec<NodeId>], outputs: &BTreeSet<NodeId>) -> Vec<bool> {
    let mut pure = vec![false; g.nodes.len()];
    for (id, node) in g.nodes.iter().enumerate() {
        pure[id] = match &node.op {
            op if inline(op) => true,
            Op::Scalar(_) => node.inputs.iter().all(|input| pure[*input]),
            Op::Reshape(_) | Op::Broadcast(_) => {
                view(g, id).is_some_and(|v| inline(&g.nodes[v.base].op))
            }
            _ => false,
        };
    }
    let mut free = vec![false; g.nodes.len()];
    for id in 0..g.nodes.len() {
        let reader = |c: &NodeId| matches!(g.nodes[*c].op, Op::Scalar(_) | Op::Reduce { .. });
        let scalar = matches!(g.nodes[id].op, Op::Scalar(_));
        free[id] = scalar && pure[id] && !outputs.contains(&id) && consumers[id].iter().all(reader);
    }
    free
}

/// Kernels in the order of the graph.
fn schedule(g: &Graph, groups: &Groups) -> Result<Vec<Step>, String> {
    let mut steps = vec![];
    for id in 0..g.nodes.len() {
        let op = &g.nodes[id].op;
        let is_root = scalar(op) && groups.root[id] == Some(id);
        let computes = match op {
            Op::Reduce { .. } => true,
            _ if scalar(op) => is_root,
            Op::Input(_) | Op::Param(_) | Op::Reshape(_) | Op::Broadcast(_) => false,
            op => !inline(op) && !groups.epilogue.contains_key(&id),
        };
        if computes {
            let host = groups.epilogue.iter().find(|(_, root)| **root == id).map(|(host, _)| *host);
            let (kernel, mut reads) = kernel(g, groups, id, host)?;
            reads.sort_unstable();
            reads.dedup();
            steps.push(Step { node: id, kernel, reads });
        }
    }
    Ok(steps)
}

/// The storage that a node's elements lie in, in row order.
fn base(g: &Graph, id: NodeId) -> Result<NodeId, String> {
    view(g, id).map(|v| v.base).ok_or_else(|| format!("%{id} has no storage"))
}

/// The kernel that computes a node, and the storage that it reads.
fn kernel(
    g: &Graph,
    groups: &Groups,
    id: NodeId,
    host: Option<NodeId>,
) -> Result<(Kernel, Vec<NodeId>), String> {
    let computed = host.unwrap_or(id);
    let node = &g.nodes[computed];
    let operands = |wanted: usize| -> Result<Vec<NodeId>, String> {
        node.inputs.iter().take(wanted).map(|input| base(g, *input)).collect()
    };
    Ok(match &node.op {
        Op::Scalar(_) | Op::Contiguous => {
            let tree =
                Builder::new(g, &groups.members(g, id), None, g.shape(id).clone()).build(id)?;
            let (grid, _, tree) = on_grid(tree, &vec![false; g.shape(id).len()])?;
            let reads = tree_reads(&tree);
            (Kernel::Map { grid, tree }, reads)
        }
        Op::Reduce { fold, axes } => {
            let input = node.inputs[0];
            let shape = g.shape(input).clone();
            let flags: Vec<bool> = (0..shape.len()).map(|i| axes.contains(&i)).collect();
            let tree = Builder::new(g, &groups.members(g, id), None, shape).build(input)?;
            let (grid, reduced, tree) = on_grid(tree, &flags)?;
            let reads = tree_reads(&tree);
            (Kernel::Reduce { fold: *fold, grid, reduced, tree }, reads)
        }
        Op::Matmul { transpose_a, transpose_b } => {
            let [a, b] = operands(2)?[..] else {
                return Err("a product needs two operands".to_owned());
            };
            let dims = matmul_dims(g, computed, *transpose_a, *transpose_b);
            let tree = epilogue(g, groups, id, host)?;
            let reads = [vec![a, b], tree_reads(&tree)].concat();
            (Kernel::Matmul { a, b, dims, tree }, reads)
        }
        Op::Conv2d(window) => {
            let [x, w] = operands(2)?[..] else {
                return Err("a convolution needs x and w".to_owned());
            };
            let dims = conv_dims(g.shape(node.inputs[0]), &g.shape(computed)[1], window);
            let tree = epilogue(g, groups, id, host)?;
            let reads = [vec![x, w], tree_reads(&tree)].concat();
            (Kernel::Conv2d { x, w, dims, tree }, reads)
        }
        Op::Conv2dInput(window, x_shape) => {
            let [dy, w] = operands(2)?[..] else {
                return Err("conv2d_input needs dy and w".to_owned());
            };
            let dims = conv_dims(x_shape, &g.shape(node.inputs[0])[1], window);
            (Kernel::Conv2dInput { dy, w, dims }, vec![dy, w])
        }
        Op::Conv2dWeight(window, _) => {
            let [x, dy] = operands(2)?[..] else {
                return Err("conv2d_weight needs x and dy".to_owned());
            };
            let dims = conv_dims(g.shape(node.inputs[0]), &g.shape(node.inputs[1])[1], window);
            (Kernel::Conv2dWeight { x, dy, dims }, vec![x, dy])
        }
        Op::MaxPool2d(window) | Op::MaxPool2dScatter(window) | Op::MaxPool2dGather(window) => {
            let reads = operands(2)?;
            let x = g.shape(node.inputs[0]);
            let dims = Pool2d {
                planes: x[0].mul(&x[1]),
                height: x[2].clone(),
                width: x[3].clone(),
                window: window.clone(),
            };
            let kernel = match (&node.op, &reads[..]) {
                (Op::MaxPool2dScatter(_), [x, dy]) => {
                    Kernel::MaxPool2dScatter { x: *x, dy: *dy, dims }
                }
                (Op::MaxPool2dGather(_), [x, other]) => {
                    Kernel::MaxPool2dGather { x: *x, g: *other, dims }
                }
                _ => Kernel::MaxPool2d { x: reads[0], dims },
            };
            (kernel, reads)
        }
        Op::Gather => {
            let [x, index] = operands(2)?[..] else {
                return Err("a gather needs x and an index".to_owned());
            };
            let rows = numel(g.shape(id));
            let cols = g.shape(node.inputs[0]).last().cloned().unwrap_or_else(Dim::one);
            (Kernel::Gather { x, index, rows, cols }, vec![x, index])
        }
        op => return Err(format!("no kernel computes `{op}`")),
    })
}

/// What is applied to a product's elements: the group of `id`, or nothing. Its grid is the product's own.
fn epilogue(g: &Graph, groups: &Groups, id: NodeId, host: Option<NodeId>) -> Result<Tree, String> {
    let mut members = BTreeSet::new();
    if host.is_some() {
        members = groups.members(g, id);
    }
    let mut tree =
        Builder::new(g, &members, Some(host.unwrap_or(id)), g.shape(id).clone()).build(id)?;
    let missing = GRID_RANK - tree.shape.len();
    for leaf in &mut tree.leaves {
        if let Leaf::View { strides, .. } | Leaf::Coordinate { strides } = leaf {
            strides.splice(0..0, vec![Dim::literal(0); missing]);
        }
    }
    Ok(tree)
}

/// Merges the axes of a tree and pads them to the rank of a grid.
fn on_grid(mut tree: Tree, flags: &[bool]) -> Result<(Vec<Dim>, Vec<bool>, Tree), String> {
    let strides: Vec<Vec<Dim>> = tree
        .leaves
        .iter()
        .filter_map(|leaf| match leaf {
            Leaf::View { strides, .. } | Leaf::Coordinate { strides } => Some(strides.clone()),
            Leaf::Uniform { .. } => None,
        })
        .collect();
    let mut axes = merge(&tree.shape, &strides, flags);
    let Some(missing) = GRID_RANK.checked_sub(axes.sizes.len()) else {
        return Err(format!(
            "a loop over {} axes of {} that cannot be merged: at most {GRID_RANK} are supported",
            axes.sizes.len(),
            show(&tree.shape)
        ));
    };
    axes.sizes.splice(0..0, vec![Dim::one(); missing]);
    axes.flags.splice(0..0, vec![false; missing]);
    let mut merged = axes.strides.into_iter();
    for leaf in &mut tree.leaves {
        if let Leaf::View { strides, .. } | Leaf::Coordinate { strides } = leaf {
            *strides = vec![Dim::literal(0); missing];
            strides.extend(merged.next().into_iter().flatten());
        }
    }
    Ok((axes.sizes, axes.flags, tree))
}

fn tree_reads(tree: &Tree) -> Vec<NodeId> {
    let base = |leaf: &Leaf| match leaf {
        Leaf::View { base, .. } => Some(*base),
        _ => None,
    };
    tree.leaves.iter().filter_map(base).collect()
}

fn matmul_dims(g: &Graph, id: NodeId, transpose_a: bool, transpose_b: bool) -> Matmul {
    let (out, a, b) = (g.shape(id), g.shape(g.nodes[id].inputs[0]), g.shape(g.nodes[id].inputs[1]));
    let rank = out.len();
    let (m, n) = (out[rank - 2].clone(), out[rank - 1].clone());
    let k = a[if transpose_a { a.len() - 2 } else { a.len() - 1 }].clone();
    let stride = |x: &[Dim]| match x.len() {
        2 => Dim::literal(0),
        n => numel(&x[n - 2..]),
    };
    let (stride_a, stride_b) = (stride(a), stride(b));
    Matmul { batch: numel(&out[..rank - 2]), m, n, k, transpose_a, transpose_b, stride_a, stride_b }
}

fn conv_dims(x: &[Dim], out_channels: &Dim, window: &Window2) -> Conv2d {
    Conv2d {
        batch: x[0].clone(),
        in_channels: x[1].clone(),
        height: x[2].clone(),
        width: x[3].clone(),
        out_channels: out_channels.clone(),
        window: window.clone(),
    }
}

/// Where each node with storage lives.
fn places(g: &Graph, request: &Request, steps: &[Step]) -> BTreeMap<NodeId, Place> {
    let mut places: BTreeMap<NodeId, Place> =
        steps.iter().map(|step| (step.node, Place::Work)).collect();
    for (id, node) in g.nodes.iter().enumerate() {
        match node.op {
            Op::Input(i) => places.insert(id, request.inputs[i].clone()),
            Op::Param(i) => places.insert(id, Place::Param(request.params[i].clone())),
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
    steps: &[Step],
    boundary: usize,
    places: &BTreeMap<NodeId, Place>,
) -> (BTreeMap<NodeId, Dim>, Dim) {
    let end = 2 * steps.len();
    let mut life: BTreeMap<NodeId, (usize, usize)> = BTreeMap::new();
    for (i, step) in steps.iter().enumerate() {
        let time = 2 * i + 1;
        life.entry(step.node).or_insert((time, time));
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
    let layout = memory::pack(&buffers);
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
        let Kernel::Map { grid, tree } = &step.kernel else { continue };
        let row_order = crate::shape::contiguous(grid);
        let in_order = |id: NodeId| {
            tree.leaves.iter().all(|leaf| match leaf {
                Leaf::View { base, strides } if *base == id => strides
                    .iter()
                    .zip(&row_order)
                    .zip(grid)
                    .all(|((stride, expected), size)| size.is_one() || stride == expected),
                _ => true,
            })
        };
        let dying = step.reads.iter().copied().find(|id| {
            life.get(id).is_some_and(|(_, last)| *last == 2 * i + 1)
                && life.contains_key(&step.node)
                && numel(g.shape(*id)) == numel(g.shape(step.node))
                // An owner comes first in the order of ids, so that its buffer exists.
                && *id < step.node
                && in_order(*id)
        });
        if let Some(id) = dying {
            let first = owner.get(&id).copied().unwrap_or(id);
            owner.insert(step.node, first);
        }
    }
    owner
}

impl Plan {
    /// The planned steps as text: what each kernel computes, and where its result lives.
    pub fn listing(&self, steps: std::ops::Range<usize>) -> String {
        let mut text = String::new();
        for step in &self.steps[steps] {
            let label = |id: &NodeId| self.graph.label(*id);
            let call = match &step.kernel {
                Kernel::Map { tree, .. } => format!("map {}", tree.text),
                Kernel::Reduce { fold, tree, .. } => format!("{} {}", fold.name(), tree.text),
                Kernel::Matmul { a, b, dims, tree } => {
                    let flag = |t: bool| if t { "^T" } else { "" };
                    let (ta, tb) = (flag(dims.transpose_a), flag(dims.transpose_b));
                    let sizes = format!("{}x{}x{}", dims.m, dims.k, dims.n);
                    fused(format!("matmul {}{ta} {}{tb} ({sizes})", label(a), label(b)), tree)
                }
                Kernel::Conv2d { x, w, tree, .. } => {
                    fused(format!("conv2d {} {}", label(x), label(w)), tree)
                }
                Kernel::Conv2dInput { dy, w, .. } => {
                    format!("conv2d_input {} {}", label(dy), label(w))
                }
                Kernel::Conv2dWeight { x, dy, .. } => {
                    format!("conv2d_weight {} {}", label(x), label(dy))
                }
                Kernel::MaxPool2d { x, .. } => format!("max_pool2d {}", label(x)),
                Kernel::MaxPool2dScatter { x, dy, .. } => {
                    format!("max_pool2d_scatter {} {}", label(x), label(dy))
                }
                Kernel::MaxPool2dGather { x, g, .. } => {
                    format!("max_pool2d_gather {} {}", label(x), label(g))
                }
                Kernel::Gather { x, index, .. } => format!("gather {} {}", label(x), label(index)),
            };
            let place = self.place(step.node);
            let shape = show(self.graph.shape(step.node));
            let _ = writeln!(text, "  %{}: {shape} -> {place}: {call}", step.node);
        }
        text
    }

    fn place(&self, id: NodeId) -> String {
        match self.places.get(&id) {
            Some(Place::Param(offset)) => format!("params[{offset}]"),
            Some(Place::Grad(offset)) => format!("grads[{offset}]"),
            Some(Place::Argument(i)) => format!("argument {i}"),
            _ => match self.offsets.get(&id) {
                Some(offset) => format!("workspace[{offset}]"),
                None => "nowhere".to_owned(),
            },
        }
    }
}

fn fused(call: String, tree: &Tree) -> String {
    match tree.text.as_str() {
        "x" => call,
        text => format!("{call}, then {text}"),
    }
}
