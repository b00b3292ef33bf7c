//! Which scalar ops become one loop: trees of scalar ops, their leaves and their text in Rust and WGSL.

use std::collections::BTreeSet;

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::{ConstExpr, Dim, Shape, broadcast, contiguous, numel};

/// A value as strides over the storage of another node.
#[derive(Clone)]
pub struct View {
    pub base: NodeId,
    pub shape: Shape,
    pub strides: Vec<Dim>,
    /// The element that the first one is.
    pub offset: Dim,
}

impl View {
    /// Whether it is the storage itself, from its first element on, in row order.
    pub fn is_stored(&self) -> bool {
        self.offset.is_zero() && self.is_contiguous()
    }

    /// Whether elements lie in row order without gaps. Axes of size 1 have no stride that matters.
    pub fn is_contiguous(&self) -> bool {
        let row_order = contiguous(&self.shape);
        let mut axes = self.shape.iter().zip(self.strides.iter().zip(&row_order));
        axes.all(|(size, (stride, expected))| size.is_one() || stride == expected)
    }
}

/// The value of a node as strides, through ops that only move elements. `None` where a reshape
/// of strided elements needs a copy first.
pub fn view(g: &Graph, id: NodeId) -> Option<View> {
    let node = &g.nodes[id];
    let inner = |input: usize| view(g, node.inputs[input]);
    let shape = node.shape.clone();
    Some(match &node.op {
        Op::Reshape(_) => {
            let v = inner(0)?;
            let strides = if v.is_contiguous() { contiguous(&shape) } else { regroup(&v, &shape)? };
            View { shape, strides, ..v }
        }
        Op::Broadcast(_) => {
            let v = inner(0)?;
            let strides = align(&v.shape, &v.strides, &shape);
            View { shape, strides, ..v }
        }
        Op::Permute(axes) => {
            let v = inner(0)?;
            let strides = axes.iter().map(|axis| v.strides[*axis].clone()).collect();
            View { shape, strides, ..v }
        }
        Op::Slice { range, .. } => {
            let mut v = inner(0)?;
            v.offset = v.offset.add(&range.start.mul(&v.strides[range.axis]));
            v.strides[range.axis] = v.strides[range.axis].mul(&Dim::literal(range.step as u64));
            View { shape, ..v }
        }
        _ => View { base: id, strides: contiguous(&shape), shape, offset: Dim::literal(0) },
    })
}

/// Strides after adding and removing axes of size 1.
fn squeeze(v: &View, to: &Shape) -> Option<Vec<Dim>> {
    let mut from = v.shape.iter().zip(&v.strides).filter(|(size, _)| !size.is_one());
    let strides = to
        .iter()
        .map(|size| match size.is_one() {
            true => Some(Dim::literal(0)),
            false => from.next().filter(|(old, _)| *old == size).map(|(_, stride)| stride.clone()),
        })
        .collect::<Option<Vec<Dim>>>()?;
    from.next().is_none().then_some(strides)
}

/// Strides after axes of strided elements are merged and divided: from the outermost axis on, the least axes
/// on both sides that have equally many elements; those of one side must lie as one axis would.
fn regroup(v: &View, to: &Shape) -> Option<Vec<Dim>> {
    if let Some(strides) = squeeze(v, to) {
        return Some(strides);
    }
    let mut from = v.shape.iter().zip(&v.strides).filter(|(size, _)| !size.is_one()).peekable();
    let mut strides = vec![Dim::literal(0); to.len()];
    let mut axes = (0..to.len()).filter(|axis| !to[*axis].is_one()).peekable();
    while let Some((size, stride)) = from.next() {
        let (mut have, mut inner) = (size.clone(), stride.clone());
        let mut group = vec![axes.next()?];
        let mut want = to[group[0]].clone();
        while have != want {
            if have.div(&want).is_some() {
                let axis = axes.next()?;
                want = want.mul(&to[axis]);
                group.push(axis);
            } else {
                let (size, stride) = from.next()?;
                if inner != stride.mul(size) {
                    return None;
                }
                (have, inner) = (have.mul(size), stride.clone());
            }
        }
        for axis in group.into_iter().rev() {
            strides[axis] = inner.clone();
            inner = inner.mul(&to[axis]);
        }
    }
    axes.next().is_none().then_some(strides)
}

/// Strides of a value that broadcasts to `to`: 0 along what is repeated.
pub fn align(shape: &[Dim], strides: &[Dim], to: &[Dim]) -> Vec<Dim> {
    let added = to.len() - shape.len();
    (0..to.len())
        .map(|i| match i.checked_sub(added) {
            Some(j) if !shape[j].is_one() || to[i].is_one() => strides[j].clone(),
            _ => Dim::literal(0),
        })
        .collect()
}

/// What a tree reads.
#[derive(Clone, PartialEq)]
pub enum Leaf {
    /// The storage of a node, with strides over the tree's shape.
    View {
        base: NodeId,
        offset: Dim,
        strides: Vec<Dim>,
    },
    Coordinate {
        strides: Vec<Dim>,
    },
    Uniform {
        stream: String,
        per_sample: Dim,
    },
}

