//! Which scalar ops are part of a product's loop, and which must not be.

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::ops::conv::Window2;
use crate::plan::{Place, Request, plan};
use crate::rows::tests::{assert_kinds, planned, shape, with_gradients};
use crate::shape::{Dim, Shape};
use crate::simplify::simplify;

const PLAIN: Op = Op::Matmul { transpose_a: false, transpose_b: false };

/// `x [batch, 16] @ w + b`, and a graph with a second weight.
fn layer() -> (Graph, NodeId, [NodeId; 3]) {
    let mut g = Graph::new("layer");
    let x = g.input("x", shape(&[16]), false);
    let [w, v] = ["w", "v"].map(|name| g.param(name, vec![Dim::literal(16), Dim::literal(16)]));
    let b = g.param("b", vec![Dim::literal(16)]);
    let product = g.push(PLAIN, &[x, w]).unwrap();
    let y = g.scalar("add", &[product, b]).unwrap();
    (g, y, [w, v, b])
}

/// The rows of `[batch, 8, 16]` as a matrix.
fn rows() -> Shape {
    vec![Dim::batch().mul(&Dim::literal(8)), Dim::literal(16)]
}

/// `h [batch, 8, 16] @ w + b` for the rows of all positions, as `[batch, 8, 16]`.
fn projection(g: &mut Graph) -> NodeId {
    let h = g.input("h", shape(&[8, 16]), false);
    let w = g.param("w", vec![Dim::literal(16), Dim::literal(16)]);
    let b = g.param("b", vec![Dim::literal(16)]);
    let flat = g.reshape(h, rows()).unwrap();
    let product = g.push(PLAIN, &[flat, w]).unwrap();
    let biased = g.scalar("add", &[product, b]).unwrap();
    g.reshape(biased, shape(&[8, 16])).unwrap()
}

#[test]
fn the_argument_and_the_result_of_an_activation_are_stored_by_the_product() {
    for name in ["silu", "softplus", "gelu"] {
        let (mut g, a, [w, v, b]) = layer();
        let y = match name {
            "silu" => g.silu(a),
            "softplus" => g.scalar("softplus", &[a]),
            _ => g.gelu(a, false),
        };
        let out = g.push(PLAIN, &[y.unwrap(), v]).unwrap();
        let plan = with_gradients(g, out, &[w, b]);
        assert_kinds(&plan, &["matmul", "matmul"], &["matmul", "sum", "matmul"]);
        let listing = plan.listing(0..1);
        assert_eq!(plan.steps[0].writes.len(), 2, "{name}: {listing}");
        assert!(listing.contains("), then %5 = add("), "{listing}");
    }
}

/// Without a bias, the argument is the product itself.
#[test]
fn a_product_is_stored_beside_what_is_made_of_it() {
    let mut g = Graph::new("layer");
    let x = g.input("x", shape(&[16]), false);
    let w = g.param("w", vec![Dim::literal(16), Dim::literal(16)]);
    let a = g.push(PLAIN, &[x, w]).unwrap();
    let y = g.silu(a).unwrap();
    let plan = with_gradients(g, y, &[w]);
    assert_kinds(&plan, &["matmul"], &["map", "matmul"]);
    assert_eq!(plan.steps[0].writes.len(), 2, "{}", plan.listing(0..1));
}

#[test]
fn the_argument_of_an_activation_after_a_convolution_is_stored_by_it() {
    let mut g = Graph::new("conv");
    let x = g.input("x", shape(&[3, 8, 8]), false);
    let w = g.param("w", [4, 3, 3, 3].map(Dim::literal).to_vec());
    let pair = |size: u64| [Dim::literal(size), Dim::literal(size)];
    let window = Window2::new(pair(3), pair(1), pair(0));
    let a = g.conv2d(x, w, window).unwrap();
    let y = g.silu(a).unwrap();
    let plan = with_gradients(g, y, &[w]);
    assert_kinds(&plan, &["conv2d"], &["map", "conv2d_weight"]);
    assert_eq!(plan.steps[0].writes.len(), 2);
}

#[test]
fn the_residual_sum_is_part_of_the_projection() {
    let mut g = Graph::new("sum only");
    let x = g.input("x", shape(&[8, 16]), false);
    let projected = projection(&mut g);
    let y = g.scalar("add", &[x, projected]).unwrap();
    g.outputs = vec![y];
    let plan = planned(&g, 0);
    assert_kinds(&plan, &["matmul"], &[]);
    assert_eq!(plan.steps[0].writes.len(), 1);

    // Both the projection and the sum.
    g.outputs = vec![projected, y];
    let plan = planned(&g, 0);
    assert_kinds(&plan, &["matmul"], &[]);
    assert_eq!(plan.steps[0].writes.len(), 2);

    // A norm after the sum, and the next residual sum.
    let z = g.layer_norm(y, None, None, vec![2], 1e-5).unwrap();
    let z = g.scalar("add", &[y, z]).unwrap();
    g.outputs = vec![z];
    assert_kinds(&planned(&g, 0), &["matmul", "rows"], &[]);
}

