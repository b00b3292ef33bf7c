//! Normalisation: over a sample, over groups of channels, over the batch.

use quote::quote;

use super::{Kind, kind};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::graph::NodeId;
use crate::lower::{Chain, Lowered, text};
use crate::shape::{Shape, show};

pub const LAYERS: &[Kind] = &[
    Kind { positional: false, ..kind("LayerNorm", &["axes", "eps", "affine"], layer_norm) },
    Kind { positional: false, ..kind("RmsNorm", &["eps"], rms_norm) },
    kind("GroupNorm", &["groups", "eps"], group_norm),
    Kind {
        positional: false,
        ..kind("BatchNorm1d", &["eps", "momentum"], |cx, layer, arguments| {
            batch_norm(cx, layer, arguments, &[1, 2])
        })
    },
    Kind {
        positional: false,
        ..kind("BatchNorm2d", &["eps", "momentum"], |cx, layer, arguments| {
            batch_norm(cx, layer, arguments, &[3])
        })
    },
];

/// A weight of ones and a bias of zeros.
fn affine(cx: &mut Chain, layer: &Layer, name: &str, shape: &Shape) -> (NodeId, NodeId) {
    let ones = quote!(__n::Init::Ones);
    let weight = cx.param(format!("{name}.weight"), shape.clone(), ones, layer.range);
    let zeros = quote!(__n::Init::Zeros);
    let bias = cx.param(format!("{name}.bias"), shape.clone(), zeros, layer.range);
    (weight, bias)
}

fn needs_axes(cx: &mut Chain, layer: &Layer, what: &str) -> Option<()> {
    let (shape, previous) = (show(&cx.sample()), cx.previous.0.clone());
    let head = cx.mismatch(layer);
    cx.fail(layer.range, &[head, text(format!(" needs {what}, but `{previous}` yields {shape}"))]);
    None
}

/// (x - mean) / sqrt(variance + eps) * weight + bias, over the last axes (Ba et al., 2016).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html>
fn layer_norm(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let axes = arguments.named_number("axes", 1.0, &mut cx.errors)?;
    let eps = arguments.named_number("eps", 1e-5, &mut cx.errors)?;
    let with_affine = arguments.boolean("affine", true, &mut cx.errors)?;
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let sample = cx.sample();
    let count = axes as usize;
    if axes.fract() != 0.0 || count == 0 || count > sample.len() {
        return needs_axes(cx, layer, &format!("{axes} axes to normalise over"));
    }
    let first = sample.len() - count;
    let shape = sample[first..].to_vec();
    let parameters = with_affine.then(|| affine(cx, layer, &name, &shape));
    if !cx.known {
        return None;
    }
    let axes: Vec<usize> = (first..sample.len()).map(|axis| axis + 1).collect();
    let (weight, bias) = parameters.unzip();
    let y = cx.graph.layer_norm(cx.x, weight, bias, axes, eps);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// x / sqrt(mean of x^2 + eps) * weight, over the last axis (Zhang and Sennrich, 2019).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html>
fn rms_norm(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let eps = arguments.named_number("eps", 1e-6, &mut cx.errors)?;
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let sample = cx.sample();
    let Some(last) = sample.last() else {
        return needs_axes(cx, layer, "an axis to normalise over");
    };
    let ones = quote!(__n::Init::Ones);
    let weight = cx.param(format!("{name}.weight"), vec![last.clone()], ones, layer.range);
    if !cx.known {
        return None;
    }
    let y = cx.graph.rms_norm(cx.x, Some(weight), vec![sample.len()], eps);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// As layer norm, over groups of channels and all that lies behind them (Wu and He, 2018).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html>
fn group_norm(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let groups = arguments.required_size("groups", "GroupNorm(4)", &mut cx.errors)?;
    let eps = arguments.named_number("eps", 1e-5, &mut cx.errors)?;
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let Some(channels) = cx.sample().first().cloned() else {
        return needs_axes(cx, layer, "[channels, ..]");
    };
    if channels.div(&groups).is_none() {
        return needs_axes(cx, layer, &format!("a multiple of {groups} channels"));
    }
    let (weight, bias) = affine(cx, layer, &name, &vec![channels]);
    if !cx.known {
        return None;
    }
    let y = cx.graph.group_norm(cx.x, &groups, Some(weight), Some(bias), eps);
    cx.x = cx.op(y, layer)?;
    Some(())
}

/// As layer norm, over the batch and all axes but the channels; running statistics in evaluation (Ioffe and
/// Szegedy, 2015). Each call in training moves them.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html>
fn batch_norm(
    cx: &mut Chain,
    layer: &Layer,
    arguments: &mut Arguments,
    ranks: &[usize],
) -> Option<()> {
    let eps = arguments.named_number("eps", 1e-5, &mut cx.errors)?;
    let momentum = arguments.named_number("momentum", 0.1, &mut cx.errors)?;
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let sample = cx.sample();
    if !ranks.contains(&sample.len()) {
        let what = if ranks == [3] {
            "[channels, height, width]"
        } else {
            "[features] or [channels, length]"
        };
        return needs_axes(cx, layer, what);
    }
    if cx.depth() > 0 {
        let message = format!(
            "layer `{}` is called inside `scan`, but running statistics cannot move from step to step; normalise before or after the `scan`, or with `LayerNorm`",
            cx.named(layer)
        );
        let _: Lowered<()> = cx.report(layer.range, message);
        return None;
    }
    let shape: Shape = vec![sample[0].clone()];
    let (weight, bias) = affine(cx, layer, &name, &shape);
    let (mean_at, mean) =
        cx.state(format!("{name}.running_mean"), shape.clone(), quote!(__n::Init::Zeros));
    let (var_at, var) = cx.state(format!("{name}.running_var"), shape, quote!(__n::Init::Ones));
    if !cx.known {
        return None;
    }
    if !cx.train {
        let y = cx.graph.batch_norm_by(cx.x, [mean, var], Some(weight), Some(bias), eps);
        cx.x = cx.op(y, layer)?;
        return Some(());
    }
    let normalised = cx.graph.batch_norm(cx.x, Some(weight), Some(bias), eps);
    let batch = match normalised {
        Ok(results) => results,
        Err(message) => {
            cx.op(Err(message), layer)?;
            return None;
        }
    };
    for (at, first, new) in [(mean_at, mean, batch.mean), (var_at, var, batch.variance)] {
        // Each call moves on from where the call before it came to, as PyTorch's do.
        let old = cx.updates.get(&at).copied().unwrap_or(first);
        let updated = running(cx, old, new, momentum);
        let updated = cx.op(updated, layer)?;
        cx.updates.insert(at, updated);
    }
    cx.x = batch.y;
    Some(())
}

/// (1 - momentum) old + momentum new
fn running(cx: &mut Chain, old: NodeId, new: NodeId, momentum: f64) -> Result<NodeId, String> {
    let g = &mut cx.graph;
    let shape = g.shape(old).clone();
    let new = g.reshape(new, shape)?;
    let (keep, take) = (g.constant(1.0 - momentum), g.constant(momentum));
    let (kept, taken) = (g.scalar("mul", &[old, keep])?, g.scalar("mul", &[new, take])?);
    g.scalar("add", &[kept, taken])
}
