//! AST to graph: names, shapes and the user's errors. A chain is lowered twice, for training and for
//! evaluation.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::ast::{Expr, Layer, Network, TensorType};
use crate::errors::{Errors, Range};
use crate::graph::{Graph, NodeId};
use crate::layers;
use crate::shape::{Dim, Shape, numel, show};
use crate::sizes::{tensor_type, too_large};

/// What a message is made of: numbers and shapes are filled in by the macro where it knows them, by const
/// evaluation where it does not.
#[derive(Clone)]
pub enum Part {
    Text(String),
    Number(Dim),
    Shape(Shape),
    /// `[16, 5, 5] = 400`; a single size alone.
    Total(Shape),
}

impl Part {
    pub fn dims(&self) -> &[Dim] {
        match self {
            Part::Text(_) => &[],
            Part::Number(dim) => std::slice::from_ref(dim),
            Part::Shape(shape) | Part::Total(shape) => shape,
        }
    }
}

pub fn text(s: impl Into<String>) -> Part {
    Part::Text(s.into())
}

/// A message whose numbers the macro knows, or as far as it knows them.
pub fn render(parts: &[Part]) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Number(dim) => dim.to_string(),
        Part::Shape(shape) => show(shape),
        Part::Total(shape) if shape.len() == 1 => shape[0].to_string(),
        Part::Total(shape) => format!("{} = {}", show(shape), numel(shape)),
    };
    parts.iter().map(part).collect()
}

/// A condition on constants that the macro cannot see into: checked by const evaluation in the user's
/// crate.
pub struct Check {
    pub condition: TokenStream,
    pub message: Vec<Part>,
    /// The layer that is wrong.
    pub at: Range,
    /// Where the other shape comes from: its name and its tokens; nowhere for a size that is wrong alone.
    pub previous: Option<(String, Range)>,
}

/// A parameter with its place in the buffer.
pub struct Param {
    pub name: String,
    pub shape: Shape,
    pub offset: Dim,
    pub init: TokenStream,
}

/// A layer as the summary and the accessors see it.
pub struct LayerInfo {
    /// Empty for unnamed layers without parameters.
    pub name: String,
    pub ident: Option<Ident>,
    pub text: String,
    pub output: Shape,
    /// The number of parameters.
    pub params: Dim,
    /// The typed view of the layer's parameters, if it has some.
    pub view: Option<LayerView>,
}

/// What an accessor returns: `Linear<I, O>` or `Conv2d<I, O, KH, KW>` of netform-core.
pub struct LayerView {
    pub kind: &'static str,
    pub dims: Vec<Dim>,
    /// Index of the weight among the parameters; the bias follows, where there is one.
    pub weight: usize,
    pub bias: bool,
}

/// A chain on its way from layer to layer.
pub struct Chain {
    pub network: String,
    pub graph: Graph,
    /// The current value, with the batch.
    pub x: NodeId,
    pub train: bool,
    pub params: Vec<Param>,
    pub param_len: Dim,
    pub layers: Vec<LayerInfo>,
    pub checks: Vec<Check>,
    /// The output as it is declared: equal to the one that the layers yield, or a check fails.
    pub declared: Option<Shape>,
    pub errors: Errors,
    /// The layer or input that yielded the current value: its name in messages, its tokens.
    pub previous: (String, Range),
    /// What `Flatten` made the current value from, where no other layer has changed its shape since.
    pub flattened: Option<Shape>,
    /// Whether the shape of the current value is known: not after an error.
    pub known: bool,
    names: BTreeSet<String>,
    counts: BTreeMap<String, usize>,
}

/// Methods of a printed network: a layer's accessor cannot have their names.
pub const RESERVED: &[&str] = &[
    "new",
    "on",
    "from_bytes",
    "forward",
    "backward",
    "train_step",
    "predictor",
    "value_and_gradients",
    "summary",
    "save",
    "load",
    "load_bytes",
    "to_bytes",
    "parameter",
    "set_parameter",
    "store",
    "store_mut",
    "from_store",
    "infer",
    "infer_workspace",
    "train_workspace",
    "train_forward",
    "output_gradient",
    "clone",
    "input",
    "batch",
];

impl Chain {
    fn new(network: &Network, train: bool) -> Self {
        Chain {
            network: network.name.to_string(),
            graph: Graph::new(network.name.to_string()),
            x: 0,
            train,
            params: vec![],
            param_len: Dim::literal(0),
            layers: vec![],
            checks: vec![],
            declared: None,
            errors: Errors::default(),
            previous: ("input".to_owned(), network.input.range),
            flattened: None,
            known: true,
            names: BTreeSet::new(),
            counts: BTreeMap::new(),
        }
    }

