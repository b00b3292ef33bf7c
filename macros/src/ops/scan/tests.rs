//! Scans against the same steps unrolled, and their derivatives against finite differences.

use super::*;
use crate::emit::{Emitter, Expressions};
use crate::interpret::{Environment, Value, outputs};
use crate::ops::movement::Range;
use crate::plan::{Place, Plan, Request, plan};
use crate::simplify::simplify;

const T: usize = 4;
const BATCH: usize = 3;
const X: usize = 2;
const H: usize = 5;

fn dims(sizes: &[usize]) -> Shape {
    sizes.iter().map(|n| Dim::literal(*n as u64)).collect()
}

/// One step of a small gated recurrence with two carries: the next carries, and a value to keep.
/// x `[batch, X]`, h and c `[batch, H]`, w `[H, X]`, u `[H, H]`, bias `[H]`.
fn step(g: &mut Graph, [h, c, x, w, u, bias]: [NodeId; 6]) -> Result<[NodeId; 3], String> {
    let product =
        |g: &mut Graph, a, b| g.push(Op::Matmul { transpose_a: false, transpose_b: true }, &[a, b]);
    let (from_x, from_h) = (product(g, x, w)?, product(g, h, u)?);
    let sum = g.scalar("add", &[from_x, from_h])?;
    let z = g.scalar("add", &[sum, bias])?;
    let gate = g.scalar("sigmoid", &[z])?;
    let candidate = g.scalar("tanh", &[z])?;
    let mixed = g.scalar("mul", &[gate, candidate])?;
    let next_c = g.scalar("add", &[c, mixed])?;
    let squashed = g.scalar("tanh", &[next_c])?;
    let next_h = g.scalar("mul", &[squashed, gate])?;
    let y = g.scalar("mul", &[next_h, c])?;
    Ok([next_h, next_c, y])
}

/// The five values that the recurrence reads.
fn inputs(g: &mut Graph, length: &Dim) -> [NodeId; 6] {
    let batch = |n: usize| vec![Dim::batch(), Dim::literal(n as u64)];
    let xs = [vec![length.clone()], batch(X)].concat();
    [
        g.input("h0", batch(H), false),
        g.input("c0", batch(H), false),
        g.input("xs", xs, false),
        g.input("w", dims(&[H, X]), false),
        g.input("u", dims(&[H, H]), false),
        g.input("bias", dims(&[H]), false),
    ]
}

fn square_sum(g: &mut Graph, x: NodeId) -> Result<NodeId, String> {
    let sin = g.scalar("sin", &[x])?;
    let square = g.scalar("square", &[sin])?;
    let axes = (0..g.shape(x).len()).collect();
    let sum = g.sum(square, axes)?;
    g.reshape(sum, vec![])
}

/// A loss of the last carries and of what is kept.
fn loss(g: &mut Graph, h: NodeId, c: NodeId, ys: NodeId) -> Result<NodeId, String> {
    let parts = [square_sum(g, h)?, square_sum(g, c)?, square_sum(g, ys)?];
    let sum = g.scalar("add", &parts[..2])?;
    g.scalar("add", &[sum, parts[2]])
}

fn scanned(length: &Dim, reverse: bool) -> Graph {
    let mut g = Graph::new("g");
    let [h0, c0, xs, w, u, bias] = inputs(&mut g, length);
    let mut inside = Graph::new("cell");
    let batch = |n: usize| vec![Dim::batch(), Dim::literal(n as u64)];
    let h = inside.input("h", batch(H), false);
    let c = inside.input("c", batch(H), false);
    let x = inside.input("x", batch(X), false);
    let mut body = Body::new(inside);
    let [w, u, bias] = [w, u, bias].map(|id| body.capture(&g, id));
    body.graph.outputs = step(&mut body.graph, [h, c, x, w, u, bias]).unwrap().to_vec();
    let values = g.scan(body, reverse, &[h0, c0], &[xs]).unwrap();
    let loss = loss(&mut g, values.carries[0], values.carries[1], values.kept[0]).unwrap();
    g.outputs = vec![loss];
    g.check().unwrap();
    g
}

