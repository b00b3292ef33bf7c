//! Layers as compositions of ops, with their arguments, parameters and initialisation. Names, defaults and
//! layouts are PyTorch's.

use quote::quote;

use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::errors::suggestion;
use crate::graph::NodeId;
use crate::lower::{Chain, LayerInfo, LayerView, Part, text};
use crate::ops::Op;
use crate::ops::conv::Window2;
use crate::shape::{Dim, Shape, numel};

/// Applies a layer to the current value; `None` after an error.
type Apply = fn(&mut Chain, &Layer, &mut Arguments) -> Option<()>;

/// A kind of layer.
pub struct Kind {
    pub name: &'static str,
    /// Whether its first argument may be given without a name.
    pub positional: bool,
    /// The names of its arguments.
    pub arguments: &'static [&'static str],
    apply: Apply,
}

const fn kind(name: &'static str, arguments: &'static [&'static str], apply: Apply) -> Kind {
    Kind { name, positional: !arguments.is_empty(), arguments, apply }
}

/// Every layer. The first argument may be given without its name, but for `Gelu`'s.
const LAYERS: &[Kind] = &[
    kind("Linear", &["out_features", "bias", "init", "bias_init"], linear),
    kind(
        "Conv2d",
        &["out_channels", "kernel", "stride", "padding", "bias", "init", "bias_init"],
        conv2d,
    ),
    kind("MaxPool2d", &["kernel", "stride", "padding"], max_pool2d),
    kind("Flatten", &[], flatten),
    kind("Reshape", &["shape"], reshape),
    kind("Relu", &[], |cx, layer, _| activation(cx, layer, "relu")),
    kind("Sigmoid", &[], |cx, layer, _| activation(cx, layer, "sigmoid")),
    kind("Tanh", &[], |cx, layer, _| activation(cx, layer, "tanh")),
    Kind { positional: false, ..kind("Gelu", &["approximate"], gelu) },
    kind("Softmax", &["axis"], softmax),
    kind("Dropout", &["rate"], dropout),
];

/// Lowers one layer. After an error the rest of the chain is still checked, as far as it does not depend on
/// the shape that is missing.
pub fn apply(cx: &mut Chain, layer: &Layer) {
    let name = layer.kind.to_string();
    let Some(kind) = LAYERS.iter().find(|kind| kind.name == name) else {
        cx.errors.push(unknown(layer));
        cx.known = false;
        return;
    };
    let mut arguments = match Arguments::new(layer, kind) {
        Ok(arguments) => arguments,
        Err(error) => {
            cx.errors.push(error);
            cx.known = false;
            return;
        }
    };
    let first_param = cx.params.len();
    let first_check = cx.checks.len();
    let done = (kind.apply)(cx, layer, &mut arguments);
    // A size that is wrong comes before the shapes that it makes wrong.
    let of_shapes = cx.checks.split_off(first_check);
    for (expr, dim, least) in arguments.sizes {
        cx.require_size(expr, &dim, least);
    }
    cx.checks.extend(of_shapes);
    if done.is_none() {
        cx.known = false;
    }
    if !cx.known {
        return;
    }
    let sample = cx.sample();
    finish(cx, layer, first_param, sample);
}

/// An error at a layer's name.
fn unknown(layer: &Layer) -> syn::Error {
    let names = LAYERS.iter().map(|kind| kind.name);
    let known: Vec<&str> = names.clone().collect();
    let near = suggestion(&layer.kind.to_string(), names);
    let hint = if near.is_empty() { format!("; layers are {}", known.join(", ")) } else { near };
    crate::errors::Range::of(&layer.kind).error(format!("unknown layer `{}`{hint}", layer.kind))
}

/// What the summary and later messages say about a layer that was applied.
fn finish(cx: &mut Chain, layer: &Layer, first_param: usize, sample: Shape) {
    let shapeless = matches!(
        layer.kind.to_string().as_str(),
        "Relu" | "Sigmoid" | "Tanh" | "Gelu" | "Softmax" | "Dropout"
    );
    let has_params = cx.params.len() > first_param;
    if !shapeless {
        let what = text(format!("layer `{layer}` of network `{}` yields", cx.network));
        cx.require_memory(what, &sample, layer.range);
    }
    let info = cx.layers.last_mut().filter(|info| info.output.is_empty() && info.view.is_some());
    if let Some(info) = info {
        info.output = sample;
    } else {
        let name = layer.name.as_ref().map_or_else(String::new, ToString::to_string);
        let (text, params) = (layer.constructor(), Dim::literal(0));
        cx.layers.push(LayerInfo {
            name,
            ident: layer.name.clone(),
            text,
            output: sample,
            params,
            view: None,
        });
    }
    if has_params || !shapeless {
        if layer.kind != "Flatten" {
            cx.flattened = None;
        }
        let name = match cx.layers.last() {
            Some(info) if !info.name.is_empty() => info.name.clone(),
            _ => layer.constructor(),
        };
        cx.previous = (name, layer.range);
    }
}

/// Records a layer with parameters; its output is filled in when it is known.
fn record(cx: &mut Chain, layer: &Layer, name: &str, view: LayerView) {
    let params =
        cx.params[view.weight..].iter().fold(Dim::literal(0), |n, p| n.add(&numel(&p.shape)));
    let text = layer.constructor();
    let (name, ident) = (name.to_owned(), layer.name.clone());
    cx.layers.push(LayerInfo { name, ident, text, output: vec![], params, view: Some(view) });
}

/// Adds a weight and, unless `bias = false`, a bias; returns their nodes.
fn weights(
    cx: &mut Chain,
    layer: &Layer,
    arguments: &mut Arguments,
    name: &str,
    shape: Shape,
) -> Option<(NodeId, Option<NodeId>)> {
    // PyTorch's default for both, kaiming_uniform(a = sqrt(5)): uniform in +-1/sqrt(fan_in).
    let fan_in = numel(&shape[1..]).tokens();
    let default = quote!(__n::Init::FanIn { fan_in: #fan_in });
    let errors = &mut cx.errors;
    let with_bias = arguments.boolean("bias", true, errors)?;
    let init = arguments.init("init", errors)?.unwrap_or_else(|| default.clone());
    let bias_init = arguments.init("bias_init", errors)?.unwrap_or(default);
    let out = shape[0].clone();
    let what = text(format!("layer `{layer}` of network `{}` has weights", cx.network));
    cx.require_memory(what, &shape, layer.range);
    let weight = cx.param(format!("{name}.weight"), shape, init);
    let bias = with_bias.then(|| cx.param(format!("{name}.bias"), vec![out], bias_init));
    Some((weight, bias))
}

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
    let (weight, bias) = weights(cx, layer, arguments, &name, vec![out.clone(), features.clone()])?;
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
            if numel(&sample) == *want {
                message.push(text("; put `Flatten` before it"));
            }
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

/// Kernel, stride and padding of a window layer.
fn window(
    cx: &mut Chain,
    arguments: &mut Arguments,
    kernel: Option<[Dim; 2]>,
    stride: Option<[Dim; 2]>,
) -> Option<Window2> {
    let errors = &mut cx.errors;
    let kernel = match kernel {
        Some(kernel) => kernel,
        None => arguments.required_pair("kernel", "Conv2d(6, kernel = 3)", errors)?,
    };
    let default = stride.unwrap_or([Dim::one(), Dim::one()]);
    let stride = arguments.pair("stride", 1, errors)?.unwrap_or(default);
    let padding =
        arguments.pair("padding", 0, errors)?.unwrap_or([Dim::literal(0), Dim::literal(0)]);
    Some(Window2::new(kernel, stride, padding))
}

/// [channels, height, width] of the current value, or an error at the layer.
fn image(cx: &mut Chain, layer: &Layer) -> Option<[Dim; 3]> {
    let sample = cx.sample();
    match <[Dim; 3]>::try_from(sample.clone()) {
        Ok(image) => Some(image),
        Err(_) => {
            let head = cx.mismatch(layer);
            let previous = cx.previous.0.clone();
            let message = [
                head,
                text(format!(" expects [channels, height, width], but `{previous}` yields ")),
                Part::Shape(sample),
                text(if previous == "Flatten" { "; put `Flatten` after it" } else { "" }),
            ];
            cx.fail(layer.range, &message);
            None
        }
    }
}

/// That the window fits along both axes.
fn fits(cx: &mut Chain, layer: &Layer, window: &Window2, height: &Dim, width: &Dim) -> Option<()> {
    let [kh, kw] = window.kernel.clone();
    let need = match kh == kw {
        true => vec![Part::Number(kh)],
        false => vec![Part::Number(kh), text(" x "), Part::Number(kw)],
    };
    let padded = if window.padding.iter().all(Dim::is_zero) { "" } else { " (padding counted)" };
    for (axis, size) in [height, width].into_iter().enumerate() {
        let head = cx.mismatch(layer);
        let rest = format!(" points along each axis{padded}, but `{}` yields ", cx.previous.0);
        let mut message = vec![head, text(" needs at least ")];
        message.extend(need.iter().cloned());
        message.extend([text(rest), Part::Shape(cx.sample())]);
        let [kernel, stride, padding] =
            [&window.kernel, &window.stride, &window.padding].map(|p| &p[axis]);
        cx.require_fits(size, kernel, stride, padding, layer.range, &message);
        if !cx.known {
            return None;
        }
    }
    Some(())
}

/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>
fn conv2d(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let (declared_in, out) =
        arguments.in_out("out_channels", "Conv2d(6, kernel = 5)", &mut cx.errors)?;
    let window = window(cx, arguments, None, None)?;
    let name = cx.name_of(layer);
    let shape = if cx.known { Some(image(cx, layer)?) } else { None };
    let channels = shape
        .as_ref()
        .map(|[c, ..]| c.clone())
        .or_else(|| declared_in.clone())
        .unwrap_or_else(Dim::one);
    let index = cx.params.len();
    let [kh, kw] = window.kernel.clone();
    let (weight, bias) = weights(
        cx,
        layer,
        arguments,
        &name,
        vec![out.clone(), channels.clone(), kh.clone(), kw.clone()],
    )?;
    let dims = vec![channels.clone(), out.clone(), kh, kw];
    record(
        cx,
        layer,
        &name,
        LayerView { kind: "Conv2d", dims, weight: index, bias: bias.is_some() },
    );
    let [_, height, width] = shape?;
    if let Some(want) = &declared_in {
        let (head, previous) = (cx.mismatch(layer), cx.previous.0.clone());
        let message = [
            head,
            text(" expects "),
            Part::Number(want.clone()),
            text(format!(" channels, but `{previous}` yields ")),
            Part::Shape(cx.sample()),
        ];
        cx.require_equal(want, &channels, layer.range, &message);
    }
    if !cx.known {
        return None;
    }
    fits(cx, layer, &window, &height, &width)?;
    let y = cx.graph.push(Op::Conv2d(window), &[cx.x, weight]);
    let mut y = cx.op(y, layer)?;
    if let Some(bias) = bias {
        // [out] -> [out, 1, 1], over [batch, out, oh, ow]
        let column = cx.graph.reshape(bias, vec![out, Dim::one(), Dim::one()]);
        let column = cx.op(column, layer)?;
        let sum = cx.graph.scalar("add", &[y, column]);
        y = cx.op(sum, layer)?;
    }
    cx.x = y;
    Some(())
}

/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html>
fn max_pool2d(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let kernel = arguments.positional_pair("kernel", "MaxPool2d(2)", &mut cx.errors)?;
    let window = window(cx, arguments, Some(kernel.clone()), Some(kernel))?;
    for (k, p) in window.kernel.iter().zip(&window.padding) {
        if let (Some(k), Some(p)) = (k.as_literal(), p.as_literal())
            && 2 * p > k
        {
            let message =
                format!("layer `{layer}`: a padding of {p} is more than half of the kernel, {k}");
            cx.errors.push(layer.range.error(message));
            return None;
        }
    }
    if !cx.known {
        return None;
    }
    let [_, height, width] = image(cx, layer)?;
    fits(cx, layer, &window, &height, &width)?;
    let y = cx.graph.push(Op::MaxPool2d(window), &[cx.x]);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// All axes of a sample into one.
fn flatten(cx: &mut Chain, layer: &Layer, _: &mut Arguments) -> Option<()> {
    if !cx.known {
        return None;
    }
    let sample = cx.sample();
    let y = cx.graph.reshape(cx.x, vec![Dim::batch(), numel(&sample)]);
    cx.x = cx.op(y, layer)?;
    cx.flattened = Some(sample);
    Some(())
}

fn reshape(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let to = arguments.shape("Reshape([16, 5, 5])", &mut cx.errors)?;
    if !cx.known {
        return None;
    }
    let from = cx.sample();
    let (head, previous) = (cx.mismatch(layer), cx.previous.0.clone());
    let message = [
        head,
        text(" has "),
        Part::Total(to.clone()),
        text(format!(" values, but `{previous}` yields ")),
        Part::Total(from.clone()),
    ];
    cx.require_equal(&numel(&to), &numel(&from), layer.range, &message);
    if !cx.known {
        return None;
    }
    let batched = [Dim::batch()].into_iter().chain(to).collect();
    let y = cx.graph.reshape(cx.x, batched);
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

fn softmax(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
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
    let y = cx.graph.softmax(cx.x, position as usize + 1);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// In training, zero with probability `rate`, else scaled by 1 / (1 - rate); in evaluation, nothing.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html>
fn dropout(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let rate = arguments.probability("rate", "Dropout(0.25)", &mut cx.errors)?;
    let stream = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    if cx.train && rate > 0.0 {
        let y = cx.graph.dropout(cx.x, rate, &stream);
        cx.x = cx.op(y, layer)?;
    }
    Some(())
}
