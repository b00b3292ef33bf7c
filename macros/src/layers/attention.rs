//! Attention and positions.

use quote::quote;

use super::{Kind, kind, shapeless};
use crate::arguments::Arguments;
use crate::ast::Layer;
use crate::graph::NodeId;
use crate::lower::{Chain, Lowered, Part, text, words};
use crate::shape::{Dim, Shape, show};

pub const LAYERS: &[Kind] = &[
    Kind {
        several: true,
        ..kind("MultiHeadAttention", &["heads", "causal", "bias"], multi_head_attention)
    },
    kind("PositionalEmbedding", &["init"], positional_embedding),
    shapeless("PositionalEncoding", &[], positional_encoding),
];

/// [t, d] of the current value, or an error at the layer.
fn sequence(cx: &mut Chain, layer: &Layer) -> Option<[Dim; 2]> {
    let sample = cx.sample();
    match <[Dim; 2]>::try_from(sample.clone()) {
        Ok(pair) => Some(pair),
        Err(_) => {
            let head = cx.mismatch(layer);
            let previous = cx.previous.0.clone();
            let rest = format!(
                " expects [positions, features], but `{previous}` yields {}",
                show(&sample)
            );
            cx.fail(layer.range, &[head, text(rest)]);
            None
        }
    }
}