fn unrolled(reverse: bool) -> Graph {
    let mut g = Graph::new("g");
    let [mut h, mut c, xs, w, u, bias] = inputs(&mut g, &Dim::literal(T as u64));
    let mut ys = vec![];
    for i in 0..T {
        let t = if reverse { T - 1 - i } else { i };
        let range = Range { axis: 0, start: Dim::literal(t as u64), step: 1 };
        let x = g.push(Op::Slice { range, size: Dim::one() }, &[xs]).unwrap();
        let x = g.reshape(x, vec![Dim::batch(), Dim::literal(X as u64)]).unwrap();
        let y;
        [h, c, y] = step(&mut g, [h, c, x, w, u, bias]).unwrap();
        ys.push(square_sum(&mut g, y).unwrap());
    }
    let parts = [square_sum(&mut g, h).unwrap(), square_sum(&mut g, c).unwrap()];
    let sum = g.scalar("add", &parts).unwrap();
    let loss = ys.into_iter().try_fold(sum, |sum, y| g.scalar("add", &[sum, y])).unwrap();
    g.outputs = vec![loss];
    g
}

/// Numbers without a pattern.
fn values() -> Environment {
    let value = |shape: &[usize], seed: usize| {
        let count = shape.iter().product::<usize>();
        let data = (0..count).map(|i| ((i * 37 + seed * 101) as f64).sin() * 0.8).collect();
        Value::new(shape, data)
    };
    let inputs = vec![
        value(&[BATCH, H], 1),
        value(&[BATCH, H], 2),
        value(&[T, BATCH, X], 3),
        value(&[H, X], 4),
        value(&[H, H], 5),
        value(&[H], 6),
    ];
    let sizes = [("T".to_owned(), T)].into();
    Environment { batch: BATCH, sizes, inputs, params: vec![] }
}

/// The gradients of the only output with respect to all inputs as outputs.
fn gradients(g: &Graph) -> Graph {
    let mut g = g.clone();
    let wrt: Vec<NodeId> =
        (0..g.nodes.len()).filter(|id| matches!(g.nodes[*id].op, Op::Input(_))).collect();
    let one = g.constant(1.0);
    let seeds = [(g.outputs[0], one)];
    let parts = autodiff::gradients(&mut g, &seeds, &wrt).unwrap();
    g.outputs = parts.into_iter().map(|part| part.expect("every input has a gradient")).collect();
    g.check().unwrap();
    g
}

/// A scalar of all outputs, whose gradients are second derivatives of what these are gradients of.
fn mixed(g: &Graph) -> Graph {
    let mut g = g.clone();
    let parts: Vec<NodeId> =
        g.outputs.clone().into_iter().map(|id| square_sum(&mut g, id).unwrap()).collect();
    let mut sum = parts[0];
    for part in &parts[1..] {
        sum = g.scalar("add", &[sum, *part]).unwrap();
    }
    g.outputs = vec![sum];
    g
}

fn assert_close(found: &[Value], expected: &[Value], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert_eq!(a.shape, b.shape, "output {i}");
        for (x, y) in a.data.iter().zip(&b.data) {
            assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "output {i}: {x} and {y}");
        }
    }
}

/// Each element's derivative by central differences.
fn differences(g: &Graph, e: &Environment) -> Vec<Value> {
    let step = 1e-5;
    let run = |e: &Environment| outputs(g, e).unwrap()[0].data[0];
    let mut result = e.inputs.clone();
    for (i, derivative) in result.iter_mut().enumerate() {
        for (j, slot) in derivative.data.iter_mut().enumerate() {
            let (mut above, mut below) = (e.clone(), e.clone());
            above.inputs[i].data[j] += step;
            below.inputs[i].data[j] -= step;
            *slot = (run(&above) - run(&below)) / (2.0 * step);
        }
    }
    result
}

