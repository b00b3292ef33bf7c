//! Activations, softmax and dropout: layers without parameters that, but for `Glu`, change no shape.

use super::{Kind, kind, shapeless};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::graph::{Graph, NodeId};
use crate::lower::{Chain, Part, text};
use crate::shape::Dim;

pub const LAYERS: &[Kind] = &[
    shapeless("Relu", &[], |cx, layer, _| activation(cx, layer, "relu")),
    shapeless("Sigmoid", &[], |cx, layer, _| activation(cx, layer, "sigmoid")),
    shapeless("Tanh", &[], |cx, layer, _| activation(cx, layer, "tanh")),
    shapeless("Softplus", &[], |cx, layer, _| activation(cx, layer, "softplus")),
    shapeless("Silu", &[], |cx, layer, _| composed(cx, layer, Graph::silu)),
    shapeless("LeakyRelu", &["slope"], |cx, layer, arguments| {
        let slope = arguments.number("slope", 0.01, &mut cx.errors)?;
        composed(cx, layer, |g, x| g.leaky_relu(x, slope))
    }),
    shapeless("Elu", &["alpha"], |cx, layer, arguments| {
        let alpha = arguments.number("alpha", 1.0, &mut cx.errors)?;
        composed(cx, layer, |g, x| g.elu(x, alpha))
    }),
    Kind { positional: false, ..shapeless("Gelu", &["approximate"], gelu) },
    shapeless("Softmax", &["axis"], |cx, layer, arguments| {
        along(cx, layer, arguments, Graph::softmax)
    }),
    shapeless("LogSoftmax", &["axis"], |cx, layer, arguments| {
        along(cx, layer, arguments, Graph::log_softmax)
    }),
    kind("Glu", &["axis"], glu),
    shapeless("Dropout", &["rate"], dropout),
];

/// An activation that is composed of scalar ops.
fn composed(
    cx: &mut Chain,
    layer: &Layer,
    lower: impl Fn(&mut Graph, NodeId) -> Result<NodeId, String>,
) -> Option<()> {
    if !cx.known {
        return None;
    }
    let y = lower(&mut cx.graph, cx.x);
    cx.x = cx.op(y, layer)?;
    Some(())
}

fn activation(cx: &mut Chain, layer: &Layer, op: &str) -> Option<()> {
    if !cx.known {
        return None;
    }
    let y = cx.graph.scalar(op, &[cx.x]);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// x Phi(x), with Phi exact or by tanh (Hendrycks and Gimpel, 2016).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html>
fn gelu(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let approximate = arguments.choice("approximate", &["none", "tanh"], &mut cx.errors)?;
    if !cx.known {
        return None;
    }
    let y = cx.graph.gelu(cx.x, approximate == Some("tanh"));
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// What is normalised along an axis.
fn along(
    cx: &mut Chain,
    layer: &Layer,
    arguments: &mut Arguments,
    lower: impl Fn(&mut Graph, NodeId, usize) -> Result<NodeId, String>,
) -> Option<()> {
    let axis = axis_of(cx, layer, arguments)?;
    let y = lower(&mut cx.graph, cx.x, axis + 1);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// a sigmoid(b), of the halves a and b of an axis (Dauphin et al., 2017).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html>
fn glu(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let axis = axis_of(cx, layer, arguments)?;
    let sample = cx.sample();
    let Some(half) = sample[axis].div(&Dim::literal(2)) else {
        let head = cx.mismatch(layer);
        let message = [
            head,
            text(format!(" halves axis {axis}, but `{}` yields ", cx.previous.0)),
            Part::Shape(sample),
        ];
        cx.fail(layer.range, &message);
        return None;
    };
    let y = cx.graph.glu(cx.x, axis + 1, half);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// The axis of a sample that a layer goes along.
fn axis_of(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<usize> {
    let axis = arguments.axis("axis", -1, &mut cx.errors)?;
    if !cx.known {
        return None;
    }
    let rank = cx.sample().len();
    let position = if axis < 0 { axis + rank as i64 } else { axis };
    if !(0..rank as i64).contains(&position) {
        let head = cx.mismatch(layer);
        let message = [
            head,
            text(format!(" has axis {axis}, but `{}` yields ", cx.previous.0)),
            Part::Shape(cx.sample()),
        ];
        cx.fail(layer.range, &message);
        return None;
    }
    Some(position as usize)
}

/// In training, zero with probability `rate`, else scaled by 1 / (1 - rate); in evaluation, nothing.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html>
fn dropout(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let expr = arguments.required("rate", "Dropout(0.25)", &mut cx.errors)?;
    let stream = cx.name_of(layer);
    let rate = cx.rate_of(layer, expr)?;
    if !cx.known {
        return None;
    }
    cx.x = cx.dropout(cx.x, rate, &stream, layer.range).ok()?;
    Some(())
}
