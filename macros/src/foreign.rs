//! Layers as PyTorch and Keras write them, and how the same is written here: for "did you mean".

use crate::ast::{Argument, Expr, ExprKind, Layer};
use crate::initialisers::translated as initialiser;
use crate::layers::Kind;

/// Activations, which are arguments of Keras' layers and layers of their own here.
const ACTIVATIONS: &[&str] = &[
    "Relu",
    "Sigmoid",
    "Tanh",
    "Softplus",
    "Silu",
    "LeakyRelu",
    "Elu",
    "Gelu",
    "Softmax",
    "LogSoftmax",
];

/// What an argument of another framework says.
enum Meaning {
    /// An argument of this name.
    Named(&'static str),
    /// How many features or channels there are before the layer.
    Input,
    /// The layer behind this one.
    Activation,
    /// The layer's own name.
    Name,
    /// What is inferred here, or has no counterpart.
    Told,
}

/// Names of arguments, each with what it may be here: the first that the layer has.
const NAMES: &[(&[&str], &[&str])] = &[
    (
        &[
            "units",
            "out",
            "out_features",
            "out_channels",
            "filters",
            "hidden_size",
            "size",
            "output_size",
        ],
        &["out_features", "out_channels", "features", "size"],
    ),
    (
        &["features", "output_dim", "out_dim", "outputs", "hidden", "neurons", "embedding_dim"],
        &["features", "out_features", "out_channels"],
    ),
    (&["num_embeddings", "vocab_size"], &["rows"]),
    (&["use_bias"], &["bias"]),
    (&["kernel_initializer", "embeddings_initializer", "initializer", "weight_init"], &["init"]),
    (&["bias_initializer"], &["bias_init"]),
    (&["kernel_size", "pool_size"], &["kernel"]),
    (&["strides"], &["stride"]),
    (&["dilation_rate"], &["dilation"]),
    (&["dim"], &["axis"]),
    (&["p", "prob", "probability"], &["rate"]),
    (&["negative_slope", "alpha"], &["slope"]),
    (&["num_heads"], &["heads"]),
    (&["num_groups"], &["groups"]),
    (&["epsilon"], &["eps"]),
    (&["scale_factor"], &["scale"]),
    (&["elementwise_affine"], &["affine"]),
];

/// Sizes before a layer, which are inferred.
const INPUTS: &[&str] = &[
    "in",
    "in_features",
    "in_channels",
    "input_dim",
    "input_size",
    "input_shape",
    "inputs",
    "num_features",
    "num_channels",
    "normalized_shape",
    "embed_dim",
];

const TOLD: &[&str] = &["inplace", "device", "dtype", "batch_first", "data_format", "trainable"];

/// What the argument of this name is, of a layer that does not have it.
fn meaning(kind: &Kind, name: &str) -> Option<Meaning> {
    if let Some(own) = kind.arguments.iter().find(|own| **own == name) {
        return Some(Meaning::Named(own));
    }
    match name {
        "activation" | "act" | "nonlinearity" => return Some(Meaning::Activation),
        "name" => return Some(Meaning::Name),
        // Of Keras' `Embedding` it is the number of rows.
        "input_dim" if kind.name == "Embedding" => return Some(Meaning::Named("rows")),
        _ if INPUTS.contains(&name) => return Some(Meaning::Input),
        _ if TOLD.contains(&name) => return Some(Meaning::Told),
        _ => {}
    }
    let (_, ours) = NAMES.iter().find(|(theirs, ours)| {
        theirs.contains(&name) && ours.iter().any(|name| kind.arguments.contains(name))
    })?;
    ours.iter().find(|name| kind.arguments.contains(name)).map(|name| Meaning::Named(name))
}

/// What `count` arguments without names are, in the order of PyTorch or Keras.
fn positions(kind: &Kind, count: usize) -> Option<&'static [&'static str]> {
    Some(match (kind.name, count) {
        (_, 0) => &[],
        ("Linear" | "Rnn" | "Gru" | "Lstm", 2) => &["in", "units"],
        ("Conv1d" | "Conv2d" | "ConvTranspose2d", 2) => &["filters", "kernel"],
        ("Conv1d" | "Conv2d" | "ConvTranspose2d", 3..=5) => {
            &["in", "filters", "kernel", "stride", "padding"][..count]
        }
        ("MaxPool2d" | "AvgPool2d", 2..=3) => &["kernel", "stride", "padding"][..count],
        ("Embedding", 2) => &["rows", "features"],
        ("MultiHeadAttention", 2) => &["embed_dim", "heads"],
        ("GroupNorm", 2) => &["groups", "num_channels"],
        ("LayerNorm" | "RmsNorm" | "BatchNorm1d" | "BatchNorm2d", 1) => &["num_features"],
        (_, 1) if !kind.arguments.is_empty() => &kind.arguments[..1],
        _ => return None,
    })
}

