//! Ops that are no rows of the scalar table: a case is one line, and no variant of `Op` can be left out.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::draw::{Draw, dim, dims};
use super::{check, vjp};
use crate::graph::{Graph, NodeId};
use crate::interpret::outputs;
use crate::ops::Op;
use crate::ops::reduce::Fold;
use crate::ops::scan::Body;
use crate::shape::{Dim, Shape, numel};

type Build = fn(&mut Draw) -> Result<NodeId, String>;

/// How many functions are drawn of each case.
const DRAWS: usize = 12;

/// A name for each variant, and all names: an op that is missing here does not compile.
macro_rules! variants {
    ($($variant:ident)*) => {
        fn variant(op: &Op) -> &'static str {
            match op {
                $(Op::$variant { .. } => stringify!($variant),)*
            }
        }

        const VARIANTS: &[&str] = &[$(stringify!($variant)),*];
    };
}

variants! {
    Input Param State Setting Number Const Size Coordinate Uniform Scalar Reduce Matmul Reshape Broadcast
    Contiguous Conv2d Conv2dInput Conv2dWeight MaxPool2d MaxPool2dScatter MaxPool2dGather Gather GatherAlong
    ScatterAlong Embedding EmbeddingAdd AvgPool2d AvgPool2dSpread Permute Slice Place Concat Flip Cumsum
    StopGradient ClipGradient Integers Call Scan
}

/// A list of functions, one a line.
macro_rules! table {
    ($name:ident: $(|$d:ident| $body:expr;)*) => {
        const $name: &[Build] = &[$(|$d| $body),*];
    };
}

/// What depends on nothing that has a gradient, and what has a test of its own: below, or in `scalars`.
const OTHERS: &[&str] = &[
    "Input",
    "Param",
    "State",
    "Setting",
    "Number",
    "Const",
    "Size",
    "Coordinate",
    "Uniform",
    "Scalar",
    "StopGradient",
    "ClipGradient",
    "Integers",
];

table! {
    CASES:
    |d| { let x = d.any(1); let axes = d.axes(x); d.g.push(Op::Reduce { fold: Fold::Sum, axes }, &[x]) };
    |d| { let x = d.any(1); let axes = d.axes(x); d.g.push(Op::Reduce { fold: Fold::Max, axes }, &[x]) };
    |d| matmul(d, true, true);
    |d| matmul(d, true, false);
    |d| matmul(d, false, true);
    |d| matmul(d, false, false);
    |d| { let x = d.any(0); let to = regrouped(d, x); d.g.push(Op::Reshape(to), &[x]) };
    |d| { let x = d.any(0); let to = widened(d, x); d.g.push(Op::Broadcast(to), &[x]) };
    |d| { let x = d.any(2); let x = turned(d, x)?; d.g.push(Op::Contiguous, &[x]) };
    |d| { let [x, w, _] = conv(d); d.g.conv2d(x.0, w.0, x.1) };
    |d| { let [x, w, y] = conv(d); d.g.push(Op::Conv2dInput(x.1, d.g.shape(x.0).clone()), &[y.0, w.0]) };
    |d| { let [x, w, y] = conv(d); d.g.push(Op::Conv2dWeight(x.1, d.g.shape(w.0).clone()), &[x.0, y.0]) };
    |d| { let (x, _, w) = pool(d); d.g.push(Op::MaxPool2d(w), &[x]) };
    |d| { let (x, y, w) = pool(d); d.g.push(Op::MaxPool2dScatter(w), &[x, y]) };
    |d| { let (x, _, w) = pool(d); let g = d.float(&d.g.shape(x).clone()); d.g.push(Op::MaxPool2dGather(w), &[x, g]) };
    |d| { let (x, _, w) = pool(d); d.g.avg_pool2d(x, w) };
    |d| { let (x, y, w) = pool(d); d.g.push(Op::AvgPool2dSpread(w, d.g.shape(x).clone()), &[y]) };
    |d| { let (x, i) = rows(d, false); d.g.push(Op::Gather, &[x, i]) };
    |d| { let (x, i) = rows(d, true); d.g.gather_along(x, i) };
    |d| { let (_, i) = rows(d, true); let dy = d.float(&d.g.shape(i).clone()); d.g.push(Op::ScatterAlong(dim(4)), &[dy, i]) };
    |d| { let (table, i) = table(d); d.g.embedding(table, i) };
    |d| { let (_, i) = table(d); let dy = [d.g.shape(i).clone(), vec![dim(3)]].concat(); let dy = d.float(&dy); d.g.push(Op::EmbeddingAdd(dim(4)), &[dy, i]) };
    |d| { let x = d.any(0); turned(d, x) };
    |d| { let x = d.any(1); part(d, x) };
    |d| { let x = d.any(1); among_zeros(d, x) };
    |d| concat(d);
    |d| { let x = d.any(1); let axis = d.axis(x); d.g.flip(x, axis) };
    |d| { let x = d.any(1); let axis = d.axis(x); d.g.cumsum(x, axis, false) };
    |d| { let x = d.any(1); let axis = d.axis(x); d.g.cumsum(x, axis, true) };
    |d| call(d, 0);
    |d| call(d, 1);
    |d| scan(d, false);
    |d| scan(d, true);
}

