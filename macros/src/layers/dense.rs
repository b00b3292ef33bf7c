//! Layers over the last axis: linear maps and lookups.

use quote::quote;

use super::{Kind, kind, record, weights};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::lower::{Chain, LayerView, Part, text, words};
use crate::ops::Op;
use crate::shape::{Dim, Shape, numel, show};

pub const LAYERS: &[Kind] = &[
    kind("Linear", &["out_features", "bias", "init", "bias_init"], linear),
    Kind { integers: true, ..kind("Embedding", &["rows", "features", "init"], embedding) },
];

/// y = x W^T + b over the last axis; W is [out, in].
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html>
fn linear(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let (declared_in, out) = arguments.in_out("out_features", "Linear(10)", &mut cx.errors)?;
    let name = cx.name_of(layer);
    let sample = if cx.known { Some(cx.sample()) } else { None };
    let features = match (&sample, &declared_in) {
        (Some(sample), _) => match sample.last() {
            Some(last) => last.clone(),
            None => {
                let head = cx.mismatch(layer);
                let message = [
                    head,
                    text(format!(
                        " needs an axis of features, but `{}` yields a scalar",
                        cx.previous.0
                    )),
                ];
                cx.fail(layer.range, &message);
                return None;
            }
        },
        (None, Some(declared)) => declared.clone(),
        (None, None) => Dim::one(),
    };
    let index = cx.params.len();
    let (weight, bias) =
        weights(cx, layer, arguments, &name, vec![out.clone(), features.clone()], 0)?;
    let dims = vec![features.clone(), out.clone()];
    record(
        cx,
        layer,
        &name,
        LayerView { kind: "Linear", dims, weight: index, bias: bias.is_some() },
    );
    let sample = sample?;
    if let Some(want) = &declared_in {
        let (head, previous) = (cx.mismatch(layer), cx.previous.0.clone());
        let mut message = vec![
            head,
            text(" expects "),
            Part::Number(want.clone()),
            text(format!(" features, but `{previous}` yields ")),
            Part::Shape(sample.clone()),
        ];
        if sample.len() == 1 {
            message[4] = match &cx.flattened {
                Some(from) => Part::Total(from.clone()),
                None => Part::Number(features.clone()),
            };
        } else {
            message.extend([text(", "), Part::Number(features.clone()), text(" on its last axis")]);
        }
        match sample.len() > 1 && numel(&sample) == *want {
            true => message.push(text("; put `Flatten` before it")),
            false => message.extend(words::for_inputs(layer, &features)),
        }
        cx.require_equal(want, &features, layer.range, &message);
        if !cx.known {
            return None;
        }
    }
    // [batch, .., in] -> [rows, in] -> [rows, out] -> [batch, .., out]
    let shape = cx.graph.shape(cx.x).clone();
    let (lead, _) = shape.split_at(shape.len() - 1);
    let rows = vec![numel(lead), features];
    let flat = cx.graph.reshape(cx.x, rows);
    let flat = cx.op(flat, layer)?;
    let product =
        cx.graph.push(Op::Matmul { transpose_a: false, transpose_b: true }, &[flat, weight]);
    let mut y = cx.op(product, layer)?;
    if let Some(bias) = bias {
        let sum = cx.graph.scalar("add", &[y, bias]);
        y = cx.op(sum, layer)?;
    }
    let to: Shape = lead.iter().cloned().chain([out]).collect();
    let y = cx.graph.reshape(y, to);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// Rows of a table by integers: [..] to [.., features]; the weight is [rows, features].
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html>
fn embedding(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let rows = arguments.required_size("rows", "Embedding(65, features = 32)", &mut cx.errors)?;
    let features =
        arguments.required_size("features", "Embedding(65, features = 32)", &mut cx.errors)?;
    let init = arguments.init("init", &mut cx.errors)?;
    let init = init.unwrap_or_else(|| quote!(__n::Init::Normal { mean: 0.0, std: 1.0 }));
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    if !cx.graph.nodes[cx.x].integer {
        let shape = show(&cx.sample());
        let message = [text(format!(
            "layer `{}` takes integers, but `{}` is floats, {shape}{}",
            cx.named(layer),
            cx.previous.0,
            cx.as_integers(&cx.previous.0, &shape)
        ))];
        cx.fail(layer.range, &message);
        return None;
    }
    let what = text(format!("layer `{layer}` of network `{}` has weights", cx.network));
    let shape: Shape = vec![rows, features];
    cx.require_memory(what, &shape, layer.range);
    let table = cx.param(format!("{name}.weight"), shape, init, layer.range);
    let y = cx.graph.embedding(table, cx.x);
    cx.x = cx.op(y, layer)?;
    Some(())
}
