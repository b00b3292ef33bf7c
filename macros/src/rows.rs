//! The program of a group over rows: which pass computes what, what is kept between passes, and the text of
//! each in Rust and WGSL.
//!
//! A fold is known after the pass over its elements; what is computed of it, at the next level. A pass
//! evaluates what its folds and outputs need from the inputs, again where that is cheap; what costs
//! more than reading it is kept from the first pass that needs it.

mod levels;
#[cfg(test)]
pub mod tests;

use std::collections::BTreeMap;

pub use levels::is_cheap;
use levels::{Levels, kept, levels, members_read, pass_of};

use crate::fuse::{Leaf, Number, align, merge, number, position, view};
use crate::graph::{Graph, NodeId};
use crate::groups::Groups;
use crate::kernels::GRID_RANK;
use crate::ops::Op;
use crate::ops::reduce::Fold;
use crate::row_groups::{RowGroup, bare};
use crate::shape::{Dim, Shape, numel, show};

/// A planned kernel over rows.
pub struct Rows {
    pub grid: Vec<Dim>,
    /// How many axes of the grid count rows.
    pub lead: usize,
    /// Inputs with an element for each of the row, and with a number for each row.
    pub leaves: Vec<Leaf>,
    pub params: Vec<Leaf>,
    pub numbers: Vec<Number>,
    /// How many rows are kept between passes.
    pub kept: usize,
    /// How many numbers are computed for each row.
    pub computed: usize,
    /// The nodes that are stored, and whether they are as wide as the row.
    pub outs: Vec<(NodeId, bool)>,
    pub steps: Vec<RowStep>,
    /// As listings print it.
    pub text: String,
}

/// What is done with a row, in order.
pub enum RowStep {
    Pass {
        ins: Vec<In>,
        to: Vec<To>,
        code: Code,
    },
    /// The element of an expression at the index.
    Pick {
        name: String,
        index: String,
        ins: Vec<In>,
        code: Code,
    },
    Number {
        name: String,
        code: Code,
    },
    Put {
        out: usize,
        name: String,
    },
}

/// What a pass reads: an input by its number, or a kept row.
#[derive(Clone, Copy, PartialEq)]
pub enum In {
    Leaf(usize),
    Kept(usize),
}

/// What becomes of a value of a pass: a fold has a name.
#[derive(Clone)]
pub enum To {
    Fold(Fold, String),
    Out(usize),
    Keep(usize),
}

/// Statements, and an expression for each value, in both languages.
#[derive(Default, Clone)]
pub struct Code {
    pub rust: String,
    pub wgsl: Vec<String>,
    pub values: Vec<String>,
    /// The numbers of the row that it reads.
    pub numbers: Vec<String>,
}

/// The program of a group. An error says why no kernel can compute it.
pub fn rows(g: &Graph, groups: &Groups, group: &RowGroup, outs: &[NodeId]) -> Result<Rows, String> {
    let wide = |id: NodeId| group.is_wide(g.shape(id)).unwrap_or(false);
    let levels = levels(g, group);
    let kept = kept(g, group, &levels, outs);
    let rows = Rows {
        grid: vec![],
        lead: 0,
        leaves: vec![],
        params: vec![],
        numbers: vec![],
        kept: kept.len(),
        computed: 0,
        outs: outs.iter().map(|id| (*id, wide(*id))).collect(),
        steps: vec![],
        text: String::new(),
    };
    let mut builder =
        Builder { g, groups, group, kept, rows, names: BTreeMap::new(), shortened: 0 };
    let last = levels.values().copied().max().unwrap_or(0);
    for level in 0..=last {
        builder.numbers(&levels, level)?;
        builder.pass(&levels, level)?;
    }
    let Builder { mut rows, .. } = builder;
    on_grid(&mut rows, group)?;
    Ok(rows)
}

struct Builder<'g> {
    g: &'g Graph,
    groups: &'g Groups,
    group: &'g RowGroup,
    kept: Vec<(NodeId, usize)>,
    rows: Rows,
    /// The numbers of the row.
    names: BTreeMap<NodeId, String>,
    /// How many texts of listings have a name instead.
    shortened: usize,
}

/// The length from which on a text has a name.
const LONG: usize = 160;