// Compositions of several ops that move elements: what the simplifier rearranges.
table! {
    CHAINS:
    |d| { let x = d.any(2); let x = turned(d, x)?; let x = turned(d, x)?; part(d, x) };
    |d| { let x = d.any(1); let x = among_zeros(d, x)?; let x = squared(d, x)?; part(d, x) };
    |d| { let x = d.any(1); let a = part(d, x)?; let b = squared(d, x)?; let b = part(d, b)?; both(d, a, b) };
    |d| { let x = concat(d)?; let x = part(d, x)?; squared(d, x) };
    |d| { let x = concat(d)?; let x = turned(d, x)?; squared(d, x) };
    |d| { let x = d.any(1); halves(d, x) };
    |d| { let x = d.any(1); let to = regrouped(d, x); let x = d.g.reshape(x, to)?; let x = turned(d, x)?; let to = regrouped(d, x); d.g.reshape(x, to) };
    |d| { let x = d.any(0); let to = widened(d, x); let x = d.g.broadcast(x, to)?; let x = squared(d, x)?; let to = regrouped(d, x); d.g.reshape(x, to) };
    |d| { let x = d.any(1); let to = widened(d, x); let y = d.g.broadcast(x, to)?; let y = turned(d, y)?; let y = part(d, y)?; both(d, x, y) };
    |d| { let (x, _, w) = pool(d); let x = d.g.scalar("relu", &[x])?; let y = d.g.push(Op::MaxPool2d(w), &[x])?; squared(d, y) };
    |d| { let x = matmul(d, true, false)?; let x = turned(d, x)?; let k = d.g.shape(x).last().cloned(); let w = d.float(&[k.unwrap(), dim(2)]); product(d, x, w) };
    |d| { let x = d.any(1); let axes = d.axes(x); let s = d.g.sum(x, axes)?; let y = both(d, x, s)?; let axes = d.axes(y); d.g.sum(y, axes) };
    |d| { let x = d.any(1); let axis = d.axis(x); let y = d.g.cumsum(x, axis, false)?; let y = d.g.flip(y, axis)?; both(d, x, y) };
    |d| { let x = d.any(1); let axis = d.axis(x); d.g.softmax(x, axis) };
    |d| { let x = d.any(1); let axis = d.axis(x); d.g.log_softmax(x, axis) };
    |d| { let x = d.any(1); let axis = d.axis(x); d.g.log_sum_exp(x, axis) };
    |d| { let x = d.any(1); let axes = d.axes(x); d.g.layer_norm(x, None, None, axes, 1e-2) };
}