/// A layer of netform's kind as it is written here, where its arguments are another framework's: `Linear(4 -> 16), Relu` of
/// `Linear(4, 16, activation = "relu")`. Nothing where one is nobody's.
pub fn translated(layer: &Layer, kind: &Kind) -> Option<String> {
    let mut written = Written::of(kind);
    let (mut unnamed, named): (Vec<&Argument>, Vec<&Argument>) =
        layer.args.iter().partition(|argument| argument.name.is_none());
    // `Dense(16, "relu")`
    if let [_, .., last] = unnamed[..]
        && let Some(activation) = activation(&last.value)
    {
        written.behind = activation;
        unnamed.pop();
    }
    for (argument, name) in unnamed.iter().zip(positions(kind, unnamed.len())?) {
        written.add(meaning(kind, name)?, &argument.value)?;
    }
    for argument in named {
        let name = argument.name.as_ref()?.to_string();
        written.add(meaning(kind, &name)?, &argument.value)?;
    }
    written.text()
}

/// What is known of a layer, in the words of this crate.
struct Written<'k> {
    kind: &'k Kind,
    name: Option<String>,
    input: Option<String>,
    first: Option<String>,
    others: Vec<(&'static str, String)>,
    /// The activation behind it, where there is one.
    behind: Option<&'static str>,
}

impl<'k> Written<'k> {
    fn of(kind: &'k Kind) -> Self {
        Written { kind, name: None, input: None, first: None, others: vec![], behind: None }
    }

    fn add(&mut self, meaning: Meaning, value: &Expr) -> Option<()> {
        match meaning {
            Meaning::Told => {}
            Meaning::Name => self.name = Some(plain(value)),
            Meaning::Activation => self.behind = activation(value)?,
            // A shape has no place before the arrow; it is inferred.
            Meaning::Input if matches!(value.kind, ExprKind::Tuple(_) | ExprKind::List(_)) => {}
            Meaning::Input => self.input = Some(plain(value)),
            Meaning::Named(name) => {
                let text = self.value(name, value)?;
                match self.kind.arguments.first() {
                    Some(first) if *first == name && self.kind.positional => {
                        self.first = Some(text)
                    }
                    _ => self.others.push((name, text)),
                }
            }
        }
        Some(())
    }

    /// What an argument is given.
    fn value(&self, name: &str, value: &Expr) -> Option<String> {
        let text = plain(value);
        match name {
            "init" | "bias_init" => match &value.kind {
                ExprKind::Text(_) | ExprKind::Path(_) => initialiser(&text).map(str::to_owned),
                _ => Some(text),
            },
            "axis" => counted_without_batch(value),
            "padding" if text == "valid" => Some("0".to_owned()),
            "padding" if text == "same" => None,
            "bias" | "affine" | "causal" | "last" => Some(text.to_lowercase()),
            _ if text.is_empty() || text.contains(char::is_whitespace) && is_text(value) => None,
            _ => Some(text),
        }
    }

    fn text(self) -> Option<String> {
        let arrow = self.kind.arguments.first().is_some_and(|name| name.starts_with("out_"));
        let mut arguments: Vec<String> = match (self.input, self.first) {
            (Some(input), Some(first)) if arrow => vec![format!("{input} -> {first}")],
            (_, first) => first.into_iter().collect(),
        };
        let kept = self
            .others
            .into_iter()
            .filter(|(name, text)| (*name, text.as_str()) != ("padding", "0"));
        arguments.extend(kept.map(|(name, text)| format!("{name} = {text}")));
        let mut written = self.kind.name.to_owned();
        if !arguments.is_empty() {
            written = format!("{written}({})", arguments.join(", "));
        }
        if let Some(name) = self.name {
            written = format!("{name}: {written}");
        }
        if let Some(activation) = self.behind {
            written = format!("{written}, {activation}");
        }
        Some(written)
    }
}