    /// The shape of the current value for one sample.
    pub fn sample(&self) -> Shape {
        self.graph.shape(self.x)[1..].to_vec()
    }

    /// The shape of the output for one sample, in the user's words where there are some.
    pub fn output(&self) -> Shape {
        self.declared.clone().unwrap_or_else(|| self.sample())
    }

    /// `layer `fc1: Linear(120)` of network `Digits``, as messages begin.
    pub fn mismatch(&self, layer: &Layer) -> Part {
        text(format!("shape mismatch in network `{}`: layer `{layer}`", self.network))
    }

    /// An error at a layer, in the words of shape errors; what follows it has no shape to be checked against.
    pub fn fail(&mut self, at: Range, message: &[Part]) {
        self.errors.push(at.error(render(message)));
        self.known = false;
    }

    /// That two sizes are equal: proved, refuted, or left to const evaluation.
    pub fn require_equal(&mut self, want: &Dim, got: &Dim, at: Range, message: &[Part]) {
        if want == got {
            return;
        }
        let (a, b) = (want.tokens(), got.tokens());
        self.require(want.sub(got).as_literal().is_none(), quote!(#a == #b), at, message);
    }

    /// That a window fits an axis.
    pub fn require_fits(
        &mut self,
        size: &Dim,
        kernel: &Dim,
        stride: &Dim,
        padding: &Dim,
        at: Range,
        message: &[Part],
    ) {
        let window = Dim::window(size, kernel, stride, padding, &Dim::one());
        if window.as_literal().is_some_and(|n| n > 0) {
            return;
        }
        let count = window.tokens();
        self.require(window.as_literal().is_none(), quote!(#count > 0), at, message);
    }

    fn require(&mut self, open: bool, condition: TokenStream, at: Range, message: &[Part]) {
        if !open {
            self.fail(at, message);
            return;
        }
        let previous = Some(self.previous.clone());
        self.checks.push(Check { condition, message: message.to_vec(), at, previous });
    }

    /// That a size of constants is at least `least`, and that nothing in it leaves a remainder.
    pub fn require_size(&mut self, expr: &Expr, dim: &Dim, least: usize) {
        for quotient in dim.quotients() {
            let (over, by) = (quotient.over.tokens(), quotient.by.tokens());
            let message = vec![
                text(format!("`{expr}` leaves a remainder: ")),
                Part::Number(quotient.over.clone()),
                text(" / "),
                Part::Number(quotient.by.clone()),
            ];
            self.require_alone(quote!(#by > 0 && #over % #by == 0), expr.range, message);
        }
        if dim.as_literal().is_some() {
            return;
        }
        let (plus, minus) = dim.split();
        let mut message = vec![text(format!("`{expr}` is ")), Part::Number(plus.clone())];
        if !minus.is_zero() {
            message.extend([text(" - "), Part::Number(minus.clone())]);
        }
        message.push(text(format!("; sizes are at least {least}")));
        let (plus, minus) = (plus.tokens(), minus.tokens());
        let condition = match least {
            0 => quote!(#plus >= #minus),
            _ => quote!(#plus > #minus),
        };
        self.require_alone(condition, expr.range, message);
    }

    /// That memory can hold a shape; `what` begins the message.
    pub fn require_memory(&mut self, what: Part, shape: &[Dim], at: Range) {
        let total = numel(shape);
        if total.as_literal().is_some_and(|n| n <= Dim::LARGEST) {
            return;
        }
        let message = vec![
            what,
            text(" "),
            Part::Shape(shape.to_vec()),
            text(", more elements than memory can hold"),
        ];
        if too_large(&total) {
            self.fail(at, &message);
            return;
        }
        let (total, largest) = (total.tokens(), Dim::literal(Dim::LARGEST).tokens());
        self.require_alone(quote!(#total <= #largest), at, message);
    }

    fn require_alone(&mut self, condition: TokenStream, at: Range, message: Vec<Part>) {
        let network = text(format!("in network `{}`: ", self.network));
        let message = if matches!(&message[0], Part::Text(text) if text.starts_with('`')) {
            [vec![network], message].concat()
        } else {
            message
        };
        self.checks.push(Check { condition, message, at, previous: None });
    }

    /// Appends an op to the graph. Its shape rule was checked before, in the user's words.
    pub fn op(&mut self, result: Result<NodeId, String>, layer: &Layer) -> Option<NodeId> {
        match result {
            Ok(id) => Some(id),
            Err(message) => {
                let head = self.mismatch(layer);
                self.fail(layer.range, &[head, text(format!(": {message}"))]);
                None
            }
        }
    }

    /// A new parameter, at the end of the buffer.
    pub fn param(&mut self, name: String, shape: Shape, init: TokenStream) -> NodeId {
        let offset = self.param_len.clone();
        self.param_len = offset.add(&numel(&shape));
        let node = self.graph.param(&name, shape.clone());
        self.params.push(Param { name, shape, offset, init });
        node
    }

    /// The name of a layer that is not named: `linear1`, counted by kind.
    pub fn name_of(&mut self, layer: &Layer) -> String {
        if let Some(name) = &layer.name {
            return name.to_string();
        }
        let kind = layer.kind.to_string().to_lowercase();
        let count = self.counts.entry(kind.clone()).or_insert(0);
        loop {
            *count += 1;
            let name = format!("{kind}{count}");
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }

    fn check_name(&mut self, layer: &Layer) {
        let Some(name) = &layer.name else { return };
        let text = name.to_string();
        if RESERVED.contains(&text.as_str()) {
            let message =
                format!("a layer cannot be called `{text}`: networks have a method of that name");
            self.errors.push(Range::of(name).error(message));
        } else if !self.names.insert(text.clone()) {
            let message = format!("two layers of network `{}` are called `{text}`", self.network);
            self.errors.push(Range::of(name).error(message));
        }
    }
}

/// Lowers a chain.
pub fn chain(network: &Network, train: bool) -> Chain {
    let mut cx = Chain::new(network, train);
    let Some(shape) = tensor_type(&network.input, &[], &mut cx.errors) else {
        cx.known = false;
        check_layers(&mut cx, network);
        return cx;
    };
    if network.input.integer {
        let message =
            "a chain of float layers cannot begin with integers: write the shape without `u32`";
        cx.errors.push(network.input.range.error(message));
        cx.known = false;
    }
    let batched: Shape = [Dim::batch()].into_iter().chain(shape).collect();
    cx.x = cx.graph.input("input", batched, false);
    for (expr, dim) in network.input.dims.iter().zip(cx.sample()) {
        cx.require_size(expr, &dim, 1);
    }
    let (what, sample) = (format!("the input of network `{}` is", network.name), cx.sample());
    cx.require_memory(text(what), &sample, network.input.range);
    check_layers(&mut cx, network);
    if let Some(output) = &network.output {
        check_output(&mut cx, output);
    }
    cx.graph.outputs = vec![cx.x];
    cx
}

fn check_layers(cx: &mut Chain, network: &Network) {
    if network.layers.is_empty() {
        let message = format!(
            "network `{}` has no layers; write some in braces, for example `{{ Linear(10) }}`",
            network.name
        );
        cx.errors.push(Range::of(&network.name).error(message));
        cx.known = false;
    }
    for layer in &network.layers {
        cx.check_name(layer);
        layers::apply(cx, layer);
    }
}

fn check_output(cx: &mut Chain, output: &TensorType) {
    let Some(want) = tensor_type(output, &[], &mut cx.errors) else { return };
    if !cx.known {
        return;
    }
    let got = cx.sample();
    cx.declared = Some(want.clone());
    let message = [
        text(format!("shape mismatch in network `{}`: the declared output is ", cx.network)),
        Part::Shape(want.clone()),
        text(format!(", but `{}` yields ", cx.previous.0)),
        Part::Shape(got.clone()),
    ];
    if want.len() != got.len() {
        cx.fail(output.range, &message);
        return;
    }
    // One error, however many axes differ; const evaluation checks all that is open at once.
    let differ = want.iter().zip(&got).any(|(a, b)| a != b && a.sub(b).as_literal().is_some());
    if differ {
        cx.fail(output.range, &message);
        return;
    }
    let open: Vec<TokenStream> = want
        .iter()
        .zip(&got)
        .filter(|(a, b)| a != b)
        .map(|(a, b)| {
            let (a, b) = (a.tokens(), b.tokens());
            quote!(#a == #b)
        })
        .collect();
    if !open.is_empty() {
        cx.require(true, quote!(#(#open)&&*), output.range, &message);
    }
}
