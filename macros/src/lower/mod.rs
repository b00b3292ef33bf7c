//! AST to graph: names, shapes and the user's errors. A network is lowered twice, for training and for
//! evaluation.

mod blocks;
mod calls;
mod checks;
pub mod functions;
mod gradient;
mod indices;
mod inputs;
mod items;
mod nested;
mod operands;
mod scans;
pub mod values;
mod weights;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proc_macro2::TokenStream;
use syn::Ident;

use crate::ast::{Function, Layer, Network, path_text};
use crate::errors::{Errors, Range};
use crate::graph::{Graph, NodeId};
use crate::shape::{Dim, Shape, numel, show};
use crate::sizes::Scope;

pub use crate::layers::names as layer_names;
pub use checks::{Check, Condition, Part, render, text};
pub use items::{function, network};

use values::Bound;

/// A parameter with its place in the buffer.
pub struct Param {
    pub name: String,
    pub shape: Shape,
    pub offset: Dim,
    pub init: TokenStream,
    /// Its node in the graph that is being built.
    pub node: NodeId,
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

/// Other items that a network or function may use.
#[derive(Default)]
pub struct Declarations {
    pub functions: BTreeMap<String, Linked<Function>>,
    pub networks: BTreeMap<String, Linked<Network>>,
}

/// An item that another one uses.
pub struct Linked<T> {
    pub item: T,
    /// The type that has its constants; `None` where they are in scope.
    pub owner: Option<TokenStream>,
    /// What it uses itself; `None` where that is declared beside it.
    pub uses: Option<Rc<Declarations>>,
}

/// An error that was pushed to [`Chain::errors`].
pub struct Reported;

/// A value, or an error that is reported already.
pub type Lowered<T> = Result<T, Reported>;

/// An item on its way to a graph, from value to value.
pub struct Chain {
    pub network: String,
    pub graph: Graph,
    /// The current value, with the batch: what the next layer is applied to.
    pub x: NodeId,
    pub train: bool,
    pub params: Vec<Param>,
    pub param_len: Dim,
    /// What steps change and no gradient reaches: running statistics.
    pub states: Vec<Param>,
    pub state_len: Dim,
    /// In training, the new value of each state that changes.
    pub updates: BTreeMap<usize, NodeId>,
    pub layers: Vec<LayerInfo>,
    pub checks: Vec<Check>,
    /// The outputs as they are declared: equal to the ones that the body yields, or a check fails.
    pub declared: Vec<Shape>,
    /// The settings that are rates of dropout.
    pub rates: BTreeSet<usize>,
    pub errors: Errors,
    /// The layer or input that yielded the current value: its name in messages, its tokens.
    pub previous: (String, Range),
    /// What `Flatten` made the current value from, where no other layer has changed its shape since.
    pub flattened: Option<Shape>,
    /// Whether the shape of the current value is known: not after an error.
    pub known: bool,
    /// The name of the layer that is being applied, where it is declared apart from its use.
    pub instance: Option<String>,
    /// What a layer is called with beside the current value.
    pub operands: Vec<NodeId>,
    /// What a layer yields where it is more than one value.
    pub results: Vec<NodeId>,
    /// What sizes mean here.
    pub scope: Rc<Scope>,
    /// The graphs around the current one, outermost first: inside the closure of a `scan`.
    frames: Vec<scans::Frame>,
    /// The names in scope, innermost last.
    bound: Vec<Bound>,
    /// What stands before the names of parameters: `enc.` inside a nested network.
    prefix: String,
    uses: Rc<Declarations>,
    /// Whether samples are in batches: not in a function of exact shapes.
    batched: bool,
    /// The functions and networks that are being lowered.
    open: Vec<String>,
    /// How many turns of loops, repeats and items inside this one were lowered.
    turns: usize,
    names: BTreeSet<String>,
    counts: BTreeMap<String, usize>,
    /// What the user wrote for values, by the depth of their graph: see `words`.
    words: BTreeMap<(usize, NodeId), String>,
}

/// Methods and constants of a printed network: a layer's accessor cannot have their names.
pub const RESERVED: &[&str] = &[
    "PLAN",
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
    "train_output",
    "output_gradient",
    "input_sizes",
    "output_sizes",
    "check_sizes",
    "workspace",
    "vjp",
    "vjp_workspace",
    "vjp_forward",
    "vjp_backward",
    "loss_step",
    "setting",
    "set",
    "clone",
    "input",
    "batch",
];

/// The most turns that all loops of an item are unrolled to.
const MAX_TURNS: usize = 3_000;

impl Chain {
    fn new(name: &Ident, at: Range, train: bool, uses: Rc<Declarations>, scope: Scope) -> Self {
        Chain {
            network: name.to_string(),
            graph: Graph::new(name.to_string()),
            x: 0,
            train,
            params: vec![],
            param_len: Dim::literal(0),
            states: vec![],
            state_len: Dim::literal(0),
            updates: BTreeMap::new(),
            layers: vec![],
            checks: vec![],
            declared: vec![],
            rates: BTreeSet::new(),
            errors: Errors::default(),
            previous: ("input".to_owned(), at),
            flattened: None,
            known: true,
            instance: None,
            operands: vec![],
            results: vec![],
            scope: Rc::new(scope),
            frames: vec![],
            bound: vec![],
            prefix: String::new(),
            uses,
            batched: true,
            open: vec![name.to_string()],
            turns: 0,
            names: BTreeSet::new(),
            counts: BTreeMap::new(),
            words: BTreeMap::new(),
        }
    }

