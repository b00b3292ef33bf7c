//! Convolutions over one and two axes, and transposed ones.

use super::{Kind, kind, record, weights};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::graph::NodeId;
use crate::lower::{Chain, Condition, LayerView, Part, text, words};
use crate::ops::conv::Window2;
use crate::shape::{Dim, Shape};

const ARGUMENTS: &[&str] = &[
    "out_channels",
    "kernel",
    "stride",
    "padding",
    "dilation",
    "groups",
    "bias",
    "init",
    "bias_init",
];

pub const LAYERS: &[Kind] = &[
    kind("Conv2d", ARGUMENTS, conv2d),
    kind("Conv1d", ARGUMENTS, conv1d),
    kind(
        "ConvTranspose2d",
        &[
            "out_channels",
            "kernel",
            "stride",
            "padding",
            "output_padding",
            "dilation",
            "groups",
            "bias",
            "init",
            "bias_init",
        ],
        conv_transpose2d,
    ),
];

/// Kernel, stride and padding of a window layer.
pub fn window(
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

/// A window with dilation and groups.
fn wide_window(cx: &mut Chain, arguments: &mut Arguments) -> Option<Window2> {
    let window = window(cx, arguments, None, None)?;
    let dilation = arguments.pair("dilation", 1, &mut cx.errors)?;
    let groups = arguments.size_named("groups", &mut cx.errors)?;
    Some(Window2 {
        dilation: dilation.unwrap_or([Dim::one(), Dim::one()]),
        groups: groups.unwrap_or_else(Dim::one),
        ..window
    })
}

/// [channels, height, width] of the current value, or an error at the layer.
pub fn image(cx: &mut Chain, layer: &Layer) -> Option<[Dim; 3]> {
    let sample = cx.sample();
    match <[Dim; 3]>::try_from(sample.clone()) {
        Ok(image) => Some(image),
        Err(_) => {
            needs(cx, layer, "[channels, height, width]", sample);
            None
        }
    }
}

fn needs(cx: &mut Chain, layer: &Layer, what: &str, sample: Shape) {
    let head = cx.mismatch(layer);
    let previous = cx.previous.0.clone();
    let channel = [vec![Dim::one()], sample.clone()].concat();
    let missing = what.split(',').count() == channel.len();
    let mut message =
        vec![head, text(format!(" expects {what}, but `{previous}` yields ")), Part::Shape(sample)];
    if previous == "Flatten" {
        message.push(text("; put `Flatten` after it"));
    } else if missing {
        message.extend([text("; one channel is an axis of size 1: "), Part::Shape(channel)]);
    }
    cx.fail(layer.range, &message);
}

/// That the window fits along both axes.
pub fn fits(
    cx: &mut Chain,
    layer: &Layer,
    window: &Window2,
    height: &Dim,
    width: &Dim,
) -> Option<()> {
    let reach = |i: usize| {
        let steps = window.kernel[i].sub(&Dim::one());
        window.dilation[i].mul(&steps).add(&Dim::one())
    };
    let (kh, kw) = (reach(0), reach(1));
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
        message.push(text(if padded.is_empty() {
            "; take a smaller window, or `padding`"
        } else {
            ""
        }));
        cx.require_fits(size, window, axis, layer.range, &message);
        if !cx.known {
            return None;
        }
    }
    Some(())
}

/// The channels of the input: those of the current value, the declared ones where that is not known.
fn channels(declared: Option<&Dim>, known: Option<&Dim>) -> Dim {
    known.or(declared).cloned().unwrap_or_else(Dim::one)
}

/// That the declared channels are those of the current value.
fn require_channels(cx: &mut Chain, layer: &Layer, declared: Option<&Dim>, found: &Dim) {
    let Some(want) = declared else { return };
    let (head, previous) = (cx.mismatch(layer), cx.previous.0.clone());
    let mut message = vec![
        head,
        text(" expects "),
        Part::Number(want.clone()),
        text(format!(" channels, but `{previous}` yields ")),
        Part::Shape(cx.sample()),
    ];
    message.extend(words::for_inputs(layer, found));
    cx.require_equal(want, found, layer.range, &message);
}