#[test]
fn every_op_with_a_derivative_agrees_with_differences() {
    let mut found: BTreeSet<&str> = OTHERS.iter().copied().collect();
    for (i, build) in CASES.iter().enumerate() {
        for draw in 0..DRAWS {
            let root = drawn(&format!("case {i}, draw {draw}"), *build);
            found.insert(variant(&root));
        }
    }
    let missing: Vec<_> = VARIANTS.iter().filter(|name| !found.contains(*name)).collect();
    assert!(missing.is_empty(), "ops without a case: {missing:?}");
}

#[test]
fn chains_of_ops_agree_with_differences() {
    for (i, build) in CHAINS.iter().enumerate() {
        for draw in 0..DRAWS {
            drawn(&format!("chain {i}, draw {draw}"), *build);
        }
    }
}

/// Draws a function and checks it; its last op.
fn drawn(name: &str, build: Build) -> Op {
    let mut d = Draw::new(name);
    let y = build(&mut d).unwrap_or_else(|message| panic!("{name}: {message}"));
    d.g.outputs = vec![y];
    d.g.check().unwrap();
    check(&format!("{name}, `{}`", d.g.nodes[y].op), &d.g, &d.e, 2);
    d.g.nodes[y].op.clone()
}

#[test]
fn no_gradient_flows_through_a_stop() {
    let mut d = Draw::new("stop");
    let x = d.float(&dims(&[3]));
    let stopped = d.g.push(Op::StopGradient, &[x]).unwrap();
    let y = d.g.scalar("mul", &[x, stopped]).unwrap();
    d.g.outputs = vec![y];
    let mut e = d.e.clone();
    e.inputs.push(crate::interpret::Value::new(&[3], vec![1.0; 3]));
    // The derivative of x times the constant that x is.
    assert_eq!(outputs(&vjp(&d.g), &e).unwrap()[0].data, e.inputs[0].data);
}

#[test]
fn a_gradient_is_clipped_where_it_is_asked_for() {
    let mut d = Draw::new("clip");
    let x = d.float(&dims(&[3]));
    let clipped = d.g.clip_gradient(x, 1.0).unwrap();
    let y = d.g.scalar("square", &[clipped]).unwrap();
    d.g.outputs = vec![y];
    let mut e = d.e.clone();
    e.inputs[0] = crate::interpret::Value::new(&[3], vec![-3.0, 0.25, 2.0]);
    e.inputs.push(crate::interpret::Value::new(&[3], vec![1.0; 3]));
    // The value is that of the square; its derivative, 2 x, goes back between -1 and 1.
    assert_eq!(outputs(&d.g, &e).unwrap()[0].data, [9.0, 0.0625, 4.0]);
    assert_eq!(outputs(&vjp(&d.g), &e).unwrap()[0].data, [-1.0, 0.5, 1.0]);
}

fn squared(d: &mut Draw, x: NodeId) -> Result<NodeId, String> {
    d.g.scalar("square", &[x])
}

/// x times the sum of y, so that any shapes fit.
fn both(d: &mut Draw, x: NodeId, y: NodeId) -> Result<NodeId, String> {
    let y = squared(d, y)?;
    let y = d.g.sum_to(y, &vec![])?;
    d.g.scalar("mul", &[x, y])
}

fn product(d: &mut Draw, a: NodeId, b: NodeId) -> Result<NodeId, String> {
    d.g.push(Op::Matmul { transpose_a: false, transpose_b: false }, &[a, b])
}

/// Products with and without leading axes on either side, each stored as it is or transposed.
fn matmul(d: &mut Draw, lead_a: bool, lead_b: bool) -> Result<NodeId, String> {
    let rank = d.rng.within(1, 2);
    let mut lead = dims(&d.sizes(rank));
    if d.rng.one_in(2) {
        lead[0] = Dim::batch();
    }
    let [m, k, n] = [d.size(), d.size(), d.size()];
    let [transpose_a, transpose_b] = [d.rng.one_in(2), d.rng.one_in(2)];
    let mut operand = |leads: bool, rows: usize, cols: usize, transposed: bool| {
        let matrix = if transposed { [cols, rows] } else { [rows, cols] };
        let lead: &[Dim] = if leads { &lead } else { &[] };
        d.float(&[lead, &dims(&matrix)].concat())
    };
    let a = operand(lead_a, m, k, transpose_a);
    let b = operand(lead_b, k, n, transpose_b);
    d.g.push(Op::Matmul { transpose_a, transpose_b }, &[a, b])
}

