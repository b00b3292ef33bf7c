//! Which ops become one kernel over rows: folds over the last axes and the scalar ops around them, of the
//! row's elements and of numbers of the row. Softmax, layer norm and cross entropy are such groups, and
//! their derivatives.
//!
//! A group grows from its folds on to what is computed of them, as long as nothing outside lies between two of
//! its members; then it takes in what only it reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::fuse::{align, view};
use crate::graph::{Graph, NodeId};
use crate::groups::Groups;
use crate::ops::Op;
use crate::shape::{Dim, Shape, contiguous};

/// Ops that one kernel computes, row by row.
#[derive(Clone)]
pub struct RowGroup {
    pub members: BTreeSet<NodeId>,
    /// The sizes of the rows and of the row, without axes of size 1.
    pub shape: Shape,
    /// How many of these axes count the rows.
    pub lead: usize,
    forward: bool,
}

/// The sizes, or what belongs to them, of axes that have more than one place.
pub fn bare<'d>(shape: &'d [Dim], of: &'d [Dim]) -> Vec<Dim> {
    shape.iter().zip(of).filter(|(size, _)| !size.is_one()).map(|(_, of)| of.clone()).collect()
}

impl RowGroup {
    /// The group of a fold over the last axes of several rows.
    fn seed(g: &Graph, id: NodeId, forward: bool) -> Option<RowGroup> {
        let node = &g.nodes[id];
        let Op::Reduce { axes, .. } = &node.op else { return None };
        let from = g.shape(node.inputs[0]);
        let sized = (0..from.len()).filter(|axis| !from[*axis].is_one());
        let reduced: Vec<bool> = sized.map(|axis| axes.contains(&axis)).collect();
        let lead = reduced.iter().take_while(|reduced| !**reduced).count();
        let last =
            lead > 0 && lead < reduced.len() && reduced[lead..].iter().all(|reduced| *reduced);
        let members = BTreeSet::from([id]);
        last.then(|| RowGroup { members, shape: bare(from, from), lead, forward })
    }

    /// Whether a value of this shape has an element for each of the row; `false` where it has one number.
    pub fn is_wide(&self, shape: &[Dim]) -> Option<bool> {
        let sizes = bare(shape, shape);
        (sizes == self.shape || sizes == self.shape[..self.lead]).then(|| sizes == self.shape)
    }

    /// The shape in whose positions a member reads an operand.
    pub fn reading(g: &Graph, id: NodeId, operand: NodeId) -> &Shape {
        match g.nodes[id].op {
            Op::Scalar(_) => g.shape(id),
            _ => g.shape(operand),
        }
    }

    /// Whether a node of this kind and shape can be a member.
    fn accepts(&self, g: &Graph, id: NodeId) -> bool {
        let node = &g.nodes[id];
        match &node.op {
            Op::Scalar(_) => self.is_wide(&node.shape).is_some(),
            Op::Reduce { .. } => RowGroup::seed(g, id, self.forward)
                .is_some_and(|other| other.shape == self.shape && other.lead == self.lead),
            Op::Gather => {
                let [x, index] = [0, 1].map(|i| g.shape(node.inputs[i]));
                let last = x.last().is_some_and(|size| !size.is_one());
                last && self.lead + 1 == self.shape.len()
                    && self.is_wide(x) == Some(true)
                    && self.is_wide(index) == Some(false)
            }
            _ => false,
        }
    }

    /// Whether a member reads another one at its own position, or row.
    fn reads_in_place(&self, g: &Graph, id: NodeId, operand: NodeId) -> bool {
        let shape = RowGroup::reading(g, id, operand);
        let (Some(v), Some(wide)) = (view(g, operand), self.is_wide(shape)) else { return false };
        let strides = bare(shape, &align(&v.shape, &v.strides, shape));
        let mut expected = match self.is_wide(g.shape(v.base)) {
            Some(true) => contiguous(&self.shape),
            _ => contiguous(&self.shape[..self.lead]),
        };
        if wide {
            expected.resize(self.shape.len().max(expected.len()), Dim::literal(0));
        }
        v.offset.is_zero() && strides == expected
    }
}

/// Finds the groups.
struct Finder<'g> {
    g: &'g Graph,
    plain: &'g Groups,
    outputs: &'g BTreeSet<NodeId>,
    updates: &'g BTreeMap<NodeId, NodeId>,
    /// For each value the ops that read it, directly or as a view.
    users: Vec<Vec<NodeId>>,
    of: Vec<Option<usize>>,
    groups: Vec<Option<RowGroup>>,
}

/// The groups of a graph, given how its ops would be fused without them.
pub fn find(
    g: &Graph,
    plain: &Groups,
    outputs: &BTreeSet<NodeId>,
    updates: &BTreeMap<NodeId, NodeId>,
) -> Vec<RowGroup> {
    let (users, of) = (users(g), vec![None; g.nodes.len()]);
    let mut finder = Finder { g, plain, outputs, updates, users, of, groups: vec![] };
    for id in 0..g.nodes.len() {
        finder.grow(id);
    }
    for id in (0..g.nodes.len()).rev() {
        finder.absorb(id);
    }
    let groups: Vec<RowGroup> = finder.groups.iter().flatten().cloned().collect();
    let worth = |group: &RowGroup| finder.kernels(group) > 1;
    groups.into_iter().filter(worth).collect()
}