fn count(g: &Graph) -> usize {
    let first = |id: &NodeId| siblings(g, *id, g.nodes.len()).first() == Some(id);
    (0..g.nodes.len()).filter(first).count()
}

#[test]
fn values_and_derivatives_are_those_of_the_unrolled_steps() {
    let e = values();
    for reverse in [false, true] {
        let scan = scanned(&Dim::literal(T as u64), reverse);
        let steps = unrolled(reverse);
        let run = |g: &Graph| outputs(g, &e).unwrap();
        assert_close(&run(&scan), &run(&steps), 1e-13);
        let (first, expected) = (gradients(&scan), gradients(&steps));
        assert_close(&run(&first), &run(&expected), 1e-12);
        let (second, expected) = (gradients(&mixed(&first)), gradients(&mixed(&expected)));
        assert_close(&run(&second), &run(&expected), 1e-11);
    }
}

#[test]
fn derivatives_are_those_of_finite_differences() {
    let e = values();
    let scan = scanned(&Dim::atom(crate::shape::Atom::Param("T".to_owned())), false);
    let first = gradients(&scan);
    assert_close(&outputs(&first, &e).unwrap(), &differences(&scan, &e), 1e-7);
    let mixed = mixed(&simplify(&first).unwrap());
    let second = simplify(&gradients(&mixed)).unwrap();
    assert_close(&outputs(&second, &e).unwrap(), &differences(&mixed, &e), 1e-6);
}

#[test]
fn simple_scans_compute_the_same_with_one_body_a_direction() {
    let e = values();
    let first = gradients(&scanned(&Dim::literal(T as u64), false));
    let simple = simplify(&first).unwrap();
    assert_close(&outputs(&simple, &e).unwrap(), &outputs(&first, &e).unwrap(), 1e-13);
    assert_eq!(count(&simple), 2, "{}", simple.listing());
    let second = gradients(&mixed(&first));
    let simple = simplify(&second).unwrap();
    assert_close(&outputs(&simple, &e).unwrap(), &outputs(&second, &e).unwrap(), 1e-11);
    // Forward, backward, and the backward pass of both.
    assert_eq!(count(&simple), 4, "{}", simple.listing());
}

#[test]
fn what_nothing_reads_is_not_computed() {
    let mut g = scanned(&Dim::literal(T as u64), false);
    let last = (0..g.nodes.len())
        .find(|id| matches!(g.nodes[*id].op, Op::Scan { output: Output::Last(0), .. }));
    g.outputs = vec![last.unwrap()];
    let simple = simplify(&g).unwrap();
    let scan = simple.nodes.iter().find_map(|node| match &node.op {
        Op::Scan { scan, .. } => Some(scan.clone()),
        _ => None,
    });
    let scan = scan.unwrap();
    assert_eq!((scan.carries, scan.kept, scan.body.outputs.len()), (2, 0, 2));
    let e = values();
    assert_close(&outputs(&simple, &e).unwrap(), &outputs(&g, &e).unwrap(), 1e-15);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let mut g = Graph::new("g");
    let [h0, _, xs, ..] = inputs(&mut g, &Dim::literal(T as u64));
    let mut inside = Graph::new("cell");
    let h = inside.input("h", vec![Dim::batch(), Dim::literal(H as u64)], false);
    let x = inside.input("x", vec![Dim::batch(), Dim::literal(X as u64)], false);
    inside.outputs = vec![x];
    let error = g.scan(Body::new(inside.clone()), false, &[h0], &[xs]).err().unwrap();
    assert_eq!(
        error,
        "`h` is carried: it begins with shape [batch, 5] and a step yields [batch, 2]"
    );
    inside.outputs = vec![h];
    let error = g.scan(Body::new(inside), false, &[h0], &[h0]).err().unwrap();
    assert_eq!(error, "`cell` scans `x` of shape [batch, batch, 2], found [batch, 5]");
}

