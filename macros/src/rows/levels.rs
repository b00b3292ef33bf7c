//! Which pass computes what of a row, and what is kept for later ones.

use std::collections::{BTreeMap, BTreeSet};

use crate::fuse::view;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::row_groups::RowGroup;

/// Ops that cost less than keeping their result: an instruction or two.
const CHEAP: &[&str] = &[
    "neg", "add", "sub", "mul", "square", "relu", "abs", "sign", "max", "min", "gt", "lt", "eq",
    "select",
];

/// Whether a scalar op is one of those.
pub fn is_cheap(name: &str) -> bool {
    CHEAP.contains(&name)
}

/// When a value is known: a number of the row after as many passes, an element from that pass on.
pub type Levels = BTreeMap<NodeId, usize>;

/// Members that an op reads, by views of them.
pub fn members_read(g: &Graph, group: &RowGroup, id: NodeId) -> Vec<NodeId> {
    let bases = g.nodes[id].inputs.iter().filter_map(|input| Some(view(g, *input)?.base));
    bases.filter(|base| group.members.contains(base)).collect()
}

pub fn levels(g: &Graph, group: &RowGroup) -> Levels {
    let mut levels = Levels::new();
    for &id in &group.members {
        let read = members_read(g, group, id);
        let level = read.iter().map(|id| levels[id]).max().unwrap_or(0);
        let folds = matches!(g.nodes[id].op, Op::Reduce { .. });
        levels.insert(id, level + usize::from(folds));
    }
    levels
}

/// The pass that folds or stores: a fold is known after it.
pub fn pass_of(g: &Graph, id: NodeId, levels: &Levels) -> usize {
    levels[&id] - usize::from(matches!(g.nodes[id].op, Op::Reduce { .. }))
}

/// Elements that are kept, with the pass that keeps them.
pub fn kept(g: &Graph, group: &RowGroup, levels: &Levels, outs: &[NodeId]) -> Vec<(NodeId, usize)> {
    let mut needed: BTreeMap<NodeId, BTreeSet<usize>> = BTreeMap::new();
    let mut kept = vec![];
    for &id in group.members.iter().rev() {
        let folds = matches!(g.nodes[id].op, Op::Reduce { .. });
        let wide = group.is_wide(g.shape(id)) == Some(true);
        if !folds && !wide {
            continue;
        }
        let mut passes = needed.remove(&id).unwrap_or_default();
        if folds || outs.contains(&id) {
            passes.insert(pass_of(g, id, levels));
        }
        let cheap = matches!(g.nodes[id].op, Op::Scalar(row) if is_cheap(row.name));
        let first = passes.first().copied();
        if let Some(first) = first.filter(|_| !folds && !cheap && passes.len() > 1) {
            kept.push((id, first));
            passes = BTreeSet::from([first]);
        }
        for input in members_read(g, group, id) {
            needed.entry(input).or_default().extend(&passes);
        }
    }
    kept.reverse();
    kept
}