/// For each value the ops that read its storage; views are none.
pub fn users(g: &Graph) -> Vec<Vec<NodeId>> {
    let mut users = vec![vec![]; g.nodes.len()];
    for (id, node) in g.nodes.iter().enumerate() {
        let moves = matches!(
            node.op,
            Op::Reshape(_) | Op::Broadcast(_) | Op::Permute(_) | Op::Slice { .. }
        );
        for &input in node.inputs.iter().filter(|_| !moves) {
            users[view(g, input).map_or(input, |v| v.base)].push(id);
        }
    }
    users
}

impl Finder<'_> {
    /// Whether an op may be part of a group: not one that is computed in the loop of a product, or again by
    /// every reader, nor one that is written over what it reads, which a kernel over rows cannot do.
    fn may_join(&self, id: NodeId) -> bool {
        if self.updates.contains_key(&id) {
            return false;
        }
        match self.g.nodes[id].op {
            Op::Scalar(_) => {
                let hosted = |root: NodeId| self.plain.host_of[root].is_some();
                !self.plain.free[id] && !self.plain.root[id].is_some_and(hosted)
            }
            Op::Reduce { .. } | Op::Gather => true,
            _ => false,
        }
    }

    /// Puts an op that reads members of groups into one with them; a fold that reads none begins one.
    fn grow(&mut self, id: NodeId) {
        if !self.may_join(id) {
            return;
        }
        let (g, forward) = (self.g, self.plain.forward[id]);
        let mut near: Vec<usize> = vec![];
        for &input in &g.nodes[id].inputs {
            let of = view(g, input).and_then(|v| self.of[v.base]);
            near.extend(of.filter(|of| !near.contains(of)));
        }
        // The newest first: the others are often what it is computed from.
        near.sort_unstable_by(|a, b| b.cmp(a));
        let mut joined = RowGroup::seed(g, id, forward);
        let mut found = joined.is_some();
        for of in near {
            let Some(other) = &self.groups[of] else { continue };
            if other.forward != forward || !other.accepts(g, id) {
                continue;
            }
            let mut union = other.clone();
            union.members.insert(id);
            if let Some(so_far) = joined.as_ref().filter(|so_far| so_far.shape == union.shape) {
                union.members.extend(&so_far.members);
            }
            if self.is_sound(&union) {
                self.groups[of] = None;
                self.replace(&union);
                joined = Some(union);
                found = false;
            }
        }
        if let Some(seed) = joined.filter(|_| found) {
            self.replace(&seed);
        }
    }

    /// Makes a group of its members, which may have been in others.
    fn replace(&mut self, group: &RowGroup) {
        for &id in &group.members {
            if let Some(of) = self.of[id] {
                self.groups[of] = None;
            }
            self.of[id] = Some(self.groups.len());
        }
        self.groups.push(Some(group.clone()));
    }

    /// Takes an op that only members of one group read into it.
    fn absorb(&mut self, id: NodeId) {
        let only = self.users[id].first().and_then(|user| self.of[*user]);
        let Some(of) = only.filter(|_| self.of[id].is_none() && self.may_join(id)) else { return };
        let Some(group) = &self.groups[of] else { return };
        let fits = self.users[id].iter().all(|user| self.of[*user] == Some(of))
            && !self.outputs.contains(&id)
            && self.plain.forward[id] == group.forward
            && group.accepts(self.g, id);
        if fits {
            let mut union = group.clone();
            union.members.insert(id);
            if self.is_sound(&union) {
                self.replace(&union);
            }
        }
    }

    /// Whether all members read each other in place, and nothing that one of them reads depends on another.
    fn is_sound(&self, group: &RowGroup) -> bool {
        let in_place = |id: &NodeId| {
            self.g.nodes[*id].inputs.iter().all(|&input| {
                let inside = view(self.g, input).is_some_and(|v| group.members.contains(&v.base));
                !inside || group.reads_in_place(self.g, *id, input)
            })
        };
        group.members.iter().all(in_place) && !self.comes_back(&group.members)
    }

    /// Whether a way leads out of the members and back, where other groups are one kernel each.
    fn comes_back(&self, members: &BTreeSet<NodeId>) -> bool {
        let mut seen = vec![false; self.g.nodes.len()];
        let users = |id: &NodeId| self.users[*id].iter().copied();
        let mut open: Vec<NodeId> = members.iter().flat_map(users).collect();
        open.retain(|id| !members.contains(id));
        while let Some(id) = open.pop() {
            if members.contains(&id) {
                return true;
            }
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            match self.of[id].and_then(|of| self.groups[of].as_ref()) {
                Some(group) => {
                    group.members.iter().for_each(|member| seen[*member] = true);
                    open.extend(group.members.iter().flat_map(users));
                    open.retain(|next| members.contains(next) || !group.members.contains(next));
                }
                None => open.extend(users(&id)),
            }
        }
        false
    }

    /// How many kernels the members would be without the group.
    fn kernels(&self, group: &RowGroup) -> usize {
        let kernel = |id: &NodeId| self.plain.root[*id].unwrap_or(*id);
        group.members.iter().map(kernel).collect::<BTreeSet<NodeId>>().len()
    }
}
