//! Which scalar ops are computed in the loop of a matrix product or a convolution, while its sums are in the cache.
//!
//! First those that all of a product's readers are part of. Then, once it is known what kernels over rows
//! compute, whatever else would be a loop of its own over values of the product's loop: the activation of
//! an argument that the backward pass needs too, the residual sum after a projection to the rows of all positions.

use std::collections::{BTreeMap, BTreeSet};

use crate::fuse::view;
use crate::graph::{Graph, NodeId};
use crate::groups::{Groups, scalar};
use crate::kernels::{GRID_RANK, epilogue};
use crate::ops::Op;
use crate::row_groups::users;
use crate::shape::numel;

#[cfg(test)]
mod tests;

/// What a product's loop computes beside the product.
#[derive(Clone)]
pub struct Epilogue {
    /// The groups that it computes.
    pub roots: Vec<NodeId>,
    /// What it stores of them and of the product itself.
    pub outs: Vec<NodeId>,
}

/// Whether the op is a product that can have an epilogue.
fn is_product(op: &Op) -> bool {
    matches!(op, Op::Matmul { .. } | Op::Conv2d(_))
}

/// Makes the group of all consumers the epilogue of a product, where that is possible.
pub fn host(g: &Graph, groups: &mut Groups, outputs: &BTreeSet<NodeId>, consumers: &[Vec<NodeId>]) {
    for (id, node) in g.nodes.iter().enumerate() {
        if !is_product(&node.op) || outputs.contains(&id) {
            continue;
        }
        let root = consumers[id].first().and_then(|c| groups.root[*c]);
        let Some(root) = root.filter(|root| scalar(&g.nodes[*root].op)) else { continue };
        let fits = consumers[id].iter().all(|c| groups.root[*c] == Some(root))
            && g.shape(id) == g.shape(root)
            && (matches!(node.op, Op::Matmul { .. }) || g.shape(id).len() <= GRID_RANK)
            && groups.forward[id] == groups.forward[root]
            && groups.host_of[root].is_none();
        let one = Epilogue { roots: vec![root], outs: vec![root] };
        // Some loops are not those of the product's grid.
        if fits && epilogue(g, groups, id, Some(&one)).is_ok() {
            groups.host_of[root] = Some(id);
            groups.epilogue.insert(id, one);
        }
    }
}

/// Makes further groups part of the epilogues: those that would be loops over what a product's loop computes.
/// Of several products that one could be part of, the last: the others are known by then.
pub fn extend(
    g: &Graph,
    groups: &mut Groups,
    outputs: &BTreeSet<NodeId>,
    updates: &BTreeMap<NodeId, NodeId>,
) {
    let products: Vec<NodeId> =
        (0..g.nodes.len()).rev().filter(|id| is_product(&g.nodes[*id].op)).collect();
    if products.is_empty() {
        return;
    }
    let users = users(g);
    let mut after = users.clone();
    for (&out, input) in updates {
        for &reader in &users[*input] {
            // What reads an input comes before what is written over it.
            if reader != out && groups.root[reader] != Some(out) {
                after[reader].push(out);
            }
        }
    }
    let (of, kernels) = (vec![None; g.nodes.len()], vec![]);
    let mut extension = Extension { g, groups, outputs, updates, users, after, of, kernels };
    products.into_iter().for_each(|id| extension.extend(id));
}

struct Extension<'g> {
    g: &'g Graph,
    groups: &'g mut Groups,
    outputs: &'g BTreeSet<NodeId>,
    updates: &'g BTreeMap<NodeId, NodeId>,
    /// For each value the ops that read it, directly or as a view.
    users: Vec<Vec<NodeId>>,
    /// For each op those that must come after it.
    after: Vec<Vec<NodeId>>,
    /// For each op the extended product whose kernel computes it.
    of: Vec<Option<usize>>,
    kernels: Vec<BTreeSet<NodeId>>,
}