    /// The shape of the current value for one sample.
    pub fn sample(&self) -> Shape {
        self.sample_of(self.x)
    }

    /// The shape of a value for one sample.
    pub fn sample_of(&self, id: NodeId) -> Shape {
        self.graph.shape(id)[usize::from(self.is_batched(id))..].to_vec()
    }

    /// Whether a value differs from sample to sample.
    pub fn is_batched(&self, id: NodeId) -> bool {
        self.graph.shape(id).first() == Some(&Dim::batch())
    }

    /// The shape of an output for one sample, in the user's words where there are some.
    pub fn output_shape(&self, i: usize) -> Shape {
        match self.declared.get(i) {
            Some(shape) => shape.clone(),
            None => self.sample_of(self.graph.outputs[i]),
        }
    }

    /// `layer `fc1: Linear(120)` of network `Digits``, as messages begin.
    pub fn mismatch(&self, layer: &Layer) -> Part {
        text(format!("shape mismatch in network `{}`: layer `{}`", self.network, self.named(layer)))
    }

    /// A layer with its name, which it has where it is declared: `fc1: Linear(120)`.
    pub fn named(&self, layer: &Layer) -> String {
        match (&layer.name, &self.instance) {
            (None, Some(name)) if !name.starts_with(&layer.kind.to_string().to_lowercase()) => {
                format!("{name}: {layer}")
            }
            _ => layer.to_string(),
        }
    }

    /// An error at a layer, in the words of shape errors; what follows it has no shape to be checked against.
    pub fn fail(&mut self, at: Range, message: &[Part]) {
        self.errors.push(at.error(render(message)));
        self.known = false;
    }

    /// An error anywhere.
    pub fn report<T>(&mut self, at: Range, message: impl std::fmt::Display) -> Lowered<T> {
        self.errors.push(at.error(message));
        self.known = false;
        Err(Reported)
    }

    /// The value of a step whose error, if it has one, is at `at`.
    pub fn at<T>(&mut self, at: Range, result: Result<T, String>) -> Lowered<T> {
        result.or_else(|message| {
            let network = self.network.clone();
            self.report(at, format!("shape mismatch in `{network}`: {message}"))
        })
    }

    /// One more turn of a loop or repeat, or item inside this one: code is printed for each.
    pub fn turn_of(&mut self, at: Range) -> Lowered<()> {
        self.turns += 1;
        if self.turns <= MAX_TURNS {
            return Ok(());
        }
        let message = format!(
            "`{}` unrolls to more than {MAX_TURNS} turns of loops, repeats and items inside it; `scan` runs long loops",
            self.network
        );
        self.report(at, message)
    }

    /// Appends an op to the graph. Its shape rule was checked before, in the user's words.
    pub fn op(&mut self, result: Result<NodeId, String>, layer: &Layer) -> Option<NodeId> {
        match result {
            Ok(id) => Some(id),
            // Of an error that is reported.
            Err(_) if !self.known => None,
            Err(message) => {
                let head = self.mismatch(layer);
                self.fail(layer.range, &[head, text(format!(": {message}"))]);
                None
            }
        }
    }

