//! Layers that change the shape alone.

use super::{Kind, kind};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::lower::{Chain, Part, text};
use crate::shape::{Dim, numel};

pub const LAYERS: &[Kind] = &[
    Kind { integers: true, ..kind("Flatten", &[], flatten) },
    Kind { integers: true, ..kind("Reshape", &["shape"], reshape) },
];

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
