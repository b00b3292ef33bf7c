//! Layers as compositions of ops, with their arguments, parameters and initialisation. Names, defaults and
//! layouts are PyTorch's.

mod activations;
mod attention;
mod branches;
mod conv;
mod dense;
mod norm;
mod pooling;
mod recurrent;
mod shapes;
#[cfg(test)]
mod tests;

use quote::quote;

use crate::arguments::Arguments;
use crate::ast::{Expr, Layer, TensorType};
use crate::errors::{Range, nearest};
use crate::foreign;
use crate::graph::NodeId;
use crate::lower::values::{Declared, Value};
use crate::lower::{Chain, LayerInfo, LayerView, Lowered, Part, text};
use crate::shape::{Dim, Shape, numel, show};
use crate::sizes::tensor_type;
use crate::synonyms;

/// Applies a layer to the current value; `None` after an error.
type Apply = fn(&mut Chain, &Layer, &mut Arguments) -> Option<()>;

/// A kind of layer.
pub struct Kind {
    pub name: &'static str,
    /// Whether its first argument may be given without a name.
    pub positional: bool,
    /// The names of its arguments.
    pub arguments: &'static [&'static str],
    /// Whether it changes no shape and has no parameters: later messages name the layer before it.
    shapeless: bool,
    /// Whether it can be called with more than one value.
    several: bool,
    /// Whether it takes integers.
    integers: bool,
    apply: Apply,
}

