//! What a user wrote: declarations, layers, expressions, with their spans and without shapes.

use std::collections::BTreeSet;
use std::fmt;

use proc_macro2::TokenStream;
use syn::{Attribute, Ident, Path, Visibility};

use crate::errors::{Errors, Range};

/// All items of one `network!`.
pub struct Declaration {
    pub items: Vec<Item>,
    /// The tokens of each item.
    pub tokens: Vec<TokenStream>,
    /// What is wrong with items that can be read all the same.
    pub errors: Errors,
    /// The items that have such errors.
    pub broken: BTreeSet<usize>,
    /// Those of them that have the name of another one: nothing is printed for them.
    pub unprinted: BTreeSet<usize>,
}

/// `pub Digits: [1, 28, 28] -> [10] { .. }` or `pub fn mse(..) -> [] { .. }`.
#[derive(Clone)]
pub enum Item {
    Network(Network),
    Function(Function),
}

impl Item {
    pub fn name(&self) -> &Ident {
        match self {
            Item::Network(network) => &network.name,
            Item::Function(function) => &function.name,
        }
    }

    pub fn vis(&self) -> &Visibility {
        match self {
            Item::Network(network) => &network.vis,
            Item::Function(function) => &function.vis,
        }
    }
}

/// A network: a chain of layers, or an expression of named inputs.
#[derive(Clone)]
pub struct Network {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub name: Ident,
    pub generics: Vec<Ident>,
    /// Run-time settings: `(rate: f32)`.
    pub settings: Vec<Setting>,
    /// Names and shapes of one sample. The input of a chain is called `input`.
    pub inputs: Vec<(Ident, TensorType)>,
    /// What is declared of the outputs.
    pub outputs: Option<Outputs>,
    pub body: Body,
}

#[derive(Clone)]
pub enum Body {
    Chain(Vec<Layer>),
    Block(Block),
}

/// `[10]`, or `([10], [])`.
#[derive(Clone)]
pub struct Outputs {
    pub types: Vec<TensorType>,
    /// Whether they are in parentheses.
    pub tuple: bool,
}

/// `conv1: Conv2d(6, kernel = 5)`, `blocks: [Block<T, D>; 12]`, `Residual { .. }`, `enc: Encoder -> [64]`.
#[derive(Clone)]
pub struct Layer {
    pub name: Option<Ident>,
    pub path: Path,
    /// The last segment of the path.
    pub kind: Ident,
    pub generics: Vec<Expr>,
    pub args: Vec<Argument>,
    /// The layers of `Residual { .. }`, `Parallel { .. }` or `{ .. }`.
    pub children: Option<Vec<Layer>>,
    /// How often it is repeated, each with its own weights.
    pub repeat: Option<Expr>,
    /// The output that the user expects.
    pub expected: Option<TensorType>,
    pub range: Range,
}

/// `kernel = 5`, or `5`.
#[derive(Clone)]
pub struct Argument {
    pub name: Option<Ident>,
    pub value: Expr,
    pub range: Range,
}

/// A function of tensors, without parameters.
#[derive(Clone)]
pub struct Function {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub name: Ident,
    pub generics: Vec<Ident>,
    pub inputs: Vec<(Ident, TensorType)>,
    /// Numbers that are given at run time, after the inputs: `delta: f32`.
    pub settings: Vec<Setting>,
    pub outputs: Outputs,
    pub body: Block,
}

impl Function {
    /// The inputs that are the same for all samples.
    pub fn shared(&self) -> impl Iterator<Item = &(Ident, TensorType)> {
        self.inputs.iter().filter(|(_, declared)| declared.shared.is_some())
    }

    /// Whether it is given something at run time that is no tensor of samples: a field of its type.
    pub fn has_fields(&self) -> bool {
        !self.settings.is_empty() || self.shared().next().is_some()
    }
}

/// A number that is given at run time: `rate: f32`.
#[derive(Clone)]
pub struct Setting {
    pub name: Ident,
    /// `f32` or `f64`.
    pub element: Ident,
}