/// A number in a tree.
#[derive(Clone, PartialEq)]
pub enum Number {
    Literal(u64),
    Size(Dim),
    /// A constant of the user's, of any type of numbers.
    Const(ConstExpr),
    /// A run-time setting.
    Setting(usize),
}

/// Fused scalar expressions over a shape. Two trees with the same text are one function in printed code:
/// numbers are arguments.
#[derive(Clone)]
pub struct Tree {
    pub shape: Shape,
    pub leaves: Vec<Leaf>,
    pub numbers: Vec<Number>,
    /// `let` statements, of `a0`.., `c0`.. and, in an epilogue, `x`.
    pub rust: String,
    /// The same in WGSL.
    pub wgsl: Vec<String>,
    /// The results: names of variables in both languages.
    pub values: Vec<String>,
    /// As listings print it.
    pub text: String,
}

/// Builds the tree of one or several roots: `members` are computed, everything else is read. `host` is the node
/// whose value an epilogue gets as `x`; its members may have other shapes of as many elements.
pub struct Builder<'g> {
    pub graph: &'g Graph,
    pub members: &'g BTreeSet<NodeId>,
    pub host: Option<NodeId>,
    tree: Tree,
    /// What has a variable: the shape in whose positions it is read, where that is not the tree's; its name, and
    /// its text for listings.
    known: Vec<(NodeId, Option<Shape>, (String, String))>,
    temporaries: usize,
    /// Roots that listings name, because there are several.
    named: Vec<NodeId>,
    /// For listings, what is computed once and used several times.
    shared: Vec<String>,
}

impl<'g> Builder<'g> {
    pub fn new(
        graph: &'g Graph,
        members: &'g BTreeSet<NodeId>,
        host: Option<NodeId>,
        shape: Shape,
    ) -> Self {
        let tree = Tree {
            shape,
            leaves: vec![],
            numbers: vec![],
            rust: String::new(),
            wgsl: vec![],
            values: vec![],
            text: String::new(),
        };
        let (known, named, shared) = (vec![], vec![], vec![]);
        Builder { graph, members, host, tree, known, temporaries: 0, named, shared }
    }

    /// The tree whose values are the roots: members, the host, or a single leaf.
    pub fn build(mut self, roots: &[NodeId]) -> Result<Tree, String> {
        let shape = self.tree.shape.clone();
        if roots.len() > 1 {
            self.named = roots.to_vec();
        }
        for &root in roots {
            let (value, text) = self.operand(root, &shape)?;
            self.tree.values.push(value);
            let label = self.graph.label(root);
            if roots.len() == 1 {
                self.shared.push(text);
            } else if text != label {
                self.shared.push(format!("{label} = {text}"));
            }
        }
        self.tree.text = self.shared.join("; ");
        Ok(self.tree)
    }

    /// The variable that holds an operand of what has the shape `at`, and its text for listings.
    fn operand(&mut self, id: NodeId, at: &Shape) -> Result<(String, String), String> {
        let id = self.computed(id);
        // What has as many elements has positions of its own.
        let own = self.host.is_some()
            && *self.graph.shape(id) != *at
            && numel(self.graph.shape(id)) == numel(&self.tree.shape);
        let at = if own { self.graph.shape(id) } else { at };
        let other = Some(at).filter(|at| **at != self.tree.shape);
        let known = self.known.iter().find(|(known, at, _)| *known == id && at.as_ref() == other);
        if let Some((.., pair)) = known {
            return Ok(pair.clone());
        }
        let other = other.cloned();
        let pair = if self.host == Some(id) {
            ("x".to_owned(), self.graph.label(id))
        } else if self.members.contains(&id) {
            let (name, text) = self.member(id, at)?;
            (name, self.shortened(id, text))
        } else {
            self.leaf(id, at)?
        };
        self.known.push((id, other, pair.clone()));
        Ok(pair)
    }

    /// The member or host that an operand is, in another shape or in its own; otherwise the operand.
    fn computed(&self, id: NodeId) -> NodeId {
        let is_here = |id: NodeId| self.host == Some(id) || self.members.contains(&id);
        match view(self.graph, id) {
            Some(v) if self.host.is_some() && v.base != id && is_here(v.base) => v.base,
            _ => id,
        }
    }

    /// The text of a member, or the name that it gets where several members read it: written out, a chain of
    /// such members would double with each of them.
    fn shortened(&mut self, id: NodeId, text: String) -> String {
        let inputs = self.members.iter().flat_map(|member| &self.graph.nodes[*member].inputs);
        let readers = inputs.filter(|input| self.computed(**input) == id).count();
        let named = self.named.contains(&id);
        if (readers < 2 && !named) || !text.contains('(') {
            return text;
        }
        let name = match named {
            true => self.graph.label(id),
            false => format!("t{}", self.shared.len()),
        };
        self.shared.push(format!("{name} = {text}"));
        name
    }

