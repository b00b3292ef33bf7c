//! Scans against the same steps unrolled, and their derivatives against finite differences.

use super::*;
use crate::interpret::{Environment, Value, outputs};
use crate::ops::movement::Range;
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
    let product = |g: &mut Graph, a, b| {
        g.push(Op::Matmul { transpose_a: false, transpose_b: true }, &[a, b])
    };
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
    let last = (0..g.nodes.len()).find(|id| {
        matches!(g.nodes[*id].op, Op::Scan { output: Output::Last(0), .. })
    });
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
