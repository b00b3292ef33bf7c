//! Layers around other layers: residual connections, parallel branches, sequences.

use crate::ast::Layer;
use crate::errors::Range;
use crate::graph::NodeId;
use crate::lower::values::Value;
use crate::lower::{Chain, Lowered, Part, text};
use crate::shape::Shape;

type Operands<'o> = &'o [(NodeId, String, Range)];

/// The layers inside, applied to the operand.
fn inside(cx: &mut Chain, layer: &Layer, children: &[Layer], operands: Operands) -> Option<NodeId> {
    let (prefix, instance) = (cx.prefix_for(layer), cx.instance.take());
    let outer = std::mem::replace(cx.prefix_mut(), prefix);
    if let [(id, name, range), ..] = operands {
        cx.x = *id;
        cx.previous = (name.clone(), *range);
    }
    cx.chain(children, &layer.kind);
    *cx.prefix_mut() = outer;
    cx.instance = instance;
    cx.known.then_some(cx.x)
}

fn children<'l>(cx: &mut Chain, layer: &'l Layer) -> Option<&'l [Layer]> {
    match &layer.children {
        Some(children) => Some(children),
        None => {
            let message =
                format!("`{0}` has layers inside: `{0} {{ Linear(64), Relu }}`", layer.kind);
            let _: Lowered<()> = cx.report(layer.range, message);
            None
        }
    }
}

/// `{ Linear(64), Relu }`
pub fn sequential(cx: &mut Chain, layer: &Layer, operands: Operands) -> Option<Value> {
    let children = children(cx, layer)?;
    inside(cx, layer, children, operands).map(Value::Tensor)
}

/// `Residual { .. }`: x + f(x) (He et al., 2015).
pub fn residual(cx: &mut Chain, layer: &Layer, operands: Operands) -> Option<Value> {
    let children = children(cx, layer)?;
    let y = inside(cx, layer, children, operands)?;
    let x = operands.first()?.0;
    let (before, after) = (cx.sample_of(x), cx.sample_of(y));
    let message = [
        text(format!("shape mismatch in network `{}`: `Residual` adds its input ", cx.network)),
        Part::Shape(before.clone()),
        text(" to what its layers yield, "),
        Part::Shape(after.clone()),
    ];
    if before.len() != after.len() {
        cx.fail(layer.range, &message);
        return None;
    }
    for (a, b) in before.iter().zip(&after) {
        cx.require_equal(a, b, layer.range, &message);
    }
    if !cx.known {
        return None;
    }
    cx.scalar("add", &[x, y], layer.range).ok().map(Value::Tensor)
}

/// `Parallel { a, b }`: each layer applied to the same value, their results concatenated along the first
/// axis of a sample, or along `axis`.
pub fn parallel(cx: &mut Chain, layer: &Layer, operands: Operands) -> Option<Value> {
    let children = children(cx, layer)?;
    let mut ids = vec![];
    for branch in children {
        ids.push(inside(cx, layer, std::slice::from_ref(branch), operands)?);
    }
    let Some(&first) = ids.first() else {
        let _: Lowered<()> = cx.report(layer.range, "`Parallel` has no branches");
        return None;
    };
    let rank = cx.sample_of(first).len() as i64;
    let mut axis = 0;
    for arg in &layer.args {
        if arg.name.as_ref().is_some_and(|name| name != "axis") {
            let _: Lowered<()> = cx.report(
                arg.range,
                "`Parallel` takes `axis` only, for example `Parallel(axis = 0) { .. }`",
            );
            return None;
        }
        axis = cx.constant(&arg.value).ok()?;
    }
    let position = if axis < 0 { axis + rank } else { axis };
    if !(0..rank).contains(&position) {
        let shape = crate::shape::show(&cx.sample_of(first));
        let _: Lowered<()> = cx.report(
            layer.range,
            format!(
                "`Parallel` concatenates along axis {axis}, but its first branch yields {shape}"
            ),
        );
        return None;
    }
    let axis = position as usize;
    let first = cx.sample_of(ids[0]);
    for (branch, id) in children.iter().zip(&ids).skip(1) {
        let next = cx.sample_of(*id);
        let others = |shape: &Shape| {
            [&shape[..axis.min(shape.len())], &shape[(axis + 1).min(shape.len())..]].concat()
        };
        if next.len() != first.len() || others(&next) != others(&first) {
            let message = [
                text(format!(
                    "shape mismatch in network `{}`: `Parallel` concatenates along axis {axis}, but its branches yield ",
                    cx.network
                )),
                Part::Shape(first.clone()),
                text(" and "),
                Part::Shape(next),
            ];
            cx.fail(branch.range, &message);
            return None;
        }
    }
    cx.concat(&ids, axis, layer.range).ok().map(Value::Tensor)
}