/// The channels of each group.
fn per_group(
    cx: &mut Chain,
    layer: &Layer,
    channels: &Dim,
    groups: &Dim,
    what: &str,
) -> Option<Dim> {
    if let Some(each) = channels.div(groups) {
        return Some(each);
    }
    let head = cx.mismatch(layer);
    let message = [
        head,
        text(" has "),
        Part::Number(groups.clone()),
        text(format!(" groups, which do not divide its {what}, ")),
        Part::Number(channels.clone()),
        text(match words::divisors(channels, groups) {
            Some(numbers) => format!("; {numbers} would"),
            None => String::new(),
        }),
    ];
    cx.fail(layer.range, &message);
    None
}

/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>
fn conv2d(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let (declared_in, out) =
        arguments.in_out("out_channels", "Conv2d(6, kernel = 5)", &mut cx.errors)?;
    let window = wide_window(cx, arguments)?;
    let name = cx.name_of(layer);
    let shape = if cx.known { Some(image(cx, layer)?) } else { None };
    let channels = channels(declared_in.as_ref(), shape.as_ref().map(|[c, ..]| c));
    let index = cx.params.len();
    let [kh, kw] = window.kernel.clone();
    let each = per_group(cx, layer, &channels, &window.groups, "input channels")?;
    per_group(cx, layer, &out, &window.groups, "output channels")?;
    let sizes = vec![out.clone(), each.clone(), kh.clone(), kw.clone()];
    let (weight, bias) = weights(cx, layer, arguments, &name, sizes, 0)?;
    let dims = vec![each, out.clone(), kh, kw];
    record(
        cx,
        layer,
        &name,
        LayerView { kind: "Conv2d", dims, weight: index, bias: bias.is_some() },
    );
    let [_, height, width] = shape?;
    require_channels(cx, layer, declared_in.as_ref(), &channels);
    if !cx.known {
        return None;
    }
    fits(cx, layer, &window, &height, &width)?;
    let y = cx.graph.conv2d(cx.x, weight, window);
    let y = cx.op(y, layer)?;
    cx.x = with_bias(cx, layer, y, bias, out)?;
    Some(())
}

/// A bias for each channel of [batch, out, oh, ow].
fn with_bias(
    cx: &mut Chain,
    layer: &Layer,
    y: NodeId,
    bias: Option<NodeId>,
    out: Dim,
) -> Option<NodeId> {
    let Some(bias) = bias else { return Some(y) };
    // [out] -> [out, 1, 1]
    let column = cx.graph.reshape(bias, vec![out, Dim::one(), Dim::one()]);
    let column = cx.op(column, layer)?;
    let sum = cx.graph.scalar("add", &[y, column]);
    cx.op(sum, layer)
}

