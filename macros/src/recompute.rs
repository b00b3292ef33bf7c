//! What the backward pass needs of the forward pass and computes again, element by element, instead of reading it.
//!
//! Forward alone, a chain of scalar ops is one loop, and a product's bias and activation are part of it. Were
//! every value stored that a derivative reads, each would be a loop and a buffer of its own: of a GELU,
//! five. So the backward pass reads what the forward pass stores anyway, and computes the rest of that.

use std::collections::{BTreeMap, BTreeSet};

use crate::fuse::view;
use crate::graph::{Graph, Node, NodeId};
use crate::groups::Groups;
use crate::ops::Op;
use crate::plan::inline;
use crate::rows::is_cheap;
use crate::shape::numel;

/// A graph whose backward pass has scalar ops of its own instead of some of the forward pass.
pub struct Recomputed {
    pub graph: Graph,
    /// Those ops: every kernel that needs one computes it.
    pub again: BTreeSet<NodeId>,
}

/// `forward` is the number of outputs that belong to the forward pass.
pub fn recomputed(g: &Graph, forward: usize) -> Result<Recomputed, String> {
    if forward == 0 {
        return Ok(Recomputed { graph: g.clone(), again: BTreeSet::new() });
    }
    let mut finder = Finder::new(g, forward)?;
    let chosen = finder.choose();
    finder.rewritten(&chosen)
}

struct Finder<'g> {
    g: &'g Graph,
    forward: Vec<bool>,
    /// What has storage, or will have.
    stored: Vec<bool>,
    /// What a kernel over rows of the forward pass computes.
    in_rows: Vec<bool>,
}

impl<'g> Finder<'g> {
    fn new(g: &'g Graph, forward: usize) -> Result<Self, String> {
        let outputs = &g.outputs[..forward];
        let forward = g.ancestors(outputs);
        // The forward pass as if there were no backward pass.
        let mut alone = Graph { nodes: vec![], outputs: vec![], ..g.clone() };
        let mut map = vec![usize::MAX; g.nodes.len()];
        for (id, node) in g.nodes.iter().enumerate().filter(|(id, _)| forward[*id]) {
            let inputs = node.inputs.iter().map(|input| map[*input]).collect();
            map[id] = alone.nodes.len();
            alone.nodes.push(Node { inputs, ..node.clone() });
        }
        alone.outputs = outputs.iter().map(|id| map[*id]).collect();
        let groups = Groups::of(&alone, 0, &BTreeMap::new(), &BTreeSet::new());
        let outs: BTreeSet<NodeId> =
            groups.rows.iter().flat_map(|group| groups.outs(&alone, group)).collect();
        let stored = |id: NodeId| match &alone.nodes[id].op {
            op if inline(op) || groups.free[id] => false,
            _ if groups.row_of[id].is_some() => outs.contains(&id),
            _ => groups.is_stored(&alone, id),
        };
        let of = |id: usize, f: &dyn Fn(NodeId) -> bool| forward[id] && f(map[id]);
        let all = 0..g.nodes.len();
        Ok(Finder {
            g,
            stored: all.clone().map(|id| of(id, &stored)).collect(),
            in_rows: all.map(|id| of(id, &|id| groups.row_of[id].is_some())).collect(),
            forward,
        })
    }

    /// The scalar ops that are computed again, of those that the backward pass reads: from the first to
    /// the last, so that those further on are computed of what is stored for others.
    fn choose(&mut self) -> BTreeSet<NodeId> {
        let g = self.g;
        let (mut read, mut fixed) = (BTreeSet::new(), BTreeSet::new());
        for (node, _) in g.nodes.iter().zip(&self.forward).filter(|(_, forward)| !**forward) {
            let loops = matches!(node.op, Op::Scalar(_) | Op::Reduce { .. });
            for &input in &node.inputs {
                let Some(base) = view(g, input).map(|v| v.base) else { continue };
                if self.forward[base] {
                    read.insert(base);
                }
                if !loops || base != input {
                    fixed.insert(base);
                }
            }
        }
        fixed.extend(g.outputs.iter().filter_map(|id| Some(view(g, *id)?.base)));
        let common = self.common_arguments(&read);
        let mut chosen = BTreeSet::new();
        for id in read.clone() {
            if self.stored[id] || self.is_free(id) {
                continue;
            }
            if !matches!(g.nodes[id].op, Op::Scalar(_)) {
                // A product of which the forward pass needs only what is made of it.
                self.stored[id] = true;
                continue;
            }
            let mut leaves = BTreeSet::new();
            let mut again = !fixed.contains(&id) && self.is_cheaper(id, &read, &mut leaves);
            let argument = common.get(&id).filter(|argument| !self.stored[**argument]);
            if let Some(&argument) = argument.filter(|_| !fixed.contains(&id) && !again) {
                self.stored[argument] = true;
                leaves.clear();
                again = self.is_cheaper(id, &read, &mut leaves);
                self.stored[argument] = again;
            }
            if again {
                chosen.insert(id);
                read.extend(leaves);
            } else {
                self.stored[id] = true;
            }
        }
        chosen
    }

