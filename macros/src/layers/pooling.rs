//! Layers that pool or repeat the points of an image.

use super::conv::{fits, image, window};
use super::{Kind, kind};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::lower::{Chain, Part, text};
use crate::ops::Op;
use crate::ops::conv::Window2;
use crate::shape::Dim;

pub const LAYERS: &[Kind] = &[
    kind("MaxPool2d", &["kernel", "stride", "padding"], |cx, layer, arguments| {
        pool2d(cx, layer, arguments, |cx, window| cx.graph.push(Op::MaxPool2d(window), &[cx.x]))
    }),
    kind("AvgPool2d", &["kernel", "stride", "padding"], |cx, layer, arguments| {
        pool2d(cx, layer, arguments, |cx, window| cx.graph.avg_pool2d(cx.x, window))
    }),
    kind("AdaptiveAvgPool2d", &["size"], adaptive),
    kind("Upsample", &["scale"], upsample),
];

/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html>
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html>
fn pool2d(
    cx: &mut Chain,
    layer: &Layer,
    arguments: &mut Arguments,
    lower: impl Fn(&mut Chain, Window2) -> Result<crate::graph::NodeId, String>,
) -> Option<()> {
    let example = if layer.kind == "AvgPool2d" { "AvgPool2d(2)" } else { "MaxPool2d(2)" };
    let kernel = arguments.positional_pair("kernel", example, &mut cx.errors)?;
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
    let y = lower(cx, window);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// The mean of equal parts of an image, as many as the size that is asked for.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html>
fn adaptive(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let size = arguments.positional_pair("size", "AdaptiveAvgPool2d(1)", &mut cx.errors)?;
    if !cx.known {
        return None;
    }
    let [_, height, width] = image(cx, layer)?;
    let mut kernel = vec![];
    for (whole, parts) in [&height, &width].into_iter().zip(&size) {
        match whole.div(parts) {
            Some(part) => kernel.push(part),
            None => {
                let head = cx.mismatch(layer);
                let message = [
                    head,
                    text(format!(
                        " averages equal parts, but {whole} points are not a multiple of {parts}; `{}` yields ",
                        cx.previous.0
                    )),
                    Part::Shape(cx.sample()),
                ];
                cx.fail(layer.range, &message);
                return None;
            }
        }
    }
    let kernel: [Dim; 2] = kernel.try_into().ok()?;
    let none = || [Dim::literal(0), Dim::literal(0)];
    let y = if size.iter().all(Dim::is_one) {
        cx.graph.mean(cx.x, vec![2, 3])
    } else {
        let window = Window2::new(kernel.clone(), kernel, none());
        cx.graph.avg_pool2d(cx.x, window)
    };
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// Each point repeated, as PyTorch's nearest.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html>
fn upsample(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let scale = arguments.positional_pair("scale", "Upsample(2)", &mut cx.errors)?;
    if !cx.known {
        return None;
    }
    image(cx, layer)?;
    let y = cx.graph.upsample_nearest(cx.x, scale);
    cx.x = cx.op(y, layer)?;
    Some(())
}