/// The sum of two products is part of the later one.
#[test]
fn of_two_products_the_later_one_adds() {
    let (mut g, y, [_, v, _]) = layer();
    let other = g.push(PLAIN, &[y, v]).unwrap();
    let sum = g.scalar("add", &[y, other]).unwrap();
    g.outputs = vec![sum];
    let plan = planned(&g, 0);
    assert_kinds(&plan, &["matmul", "matmul"], &[]);
    assert!(plan.listing(1..2).contains("then add("), "{}", plan.listing(1..2));
}

/// A table of positions is not one stride along the rows of all samples.
#[test]
fn what_is_not_regular_along_the_rows_stays_a_loop() {
    let mut g = Graph::new("positions");
    let table = g.param("table", vec![Dim::literal(8), Dim::literal(16)]);
    let projected = projection(&mut g);
    let y = g.scalar("add", &[projected, table]).unwrap();
    g.outputs = vec![y];
    assert_kinds(&planned(&g, 0), &["matmul", "map"], &[]);
}

#[test]
fn no_product_waits_for_what_is_computed_of_it() {
    let (mut g, y, _) = layer();
    let sums = g.push(Op::Cumsum { axis: 1, reverse: false }, &[y]).unwrap();
    let z = g.scalar("mul", &[y, sums]).unwrap();
    g.outputs = vec![y, z];
    assert_kinds(&planned(&g, 0), &["matmul", "cumsum", "map"], &[]);
}

/// Transposed, the elements are not where the product computes them.
#[test]
fn another_order_of_elements_is_another_loop() {
    let mut g = Graph::new("transposed");
    let x = g.input("x", vec![Dim::literal(16), Dim::literal(16)], false);
    let w = g.param("w", vec![Dim::literal(16), Dim::literal(16)]);
    let y = g.push(PLAIN, &[x, w]).unwrap();
    let turned = g.push(Op::Permute(vec![1, 0]), &[y]).unwrap();
    let z = g.scalar("add", &[x, turned]).unwrap();
    g.outputs = vec![z];
    assert_kinds(&planned(&g, 0), &["matmul", "map"], &[]);
    let both = g.scalar("add", &[y, turned]).unwrap();
    g.outputs = vec![both];
    assert_kinds(&planned(&g, 0), &["matmul", "map"], &[]);
}

/// Where the argument is read for the last time, its memory becomes that of the result.
#[test]
fn a_loop_that_can_write_over_what_it_reads_stays_one() {
    let (mut g, y, _) = layer();
    let sum = g.sum(y, vec![1]).unwrap();
    let z = g.scalar("tanh", &[y]).unwrap();
    let z = g.sum(z, vec![0]).unwrap();
    g.outputs = vec![sum, z];
    assert_kinds(&planned(&g, 0), &["matmul", "sum", "sum"], &[]);
    let (mut g, y, [_, v, _]) = layer();
    let sum = g.sum(y, vec![1]).unwrap();
    let t = g.scalar("tanh", &[y]).unwrap();
    let z = g.push(PLAIN, &[t, v]).unwrap();
    g.outputs = vec![sum, z];
    let plan = planned(&g, 0);
    assert_kinds(&plan, &["matmul", "sum", "map", "matmul"], &[]);
    assert_eq!(plan.len.to_string(), "16 * batch");
}

/// What is written over an input waits for all that reads the input, and is no part of a larger kernel.
#[test]
fn what_is_written_over_an_input_stays_apart() {
    let (mut g, y, _) = layer();
    let so_far = g.input("sum", shape(&[16]), false);
    let t = g.scalar("tanh", &[y]).unwrap();
    let old = g.scalar("mul", &[so_far, t]).unwrap();
    let sum = g.scalar("add", &[so_far, y]).unwrap();
    g.outputs = vec![sum, t, old];
    let g = simplify(&g.inline().unwrap()).unwrap();
    let request = Request {
        graph: &g,
        inputs: vec![Place::Argument(0), Place::Argument(1)],
        params: vec![Dim::literal(0); 3],
        states: vec![],
        outputs: [1, 2, 3].map(Place::Argument).to_vec(),
        forward: 0,
    };
    assert_kinds(&plan(&request).unwrap(), &["matmul", "map"], &[]);
}
