//! Recurrent layers: scans over the positions of a sequence, with PyTorch's names, gates and layouts.

use quote::quote;

use super::{Kind, kind};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::graph::{Graph, NodeId};
use crate::lower::{Chain, text};
use crate::ops::Op;
use crate::ops::scan::Body;
use crate::shape::{Dim, show};

const ARGUMENTS: &[&str] = &["features", "last"];

pub const LAYERS: &[Kind] = &[
    kind("Rnn", ARGUMENTS, |cx, layer, arguments| recurrent(cx, layer, arguments, 1, 1, rnn)),
    kind("Gru", ARGUMENTS, |cx, layer, arguments| recurrent(cx, layer, arguments, 3, 1, gru)),
    kind("Lstm", ARGUMENTS, |cx, layer, arguments| recurrent(cx, layer, arguments, 4, 2, lstm)),
];

/// The next carries from the input's gates, the hidden state's gates, the carries and the features.
type Cell = fn(&mut Graph, NodeId, NodeId, &[NodeId], &Dim) -> Result<Vec<NodeId>, String>;

/// [t, features] to the hidden state after each position, or after the last: `last = true`. Called in an
/// expression, all of them and the last carries.
fn recurrent(
    cx: &mut Chain,
    layer: &Layer,
    arguments: &mut Arguments,
    gates: i128,
    carries: usize,
    cell: Cell,
) -> Option<()> {
    let example = format!("{}(64)", layer.kind);
    let hidden = arguments.required_size("features", &example, &mut cx.errors)?;
    let last = arguments.boolean("last", false, &mut cx.errors)?;
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let sample = cx.sample();
    let [_, features] = &sample[..] else {
        let head = cx.mismatch(layer);
        let previous = cx.previous.0.clone();
        let rest =
            format!(" expects [positions, features], but `{previous}` yields {}", show(&sample));
        cx.fail(layer.range, &[head, text(rest)]);
        return None;
    };
    // PyTorch draws all of them from +-1 / sqrt(hidden).
    let size = hidden.tokens();
    let init = quote!(__n::Init::FanIn { fan_in: #size });
    let rows = hidden.mul(&Dim::literal(gates));
    let at = layer.range;
    let mut param = |part: &str, shape| cx.param(format!("{name}.{part}"), shape, init.clone(), at);
    let w_ih = param("weight_ih_l0", vec![rows.clone(), features.clone()]);
    let w_hh = param("weight_hh_l0", vec![rows.clone(), hidden.clone()]);
    let b_ih = param("bias_ih_l0", vec![rows.clone()]);
    let b_hh = param("bias_hh_l0", vec![rows]);
    if !cx.known {
        return None;
    }
    // The input's gates of all positions are one product.
    let transposed = cx.graph.permute(w_ih, vec![1, 0]);
    let transposed = cx.op(transposed, layer)?;
    let product = cx.matmul(cx.x, transposed, at).ok()?;
    let from_input = cx.scalar("add", &[product, b_ih], at).ok()?; // [t, gates * hidden]
    let steps = cx.swapped(from_input, at).ok()?;
    let zero = cx.graph.constant(0.0);
    let start = cx.graph.broadcast(zero, vec![Dim::batch(), hidden.clone()]);
    let start = cx.op(start, layer)?;
    let begin = vec![start; carries];
    let body = body(&cx.graph, [w_hh, b_hh], steps, &begin, &hidden, cell);
    let body = match body {
        Ok(body) => body,
        Err(message) => {
            cx.op(Err(message), layer)?;
            return None;
        }
    };
    let values = cx.graph.scan(body, false, &begin, &[steps]);
    let values = match values {
        Ok(values) => values,
        Err(message) => {
            cx.op(Err(message), layer)?;
            return None;
        }
    };
    let all = cx.sample_major(values.kept[0], at).ok()?;
    cx.x = if last { values.carries[0] } else { all };
    if !last {
        cx.results = [vec![all], values.carries].concat();
    }
    Some(())
}

/// One position: the hidden state's gates by a product, then the cell.
fn body(
    outer: &Graph,
    [w, b]: [NodeId; 2],
    steps: NodeId,
    begin: &[NodeId],
    hidden: &Dim,
    cell: Cell,
) -> Result<Body, String> {
    let mut graph = Graph::new("body");
    let carries: Vec<NodeId> =
        begin.iter().map(|id| graph.input("carry", outer.shape(*id).clone(), false)).collect();
    let x = graph.input("step", outer.shape(steps)[1..].to_vec(), false);
    let mut body = Body::new(graph);
    let (w, b) = (body.capture(outer, w), body.capture(outer, b));
    let g = &mut body.graph;
    let product = Op::Matmul { transpose_a: false, transpose_b: true };
    let product = g.push(product, &[carries[0], w])?; // [batch, gates * hidden]
    let from_hidden = g.scalar("add", &[product, b])?;
    let next = cell(g, x, from_hidden, &carries, hidden)?;
    g.outputs = next.clone();
    g.outputs.push(next[0]);
    Ok(body)
}

/// Gate `i` of [batch, gates * hidden].
fn gate(g: &mut Graph, gates: NodeId, i: i128, hidden: &Dim) -> Result<NodeId, String> {
    g.slice(gates, 1, hidden.mul(&Dim::literal(i)), hidden.clone(), 1)
}

/// tanh(x W^T + b + h U^T + c)
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>
fn rnn(g: &mut Graph, x: NodeId, h: NodeId, _: &[NodeId], _: &Dim) -> Result<Vec<NodeId>, String> {
    let sum = g.scalar("add", &[x, h])?;
    Ok(vec![g.scalar("tanh", &[sum])?])
}

/// Reset, update and new gate: n = tanh(x_n + r h_n), h' = (1 - z) n + z h.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html>
fn gru(
    g: &mut Graph,
    x: NodeId,
    h: NodeId,
    carries: &[NodeId],
    hidden: &Dim,
) -> Result<Vec<NodeId>, String> {
    let sigmoid = |g: &mut Graph, i| {
        let (a, b) = (gate(g, x, i, hidden)?, gate(g, h, i, hidden)?);
        let sum = g.scalar("add", &[a, b])?;
        g.scalar("sigmoid", &[sum])
    };
    let (reset, update) = (sigmoid(g, 0)?, sigmoid(g, 1)?);
    let (a, b) = (gate(g, x, 2, hidden)?, gate(g, h, 2, hidden)?);
    let scaled = g.scalar("mul", &[reset, b])?;
    let sum = g.scalar("add", &[a, scaled])?;
    let new = g.scalar("tanh", &[sum])?;
    let difference = g.scalar("sub", &[carries[0], new])?;
    let kept = g.scalar("mul", &[update, difference])?;
    Ok(vec![g.scalar("add", &[new, kept])?])
}

/// Input, forget, cell and output gate: c' = f c + i g, h' = o tanh(c').
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>
fn lstm(
    g: &mut Graph,
    x: NodeId,
    h: NodeId,
    carries: &[NodeId],
    hidden: &Dim,
) -> Result<Vec<NodeId>, String> {
    let all = g.scalar("add", &[x, h])?;
    let parts = (0..4).map(|i| gate(g, all, i, hidden)).collect::<Result<Vec<_>, _>>()?;
    let (input, forget) = (g.scalar("sigmoid", &[parts[0]])?, g.scalar("sigmoid", &[parts[1]])?);
    let (new, output) = (g.scalar("tanh", &[parts[2]])?, g.scalar("sigmoid", &[parts[3]])?);
    let kept = g.scalar("mul", &[forget, carries[1]])?;
    let added = g.scalar("mul", &[input, new])?;
    let cell = g.scalar("add", &[kept, added])?;
    let shown = g.scalar("tanh", &[cell])?;
    Ok(vec![g.scalar("mul", &[output, shown])?, cell])
}
