//! Which graphs become how many kernels, and of what kind.

use crate::autodiff;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::plan::{Place, Plan, Request, plan};
use crate::shape::{Dim, Shape};
use crate::simplify::simplify;

pub fn shape(sizes: &[i128]) -> Shape {
    [Dim::batch()].into_iter().chain(sizes.iter().map(|size| Dim::literal(*size))).collect()
}

/// The plan of a graph with outputs of its own, the first `forward` of which come before the others.
pub fn planned(g: &Graph, forward: usize) -> Plan {
    g.check().unwrap();
    let graph = simplify(&g.inline().unwrap()).unwrap();
    let inputs = graph.inputs.len();
    plan(&Request {
        graph: &graph,
        inputs: (0..inputs).map(Place::Argument).collect(),
        params: vec![Dim::literal(0); graph.params.len()],
        states: vec![],
        outputs: (0..graph.outputs.len()).map(|i| Place::Argument(inputs + i)).collect(),
        forward,
    })
    .unwrap()
}

/// The plan of `y` and then of its gradients for a given one of `y`.
pub fn with_gradients(mut g: Graph, y: NodeId, wrt: &[NodeId]) -> Plan {
    let of_y = g.shape(y).clone();
    let dy = g.input("dy", of_y, false);
    let gradients = autodiff::gradients(&mut g, &[(y, dy)], wrt).unwrap();
    g.outputs = vec![y];
    g.outputs.extend(gradients.into_iter().flatten());
    planned(&g, 1)
}

/// The kinds of the steps, forward and backward: the first words of the listing.
fn kinds(plan: &Plan) -> [Vec<String>; 2] {
    [0..plan.boundary, plan.boundary..plan.steps.len()].map(|steps| {
        let listing = plan.listing(steps);
        let calls = listing.lines().filter_map(|line| line.split_once(" -> ")?.1.split_once(": "));
        let kinds = calls.filter_map(|(_, call)| call.split(' ').next());
        kinds.map(str::to_owned).collect()
    })
}

#[track_caller]
pub fn assert_kinds(plan: &Plan, forward: &[&str], backward: &[&str]) {
    let listing = plan.listing(0..plan.steps.len());
    assert_eq!(kinds(plan), [forward, backward], "\n{}{listing}", plan.graph.listing());
}

#[test]
fn softmax_is_one_kernel_and_its_gradient_another() {
    for sizes in [&[10][..], &[4, 7, 7]] {
        let mut g = Graph::new("softmax");
        let x = g.input("x", shape(sizes), false);
        let y = g.softmax(x, sizes.len()).unwrap();
        assert_kinds(&with_gradients(g, y, &[x]), &["rows"], &["rows"]);
    }
}

#[test]
fn log_softmax_is_one_kernel_and_its_gradient_another() {
    let mut g = Graph::new("log_softmax");
    let x = g.input("x", shape(&[10]), false);
    let y = g.log_softmax(x, 1).unwrap();
    assert_kinds(&with_gradients(g, y, &[x]), &["rows"], &["rows"]);
}

#[test]
fn layer_norm_is_one_kernel_and_folds_over_the_batch_are_others() {
    for sizes in [&[256][..], &[5, 256]] {
        let mut g = Graph::new("layer_norm");
        let x = g.input("x", shape(sizes), false);
        let [w, b] = ["weight", "bias"].map(|name| g.param(name, vec![Dim::literal(256)]));
        let y = g.layer_norm(x, Some(w), Some(b), vec![sizes.len()], 1e-5).unwrap();
        let plan = with_gradients(g, y, &[x, w, b]);
        let [forward, mut backward] = kinds(&plan);
        backward.sort();
        assert_eq!(forward, ["rows"], "{}", plan.listing(0..plan.steps.len()));
        assert_eq!(backward, ["rows", "sum", "sum"], "{}", plan.listing(0..plan.steps.len()));
    }
}

#[test]
fn rms_norm_is_one_kernel() {
    let mut g = Graph::new("rms_norm");
    let x = g.input("x", shape(&[256]), false);
    let y = g.rms_norm(x, None, vec![1], 1e-5).unwrap();
    assert_kinds(&with_gradients(g, y, &[x]), &["rows"], &["rows"]);
}