const fn kind(name: &'static str, arguments: &'static [&'static str], apply: Apply) -> Kind {
    let positional = !arguments.is_empty();
    Kind { name, positional, arguments, shapeless: false, several: false, integers: false, apply }
}

const fn shapeless(name: &'static str, arguments: &'static [&'static str], apply: Apply) -> Kind {
    Kind { shapeless: true, ..kind(name, arguments, apply) }
}

/// All layers.
const TABLES: &[&[Kind]] = &[
    dense::LAYERS,
    conv::LAYERS,
    pooling::LAYERS,
    shapes::LAYERS,
    activations::LAYERS,
    norm::LAYERS,
    attention::LAYERS,
    recurrent::LAYERS,
];

/// Applies a layer to the current value. After an error the rest of the chain is still checked, as far as it
/// does not depend on the shape that is missing.
pub fn apply(cx: &mut Chain, layer: &Layer) {
    let operand = (cx.x, cx.previous.0.clone(), layer.range);
    let done = if is_compound(cx, layer) {
        let operands = if cx.known { vec![operand] } else { vec![] };
        compound(cx, layer, &operands)
    } else {
        built_in(cx, layer);
        cx.results.clear();
        None
    };
    match done {
        Some(Value::Tensor(id)) if cx.known => {
            cx.x = id;
            cx.flattened = None;
            let name = layer.name.as_ref().map_or_else(|| layer.constructor(), ToString::to_string);
            cx.previous = (name, layer.range);
        }
        Some(other) if cx.known => {
            let message =
                format!("`{layer}` yields {}; a chain needs one tensor", other.describe());
            let _: Lowered<()> = cx.report(layer.range, message);
        }
        _ => {}
    }
    if let Some(expected) = layer.expected.as_ref().filter(|_| cx.known) {
        expect(cx, layer, expected);
    }
}

/// Applies a layer to values that are no chain's; the result.
pub fn call(cx: &mut Chain, layer: &Layer, operands: &[(NodeId, String, Range)]) -> Option<Value> {
    if is_compound(cx, layer) {
        return compound(cx, layer, operands);
    }
    let [(first, name, range), rest @ ..] = operands else {
        let _: Lowered<()> = cx.report(
            layer.range,
            format!("layer `{}` takes one value, found none", cx.named(layer)),
        );
        return None;
    };
    let several = find(&layer.kind.to_string()).is_some_and(|kind| kind.several);
    if !rest.is_empty() && !several {
        let message =
            format!("layer `{}` takes one value, found {}", cx.named(layer), operands.len());
        let _: Lowered<()> = cx.report(layer.range, message);
        return None;
    }
    cx.x = cx.batched_value(*first, *range).ok()?;
    cx.previous = (name.clone(), *range);
    cx.operands = rest
        .iter()
        .map(|(id, ..)| cx.batched_value(*id, layer.range))
        .collect::<Lowered<_>>()
        .ok()?;
    built_in(cx, layer);
    if !cx.known {
        return None;
    }
    let results = std::mem::take(&mut cx.results);
    match results.is_empty() {
        true => Some(Value::Tensor(cx.x)),
        false => Some(Value::Tuple(results.into_iter().map(Value::Tensor).collect())),
    }
}

/// Whether a layer is made of others: a repeat, a branch, a network.
fn is_compound(cx: &Chain, layer: &Layer) -> bool {
    layer.repeat.is_some()
        || matches!(layer.kind.to_string().as_str(), "Residual" | "Parallel" | "Sequential")
        || (find(&layer.kind.to_string()).is_none() && cx.is_network(layer))
}

fn compound(cx: &mut Chain, layer: &Layer, operands: &[(NodeId, String, Range)]) -> Option<Value> {
    if let Some(count) = &layer.repeat {
        return repeat(cx, layer, count, operands);
    }
    match layer.kind.to_string().as_str() {
        "Residual" => branches::residual(cx, layer, operands),
        "Parallel" => branches::parallel(cx, layer, operands),
        "Sequential" => branches::sequential(cx, layer, operands),
        _ if !cx.known => None,
        _ => cx.nested(layer, operands).ok(),
    }
}

/// `[Block; 12]`: one after another, each with weights of its own.
fn repeat(
    cx: &mut Chain,
    layer: &Layer,
    count: &Expr,
    operands: &[(NodeId, String, Range)],
) -> Option<Value> {
    let what =
        "a repeat is unrolled here, so its count is a number that is written here, such as `3`";
    let n = cx.written(count, what).ok()?;
    let name = cx.name_of(layer);
    let mut values = operands.to_vec();
    for i in 0..n {
        cx.turn_of(layer.range).ok()?;
        let instance = Declared {
            layer: Layer { repeat: None, name: None, ..layer.clone() },
            name: format!("{name}.{i}"),
        };
        match cx.apply_layer(&instance, &values, layer.range).ok()? {
            Value::Tensor(id) => {
                let text = format!("{name}.{i}");
                values = vec![(id, text, layer.range)];
            }
            other => {
                let _: Lowered<()> = cx.report(
                    layer.range,
                    format!(
                        "`{}` yields {}; only what yields one tensor is repeated",
                        layer.constructor(),
                        other.describe()
                    ),
                );
                return None;
            }
        }
    }
    values.first().map(|(id, ..)| Value::Tensor(*id))
}

/// `enc: Encoder -> [64]`
fn expect(cx: &mut Chain, layer: &Layer, expected: &TensorType) {
    let scope = cx.scope.clone();
    let Some(want) = tensor_type(expected, &scope, &mut cx.errors) else {
        cx.known = false;
        return;
    };
    let got = cx.sample();
    if want.len() != got.len()
        || want.iter().zip(&got).any(|(a, b)| a != b && a.sub(b).as_literal().is_some())
    {
        let head = cx.mismatch(layer);
        cx.fail(
            layer.range,
            &[
                head,
                text(" is expected to yield "),
                Part::Shape(want),
                text(", but it yields "),
                Part::Shape(got),
            ],
        );
        return;
    }
    for (a, b) in want.iter().zip(&got) {
        let head = cx.mismatch(layer);
        let message = [
            head,
            text(" is expected to yield "),
            Part::Shape(want.clone()),
            text(", but it yields "),
            Part::Shape(got.clone()),
        ];
        cx.require_equal(a, b, layer.range, &message);
    }
}

/// The layer of this name.
pub fn find(name: &str) -> Option<&'static Kind> {
    TABLES.iter().flat_map(|table| table.iter()).find(|kind| kind.name == name)
}

/// A layer of the tables.
fn built_in(cx: &mut Chain, layer: &Layer) {
    let Some(kind) = find(&layer.kind.to_string()) else {
        cx.errors.push(unknown(cx, layer));
        cx.known = false;
        return;
    };
    if let Some(size) = layer.generics.first() {
        let message = format!(
            "layer `{}` has no sizes in `<..>`; it takes arguments: `{}(..)`",
            kind.name, kind.name
        );
        cx.errors.push(size.range.error(message));
        cx.known = false;
        return;
    }
    if layer.children.is_some() {
        let message = format!(
            "layer `{}` has no layers inside; `Residual {{ .. }}` and `Parallel {{ .. }}` have",
            kind.name
        );
        cx.errors.push(layer.range.error(message));
        cx.known = false;
        return;
    }
    if cx.known && cx.graph.nodes[cx.x].integer && !kind.integers {
        let (from, shape) = (cx.previous.0.clone(), show(&cx.sample()));
        let named = cx.named(layer);
        let message = format!(
            "layer `{named}` takes floats, but `{from}` is integers, u32{shape}; put an `Embedding` before it, or declare floats: `{shape}`"
        );
        cx.errors.push(layer.range.error(message));
        cx.known = false;
        return;
    }
    let scope = cx.scope.clone();
    let mut arguments = match Arguments::new(layer, kind, scope) {
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
    finish(cx, layer, kind, first_param, sample);
}

/// Whether there is a layer of this name that takes arguments.
pub fn takes_arguments(name: &str) -> bool {
    find(name).is_some_and(|kind| !kind.arguments.is_empty())
        || ["Param", "Parallel"].contains(&name)
}

/// Every name that a layer can have.
pub fn names() -> impl Iterator<Item = &'static str> {
    let kinds = TABLES.iter().flat_map(|table| table.iter().map(|kind| kind.name));
    kinds.chain(["Residual", "Parallel", "Param"])
}

/// An error at a layer's name.
fn unknown(cx: &Chain, layer: &Layer) -> syn::Error {
    let name = layer.kind.to_string();
    let error = |message| Range::of(&layer.kind).error(message);
    if let Some(instead) = synonyms::lacking(&name) {
        return error(format!("`{name}` is no layer of netform; {instead}"));
    }
    let networks: Vec<String> = cx.networks();
    let mut all: Vec<&str> = names().collect();
    all.extend(networks.iter().map(String::as_str));
    // `Enc(bias = false)` of the user's own is nobody's `Elu`.
    let near = |other: &&str| crate::link::is_misspelled(&name, other);
    let meant = meant(cx, layer).or_else(|| {
        nearest(&name, all.into_iter().filter(near)).map(|near| foreign_arguments(layer, near))
    });
    let listed = "all layers are listed in the documentation of `network!`";
    error(match (meant, crate::link::impossible(&layer.args)) {
        (Some(ours), _) => format!("unknown layer `{name}`; did you mean `{ours}`?"),
        (None, Some(argument)) => format!(
            "`{name}` is no layer of netform, and a network takes no `{argument}`; {listed}"
        ),
        (None, None) => format!("unknown layer `{name}`; {listed}"),
    })
}

/// What a layer of another framework is called here.
fn meant(cx: &Chain, layer: &Layer) -> Option<String> {
    let name = layer.kind.to_string();
    if let ("Activation", [argument]) = (name.as_str(), &layer.args[..]) {
        return foreign::activation(&argument.value).flatten().map(str::to_owned);
    }
    let ours = match name.as_str() {
        // Keras' is of any rank.
        "BatchNormalization" | "BatchNorm" if cx.known && cx.sample().len() < 3 => "BatchNorm1d",
        _ => synonyms::layer(&name)?,
    };
    Some(foreign_arguments(layer, ours))
}

/// A layer by our name, with its arguments where they are another framework's, too.
fn foreign_arguments(layer: &Layer, ours: &str) -> String {
    let written = find(ours).and_then(|kind| foreign::translated(layer, kind));
    let same = layer.constructor().replacen(&layer.kind.to_string(), ours, 1);
    written.filter(|written| *written != same).unwrap_or_else(|| ours.to_owned())
}

/// What the summary and later messages say about a layer that was applied.
fn finish(cx: &mut Chain, layer: &Layer, kind: &Kind, first_param: usize, sample: Shape) {
    let shapeless = kind.shapeless;
    let has_params = cx.params.len() > first_param;
    if !shapeless {
        let what = text(format!("layer `{layer}` of network `{}` yields", cx.network));
        cx.require_memory(what, &sample, layer.range);
    }
    let info = cx.layers.last_mut().filter(|info| info.output.is_empty() && info.view.is_some());
    if let Some(info) = info {
        info.output = sample;
    } else if has_params || cx.instance.is_none() {
        record_plain(cx, layer, first_param, sample);
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

/// Records a layer without a view of its parameters.
fn record_plain(cx: &mut Chain, layer: &Layer, first_param: usize, output: Shape) {
    let params =
        cx.params[first_param..].iter().fold(Dim::literal(0), |n, p| n.add(&numel(&p.shape)));
    let name = match cx.params.get(first_param) {
        Some(param) => param.name.rsplit_once('.').map_or("", |(layer, _)| layer).to_owned(),
        None if layer.name.is_some() => cx.name_of(layer),
        None => String::new(),
    };
    let text = layer.constructor();
    cx.layers.push(LayerInfo { name, ident: layer.name.clone(), text, output, params, view: None });
}

/// Records a layer with parameters; its output is filled in when it is known.
fn record(cx: &mut Chain, layer: &Layer, name: &str, view: LayerView) {
    if cx.layers.iter().any(|info| info.name == name) {
        // Applied again.
        return;
    }
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
    outputs: usize,
) -> Option<(NodeId, Option<NodeId>)> {
    // PyTorch's default for both, kaiming_uniform(a = sqrt(5)): uniform in +-1/sqrt(fan_in).
    let fan_in = numel(&shape[1..]).tokens();
    let default = quote!(__n::Init::FanIn { fan_in: #fan_in });
    let errors = &mut cx.errors;
    let with_bias = arguments.boolean("bias", true, errors)?;
    let init = arguments.init("init", errors)?.unwrap_or_else(|| default.clone());
    let bias_init = arguments.init("bias_init", errors)?.unwrap_or(default);
    // The axis of outputs; a transposed convolution has it second, for each group.
    let groups = match outputs {
        0 => Dim::one(),
        _ => arguments.groups.clone().unwrap_or_else(Dim::one),
    };
    let out = shape[outputs].mul(&groups);
    let what = text(format!("layer `{layer}` of network `{}` has weights", cx.network));
    cx.require_memory(what, &shape, layer.range);
    let weight = cx.param(format!("{name}.weight"), shape, init, layer.range);
    let bias =
        with_bias.then(|| cx.param(format!("{name}.bias"), vec![out], bias_init, layer.range));
    Some((weight, bias))
}

/// `let w = Param([784, 128], init = Xavier)`: a parameter of its own.
pub fn parameter(cx: &mut Chain, layer: &Layer, name: &str) -> Option<NodeId> {
    const PARAM: Kind = kind("Param", &["shape", "init"], |_, _, _| None);
    let mut arguments = match Arguments::new(layer, &PARAM, cx.scope.clone()) {
        Ok(arguments) => arguments,
        Err(error) => {
            cx.errors.push(error);
            cx.known = false;
            return None;
        }
    };
    let shape = arguments.shape("Param([784, 128])", &mut cx.errors);
    let init = arguments.init("init", &mut cx.errors);
    let (Some(shape), Some(init)) = (shape, init) else {
        cx.known = false;
        return None;
    };
    // As a weight of `Linear` of this many inputs is drawn.
    let init = init.unwrap_or_else(|| {
        let fan_in = shape.last().cloned().unwrap_or_else(Dim::one).tokens();
        quote!(__n::Init::FanIn { fan_in: #fan_in })
    });
    for (expr, dim, least) in arguments.sizes {
        cx.require_size(expr, &dim, least);
    }
    let what = text(format!("parameter `{name}` of network `{}` is", cx.network));
    cx.require_memory(what, &shape, layer.range);
    let params = numel(&shape);
    let node = cx.param(name.to_owned(), shape.clone(), init, layer.range);
    let text = layer.constructor();
    cx.layers.push(LayerInfo {
        name: name.to_owned(),
        ident: None,
        text,
        output: shape,
        params,
        view: None,
    });
    Some(node)
}