/// The plan of a graph whose inputs and outputs are arguments.
fn planned(g: &Graph) -> Plan {
    let inputs = g.inputs.len();
    plan(&Request {
        graph: g,
        inputs: (0..inputs).map(Place::Argument).collect(),
        params: vec![],
        states: vec![],
        outputs: (0..g.outputs.len()).map(|i| Place::Argument(inputs + i)).collect(),
        forward: 0,
    })
    .unwrap()
}

/// The printed code of a plan: its steps, and the functions beside them.
fn printed(plan: &Plan) -> (String, String) {
    let count = plan.graph.inputs.len() + plan.graph.outputs.len();
    let arguments: Vec<String> = (0..count).map(|i| format!("spans[{i}]")).collect();
    let mut expressions = Expressions::default();
    let mut emitter = Emitter { plan, expressions: &mut expressions, arguments: &arguments };
    let steps = emitter.steps(0..plan.steps.len()).unwrap();
    (steps.to_string(), expressions.tokens().unwrap().to_string())
}

/// That printed code parses as Rust: its statements in a function, the functions beside it.
fn parsed(plan: &Plan) -> (String, Vec<String>) {
    let (steps, functions) = printed(plan);
    let file = syn::parse_str::<syn::File>(&format!("fn run() {{ {steps} }} {functions}")).unwrap();
    let name = |item: &syn::Item| match item {
        syn::Item::Fn(function) => Some(function.sig.ident.to_string()),
        _ => None,
    };
    let names = file.items.iter().filter_map(name).filter(|name| name.starts_with("scan"));
    (format!("{steps} {functions}"), names.collect())
}

#[test]
fn a_body_is_printed_once_however_often_it_runs() {
    let t = Dim::atom(crate::shape::Atom::Param("T".to_owned()));
    let scan = scanned(&t, false);
    let (text, bodies) = parsed(&planned(&simplify(&gradients(&scan)).unwrap()));
    assert_eq!(bodies, ["scan0", "scan1"], "{text}");
    assert!(text.contains("for s in 0 .. __size_T"), "{text}");
    // The same recurrence of other values is another loop over the same body.
    let mut twice = Graph::new("twice");
    let [h0, c0, xs, w, u, bias] = inputs(&mut twice, &t);
    let scan = Rc::new(scan);
    let call = |g: &mut Graph, h, c| {
        g.push(Op::Call { graph: scan.clone(), output: 0 }, &[h, c, xs, w, u, bias]).unwrap()
    };
    let (one, other) = (call(&mut twice, h0, c0), call(&mut twice, c0, h0));
    twice.outputs = vec![one, other];
    let (text, bodies) = parsed(&planned(&simplify(&twice.inline().unwrap()).unwrap()));
    assert_eq!(bodies, ["scan0"], "{text}");
    assert_eq!(text.matches("for s in").count(), 2, "{text}");
}

#[test]
fn the_listing_shows_loops_with_their_steps() {
    let simple = simplify(&gradients(&scanned(&Dim::literal(T as u64), false))).unwrap();
    let plan = planned(&simple);
    let listing = plan.listing(0..plan.steps.len());
    let forward = "  for 4 steps of `cell`(h0, c0, xs, w, u, bias):\n    %";
    let backward = "  for 4 steps backwards of `cell'`(";
    assert!(listing.contains(forward) && listing.contains(backward), "{listing}");
    // The gradient of a weight is added to in the epilogue of its product.
    assert!(listing.contains("then add(sum 0, %"), "{listing}");
}