/// A convolution along the last axis: one over images of height 1.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html>
fn conv1d(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let (declared_in, out) =
        arguments.in_out("out_channels", "Conv1d(6, kernel = 5)", &mut cx.errors)?;
    let errors = &mut cx.errors;
    let kernel = arguments.size_named("kernel", errors)?;
    let Some(kernel) = kernel else {
        errors.push(layer.range.error(format!(
            "`{}` needs `kernel`, for example `Conv1d(6, kernel = 5)`",
            layer.constructor()
        )));
        return None;
    };
    let one = Dim::one;
    let stride = arguments.size_named("stride", errors)?.unwrap_or_else(one);
    let padding =
        arguments.size_or_zero_named("padding", errors)?.unwrap_or_else(|| Dim::literal(0));
    let dilation = arguments.size_named("dilation", errors)?.unwrap_or_else(one);
    let groups = arguments.size_named("groups", errors)?.unwrap_or_else(one);
    let window = Window2 {
        kernel: [one(), kernel.clone()],
        stride: [one(), stride],
        padding: [Dim::literal(0), padding],
        dilation: [one(), dilation],
        groups,
    };
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let sample = cx.sample();
    let [found, length] = &sample[..] else {
        needs(cx, layer, "[channels, length]", sample);
        return None;
    };
    require_channels(cx, layer, declared_in.as_ref(), found);
    let each = per_group(cx, layer, found, &window.groups, "input channels")?;
    per_group(cx, layer, &out, &window.groups, "output channels")?;
    let sizes = vec![out.clone(), each.clone(), kernel.clone()];
    let (weight, bias) = weights(cx, layer, arguments, &name, sizes, 0)?;
    if !cx.known {
        return None;
    }
    fits(cx, layer, &window, &one(), length)?;
    let flat = vec![Dim::batch(), found.clone(), one(), length.clone()];
    let x = cx.graph.reshape(cx.x, flat);
    let x = cx.op(x, layer)?;
    let w = cx.graph.reshape(weight, vec![out.clone(), each, one(), kernel]);
    let w = cx.op(w, layer)?;
    let y = cx.graph.conv2d(x, w, window);
    let y = cx.op(y, layer)?;
    let y = with_bias(cx, layer, y, bias, out.clone())?;
    let positions = cx.graph.shape(y)[3].clone();
    let y = cx.graph.reshape(y, vec![Dim::batch(), out, positions]);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// The gradient of a convolution as a layer: from few points to many.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html>
fn conv_transpose2d(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let example = "ConvTranspose2d(6, kernel = 4, stride = 2)";
    let (declared_in, out) = arguments.in_out("out_channels", example, &mut cx.errors)?;
    let window = wide_window(cx, arguments)?;
    let extra = arguments.pair("output_padding", 0, &mut cx.errors)?;
    let extra = extra.unwrap_or([Dim::literal(0), Dim::literal(0)]);
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let [channels, height, width] = image(cx, layer)?;
    require_channels(cx, layer, declared_in.as_ref(), &channels);
    per_group(cx, layer, &channels, &window.groups, "input channels")?;
    let each = per_group(cx, layer, &out, &window.groups, "output channels")?;
    let [kh, kw] = window.kernel.clone();
    let sizes = vec![channels, each, kh, kw];
    let (weight, bias) = weights(cx, layer, arguments, &name, sizes, 1)?;
    // The bias is one for each output channel, not for each row of the weight.
    if !cx.known {
        return None;
    }
    for (extra, stride) in extra.iter().zip(&window.stride) {
        let known = extra.as_literal().zip(stride.as_literal());
        if known.is_some_and(|(extra, stride)| extra < stride) {
            continue;
        }
        let message = [
            cx.mismatch(layer),
            text(" has an `output_padding` of "),
            Part::Number(extra.clone()),
            text(", which has to be less than its stride, "),
            Part::Number(stride.clone()),
        ];
        let less = Condition::More(stride.clone(), extra.clone());
        cx.require(known.is_none(), less, layer.range, &message);
    }
    if !cx.known {
        return None;
    }
    // (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1
    let grown = |axis: usize, size: &Dim| {
        let one = Dim::one();
        let steps = size.sub(&one).mul(&window.stride[axis]);
        let reach = window.dilation[axis].mul(&window.kernel[axis].sub(&one));
        let padding = window.padding[axis].mul(&Dim::literal(2));
        steps.sub(&padding).add(&reach).add(&extra[axis]).add(&one)
    };
    let size = [grown(0, &height), grown(1, &width)];
    if size.iter().any(|n| n.as_literal().is_some_and(|n| n < 1)) {
        let head = cx.mismatch(layer);
        let rest = format!(
            " yields an image of {} x {} points: its padding is too large",
            size[0], size[1]
        );
        cx.fail(layer.range, &[head, text(rest)]);
        return None;
    }
    let y = cx.graph.conv2d_transpose(cx.x, weight, window, size);
    let y = cx.op(y, layer)?;
    cx.x = with_bias(cx, layer, y, bias, out)?;
    Some(())
}
