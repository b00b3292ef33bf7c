//! Convolutions.

use super::{Kind, kind, record, weights};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::lower::{Chain, LayerView, Part, text};
use crate::ops::Op;
use crate::ops::conv::Window2;
use crate::shape::Dim;

pub const LAYERS: &[Kind] = &[kind(
    "Conv2d",
    &["out_channels", "kernel", "stride", "padding", "bias", "init", "bias_init"],
    conv2d,
)];

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
    Some(Window2 { kernel, stride, padding })
}

/// [channels, height, width] of the current value, or an error at the layer.
pub fn image(cx: &mut Chain, layer: &Layer) -> Option<[Dim; 3]> {
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
pub fn fits(cx: &mut Chain, layer: &Layer, window: &Window2, height: &Dim, width: &Dim) -> Option<()> {
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