/// Rows of `xs [rows, T, batch, X]` one after another, and the steps of each row: a scan of scans. Only what
/// is kept is read.
fn nested(rows: usize) -> Graph {
    let batch = |n: usize| vec![Dim::batch(), Dim::literal(n as u64)];
    let mut g = Graph::new("nested");
    let h0 = g.input("h0", batch(X), false);
    let stacked = [dims(&[rows, T]), batch(X)].concat();
    let xs = g.input("xs", stacked.clone(), false);
    let w = g.input("w", dims(&[X, X]), false);
    let mut row = Graph::new("row");
    let h = row.input("h", batch(X), false);
    let x = row.input("x", stacked[1..].to_vec(), false);
    let mut row = Body::new(row);
    let w = row.capture(&g, w);
    let mut cell = Graph::new("cell");
    let carry = cell.input("h", batch(X), false);
    let place = cell.input("x", batch(X), false);
    let mut cell = Body::new(cell);
    let w = cell.capture(&row.graph, w);
    let b = &mut cell.graph;
    let product = b.push(Op::Matmul { transpose_a: false, transpose_b: false }, &[carry, w]);
    let sum = b.scalar("add", &[product.unwrap(), place]).unwrap();
    let next = b.scalar("tanh", &[sum]).unwrap();
    b.outputs = vec![next, next];
    let values = row.graph.scan(cell, true, &[h], &[x]).unwrap();
    let next = row.graph.scalar("sin", &[values.carries[0]]).unwrap();
    row.graph.outputs = vec![next, values.kept[0]];
    let values = g.scan(row, false, &[h0], &[xs]).unwrap();
    let loss = square_sum(&mut g, values.kept[0]).unwrap();
    g.outputs = vec![loss];
    g.check().unwrap();
    g
}

#[test]
fn scans_of_scans_have_derivatives_too() {
    let rows = 3;
    let g = nested(rows);
    let value = |shape: &[usize], seed: usize| {
        let count = shape.iter().product::<usize>();
        Value::new(shape, (0..count).map(|i| ((i * 37 + seed) as f64).sin() * 0.8).collect())
    };
    let inputs = vec![value(&[BATCH, X], 1), value(&[rows, T, BATCH, X], 2), value(&[X, X], 3)];
    let e = Environment { batch: BATCH, inputs, ..Environment::default() };
    let first = gradients(&g);
    assert_close(&outputs(&first, &e).unwrap(), &differences(&g, &e), 1e-7);
    let simple = simplify(&first).unwrap();
    assert_close(&outputs(&simple, &e).unwrap(), &outputs(&first, &e).unwrap(), 1e-12);
    // Forward the inner and the outer one; backward the inner one again, whose carries are stored now instead
    // of what it keeps, its derivative, and the outer one.
    let (text, bodies) = parsed(&planned(&simple));
    assert_eq!(bodies.len(), 5, "{text}");
}

#[test]
fn every_step_draws_its_own_numbers_and_the_backward_pass_the_same() {
    let batch = |n: usize| vec![Dim::batch(), Dim::literal(n as u64)];
    let mut g = Graph::new("g");
    let h0 = g.input("h0", batch(H), false);
    let xs = g.input("xs", [dims(&[T]), batch(H)].concat(), false);
    let mut cell = Graph::new("cell");
    let (h, x) = (cell.input("h", batch(H), false), cell.input("x", batch(H), false));
    let dropped = cell.dropout(h, 0.5, "drop").unwrap();
    let product = cell.scalar("mul", &[dropped, x]).unwrap();
    cell.outputs = vec![product];
    let values = g.scan(Body::new(cell), false, &[h0], &[xs]).unwrap();
    let loss = square_sum(&mut g, values.carries[0]).unwrap();
    g.outputs = vec![loss];
    let plan = planned(&simplify(&gradients(&g)).unwrap());
    let (text, bodies) = parsed(&plan);
    assert_eq!(bodies.len(), 2);
    // In both directions, and always from the place of the time axis.
    let stream = "__n :: stream_at (const { __n :: stream (\"drop\") } , path)";
    let step = "__n :: stream_at (const { __n :: stream (\"\") } , t as u32)";
    assert_eq!(text.matches(step).count(), 2, "{text}");
    assert!(text.matches(stream).count() >= 2, "{text}");
    assert_eq!(text.matches("stream (\"drop\")").count(), text.matches(stream).count(), "{text}");
    let given = text.matches("Arg :: Uniform { stream : s").count();
    assert!(given > 0 && given == text.matches("Arg :: Uniform").count(), "{text}");
}