/// A shape of as many elements: axes merged, and axes of size 1 put between.
fn regrouped(d: &mut Draw, x: NodeId) -> Shape {
    let mut shape: Shape = vec![];
    for size in d.g.shape(x).clone() {
        match shape.last_mut() {
            Some(last) if d.rng.one_in(2) => *last = last.mul(&size),
            _ => shape.push(size),
        }
    }
    if shape.len() < 4 && d.rng.one_in(2) {
        let at = d.rng.within(0, shape.len());
        shape.insert(at, Dim::one());
    }
    // A literal axis in two.
    let even = shape.iter().position(|n| n.as_literal().is_some_and(|n| n > 2 && n % 2 == 0));
    if let Some(axis) = even.filter(|_| shape.len() < 4) {
        let half = shape[axis].div(&dim(2)).expect("an even size");
        shape.splice(axis..=axis, [dim(2), half]);
    }
    shape
}

/// A shape that x broadcasts to: its axes of size 1 repeated, axes added in front.
fn widened(d: &mut Draw, x: NodeId) -> Shape {
    let mut shape = d.g.shape(x).clone();
    for size in &mut shape {
        if size.is_one() && d.rng.one_in(2) {
            *size = dim(d.rng.within(2, 3));
        }
    }
    while shape.len() < 4 && d.rng.one_in(2) {
        shape.insert(0, dim(d.size()));
    }
    shape
}

fn turned(d: &mut Draw, x: NodeId) -> Result<NodeId, String> {
    let axes = d.rng.shuffled(d.of(x).len());
    d.g.push(Op::Permute(axes), &[x])
}

fn part(d: &mut Draw, x: NodeId) -> Result<NodeId, String> {
    let axis = d.axis(x);
    let whole = d.of(x)[axis];
    let (range, size) = d.range(axis, whole);
    d.g.push(Op::Slice { range, size: dim(size) }, &[x])
}

fn among_zeros(d: &mut Draw, x: NodeId) -> Result<NodeId, String> {
    let axis = d.axis(x);
    let size = d.g.shape(x)[axis].clone();
    let (start, step, after) = (d.rng.below(3), d.rng.within(1, 3), d.rng.below(3));
    // An axis of an unknown size has no steps.
    let step = if size.as_literal().is_some() { step } else { 1 };
    let reach = size.sub(&Dim::one()).mul(&dim(step)).add(&dim(1 + start + after));
    d.g.push(
        Op::Place {
            range: crate::ops::movement::Range { axis, start: dim(start), step },
            whole: reach,
        },
        &[x],
    )
}

/// One to three values along an axis, one of them twice.
fn concat(d: &mut Draw) -> Result<NodeId, String> {
    let first = d.any(1);
    let axis = d.axis(first);
    let mut all = vec![first];
    for _ in 0..d.rng.below(3) {
        let mut shape = d.g.shape(first).clone();
        shape[axis] = dim(d.size());
        let next = d.float(&shape);
        all.push(next);
    }
    all.push(first);
    d.g.push(Op::Concat(axis), &all)
}

/// The parts of an axis, each on its own way, one after another again.
fn halves(d: &mut Draw, x: NodeId) -> Result<NodeId, String> {
    let axis = d.axis(x);
    let whole = d.of(x)[axis];
    let cut = d.rng.within(0, whole);
    let mut parts = vec![];
    for (from, size) in [(0, cut), (cut, whole - cut)] {
        if size > 0 {
            let part = d.g.slice(x, axis, dim(from), dim(size), 1)?;
            parts.push(if d.rng.one_in(2) { squared(d, part)? } else { part });
        }
    }
    parts.reverse();
    d.g.concat(&parts, axis)
}

type Windowed = (NodeId, crate::ops::conv::Window2);