/// The mean over the batch of the cross entropy with labels, and its gradient.
#[test]
fn cross_entropy_with_labels_is_one_kernel_for_value_and_gradient() {
    let mut g = Graph::new("cross_entropy");
    let x = g.input("x", shape(&[10]), false);
    let label = g.input("label", shape(&[]), true);
    let lse = g.log_sum_exp(x, 1).unwrap();
    let lse = g.reshape(lse, shape(&[])).unwrap();
    let right = g.push(Op::Gather, &[x, label]).unwrap();
    let loss = g.scalar("sub", &[lse, right]).unwrap();
    let sum = g.sum(loss, vec![0]).unwrap();
    let count = g.size(Dim::batch());
    let mean = g.scalar("div", &[sum, count]).unwrap();
    let mean = g.reshape(mean, vec![]).unwrap();
    let one = g.constant(1.0);
    let gradient = autodiff::gradients(&mut g, &[(mean, one)], &[x]).unwrap();
    g.outputs = vec![mean];
    assert_kinds(&planned(&g, 0), &["rows", "sum", "map"], &[]);
    g.outputs.extend(gradient.into_iter().flatten());
    assert_kinds(&planned(&g, 0), &["rows", "sum", "map"], &[]);
}

#[test]
fn a_logarithm_of_softmax_at_a_label_is_one_kernel() {
    let mut g = Graph::new("nll");
    let x = g.input("x", shape(&[10]), false);
    let label = g.input("label", shape(&[]), true);
    let y = g.log_softmax(x, 1).unwrap();
    let right = g.push(Op::Gather, &[y, label]).unwrap();
    let loss = g.scalar("neg", &[right]).unwrap();
    assert_kinds(&with_gradients(g, loss, &[x]), &["rows"], &["rows"]);
}

#[test]
fn what_feeds_only_the_rows_joins_them_and_a_product_keeps_its_epilogue() {
    let mut g = Graph::new("scores");
    let x = g.input("x", shape(&[8, 16]), false);
    let w = g.param("w", vec![Dim::literal(16), Dim::literal(32)]);
    let b = g.param("b", vec![Dim::literal(32)]);
    let product = g.push(Op::Matmul { transpose_a: false, transpose_b: false }, &[x, w]).unwrap();
    let biased = g.scalar("add", &[product, b]).unwrap();
    let y = g.softmax(biased, 2).unwrap();
    g.outputs = vec![y];
    assert_kinds(&planned(&g, 0), &["matmul", "rows"], &[]);

    let mut g = Graph::new("chain");
    let x = g.input("x", shape(&[32]), false);
    let t = g.scalar("tanh", &[x]).unwrap();
    let two = g.constant(2.0);
    let scaled = g.scalar("mul", &[t, two]).unwrap();
    let y = g.softmax(scaled, 1).unwrap();
    g.outputs = vec![y];
    assert_kinds(&planned(&g, 0), &["rows"], &[]);
}

/// x - max(x @ w of the softmax): the product lies between two folds, which cannot be one kernel.
#[test]
fn no_kernel_waits_for_itself() {
    let mut g = Graph::new("between");
    let x = g.input("x", shape(&[8, 16]), false);
    let w = g.param("w", vec![Dim::literal(16), Dim::literal(16)]);
    let p = g.softmax(x, 2).unwrap();
    let product = g.push(Op::Matmul { transpose_a: false, transpose_b: false }, &[p, w]).unwrap();
    let max = g.max(product, vec![2]).unwrap();
    let y = g.scalar("sub", &[p, max]).unwrap();
    let sum = g.sum(y, vec![2]).unwrap();
    let z = g.scalar("mul", &[y, sum]).unwrap();
    g.outputs = vec![z];
    assert_kinds(&planned(&g, 0), &["rows", "matmul", "rows"], &[]);
}

#[test]
fn folds_that_nothing_follows_stay_reductions() {
    let mut g = Graph::new("sum");
    let x = g.input("x", shape(&[32]), false);
    let square = g.scalar("square", &[x]).unwrap();
    let y = g.sum(square, vec![1]).unwrap();
    g.outputs = vec![y];
    assert_kinds(&planned(&g, 0), &["sum"], &[]);
    // One row: nothing to cut among threads.
    let mut g = Graph::new("norm");
    let x = g.input("x", vec![Dim::literal(1000)], false);
    let y = g.softmax(x, 0).unwrap();
    g.outputs = vec![y];
    let [forward, _] = kinds(&planned(&g, 0));
    assert!(!forward.contains(&"rows".to_owned()), "{forward:?}");
}

