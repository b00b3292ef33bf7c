//! Fusion: which scalar ops are computed in one kernel.

use std::collections::{BTreeMap, BTreeSet};

use crate::epilogues::{self, Epilogue};
use crate::fuse::view;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::plan::inline;
use crate::row_groups::{self, RowGroup};

/// Which nodes are computed together.
pub struct Groups {
    /// Nodes of the forward pass.
    pub forward: Vec<bool>,
    /// For each scalar op, the node of whose kernel it is a part: a scalar op or a reduction.
    pub root: Vec<Option<NodeId>>,
    /// Scalar ops that are computed again in every kernel that needs them: those that read no storage, and
    /// those of the backward pass that the forward pass has computed in a loop.
    pub free: Vec<bool>,
    /// Kernels over rows, and for each node the one that computes it.
    pub rows: Vec<RowGroup>,
    pub row_of: Vec<Option<usize>>,
    /// The epilogues of matrix products and convolutions.
    pub epilogue: BTreeMap<NodeId, Epilogue>,
    /// For each root of scalar ops, the product whose epilogue it is part of.
    pub host_of: Vec<Option<NodeId>>,
}

/// Whether the op is computed element by element.
pub fn scalar(op: &Op) -> bool {
    matches!(op, Op::Scalar(_) | Op::Contiguous)
}

impl Groups {
    /// `updates` are outputs that are written over an input, `again` scalar ops that have no storage.
    pub fn of(
        g: &Graph,
        forward: usize,
        updates: &BTreeMap<NodeId, NodeId>,
        again: &BTreeSet<NodeId>,
    ) -> Groups {
        let forward = match forward {
            0 => vec![true; g.nodes.len()],
            n => g.ancestors(&g.outputs[..n]),
        };
        let outputs: BTreeSet<NodeId> =
            g.outputs.iter().filter_map(|id| Some(view(g, *id)?.base)).collect();
        let mut groups = Groups::with_rows(g, forward, &outputs, vec![], again);
        let mut rows = row_groups::find(g, &groups, &outputs, updates);
        if !rows.is_empty() {
            // Some axes cannot be those of a grid.
            rows.retain(|group| crate::rows::rows(g, &groups, group, &[]).is_ok());
            groups = Groups::with_rows(g, groups.forward, &outputs, rows, again);
        }
        epilogues::extend(g, &mut groups, &outputs, updates);
        groups
    }

    /// The groups beside kernels over rows.
    fn with_rows(
        g: &Graph,
        forward: Vec<bool>,
        outputs: &BTreeSet<NodeId>,
        rows: Vec<RowGroup>,
        again: &BTreeSet<NodeId>,
    ) -> Groups {
        let consumers = consumers(g);
        let mut row_of = vec![None; g.nodes.len()];
        for (i, group) in rows.iter().enumerate() {
            group.members.iter().for_each(|id| row_of[*id] = Some(i));
        }
        let (root, mut free) = (vec![None; g.nodes.len()], free(g, &consumers, outputs));
        again.iter().for_each(|id| free[*id] = true);
        let (epilogue, host_of) = (BTreeMap::new(), vec![None; g.nodes.len()]);
        let mut groups = Groups { forward, root, free, rows, row_of, epilogue, host_of };
        for id in (0..g.nodes.len()).rev() {
            if scalar(&g.nodes[id].op) && !groups.free[id] && groups.row_of[id].is_none() {
                let joined =
                    groups.joined(g, id, &consumers[id]).filter(|_| !outputs.contains(&id));
                groups.root[id] = Some(joined.unwrap_or(id));
            }
        }
        epilogues::host(g, &mut groups, outputs, &consumers);
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
            _ if self.row_of[consumer].is_some() => None,
            Op::Reduce { .. } => Some(consumer),
            _ => self.root[consumer],
        }
    }

    /// The members of a kernel over rows that something else reads, or that are outputs.
    pub fn outs(&self, g: &Graph, group: &RowGroup) -> Vec<NodeId> {
        let outputs: BTreeSet<NodeId> =
            g.outputs.iter().filter_map(|id| Some(view(g, *id)?.base)).collect();
        let users = row_groups::users(g);
        let outside = |id: &NodeId| users[*id].iter().any(|user| !group.members.contains(user));
        let members = group.members.iter().copied();
        members.filter(|id| outputs.contains(id) || outside(id)).collect()
    }

    /// Whether a scalar op, or an op with a kernel of its own, has storage.
    pub fn is_stored(&self, g: &Graph, id: NodeId) -> bool {
        let host = match scalar(&g.nodes[id].op) {
            true if self.root[id] != Some(id) => return false,
            true => self.host_of[id],
            false => Some(id),
        };
        let epilogue = host.and_then(|host| self.epilogue.get(&host));
        epilogue.is_none_or(|epilogue| epilogue.outs.contains(&id))
    }

    /// The scalar ops that the kernel of `root` computes.
    pub fn members(&self, g: &Graph, root: NodeId) -> BTreeSet<NodeId> {
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
            Op::Reshape(_) | Op::Broadcast(_) | Op::Permute(_) | Op::Slice { .. } => {
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