    /// For values that would be stored, the nearest one that several of them are computed from: of a GELU, the
    /// argument instead of that divided by two and by the root of two.
    fn common_arguments(&mut self, read: &BTreeSet<NodeId>) -> BTreeMap<NodeId, NodeId> {
        let chains: Vec<Vec<NodeId>> = read.iter().map(|id| self.chain(*id)).collect();
        let mut counts: BTreeMap<NodeId, usize> = BTreeMap::new();
        chains.iter().flatten().for_each(|id| *counts.entry(*id).or_default() += 1);
        let common = |chain: &Vec<NodeId>| {
            let most = chain.iter().map(|id| counts[id]).max()?;
            let argument = chain.iter().find(|id| counts[*id] == most)?;
            (argument != &chain[0]).then_some((chain[0], *argument))
        };
        chains.iter().filter_map(common).collect()
    }

    /// A value that is not stored, and those one of which would have to be so that it can be computed again: each
    /// is the only such operand of the one before.
    fn chain(&mut self, id: NodeId) -> Vec<NodeId> {
        let (g, mut chain, mut next) = (self.g, vec![], Some(id));
        while let Some(last) = next.take() {
            if self.stored[last] || self.is_free(last) {
                break;
            }
            chain.push(last);
            let Op::Scalar(row) = g.nodes[last].op else { break };
            if self.in_rows[last] && !is_cheap(row.name) {
                break;
            }
            let mut missing = g.nodes[last].inputs.clone();
            missing.retain(|input| !self.is_available(*input, id, &mut BTreeSet::new()));
            missing.dedup();
            if let [only] = missing[..] {
                next = Some(only).filter(|only| g.shape(*only) == g.shape(id));
            }
        }
        chain
    }

    /// Whether a value is computed from numbers, coordinates and random numbers alone.
    fn is_free(&self, id: NodeId) -> bool {
        let node = &self.g.nodes[id];
        match &node.op {
            op if inline(op) => true,
            Op::Scalar(_) | Op::Reshape(_) | Op::Broadcast(_) => {
                node.inputs.iter().all(|input| self.is_free(*input))
            }
            _ => false,
        }
    }

    /// Whether a value can be computed again from not more memory than it needs itself, beside what is read anyway.
    fn is_cheaper(
        &mut self,
        id: NodeId,
        read: &BTreeSet<NodeId>,
        leaves: &mut BTreeSet<NodeId>,
    ) -> bool {
        self.is_available(id, id, leaves) && leaves.difference(read).count() < 2
    }

    /// Whether a kernel can compute `of` again, an operand of which is `id`. What has fewer elements is stored
    /// instead; what is stored and has as many, or more, is one of the leaves.
    fn is_available(&mut self, id: NodeId, of: NodeId, leaves: &mut BTreeSet<NodeId>) -> bool {
        let g = self.g;
        if id != of && self.is_free(id) {
            return true;
        }
        let Some(base) = view(g, id).map(|v| v.base) else { return false };
        if inline(&g.nodes[base].op) {
            return false;
        }
        let narrow = numel(g.shape(base)) != numel(g.shape(of));
        if self.stored[base] || narrow {
            self.stored[base] = true;
            if !narrow && !matches!(g.nodes[base].op, Op::Param(_) | Op::Input(_)) {
                leaves.insert(base);
            }
            return true;
        }
        let Op::Scalar(row) = g.nodes[id].op else { return false };
        // A kernel over rows stores what costs more than reading it.
        if self.in_rows[id] && !is_cheap(row.name) {
            return false;
        }
        g.nodes[id].inputs.iter().all(|input| self.is_available(*input, of, leaves))
    }

    /// The graph with the chosen ops a second time, for the backward pass.
    fn rewritten(&self, chosen: &BTreeSet<NodeId>) -> Result<Recomputed, String> {
        let g = self.g;
        let mut to = Graph { nodes: vec![], outputs: vec![], ..g.clone() };
        let (mut map, mut twins) = (vec![], BTreeMap::new());
        for (id, node) in g.nodes.iter().enumerate() {
            let mut inputs: Vec<NodeId> = node.inputs.iter().map(|input| map[*input]).collect();
            if !self.forward[id] {
                for (input, from) in inputs.iter_mut().zip(&node.inputs) {
                    if chosen.contains(from) {
                        *input = self.twin(&mut to, &map, &mut twins, *from);
                    }
                }
            }
            map.push(to.nodes.len());
            to.nodes.push(Node { inputs, ..node.clone() });
        }
        to.outputs = g.outputs.iter().map(|id| map[*id]).collect();
        Ok(Recomputed { graph: to, again: twins.into_values().collect() })
    }

    /// An op once more, with those of its operands that are not stored.
    fn twin(
        &self,
        to: &mut Graph,
        map: &[NodeId],
        twins: &mut BTreeMap<NodeId, NodeId>,
        id: NodeId,
    ) -> NodeId {
        if let Some(twin) = twins.get(&id) {
            return *twin;
        }
        let node = &self.g.nodes[id];
        let operand = |input: &NodeId| {
            let read = view(self.g, *input).is_some_and(|v| self.stored[v.base]);
            match read || self.is_free(*input) {
                true => map[*input],
                false => self.twin(to, map, twins, *input),
            }
        };
        let inputs = node.inputs.iter().map(operand).collect();
        to.nodes.push(Node { inputs, ..node.clone() });
        twins.insert(id, to.nodes.len() - 1);
        to.nodes.len() - 1
    }
}
