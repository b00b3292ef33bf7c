//! Points at which there is no derivative, or several: what is taken is what PyTorch takes.
//! <https://docs.pytorch.org/docs/stable/notes/autograd.html#gradients-for-non-differentiable-functions>

use super::draw::{dim, dims};
use super::vjp;
use crate::graph::{Graph, NodeId};
use crate::interpret::{Environment, Value, outputs};
use crate::ops::Op;
use crate::ops::conv::Window2;
use crate::ops::reduce::Fold;
use crate::simplify::simplify;

type Function = fn(&mut Graph, NodeId) -> Result<NodeId, String>;

/// A function of a vector, a point, and the gradient of the sum of its values there.
const CASES: &[(&str, Function, &[f64], &[f64])] = &[
    ("relu", |g, x| g.scalar("relu", &[x]), &[0.0, -0.0], &[0.0, 0.0]),
    ("abs", |g, x| g.scalar("abs", &[x]), &[0.0], &[0.0]),
    ("sign", |g, x| g.scalar("sign", &[x]), &[0.0], &[0.0]),
    ("floor", |g, x| g.scalar("floor", &[x]), &[-1.0, 0.0, 2.0], &[0.0, 0.0, 0.0]),
    ("round", |g, x| g.scalar("round", &[x]), &[-0.5, 0.5, 2.0], &[0.0, 0.0, 0.0]),
    ("sqrt", |g, x| g.scalar("sqrt", &[x]), &[0.0], &[f64::INFINITY]),
    ("leaky_relu", |g, x| g.leaky_relu(x, 0.1), &[0.0], &[0.1]),
    ("elu", |g, x| g.elu(x, 1.5), &[0.0], &[1.5]),
    (
        "clamp",
        |g, x| {
            let [a, b] = [0.0, 1.0].map(|n| g.constant(n));
            g.clamp(x, a, b)
        },
        &[0.0, 1.0],
        &[1.0, 1.0],
    ),
    (
        "max of two",
        |g, x| {
            let one = g.constant(1.0);
            g.scalar("max", &[x, one])
        },
        &[1.0],
        &[0.5],
    ),
    (
        "min of two",
        |g, x| {
            let one = g.constant(1.0);
            g.scalar("min", &[one, x])
        },
        &[1.0],
        &[0.5],
    ),
    ("max", |g, x| largest(g, x), &[3.0, 1.0, 3.0], &[0.5, 0.0, 0.5]),
    ("max pooling", |g, x| pooled(g, x), &[2.0, 3.0, 3.0], &[0.0, 1.0, 0.0]),
    ("a maximum does not shift a softmax", |g, x| g.log_sum_exp(x, 0), &[1.0, 1.0], &[0.5, 0.5]),
    ("x to 0", |g, x| power(g, x, 0.0), &[0.0], &[0.0]),
    ("x to 1", |g, x| power(g, x, 1.0), &[0.0, -2.0], &[1.0, 1.0]),
    ("x to 2", |g, x| power(g, x, 2.0), &[0.0, -3.0], &[0.0, -6.0]),
    ("x to 3", |g, x| power(g, x, 3.0), &[0.0, -2.0], &[0.0, 12.0]),
    ("x to -1", |g, x| power(g, x, -1.0), &[-2.0], &[-0.25]),
    (
        "0 to x",
        |g, x| {
            let zero = g.constant(0.0);
            g.scalar("pow", &[zero, x])
        },
        &[0.0, 2.0],
        &[0.0, 0.0],
    ),
    // What is not taken has no derivative that counts, also where that is infinite.
    (
        "select",
        |g, x| {
            let [one, two] = [1.0, 2.0].map(|n| g.constant(n));
            let root = g.scalar("ln", &[x])?;
            let far = g.scalar("lt", &[x, two])?;
            g.scalar("select", &[far, root, one])
        },
        &[1.0, 3.0],
        &[1.0, 0.0],
    ),
];

fn power(g: &mut Graph, x: NodeId, exponent: f64) -> Result<NodeId, String> {
    let exponent = g.constant(exponent);
    g.scalar("pow", &[x, exponent])
}

fn largest(g: &mut Graph, x: NodeId) -> Result<NodeId, String> {
    g.push(Op::Reduce { fold: Fold::Max, axes: vec![0] }, &[x])
}

/// The maximum of three points as an image of one row.
fn pooled(g: &mut Graph, x: NodeId) -> Result<NodeId, String> {
    let image = g.reshape(x, dims(&[1, 1, 1, 3]))?;
    let pair = |h: usize, w: usize| [dim(h), dim(w)];
    g.push(Op::MaxPool2d(Window2::new(pair(1, 3), pair(1, 1), pair(0, 0))), &[image])
}

#[test]
fn where_there_is_no_derivative_it_is_pytorchs() {
    for (name, function, at, expected) in CASES {
        let mut g = Graph::new(*name);
        let x = g.input("x", dims(&[at.len()]), false);
        let y = function(&mut g, x).unwrap();
        g.outputs = vec![y];
        let d = vjp(&g);
        let ones = vec![1.0; Environment::default().shape(g.shape(y)).unwrap().iter().product()];
        let sizes = Environment::default().shape(g.shape(y)).unwrap();
        let inputs = vec![Value::new(&[at.len()], at.to_vec()), Value::new(&sizes, ones)];
        let e = Environment { inputs, ..Environment::default() };
        for graph in [&d, &simplify(&d).unwrap()] {
            assert_eq!(outputs(graph, &e).unwrap()[0].data, *expected, "{name} at {at:?}");
        }
    }
}

/// Second derivatives of x to b at 0, for whole b.
#[test]
fn powers_of_zero_are_differentiated_twice() {
    for (b, expected) in [(0.0, 0.0), (1.0, 0.0), (2.0, 2.0), (3.0, 0.0)] {
        let mut g = Graph::new("power");
        let x = g.input("x", vec![], false);
        g.outputs = vec![power(&mut g, x, b).unwrap()];
        let second = vjp(&vjp(&g));
        let one = Value::new(&[], vec![1.0]);
        let inputs = vec![Value::zeros(&[]), one.clone(), one];
        let e = Environment { inputs, ..Environment::default() };
        for graph in [&second, &simplify(&second).unwrap()] {
            assert_eq!(outputs(graph, &e).unwrap()[0].data, [expected], "{b}");
        }
    }
}