/// Statements and a result.
#[derive(Clone)]
pub struct Block {
    pub statements: Vec<Statement>,
    pub result: Expr,
}

#[derive(Clone)]
pub enum Statement {
    /// `let (a, b) = ..;`
    Let(Pattern, Expr),
    /// `x = ..;`
    Assign(Ident, Expr),
    /// `for i in 0..4 { .. }`
    For { variable: Ident, from: Expr, to: Expr, body: Vec<Statement> },
}

/// What a value is bound to.
#[derive(Clone)]
pub enum Pattern {
    /// `_`
    Ignored,
    Name(Ident),
    /// `(a, b)` or `[a, b]`
    Many(Vec<Pattern>, Range),
}

/// `[1, 28, 28]`, `u32[]`, `[..S, C]`.
#[derive(Clone)]
pub struct TensorType {
    pub integer: bool,
    /// Any leading axes, folded into the batch.
    pub leading: bool,
    /// `[f32; C]`: the type of numbers that are given at run time, the same for all samples.
    pub shared: Option<Ident>,
    pub dims: Vec<Expr>,
    pub range: Range,
}

/// An expression: a dimension, an argument of a layer, or a value.
#[derive(Clone)]
pub struct Expr {
    pub kind: ExprKind,
    pub range: Range,
}

#[derive(Clone)]
pub enum ExprKind {
    Int(u64),
    Float(f64),
    Bool(bool),
    /// `"relu"`: a mistake, which is reported where it is known what it stands for.
    Text(String),
    Path(Path),
    /// A const expression in braces.
    Const(TokenStream),
    Negative(Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `softmax(x, axis = -1)`
    Call(Ident, Vec<Argument>),
    /// `x.reshape([4, 4])`
    Method(Box<Expr>, Ident, Vec<Argument>),
    /// `blocks[0](x)`
    Apply(Box<Expr>, Vec<Argument>),
    /// `emb.weight`
    Field(Box<Expr>, Ident),
    /// `x[0, 1..3]`
    Index(Box<Expr>, Vec<Index>),
    /// `(2, 1)`
    Tuple(Vec<Expr>),
    /// `[16, 5, 5]`
    List(Vec<Expr>),
    /// `400 -> 128`
    Arrow(Box<Expr>, Box<Expr>),
    /// A layer, a network or an initialiser: what begins with a capital letter and is no constant.
    Layer(Box<Layer>),
    /// `|h, x| (h, x)`
    Closure(Vec<Pattern>, Box<Block>),
    /// `x.`, while the name behind the dot is still to be typed.
    Unnamed(Box<Expr>),
}

/// What an axis is indexed by.
#[derive(Clone)]
pub enum Index {
    At(Expr),
    /// `1..3`, with either end left out.
    Range(Option<Expr>, Option<Expr>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Matmul,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Equal,
    NotEqual,
}

impl BinaryOp {
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Matmul => "@",
            BinaryOp::Greater => ">",
            BinaryOp::Less => "<",
            BinaryOp::GreaterEqual => ">=",
            BinaryOp::LessEqual => "<=",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
        }
    }

    /// Tighter than all operators: what stands before a dot.
    const TIGHTEST: u8 = 3;

    /// How tightly it binds its operands.
    fn tightness(self) -> u8 {
        match self {
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Matmul => 2,
            BinaryOp::Add | BinaryOp::Sub => 1,
            _ => 0,
        }
    }
}

impl Expr {
    /// The name, where the expression is one identifier.
    pub fn as_name(&self) -> Option<&Ident> {
        match &self.kind {
            ExprKind::Path(path) => path.get_ident(),
            _ => None,
        }
    }

    /// Its text as an operand of what binds so tightly: in parentheses where it binds less.
    fn within(&self, tightness: u8) -> String {
        let loose = match &self.kind {
            ExprKind::Binary(op, ..) => op.tightness() < tightness,
            ExprKind::Negative(_) => tightness >= BinaryOp::TIGHTEST,
            _ => false,
        };
        if loose { format!("({self})") } else { self.to_string() }
    }
}