impl Extension<'_> {
    fn extend(&mut self, product: NodeId) {
        let mut roots = self.groups.epilogue.get(&product).map_or(vec![], |e| e.roots.clone());
        if roots.iter().any(|root| self.updates.contains_key(root)) {
            return;
        }
        let mut members = BTreeSet::from([product]);
        for root in &roots {
            members.extend(self.own_members(*root));
        }
        let before = roots.len();
        while let Some((root, union)) = self.next(product, &roots, &members) {
            roots.push(root);
            members = union;
        }
        if roots.len() == before {
            return;
        }
        for &id in &members {
            self.of[id] = Some(self.kernels.len());
        }
        for &root in &roots {
            self.groups.host_of[root] = Some(product);
        }
        let epilogue = self.epilogue(product, roots, &members);
        self.kernels.push(members);
        self.groups.epilogue.insert(product, epilogue);
    }

    /// The next group that can be part of the epilogue, and the members with it.
    fn next(
        &self,
        product: NodeId,
        roots: &[NodeId],
        members: &BTreeSet<NodeId>,
    ) -> Option<(NodeId, BTreeSet<NodeId>)> {
        let readers = members.iter().flat_map(|id| &self.users[*id]);
        let readers = readers.filter(|user| !members.contains(user));
        let near: BTreeSet<NodeId> = readers.filter_map(|user| self.groups.root[*user]).collect();
        near.into_iter().find_map(|root| {
            let union = self.with(product, root, members)?;
            let roots = roots.iter().copied().chain([root]).collect();
            let whole = self.epilogue(product, roots, &union);
            epilogue(self.g, self.groups, product, Some(&whole)).is_ok().then_some((root, union))
        })
    }

    /// The members with those of a further group, if it can be computed with them.
    fn with(
        &self,
        product: NodeId,
        root: NodeId,
        members: &BTreeSet<NodeId>,
    ) -> Option<BTreeSet<NodeId>> {
        let (g, groups) = (self.g, &self.groups);
        let fits = scalar(&g.nodes[root].op)
            && groups.host_of[root].is_none()
            && groups.forward[root] == groups.forward[product]
            && numel(g.shape(root)) == numel(g.shape(product))
            && !self.updates.contains_key(&root);
        if !fits {
            return None;
        }
        let added = self.own_members(root);
        let mut union = members.clone();
        union.extend(&added);
        for input in added.iter().flat_map(|id| &g.nodes[*id].inputs) {
            let Some(v) = view(g, *input).filter(|v| members.contains(&v.base)) else { continue };
            // Element by element, and not the last to read what it could be written over.
            let in_place = v.is_stored() && numel(&v.shape) == numel(g.shape(v.base));
            if !in_place || self.dies_at(v.base, root, &union) {
                return None;
            }
        }
        (!self.comes_back(&union)).then_some(union)
    }

    /// The scalar ops of a group without those that every kernel computes for itself.
    fn own_members(&self, root: NodeId) -> BTreeSet<NodeId> {
        let mut members = self.groups.members(self.g, root);
        members.retain(|id| self.groups.root[*id] == Some(root));
        members
    }

    fn epilogue(
        &self,
        product: NodeId,
        mut roots: Vec<NodeId>,
        members: &BTreeSet<NodeId>,
    ) -> Epilogue {
        roots.sort_unstable();
        let kept = |id: &NodeId| self.outputs.contains(id) || self.outside(*id, members).is_some();
        let outs = [product].into_iter().chain(roots.iter().copied()).filter(kept).collect();
        Epilogue { roots, outs }
    }

    /// The last op beside the members that reads a value.
    fn outside(&self, id: NodeId, members: &BTreeSet<NodeId>) -> Option<NodeId> {
        self.users[id].iter().copied().filter(|user| !members.contains(user)).max()
    }

    /// Whether other kernels have read a value before the one of a root, which could be written over it.
    fn dies_at(&self, id: NodeId, root: NodeId, members: &BTreeSet<NodeId>) -> bool {
        let Some(last) = self.outside(id, members) else { return false };
        let (forward, last) = (&self.groups.forward, self.groups.root[last].unwrap_or(last));
        !self.outputs.contains(&id) && forward[last] == forward[id] && last < root
    }

    /// Whether a way leads out of the members and back, through other kernels with several outputs too.
    fn comes_back(&self, members: &BTreeSet<NodeId>) -> bool {
        let mut seen = vec![false; self.g.nodes.len()];
        let mut open: Vec<NodeId> =
            members.iter().flat_map(|id| &self.after[*id]).copied().collect();
        open.retain(|id| !members.contains(id));
        while let Some(id) = open.pop() {
            if members.contains(&id) {
                return true;
            }
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            let rows = self.groups.row_of[id].map(|row| &self.groups.rows[row].members);
            match rows.or(self.of[id].map(|kernel| &self.kernels[kernel])) {
                Some(together) => {
                    for &id in together {
                        seen[id] = true;
                        let next = self.after[id].iter();
                        open.extend(next.filter(|next| !together.contains(next)));
                    }
                }
                None => open.extend(&self.after[id]),
            }
        }
        false
    }
}