/// x, w and y of a convolution, as inputs.
fn conv(d: &mut Draw) -> [Windowed; 3] {
    let (mut window, [h, w]) = d.window(false);
    let groups = d.rng.within(1, 2);
    window.groups = dim(groups);
    let (c, o) = (d.rng.within(1, 2), groups * d.rng.within(1, 2));
    let batch = if d.rng.one_in(2) { Dim::batch() } else { dim(d.rng.within(1, 2)) };
    let x = [vec![batch.clone()], dims(&[c * groups, h, w])].concat();
    let [oh, ow] = window.out(&x[2], &x[3]);
    let [kh, kw] = window.kernel.clone();
    let y = d.float(&[batch, dim(o), oh, ow]);
    let w = d.float(&[dim(o), dim(c), kh, kw]);
    let x = d.float(&x);
    [(x, window.clone()), (w, window.clone()), (y, window)]
}

/// x and y of a pooling.
fn pool(d: &mut Draw) -> (NodeId, NodeId, crate::ops::conv::Window2) {
    let (window, [h, w]) = d.window(true);
    let c = d.rng.within(1, 2);
    let x = vec![Dim::batch(), dim(c), dim(h), dim(w)];
    let [oh, ow] = window.out(&x[2], &x[3]);
    let y = d.float(&[Dim::batch(), dim(c), oh, ow]);
    (d.float(&x), y, window)
}

/// Rows of 4, and one index a row or several.
fn rows(d: &mut Draw, several: bool) -> (NodeId, NodeId) {
    let mut lead = d.shape(0);
    lead.truncate(3);
    let x = d.float(&[lead.clone(), vec![dim(4)]].concat());
    if several {
        lead.push(dim(d.size()));
    }
    (x, d.index(&lead, 4))
}

/// A table of 4 rows of 3, and an index.
fn table(d: &mut Draw) -> (NodeId, NodeId) {
    let mut shape = d.shape(0);
    shape.truncate(3);
    (d.float(&dims(&[4, 3])), d.index(&shape, 4))
}

/// A call of a function of two inputs and two outputs.
fn call(d: &mut Draw, output: usize) -> Result<NodeId, String> {
    let (a, b) = (d.any(0), d.any(0));
    let mut called = Graph::new("called");
    let x = called.input("x", d.g.shape(a).clone(), false);
    let y = called.input("y", d.g.shape(b).clone(), false);
    let sum = called.sum_to(y, &vec![])?;
    let product = called.scalar("mul", &[x, sum])?;
    called.outputs = vec![called.scalar("tanh", &[product])?, called.scalar("square", &[y])?];
    let graph = Rc::new(called);
    d.g.push(Op::Call { graph, output }, &[a, b])
}

/// The running product of tanh(carry + x w), of which the last value or every one is read.
fn scan(d: &mut Draw, kept: bool) -> Result<NodeId, String> {
    let shape = vec![Dim::batch(), dim(d.size())];
    let (h0, w) = (d.float(&shape), d.float(&[shape[1].clone()]));
    let length = d.size();
    let xs = d.float(&[vec![dim(length)], shape.clone()].concat());
    let mut cell = Graph::new("cell");
    let (h, x) = (cell.input("h", shape.clone(), false), cell.input("x", shape, false));
    let mut body = Body::new(cell);
    let w = body.capture(&d.g, w);
    let b = &mut body.graph;
    let product = b.scalar("mul", &[x, w])?;
    let sum = b.scalar("add", &[h, product])?;
    let next = b.scalar("tanh", &[sum])?;
    b.outputs = vec![next, b.scalar("mul", &[next, x])?];
    let reverse = d.rng.one_in(2);
    let values = d.g.scan(body, reverse, &[h0], &[xs])?;
    Ok(if kept { values.kept[0] } else { values.carries[0] })
}

#[test]
fn drawn_values_have_the_sizes_of_their_shapes() {
    let mut d = Draw::new("sizes");
    let x = d.any(2);
    assert_eq!(d.e.inputs[0].data.len(), d.e.size(&numel(d.g.shape(x))).unwrap());
}