/// What is needed twice and costs much is kept; what is cheap is computed again.
#[test]
fn exponentials_are_kept_between_passes() {
    let mut g = Graph::new("softmax");
    let x = g.input("x", shape(&[10]), false);
    let y = g.softmax(x, 1).unwrap();
    g.outputs = vec![y];
    let plan = planned(&g, 0);
    let listing = plan.listing(0..1);
    let expected = "rows s0 = max x; k0 = exp(sub(x, s0)); s1 = sum k0; ";
    assert!(listing.contains(expected), "{listing}");
    assert_eq!(listing.matches("exp").count(), 1, "{listing}");
}

/// A sum that is added to in place, as in the body of a loop: its kernel is no kernel over rows.
#[test]
fn what_is_written_over_an_input_stays_apart() {
    let mut g = Graph::new("body");
    let (x, so_far) = (g.input("x", shape(&[10]), false), g.input("sum", shape(&[10]), false));
    let part = g.softmax(x, 1).unwrap();
    let sum = g.scalar("add", &[so_far, part]).unwrap();
    let other = g.scalar("mul", &[so_far, x]).unwrap();
    let max = g.max(other, vec![1]).unwrap();
    let last = g.scalar("sub", &[other, max]).unwrap();
    g.outputs = vec![sum, last];
    let g = simplify(&g.inline().unwrap()).unwrap();
    let request = Request {
        graph: &g,
        inputs: vec![Place::Argument(0), Place::Argument(1)],
        params: vec![],
        states: vec![],
        outputs: vec![Place::Argument(1), Place::Argument(2)],
        forward: 0,
    };
    let plan = plan(&request).unwrap();
    // Also, what reads the old value comes first.
    assert_kinds(&plan, &["rows", "rows", "map"], &[]);
}

/// gelu(x @ w + b) @ v: what the derivative of the activation needs is computed again from its argument.
#[test]
fn what_an_activation_is_computed_from_is_stored_and_the_rest_computed_again() {
    let mut g = Graph::new("layers");
    let x = g.input("x", shape(&[16]), false);
    let [w, v] = ["w", "v"].map(|name| g.param(name, vec![Dim::literal(16), Dim::literal(16)]));
    let b = g.param("b", vec![Dim::literal(16)]);
    let plain = Op::Matmul { transpose_a: false, transpose_b: false };
    let product = g.push(plain.clone(), &[x, w]).unwrap();
    let biased = g.scalar("add", &[product, b]).unwrap();
    let y = g.gelu(biased, true).unwrap();
    let out = g.push(plain, &[y, v]).unwrap();
    let forward = planned(&Graph { outputs: vec![out], ..g.clone() }, 0);
    assert_kinds(&forward, &["matmul", "matmul"], &[]);
    let plan = with_gradients(g, out, &[w, b]);
    assert_kinds(&plan, &["matmul", "matmul"], &["matmul", "sum", "matmul"]);
    let listing = plan.listing(0..plan.steps.len());
    // Once in each pass.
    assert_eq!(listing.matches("tanh").count(), 2, "{listing}");
}

/// The same after a reshape to positions.
#[test]
fn bias_and_activation_are_part_of_a_product_of_the_rows_of_all_positions() {
    let mut g = Graph::new("positions");
    let x = g.input("x", shape(&[8, 16]), false);
    let w = g.param("w", vec![Dim::literal(16), Dim::literal(16)]);
    let b = g.param("b", vec![Dim::literal(16)]);
    let rows = vec![Dim::batch().mul(&Dim::literal(8)), Dim::literal(16)];
    let flat = g.reshape(x, rows).unwrap();
    let product =
        g.push(Op::Matmul { transpose_a: false, transpose_b: false }, &[flat, w]).unwrap();
    let wide = g.reshape(product, shape(&[8, 16])).unwrap();
    let biased = g.scalar("add", &[wide, b]).unwrap();
    let y = g.silu(biased).unwrap();
    g.outputs = vec![y];
    assert_kinds(&planned(&g, 0), &["matmul"], &[]);
}