    /// A parameter: a new one at the end of the buffer, or the one of this name, which a layer that is
    /// applied again shares with itself.
    pub fn param(&mut self, name: String, shape: Shape, init: TokenStream, at: Range) -> NodeId {
        if let Some(shared) = self.params.iter().find(|param| param.name == name) {
            let (node, had) = (shared.node, shared.shape.clone());
            self.require_shared(&name, &had, &shape, at);
            return self.captured(0, node);
        }
        let offset = self.param_len.clone();
        self.param_len = offset.add(&numel(&shape));
        let node = self.root().param(&name, shape.clone());
        self.params.push(Param { name, shape, offset, init, node });
        self.captured(0, node)
    }

    /// That a layer that is applied again finds the weights that it has.
    fn require_shared(&mut self, name: &str, had: &Shape, shape: &Shape, at: Range) {
        if had == shape || !self.known {
            return;
        }
        let message = [text(format!(
            "shape mismatch in network `{}`: `{name}` is {} since the layer was applied first, but this call needs {}; a layer that is called twice shares its weights: declare a second one",
            self.network,
            show(had),
            show(shape)
        ))];
        self.fail(at, &message);
    }

    /// A state with its initial value: read in evaluation, and given a new value by each training step. It is
    /// of the graph that no scan is around: layers in a `scan` have none.
    pub fn state(&mut self, name: String, shape: Shape, init: TokenStream) -> (usize, NodeId) {
        if let Some(i) = self.states.iter().position(|state| state.name == name) {
            return (i, self.states[i].node);
        }
        let offset = self.state_len.clone();
        self.state_len = offset.add(&numel(&shape));
        let node = self.graph.state(&name, shape.clone());
        self.states.push(Param { name, shape, offset, init, node });
        (self.states.len() - 1, node)
    }

    /// The name of a layer that is not named: `linear1`, counted by kind.
    pub fn name_of(&mut self, layer: &Layer) -> String {
        if let Some(name) = &self.instance {
            return name.clone();
        }
        if let Some(name) = &layer.name {
            return format!("{}{name}", self.prefix);
        }
        let kind = format!("{}{}", self.prefix, layer.kind.to_string().to_lowercase());
        let count = self.counts.entry(kind.clone()).or_insert(0);
        loop {
            *count += 1;
            let name = format!("{kind}{count}");
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }

    /// A name of a call that draws random numbers: no two calls share one.
    pub fn stream(&mut self, name: &str) -> String {
        let count = self.counts.entry(format!("stream {name}")).or_insert(0);
        *count += 1;
        if *count == 1 { name.to_owned() } else { format!("{name} {count}") }
    }

    /// That a layer's name is no other's, and can be a method of the network.
    fn check_name(&mut self, name: &Ident) {
        let text = format!("{}{name}", self.prefix);
        if RESERVED.contains(&text.as_str()) {
            let what = if text == "PLAN" { "constant" } else { "method" };
            let message =
                format!("a layer cannot be called `{text}`: networks have a {what} of that name");
            self.errors.push(Range::of(name).error(message));
        } else if !self.names.insert(text.clone()) {
            let message = format!(
                "two layers of network `{}` are called `{text}`; call one otherwise",
                self.network
            );
            self.errors.push(Range::of(name).error(message));
            // Its weights would be taken for those of the first.
            self.known = false;
        }
    }

    /// What stands before the names of layers inside a layer: nothing more where the layer has no name.
    pub fn prefix_for(&self, layer: &Layer) -> String {
        match (&self.instance, &layer.name) {
            (Some(name), _) => format!("{name}."),
            (None, Some(name)) => format!("{}{name}.", self.prefix),
            (None, None) => self.prefix.clone(),
        }
    }

    pub fn prefix_mut(&mut self) -> &mut String {
        &mut self.prefix
    }

    /// Whether a layer is another network.
    pub fn is_network(&self, layer: &Layer) -> bool {
        self.uses.networks.contains_key(&path_text(&layer.path))
    }

    /// The networks that can be used.
    pub fn networks(&self) -> Vec<String> {
        self.uses.networks.keys().cloned().collect()
    }

    fn bound_len(&self) -> usize {
        self.bound.len()
    }

    /// Takes the names out of scope that were bound since there were `len`.
    fn forget(&mut self, len: usize) {
        self.bound.truncate(len);
    }

    /// Whether samples are in batches.
    fn batched_now(&self) -> bool {
        self.batched
    }
}
