//! Loops: the body of a scan as a function of spans, called once for each step.

use std::collections::BTreeSet;

use super::{Draft, Emitter, Expressions, listed};
use crate::fuse::{Leaf, Number, Tree};
use crate::graph::NodeId;
use crate::kernels::GRID_RANK;
use crate::loops::Loop;
use crate::ops::scan::Output;
use crate::shape::{Dim, Shape, numel, param_ident};

impl Emitter<'_> {
    /// A loop whose counter is `s`, and the place of the time axis `t`. `path` holds the places of the loops
    /// around it, for random numbers.
    pub(super) fn scan(&mut self, scan: &Loop, scratch: Option<&Dim>) -> Result<String, String> {
        let scratch = scratch.ok_or("a scan without memory")?.code();
        let length = scan.scan.length.code();
        let t = match scan.scan.reverse {
            false => "s".to_owned(),
            true => format!("{length} - 1 - s"),
        };
        let path = match self.expressions.depth {
            0 => "const { __n::stream(\"\") }",
            _ => "path",
        };
        let zeros = (0..scan.sums())
            .map(|k| self.zeros(scan.value(Output::Sum(k)).ok_or("a sum that nothing reads")?));
        let zeros = zeros.collect::<Result<String, String>>()?;
        let copies = (0..scan.scan.carries).filter_map(|i| self.first(scan, i));
        let copies = copies.collect::<Result<String, String>>()?;
        let spans = self.spans(scan)?.join(", ");
        let (body, sizes) = self.body(scan)?;
        Ok(format!(
            "{zeros}
            {{
                let scratch = base + {scratch};
                for s in 0..{length} {{
                    let t = {t};
                    if s == 0 {{ {copies} }}
                    {body}(k, b, {sizes} scratch, __n::stream_at({path}, t as u32), [{spans}]);
                }}
            }}"
        ))
    }

    /// Zeros in the storage of a sum.
    fn zeros(&mut self, id: NodeId) -> Result<String, String> {
        let (out, shape) = (self.whole(id)?, self.plan.graph.shape(id).clone());
        let number = Number::Literal(0.0_f64.to_bits());
        self.plain_map(&out, &shape, "c0", vec![number], &[])
    }

    /// The initial carry in the first of the places of a carry that is stored before each step.
    fn first(&mut self, scan: &Loop, i: usize) -> Option<Result<String, String>> {
        let before = scan.value(Output::Before(i))?;
        Some((|| {
            let shape = &scan.scan.body.inputs[i].shape;
            let (to, from) = (self.place(before, shape, "t")?, self.whole(scan.inputs[i])?);
            self.plain_map(&to, shape, "a0", vec![], &[from])
        })())
    }

    /// A loop over all elements of spans, in row order.
    fn plain_map(
        &mut self,
        out: &str,
        shape: &Shape,
        text: &str,
        numbers: Vec<Number>,
        inputs: &[String],
    ) -> Result<String, String> {
        let one = |i: usize| Dim::literal(u8::from(i + 1 == GRID_RANK));
        let strides: Vec<Dim> = (0..GRID_RANK).map(one).collect();
        let offset = Dim::literal(0);
        let leaf = |base| Leaf::View { base, offset: offset.clone(), strides: strides.clone() };
        let tree = Tree {
            shape: shape.clone(),
            leaves: (0..inputs.len()).map(leaf).collect(),
            numbers,
            rust: String::new(),
            wgsl: vec![],
            values: vec![text.to_owned()],
            text: text.to_owned(),
        };
        let function = self.expressions.function("map", &tree)?;
        let (len, reals) = (numel(shape).code(), Draft::whole().reals(&tree.numbers));
        let input =
            |span: &String| format!("__n::Arg::View {{ span: {span}, strides: [0, 0, 0, 1] }}");
        let inputs = listed(inputs.iter().map(input));
        Ok(format!("{function}(k, {out}, [1, 1, 1, {len}], {inputs}, {reals});"))
    }

    /// The span of a node's storage.
    fn whole(&self, id: NodeId) -> Result<String, String> {
        self.placed(&mut Draft::whole(), id)
    }

    /// One place of the time axis of a stored value.
    fn place(&self, id: NodeId, one: &Shape, t: &str) -> Result<String, String> {
        let (span, len) = (self.whole(id)?, numel(one).code());
        Ok(format!("__n::part({span}, ({t}) * ({len}), {len})"))
    }

    /// The arguments of the body in step `s`.
    fn spans(&self, scan: &Loop) -> Result<Vec<String>, String> {
        let ports = &scan.scan.body.inputs;
        let mut spans = vec![];
        for (i, port) in ports.iter().enumerate() {
            spans.push(if i < scan.scan.carries {
                self.carry_in(scan, i)?
            } else if i < scan.scan.carries + scan.scan.stacked {
                self.place(scan.inputs[i], &port.shape, "t")?
            } else {
                self.whole(scan.inputs[i])?
            });
        }
        for k in 0..scan.sums() {
            spans.push(self.whole(scan.value(Output::Sum(k)).ok_or("a sum that nothing reads")?)?);
        }
        for i in 0..scan.scan.carries {
            spans.push(self.carry_out(scan, i)?);
        }
        for j in 0..scan.scan.kept {
            let id = scan.value(Output::Kept(j)).ok_or("a value that nothing reads is kept")?;
            spans.push(self.place(id, scan.shape(Output::Kept(j)), "t")?);
        }
        Ok(spans)
    }

    fn carry_in(&self, scan: &Loop, i: usize) -> Result<String, String> {
        let shape = &scan.scan.body.inputs[i].shape;
        if let Some(before) = scan.value(Output::Before(i)) {
            return self.place(before, shape, "t");
        }
        let first = self.whole(scan.inputs[i])?;
        let turn = self.turn(scan, i, "s - 1")?;
        Ok(format!("if s == 0 {{ {first} }} else {{ {turn} }}"))
    }

    fn carry_out(&self, scan: &Loop, i: usize) -> Result<String, String> {
        let shape = &scan.scan.body.inputs[i].shape;
        let length = scan.scan.length.code();
        let turn = self.turn(scan, i, "s")?;
        let last = match scan.value(Output::Last(i)) {
            Some(last) => self.whole(last)?,
            None => turn.clone(),
        };
        let next = match scan.value(Output::Before(i)) {
            Some(before) => {
                self.place(before, shape, if scan.scan.reverse { "t - 1" } else { "t + 1" })?
            }
            None => turn,
        };
        Ok(format!("if s + 1 == {length} {{ {last} }} else {{ {next} }}"))
    }

    /// Where a carry is that step `s` writes to scratch memory.
    fn turn(&self, scan: &Loop, i: usize, s: &str) -> Result<String, String> {
        let len = numel(&scan.scan.body.inputs[i].shape).code();
        let offset = match &scan.turns[i][..] {
            [one] => one.code(),
            [even, odd] => {
                format!("if ({s}) % 2 == 0 {{ {} }} else {{ {} }}", even.code(), odd.code())
            }
            _ => return Err("a carry without memory".to_owned()),
        };
        Ok(format!("__n::span(__n::Slot::Workspace, scratch + ({offset}), {len})"))
    }

    /// The name of the body's function, printed where it is the first with its text, and the generic sizes
    /// that it takes.
    fn body(&mut self, scan: &Loop) -> Result<(String, String), String> {
        let count = scan.scan.body.inputs.len() + scan.sums() + scan.scan.carries + scan.scan.kept;
        let arguments: Vec<String> = (0..count).map(|i| format!("p{i}")).collect();
        self.expressions.depth += 1;
        let mut emitter = Emitter {
            plan: &scan.body,
            expressions: &mut *self.expressions,
            arguments: &arguments,
        };
        let steps = emitter.code(0..scan.body.steps.len());
        self.expressions.depth -= 1;
        let steps = steps?;
        let mut sizes = BTreeSet::new();
        let nodes = scan.scan.body.nodes.iter().flat_map(crate::graph::Node::dims);
        nodes.for_each(|dim| dim.params(&mut sizes));
        let all = |after: &str| -> String {
            sizes.iter().map(|name| format!("{}{after}, ", param_ident(name))).collect()
        };
        let function = format!(
            "<E: __n::Float, K: __n::Kernels<E>>(
                k: &mut K, b: usize, {} base: usize, path: u32, [{}]: [__n::Span; {count}],
            ) {{ {steps} }}",
            all(": usize"),
            arguments.join(", ")
        );
        Ok((self.expressions.body(function), all("")))
    }
}

impl Expressions {
    /// The name of the function of a body.
    fn body(&mut self, function: String) -> String {
        let next = self.bodies.len();
        format!("scan{}", *self.bodies.entry(function).or_insert(next))
    }
}