/// Where code is: in a pass (or at one element), or between passes.
struct Scope {
    /// The pass; `None` between passes.
    wide: bool,
    /// Rows that earlier passes kept.
    pass: usize,
    ins: Vec<In>,
    code: Code,
    /// What has a variable: its name, and its text for listings.
    known: Vec<(NodeId, Shape, (String, String))>,
    temporaries: usize,
}

impl Scope {
    fn new(wide: bool, pass: usize) -> Self {
        let (ins, code, known) = (vec![], Code::default(), vec![]);
        Scope { wide, pass, ins, code, known, temporaries: 0 }
    }
}

impl Builder<'_> {
    /// What is known at a level: the numbers that are computed then.
    fn numbers(&mut self, levels: &Levels, level: usize) -> Result<(), String> {
        let at = |id: &&NodeId| levels[*id] == level;
        for &id in self.group.members.iter().filter(at) {
            let node = &self.g.nodes[id];
            let number = self.group.is_wide(&node.shape) == Some(false);
            match &node.op {
                Op::Reduce { .. } => {}
                Op::Gather => self.pick(id)?,
                _ if number && self.is_part(id, levels) => continue,
                _ if number => {
                    let mut scope = Scope::new(false, 0);
                    let (value, text) = self.scalar(&mut scope, id, &node.shape)?;
                    let name = self.name(id);
                    scope.code.values.push(value);
                    self.says(&format!("{name} = {text}"));
                    self.rows.steps.push(RowStep::Number { name, code: scope.code });
                }
                _ => continue,
            }
            if number {
                self.put(id);
            }
        }
        Ok(())
    }

    /// Whether a number is computed as a part of the only one that is computed of it.
    fn is_part(&self, id: NodeId, levels: &Levels) -> bool {
        let g = self.g;
        let mut users = self
            .group
            .members
            .iter()
            .filter(|user| members_read(g, self.group, **user).contains(&id));
        let (Some(user), None) = (users.next(), users.next()) else { return false };
        let scalar = |id: NodeId| {
            matches!(g.nodes[id].op, Op::Scalar(_))
                && self.group.is_wide(g.shape(id)) == Some(false)
        };
        scalar(id)
            && scalar(*user)
            && levels[user] == levels[&id]
            && self.rows.outs.iter().all(|(out, _)| *out != id)
    }

    /// An element of a row by an index.
    fn pick(&mut self, id: NodeId) -> Result<(), String> {
        let [x, index] = self.g.nodes[id].inputs[..] else {
            return Err("a gather needs x and an index".to_owned());
        };
        let mut outside = Scope::new(false, 0);
        let shape = self.g.shape(index).clone();
        let (index, index_text) = self.operand(&mut outside, index, &shape)?;
        if !outside.code.rust.is_empty() || index.starts_with('c') {
            return Err("an index that is no number of the row".to_owned());
        }
        let mut scope = Scope::new(true, 0);
        let shape = self.g.shape(x).clone();
        let (value, text) = self.operand(&mut scope, x, &shape)?;
        scope.code.values.push(value);
        let name = self.name(id);
        self.says(&format!("{name} = {text} at {index_text}"));
        let Scope { ins, code, .. } = scope;
        self.rows.steps.push(RowStep::Pick { name, index, ins, code });
        Ok(())
    }

    /// Stores a number of the row, where it is an output.
    fn put(&mut self, id: NodeId) {
        let out = self.rows.outs.iter().position(|(out, _)| *out == id);
        if let (Some(out), Some(name)) = (out, self.names.get(&id).cloned()) {
            self.rows.steps.push(RowStep::Put { out, name });
        }
    }

    /// The pass at a level, if there is something to do.
    fn pass(&mut self, levels: &Levels, level: usize) -> Result<(), String> {
        let mut scope = Scope::new(true, level);
        let mut to = vec![];
        for (i, (id, _)) in self.kept.clone().into_iter().enumerate().filter(|(_, k)| k.1 == level)
        {
            let (value, text) = self.wide(&mut scope, id)?;
            scope.code.values.push(value);
            to.push(To::Keep(i));
            // From here on it is read by this name, in this pass too.
            self.says(&format!("k{i} = {text}"));
            self.rename(&mut scope, id, format!("k{i}"));
        }
        let members = self.group.members.iter().copied();
        for id in members.filter(|id| pass_of(self.g, *id, levels) == level) {
            let (node, out) =
                (&self.g.nodes[id], self.rows.outs.iter().position(|out| *out == (id, true)));
            if let Op::Reduce { fold, .. } = node.op {
                let shape = self.g.shape(node.inputs[0]).clone();
                let (value, text) = self.operand(&mut scope, node.inputs[0], &shape)?;
                scope.code.values.push(value);
                let name = self.name(id);
                self.says(&format!("{name} = {} {text}", fold.name()));
                to.push(To::Fold(fold, name));
            } else if let Some(out) = out {
                let (value, text) = self.wide(&mut scope, id)?;
                scope.code.values.push(value);
                self.says(&format!("%{id} = {text}"));
                to.push(To::Out(out));
            }
        }
        if !to.is_empty() {
            let Scope { ins, code, .. } = scope;
            self.rows.steps.push(RowStep::Pass { ins, to, code });
        }
        Ok(())
    }

    /// A name for a number of the row.
    fn name(&mut self, id: NodeId) -> String {
        let name = format!("s{}", self.names.len());
        self.rows.computed += 1;
        self.names.insert(id, name.clone());
        name
    }

    fn says(&mut self, text: &str) {
        let separator = if self.rows.text.is_empty() { "" } else { "; " };
        self.rows.text.push_str(&format!("{separator}{text}"));
    }

    fn rename(&self, scope: &mut Scope, id: NodeId, text: String) {
        for (known, _, pair) in &mut scope.known {
            if *known == id {
                pair.1.clone_from(&text);
            }
        }
    }

    /// A member with an element for each of the row.
    fn wide(&mut self, scope: &mut Scope, id: NodeId) -> Result<(String, String), String> {
        let shape = self.g.shape(id).clone();
        if let Some((.., pair)) = scope.known.iter().find(|(known, ..)| *known == id) {
            return Ok(pair.clone());
        }
        let kept = self.kept.iter().position(|(kept, pass)| *kept == id && *pass < scope.pass);
        let pair = match kept {
            Some(kept) => {
                let i = position(&mut scope.ins, In::Kept(kept));
                (format!("a{i}"), format!("k{kept}"))
            }
            None => self.scalar(scope, id, &shape)?,
        };
        scope.known.push((id, shape, pair.clone()));
        Ok(pair)
    }

    /// A scalar op, whose operands are read at the positions of `at`.
    fn scalar(
        &mut self,
        scope: &mut Scope,
        id: NodeId,
        at: &Shape,
    ) -> Result<(String, String), String> {
        let node = &self.g.nodes[id];
        let Op::Scalar(row) = &node.op else {
            return Err(format!("`{}` in a kernel over rows", node.op));
        };
        let operands = node.inputs.iter().map(|input| self.operand(scope, *input, at));
        let operands = operands.collect::<Result<Vec<_>, _>>()?;
        let fill = |template: &str| {
            operands
                .iter()
                .zip(["{a}", "{b}", "{c}"])
                .fold(template.to_owned(), |text, ((name, _), hole)| text.replace(hole, name))
        };
        let name = format!("t{}", scope.temporaries);
        scope.temporaries += 1;
        scope.code.rust.push_str(&format!("let {name} = {};", fill(row.rust)));
        scope.code.wgsl.push(format!("let {name} = {};", fill(row.wgsl)));
        let texts: Vec<&str> = operands.iter().map(|(_, text)| text.as_str()).collect();
        let mut text = format!("{}({})", row.name, texts.join(", "));
        // Written out at every reader, a chain would double with each that is read twice.
        if text.len() > LONG {
            let short = format!("t{}", self.shortened);
            self.shortened += 1;
            self.says(&format!("{short} = {text}"));
            text = short;
        }
        Ok((name, text))
    }

    /// The variable that holds an operand, and its text for listings.
    fn operand(
        &mut self,
        scope: &mut Scope,
        id: NodeId,
        at: &Shape,
    ) -> Result<(String, String), String> {
        let known = scope.known.iter().find(|(known, shape, _)| *known == id && shape == at);
        if let Some((.., pair)) = known {
            return Ok(pair.clone());
        }
        let pair = if self.groups.free[id] {
            self.scalar(scope, id, at)?
        } else {
            let base = view(self.g, id).ok_or("a view that needs a copy")?.base;
            match self.group.members.contains(&base) {
                true if self.group.is_wide(self.g.shape(base)) == Some(true) => {
                    return self.wide(scope, base);
                }
                true => match self.names.get(&base).cloned() {
                    Some(name) => {
                        position(&mut scope.code.numbers, name.clone());
                        (name.clone(), name)
                    }
                    None if !scope.wide => self.scalar(scope, base, &self.g.shape(base).clone())?,
                    None => return Err("a number before it is known".to_owned()),
                },
                false => self.leaf(scope, id, at)?,
            }
        };
        scope.known.push((id, at.clone(), pair.clone()));
        Ok(pair)
    }

    /// What is read from storage, or from nowhere.
    fn leaf(
        &mut self,
        scope: &mut Scope,
        id: NodeId,
        at: &Shape,
    ) -> Result<(String, String), String> {
        let v = view(self.g, id).ok_or("a view that needs a copy")?;
        let base = &self.g.nodes[v.base];
        if let Some(number) = number(&base.op) {
            let i = position(&mut self.rows.numbers, number);
            return Ok((format!("c{i}"), self.g.label(v.base)));
        }
        let mut strides = bare(at, &align(&v.shape, &v.strides, at));
        strides.resize(self.group.shape.len(), Dim::literal(0));
        let a_row = strides[self.group.lead..].iter().any(|stride| !stride.is_zero());
        let (mut wide, mut text) = (scope.wide && a_row, self.g.label(v.base));
        let leaf = match &base.op {
            Op::Coordinate(_) if !v.offset.is_zero() => {
                return Err("a part of coordinates".to_owned());
            }
            Op::Coordinate(_) => {
                text = "coordinate".to_owned();
                Leaf::Coordinate { strides }
            }
            Op::Uniform { stream, shape } => {
                if numel(shape) != numel(at) || !v.is_stored() {
                    return Err("random numbers that are broadcast".to_owned());
                }
                (wide, text) = (scope.wide, format!("uniform `{stream}`"));
                let per_sample = numel(shape.get(1..).unwrap_or_default());
                Leaf::Uniform { stream: stream.clone(), per_sample }
            }
            _ => Leaf::View { base: v.base, offset: v.offset, strides },
        };
        if !wide {
            let name = format!("p{}", position(&mut self.rows.params, leaf));
            position(&mut scope.code.numbers, name.clone());
            return Ok((name, text));
        }
        let leaf = In::Leaf(position(&mut self.rows.leaves, leaf));
        Ok((format!("a{}", position(&mut scope.ins, leaf)), text))
    }
}