/// As a message says it: `Linear(400 -> 128)`.
impl fmt::Display for Expr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Int(n) => write!(out, "{n}"),
            ExprKind::Float(x) => write!(out, "{x:?}"),
            ExprKind::Bool(b) => write!(out, "{b}"),
            ExprKind::Text(text) => write!(out, "{text:?}"),
            ExprKind::Path(path) => out.write_str(&path_text(path)),
            ExprKind::Const(tokens) => write!(out, "{{{tokens}}}"),
            ExprKind::Negative(x) => write!(out, "-{}", x.within(BinaryOp::TIGHTEST)),
            ExprKind::Binary(op, a, b) => {
                let tightness = op.tightness();
                write!(out, "{} {} {}", a.within(tightness), op.symbol(), b.within(tightness + 1))
            }
            ExprKind::Call(name, args) => write!(out, "{name}({})", comma(args)),
            ExprKind::Method(x, name, args) => {
                write!(out, "{}.{name}({})", x.within(BinaryOp::TIGHTEST), comma(args))
            }
            ExprKind::Apply(f, args) => write!(out, "{f}({})", comma(args)),
            ExprKind::Unnamed(x) => write!(out, "{}.", x.within(BinaryOp::TIGHTEST)),
            ExprKind::Field(x, name) => write!(out, "{}.{name}", x.within(BinaryOp::TIGHTEST)),
            ExprKind::Index(x, places) => {
                write!(out, "{}[{}]", x.within(BinaryOp::TIGHTEST), comma(places))
            }
            ExprKind::Layer(layer) => write!(out, "{layer}"),
            ExprKind::Closure(..) => out.write_str("|..| .."),
            ExprKind::Tuple(items) => write!(out, "({})", comma(items)),
            ExprKind::List(items) => write!(out, "[{}]", comma(items)),
            ExprKind::Arrow(a, b) => write!(out, "{a} -> {b}"),
        }
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element = if self.integer { "u32" } else { "" };
        let leading = if self.leading { "..S, " } else { "" };
        write!(out, "{element}[{leading}{}]", comma(&self.dims))
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} = {}", self.value),
            None => write!(f, "{}", self.value),
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Index::At(at) => write!(f, "{at}"),
            Index::Range(from, to) => {
                from.iter().try_for_each(|from| write!(f, "{from}"))?;
                f.write_str("..")?;
                to.iter().try_for_each(|to| write!(f, "{to}"))
            }
        }
    }
}

impl Layer {
    /// A layer of this path alone.
    pub fn plain(path: Path, kind: Ident, range: Range) -> Self {
        Layer {
            name: None,
            path,
            kind,
            generics: vec![],
            args: vec![],
            children: None,
            repeat: None,
            expected: None,
            range,
        }
    }

    /// Whether it is a path and nothing else: `Relu`, `Encoder`.
    pub fn is_plain(&self) -> bool {
        let more = self.children.is_some() || self.repeat.is_some() || self.expected.is_some();
        self.name.is_none() && self.generics.is_empty() && self.args.is_empty() && !more
    }

    /// The layer without its name: `Linear(120)`.
    pub fn constructor(&self) -> String {
        let mut text = path_text(&self.path);
        if !self.generics.is_empty() {
            text = format!("{text}<{}>", comma(&self.generics));
        }
        if !self.args.is_empty() {
            text = format!("{text}({})", comma(&self.args));
        }
        match &self.repeat {
            Some(count) => format!("[{text}; {count}]"),
            None => text,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}: {}", self.constructor()),
            None => f.write_str(&self.constructor()),
        }
    }
}

/// `config::HIDDEN`, without the spaces that token streams print.
pub fn path_text(path: &Path) -> String {
    let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    segments.join("::")
}

fn comma<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