/// Attention over several projections at once (Vaswani et al., 2017), called as `f(x)` for attention of x to
/// itself, `f(x, context)` or `f(q, k, v)`. PyTorch's names and layouts: `in_proj_weight` is [3 d, d].
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html>
fn multi_head_attention(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let heads = arguments.required_size("heads", "MultiHeadAttention(4)", &mut cx.errors)?;
    let causal = arguments.boolean("causal", false, &mut cx.errors)?;
    let with_bias = arguments.boolean("bias", true, &mut cx.errors)?;
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let [_, d] = sequence(cx, layer)?;
    let Some(size) = d.div(&heads) else {
        let head = cx.mismatch(layer);
        let hint = match words::divisors(&d, &heads) {
            Some(numbers) => format!("; {numbers} heads divide them"),
            None => String::new(),
        };
        let rest = format!(
            " needs features that are a multiple of {heads} heads, but `{}` yields {d} features{hint}",
            cx.previous.0
        );
        cx.fail(layer.range, &[head, text(rest)]);
        return None;
    };
    let three = d.mul(&Dim::literal(3));
    let xavier = || quote!(__n::Init::Xavier);
    let zeros = || quote!(__n::Init::Zeros);
    let at = layer.range;
    let fan_in = d.tokens();
    let out_init = quote!(__n::Init::FanIn { fan_in: #fan_in });
    let w =
        cx.param(format!("{name}.in_proj_weight"), vec![three.clone(), d.clone()], xavier(), at);
    let b = with_bias.then(|| cx.param(format!("{name}.in_proj_bias"), vec![three], zeros(), at));
    let out_w =
        cx.param(format!("{name}.out_proj.weight"), vec![d.clone(), d.clone()], out_init, at);
    let out_b =
        with_bias.then(|| cx.param(format!("{name}.out_proj.bias"), vec![d.clone()], zeros(), at));
    if !cx.known {
        return None;
    }
    let x = cx.x;
    let sources = match cx.operands[..] {
        [] => [x, x, x],
        [context] => [x, context, context],
        [k, v] => [x, k, v],
        _ => {
            let _: Lowered<()> = cx.report(
                at,
                format!(
                    "`{}` is called as `f(x)`, `f(x, context)` or `f(q, k, v)`",
                    layer.constructor()
                ),
            );
            return None;
        }
    };
    for (i, source) in sources.into_iter().enumerate() {
        let found = cx.sample_of(source);
        let head = cx.mismatch(layer);
        let message = [
            head,
            text(" attends with "),
            Part::Number(d.clone()),
            text(format!(
                " features, but {} has shape ",
                cx.word_or(source, &format!("value {}", i + 1))
            )),
            Part::Shape(found.clone()),
        ];
        let [_, features] = &found[..] else {
            cx.fail(at, &message);
            return None;
        };
        cx.require_equal(&d, features, at, &message);
        if !cx.known {
            return None;
        }
    }
    let mut parts = vec![];
    for (i, source) in sources.into_iter().enumerate() {
        let start = d.mul(&Dim::literal(i as i128));
        let weight = cx.graph.slice(w, 0, start.clone(), d.clone(), 1);
        let weight = cx.op(weight, layer)?;
        let bias = match b {
            Some(b) => {
                let part = cx.graph.slice(b, 0, start, d.clone(), 1);
                Some(cx.op(part, layer)?)
            }
            None => None,
        };
        let projected = project(cx, layer, source, weight, bias)?;
        // [t, d] -> [heads, t, d / heads]
        let t = cx.sample_of(projected)[0].clone();
        let split = cx.reshaped(projected, vec![t, heads.clone(), size.clone()], at).ok()?;
        let part = cx.graph.permute(split, vec![0, 2, 1, 3]);
        parts.push(cx.op(part, layer)?);
    }
    let y = cx.attention(parts[0], parts[1], parts[2], causal, at).ok()?;
    let t = cx.sample_of(y)[1].clone();
    let merged = cx.graph.permute(y, vec![0, 2, 1, 3]);
    let merged = cx.op(merged, layer)?;
    let merged = cx.reshaped(merged, vec![t, d], at).ok()?;
    cx.x = project(cx, layer, merged, out_w, out_b)?;
    Some(())
}

/// x W^T + b
fn project(
    cx: &mut Chain,
    layer: &Layer,
    x: NodeId,
    w: NodeId,
    b: Option<NodeId>,
) -> Option<NodeId> {
    let transposed = cx.graph.permute(w, vec![1, 0]);
    let transposed = cx.op(transposed, layer)?;
    let product = cx.matmul(x, transposed, layer.range).ok()?;
    match b {
        Some(b) => cx.scalar("add", &[product, b], layer.range).ok(),
        None => Some(product),
    }
}

/// A learned vector for each position, added: the weight is [positions, features].
fn positional_embedding(cx: &mut Chain, layer: &Layer, arguments: &mut Arguments) -> Option<()> {
    let init = arguments.init("init", &mut cx.errors)?;
    let init = init.unwrap_or_else(|| quote!(__n::Init::Normal { mean: 0.0, std: 0.02 }));
    let name = cx.name_of(layer);
    if !cx.known {
        return None;
    }
    let shape: Shape = sequence(cx, layer)?.to_vec();
    let weight = cx.param(format!("{name}.weight"), shape, init, layer.range);
    if !cx.known {
        return None;
    }
    cx.x = cx.scalar("add", &[cx.x, weight], layer.range).ok()?;
    Some(())
}

/// Sines and cosines of the position, added: sin(p / 10000^(2 i / d)) at feature 2 i, the cosine at 2 i + 1
/// (Vaswani et al., 2017).
fn positional_encoding(cx: &mut Chain, layer: &Layer, _: &mut Arguments) -> Option<()> {
    if !cx.known {
        return None;
    }
    let [t, d] = sequence(cx, layer)?;
    let table = encoding(cx, t, d);
    let table = cx.op(table, layer)?;
    cx.x = cx.scalar("add", &[cx.x, table], layer.range).ok()?;
    Some(())
}

fn encoding(cx: &mut Chain, t: Dim, d: Dim) -> Result<NodeId, String> {
    let g = &mut cx.graph;
    let position = g.push(crate::ops::Op::Coordinate(t.clone()), &[])?;
    let position = g.reshape(position, vec![t, Dim::one()])?;
    let feature = g.push(crate::ops::Op::Coordinate(d.clone()), &[])?;
    let (half, two) = (g.constant(0.5), g.constant(2.0));
    let pair = g.scalar("mul", &[feature, half])?;
    let pair = g.scalar("floor", &[pair])?;
    let even = g.scalar("mul", &[pair, two])?;
    let odd = g.scalar("sub", &[feature, even])?;
    let rate = g.constant(-(10_000_f64.ln()));
    let size = g.size(d);
    let exponent = g.scalar("mul", &[even, rate])?;
    let exponent = g.scalar("div", &[exponent, size])?;
    let frequency = g.scalar("exp", &[exponent])?;
    let angle = g.scalar("mul", &[position, frequency])?; // [t, d]
    // cos x = sin(x + pi / 2)
    let quarter = g.constant(std::f64::consts::FRAC_PI_2);
    let shift = g.scalar("mul", &[odd, quarter])?;
    let angle = g.scalar("add", &[angle, shift])?;
    g.scalar("sin", &[angle])
}