/// Merges the axes and pads them to the rank of a grid.
fn on_grid(rows: &mut Rows, group: &RowGroup) -> Result<(), String> {
    let flags: Vec<bool> = (0..group.shape.len()).map(|axis| axis >= group.lead).collect();
    let all = || rows.leaves.iter().chain(&rows.params);
    let strides: Vec<Vec<Dim>> = all()
        .filter_map(|leaf| match leaf {
            Leaf::View { strides, .. } | Leaf::Coordinate { strides } => Some(strides.clone()),
            Leaf::Uniform { .. } => None,
        })
        .collect();
    let axes = merge(&group.shape, &strides, &flags);
    let Some(missing) = GRID_RANK.checked_sub(axes.sizes.len()) else {
        return Err(format!("rows of {} with axes that cannot be merged", show(&group.shape)));
    };
    rows.grid = vec![Dim::one(); missing];
    rows.grid.extend(axes.sizes);
    rows.lead = missing + axes.flags.iter().filter(|reduced| !**reduced).count();
    let mut merged = axes.strides.into_iter();
    for leaf in rows.leaves.iter_mut().chain(&mut rows.params) {
        if let Leaf::View { strides, .. } | Leaf::Coordinate { strides } = leaf {
            *strides = vec![Dim::literal(0); missing];
            strides.extend(merged.next().into_iter().flatten());
        }
    }
    Ok(())
}

impl Rows {
    /// The storage that is read.
    pub fn reads(&self) -> Vec<NodeId> {
        let base = |leaf: &Leaf| match leaf {
            Leaf::View { base, .. } => Some(*base),
            _ => None,
        };
        self.leaves.iter().chain(&self.params).filter_map(base).collect()
    }

    /// The number under which a pass finds an input.
    pub fn number_of(&self, input: In) -> usize {
        match input {
            In::Leaf(i) => i,
            In::Kept(i) => self.leaves.len() + i,
        }
    }
}