/// The layer of an activation: nothing behind a layer for one that is linear, no answer where it is none.
pub fn activation(value: &Expr) -> Option<Option<&'static str>> {
    let name = match &value.kind {
        ExprKind::Text(name) => name.clone(),
        ExprKind::Path(_) => value.to_string(),
        ExprKind::Layer(layer) => layer.kind.to_string(),
        _ => return None,
    };
    let near = name.rsplit("::").next().unwrap_or_default().replace('_', "");
    match near.to_lowercase().as_str() {
        "linear" | "none" => Some(None),
        "swish" => Some(Some("Silu")),
        near => ACTIVATIONS.iter().find(|ours| ours.to_lowercase() == near).map(|ours| Some(*ours)),
    }
}

/// An axis of a batch as one of a sample.
fn counted_without_batch(value: &Expr) -> Option<String> {
    match &value.kind {
        ExprKind::Int(0) => None,
        ExprKind::Int(axis) => Some((axis - 1).to_string()),
        _ => Some(value.to_string()),
    }
}

fn is_text(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Text(_))
}

/// The value, without quotation marks.
fn plain(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Text(text) => text.clone(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{find, names};

    /// The layer of a text, translated as one of this kind.
    fn ours(kind: &str, layer: &str) -> Option<String> {
        let text = format!("Net: [4] {{ {layer} }}");
        let declaration = crate::parse::declaration(text.parse().ok()?).ok()?;
        let crate::ast::Item::Network(network) = &declaration.items[0] else { return None };
        let crate::ast::Body::Chain(layers) = &network.body else { return None };
        translated(&layers[0], find(kind)?)
    }

    #[test]
    fn layers_of_keras_and_pytorch_are_written_as_here() {
        for (kind, theirs, here) in [
            ("Linear", "Dense(16, activation = \"relu\")", "Linear(16), Relu"),
            ("Linear", "Dense(units = 16, use_bias = False)", "Linear(16, bias = false)"),
            ("Linear", "Dense(16, \"leaky_relu\")", "Linear(16), LeakyRelu"),
            ("Linear", "Linear(in_features = 4, out_features = 16)", "Linear(4 -> 16)"),
            ("Linear", "Linear(4, 16, name = \"fc1\")", "fc1: Linear(4 -> 16)"),
            ("Linear", "Dense(3, activation = None, input_shape = (2, 2))", "Linear(3)"),
            ("Linear", "Dense(3, kernel_initializer = \"he_normal\")", "Linear(3, init = He)"),
            ("Conv2d", "Conv2D(6, (3, 5), activation = relu)", "Conv2d(6, kernel = (3, 5)), Relu"),
            ("Conv2d", "Conv2d(1, 6, 5, 2)", "Conv2d(1 -> 6, kernel = 5, stride = 2)"),
            ("Conv2d", "Conv2D(6, 3, padding = \"valid\")", "Conv2d(6, kernel = 3)"),
            ("MaxPool2d", "MaxPooling2D(pool_size = 2)", "MaxPool2d(2)"),
            (
                "Embedding",
                "Embedding(input_dim = 96, output_dim = 8)",
                "Embedding(96, features = 8)",
            ),
            ("Lstm", "LSTM(8, 32, batch_first = true)", "Lstm(32)"),
            ("BatchNorm2d", "BatchNorm2d(6)", "BatchNorm2d"),
            ("Softmax", "Softmax(dim = 1)", "Softmax(0)"),
            ("Dropout", "Dropout(p = 0.5)", "Dropout(0.5)"),
        ] {
            assert_eq!(ours(kind, theirs).as_deref(), Some(here), "{theirs}");
        }
        for (kind, theirs) in [
            ("Linear", "Dense(16, speed = 3)"),
            ("Linear", "Dense(16, activation = \"cubic\")"),
            ("Conv2d", "Conv2D(6, 3, padding = \"same\")"),
            ("Relu", "ReLU(3)"),
        ] {
            assert_eq!(ours(kind, theirs), None, "{theirs}");
        }
    }

    #[test]
    fn activations_are_layers() {
        assert!(ACTIVATIONS.iter().all(|name| names().any(|layer| layer == *name)));
    }
}