    fn member(&mut self, id: NodeId, at: &Shape) -> Result<(String, String), String> {
        let node = &self.graph.nodes[id];
        let row = match &node.op {
            Op::Scalar(row) => *row,
            // Views and copies of members change nothing in a loop over the same shape.
            _ => return self.operand(node.inputs[0], at),
        };
        let operands = node.inputs.iter().map(|input| self.operand(*input, at));
        let operands = operands.collect::<Result<Vec<_>, _>>()?;
        let fill = |template: &str| {
            operands
                .iter()
                .zip(["{a}", "{b}", "{c}"])
                .fold(template.to_owned(), |text, ((name, _), hole)| text.replace(hole, name))
        };
        let name = format!("t{}", self.temporaries);
        self.temporaries += 1;
        self.tree.rust.push_str(&format!("let {name} = {};", fill(row.rust)));
        self.tree.wgsl.push(format!("let {name} = {};", fill(row.wgsl)));
        let texts: Vec<&str> = operands.iter().map(|(_, text)| text.as_str()).collect();
        Ok((name, format!("{}({})", row.name, texts.join(", "))))
    }

    /// What is read, at the positions of a shape of as many elements as the tree's.
    fn leaf(&mut self, id: NodeId, at: &Shape) -> Result<(String, String), String> {
        let g = self.graph;
        let v = view(g, id).ok_or("a view that needs a copy")?;
        let base = &g.nodes[v.base];
        if let Some(number) = number(&base.op) {
            let text = g.label(v.base);
            return Ok((format!("c{}", position(&mut self.tree.numbers, number)), text));
        }
        if broadcast(&v.shape, at).as_ref() != Some(at) {
            return Err(format!("%{id} does not broadcast to the loop that reads it"));
        }
        let mut strides = align(&v.shape, &v.strides, at);
        if *at != self.tree.shape {
            let read = View { shape: at.clone(), strides, ..v.clone() };
            strides = regroup(&read, &self.tree.shape)
                .ok_or_else(|| format!("%{id} is not regular along the loop that reads it"))?;
        }
        let leaf = match &base.op {
            Op::Coordinate(_) if !v.offset.is_zero() => {
                return Err("a part of coordinates".to_owned());
            }
            Op::Coordinate(_) => Leaf::Coordinate { strides },
            Op::Uniform { stream, shape } => {
                if numel(shape) != numel(&self.tree.shape) || !v.is_stored() {
                    return Err("random numbers that are broadcast".to_owned());
                }
                let per_sample = numel(shape.get(1..).unwrap_or_default());
                Leaf::Uniform { stream: stream.clone(), per_sample }
            }
            _ => Leaf::View { base: v.base, offset: v.offset, strides },
        };
        let text = match &leaf {
            Leaf::View { base, .. } => g.label(*base),
            Leaf::Coordinate { .. } => "coordinate".to_owned(),
            Leaf::Uniform { stream, .. } => format!("uniform `{stream}`"),
        };
        Ok((format!("a{}", position(&mut self.tree.leaves, leaf)), text))
    }
}

/// The number that an op is, if it is one.
pub fn number(op: &Op) -> Option<Number> {
    match op {
        Op::Const(bits) => Some(Number::Literal(*bits)),
        Op::Size(dim) => Some(Number::Size(dim.clone())),
        Op::Number(constant) => Some(Number::Const(constant.clone())),
        Op::Setting(i) => Some(Number::Setting(*i)),
        _ => None,
    }
}

/// The index of an item, which is added where it is new.
pub fn position<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    match items.iter().position(|other| *other == item) {
        Some(i) => i,
        None => {
            items.push(item);
            items.len() - 1
        }
    }
}

/// A loop's axes, merged where every reader visits two of them as one.
pub struct Axes {
    pub sizes: Vec<Dim>,
    /// Strides of each reader.
    pub strides: Vec<Vec<Dim>>,
    /// Which of the merged axes each flagged one belongs to.
    pub flags: Vec<bool>,
}

/// Merges adjacent axes with the same flag. Axes of size 1 vanish.
pub fn merge(shape: &[Dim], strides: &[Vec<Dim>], flags: &[bool]) -> Axes {
    let mut axes = Axes { sizes: vec![], strides: vec![vec![]; strides.len()], flags: vec![] };
    for (i, size) in shape.iter().enumerate() {
        if size.is_one() {
            continue;
        }
        let joins = axes.flags.last() == Some(&flags[i])
            && strides
                .iter()
                .zip(&axes.strides)
                .all(|(new, old)| old.last().is_some_and(|outer| *outer == new[i].mul(size)));
        if joins {
            let last = axes.sizes.len() - 1;
            axes.sizes[last] = axes.sizes[last].mul(size);
            for (old, new) in axes.strides.iter_mut().zip(strides) {
                old[last] = new[i].clone();
            }
        } else {
            axes.sizes.push(size.clone());
            axes.flags.push(flags[i]);
            for (old, new) in axes.strides.iter_mut().zip(strides) {
                old.push(new[i].clone());
            }
        }
    }
    axes
}
