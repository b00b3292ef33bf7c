//! Every derivative of the compiler against central differences, by evaluating graphs in f64: of the first and
//! of the second order, of simplified graphs too, and with the views that plans read storage through.

mod coverage;
mod draw;
mod edges;
mod scalars;
mod structural;

use std::fmt::Write;

use super::Op;
use crate::autodiff::gradients;
use crate::fuse::view;
use crate::graph::{Graph, NodeId};
use crate::interpret::{Environment, Value, outputs, position, values};
use crate::plan::{Place, Request, inline, plan};
use crate::simplify::simplify;

/// Half the distance of the inner two of the four points that a slope is taken from.
pub const STEP: f64 = 5e-4;
/// How far a gradient may be from differences, relative to the largest of its tensor or 1.
const TOLERANCE: f64 = 1e-7;

/// The slope of a function at 0, with an error of the fourth order of the step.
pub fn slope(step: f64, f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(step) - f(-step)) - (f(2.0 * step) - f(-2.0 * step))) / (12.0 * step)
}

/// The vector-Jacobian product: a gradient of every output in, the gradient of every float input out.
pub fn vjp(g: &Graph) -> Graph {
    let mut d = g.clone();
    let floats = floats(g);
    let seeds: Vec<(NodeId, NodeId)> = g
        .outputs
        .iter()
        .map(|id| (*id, d.input(&format!("d{id}"), g.shape(*id).clone(), false)))
        .collect();
    let parts = gradients(&mut d, &seeds, &floats).unwrap();
    d.outputs = vec![];
    for (input, part) in floats.into_iter().zip(parts) {
        let id = part.unwrap_or_else(|| {
            let (zero, shape) = (d.constant(0.0), d.shape(input).clone());
            d.broadcast(zero, shape).unwrap()
        });
        d.outputs.push(id);
    }
    d.check().unwrap();
    d
}

/// The nodes of the float inputs, in their order.
fn floats(g: &Graph) -> Vec<NodeId> {
    let node = |i: usize| g.nodes.iter().position(|n| matches!(n.op, Op::Input(j) if i == j));
    (0..g.inputs.len()).filter(|i| !g.inputs[*i].integer).filter_map(node).collect()
}

/// The sum of the outputs' elements times those of the last inputs' values.
fn weighted(g: &Graph, e: &Environment, weights: &[Value]) -> f64 {
    let all = outputs(g, e).unwrap();
    let elements = |v: &[Value]| v.iter().flat_map(|v| v.data.clone()).collect::<Vec<_>>();
    elements(&all).iter().zip(elements(weights)).map(|(y, w)| y * w).sum()
}

/// Compares the vector-Jacobian products of the first `orders` orders with differences of the order before.
/// `e` has values for the inputs of `g`; the gradients of outputs are drawn here.
pub fn check(what: &str, g: &Graph, e: &Environment, orders: usize) {
    same_when_simple(what, g, e);
    let (mut g, mut e) = (g.clone(), e.clone());
    let mut rng = draw::Rng::new(what);
    for order in 1..=orders {
        let d = vjp(&g);
        let seeds: Vec<Value> = g
            .outputs
            .iter()
            .map(|id| rng.value(&e.shape(g.shape(*id)).unwrap(), [-1.5, 1.5]))
            .collect();
        let mut with_seeds = e.clone();
        with_seeds.inputs.extend(seeds.clone());
        let found = outputs(&d, &with_seeds).unwrap();
        let inputs = (0..g.inputs.len()).filter(|i| !g.inputs[*i].integer);
        for (input, found) in inputs.zip(found) {
            let at = |i: usize| {
                slope(STEP, |by| {
                    let mut moved = e.clone();
                    moved.inputs[input].data[i] += by;
                    weighted(&g, &moved, &seeds)
                })
            };
            let slopes: Vec<f64> = (0..found.data.len()).map(at).collect();
            let name = &g.inputs[input].name;
            close(
                &format!("{what}: order {order}, {name}"),
                &found.data,
                &slopes,
                TOLERANCE,
                &d,
                &e,
            );
        }
        same_when_simple(what, &d, &with_seeds);
        (g, e) = (d, with_seeds);
    }
}

fn close(what: &str, found: &[f64], expected: &[f64], tolerance: f64, g: &Graph, e: &Environment) {
    let scale = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
    let fits = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * scale;
    if found.len() == expected.len() && found.iter().zip(expected).all(fits) {
        return;
    }
    let mut text = String::new();
    for (port, value) in g.inputs.iter().zip(&e.inputs) {
        let _ = writeln!(text, "{} {:?}: {:?}", port.name, value.shape, value.data);
    }
    panic!("{what}:\nfound    {found:?}\nexpected {expected:?}\n{text}{}", g.listing());
}

/// That the simplified graph has the same values, and so have the views that its plan reads.
fn same_when_simple(what: &str, g: &Graph, e: &Environment) {
    let simple = simplify(g).unwrap_or_else(|m| panic!("{what}: {m}\n{}", g.listing()));
    let (expected, found) = (outputs(g, e).unwrap(), outputs(&simple, e).unwrap());
    for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(a.shape, b.shape, "{what}, output {i}");
        let what = format!("{what}: output {i} of the simple graph\n{}", simple.listing());
        close(&what, &a.data, &b.data, 1e-12, g, e);
    }
    same_in_storage(what, &simple, e, &found);
}

/// That storage read with the strides of each view is the value of its node.
fn same_in_storage(what: &str, g: &Graph, e: &Environment, expected: &[Value]) {
    let inputs = g.inputs.len();
    let g = &simplify(&g.inline().unwrap()).unwrap();
    let planned = plan(&Request {
        graph: g,
        inputs: (0..inputs).map(Place::Argument).collect(),
        params: vec![],
        states: vec![],
        outputs: (0..g.outputs.len()).map(|i| Place::Argument(inputs + i)).collect(),
        forward: 0,
    });
    let planned = planned.unwrap_or_else(|m| panic!("{what}: {m}\n{}", g.listing())).graph;
    let values = values(&planned, e).unwrap();
    for (output, expected) in planned.outputs.iter().zip(expected) {
        close(what, &values[*output].data, &expected.data, 1e-12, &planned, e);
    }
    for (id, value) in values.iter().enumerate() {
        let Some(v) = view(&planned, id) else { continue };
        if inline(&planned.nodes[v.base].op) {
            continue;
        }
        let (strides, offset) = (e.shape(&v.strides).unwrap(), e.size(&v.offset).unwrap());
        for (i, expected) in value.data.iter().enumerate() {
            let axes = position(i, &value.shape);
            let from = axes.iter().zip(&strides).map(|(p, s)| p * s).sum::<usize>() + offset;
            let read = values[v.base].data[from];
            assert_eq!(read.to_bits(), expected.to_bits(), "{what}: %{id}\n{}", planned.listing());
        }
    }
}
