//! What a user wrote: declarations, layers, expressions, with their spans and without shapes.

use std::fmt;

use proc_macro2::TokenStream;
use syn::{Attribute, Ident, Path, Visibility};

use crate::errors::Range;

/// All items of one `network!`.
pub struct Declaration {
    pub items: Vec<Item>,
}

/// `pub Digits: [1, 28, 28] -> [10] { .. }` or `pub fn mse(..) -> [] { .. }`.
pub enum Item {
    Network(Network),
    Function(Function),
}

/// A network in the chain form.
pub struct Network {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub name: Ident,
    pub input: TensorType,
    pub output: Option<TensorType>,
    pub layers: Vec<Layer>,
}

/// `conv1: Conv2d(6, kernel = 5)`.
pub struct Layer {
    pub name: Option<Ident>,
    pub kind: Ident,
    pub args: Vec<Argument>,
    pub range: Range,
}

/// `kernel = 5`, or `5`.
#[derive(Clone)]
pub struct Argument {
    pub name: Option<Ident>,
    pub value: Expr,
    pub range: Range,
}

/// A function of tensors, without parameters: a loss.
pub struct Function {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub name: Ident,
    pub generics: Vec<Ident>,
    pub inputs: Vec<(Ident, TensorType)>,
    pub output: TensorType,
    pub body: Block,
}

/// `let a = ..; let b = ..; result`.
pub struct Block {
    pub lets: Vec<(Ident, Expr)>,
    pub result: Expr,
}

/// `[1, 28, 28]`, `u32[]`, `[..S, C]`.
pub struct TensorType {
    pub integer: bool,
    /// Any leading axes, folded into the batch.
    pub leading: bool,
    pub dims: Vec<Expr>,
    pub range: Range,
}

/// An expression: a dimension, an argument of a layer, or a value of a function.
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
    Path(Path),
    /// A const expression in braces.
    Const(TokenStream),
    Negative(Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    Call(Ident, Vec<Argument>),
    Method(Box<Expr>, Ident, Vec<Argument>),
    /// `(2, 1)`
    Tuple(Vec<Expr>),
    /// `[16, 5, 5]`
    List(Vec<Expr>),
    /// `400 -> 128`
    Arrow(Box<Expr>, Box<Expr>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Matmul,
}

impl BinaryOp {
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Matmul => "@",
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
}

/// As a message says it: `Linear(400 -> 128)`.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Int(n) => write!(f, "{n}"),
            ExprKind::Float(x) => write!(f, "{x:?}"),
            ExprKind::Bool(b) => write!(f, "{b}"),
            ExprKind::Path(path) => f.write_str(&path_text(path)),
            ExprKind::Const(tokens) => write!(f, "{{{tokens}}}"),
            ExprKind::Negative(x) => write!(f, "-{x}"),
            ExprKind::Binary(op, a, b) => write!(f, "{a} {} {b}", op.symbol()),
            ExprKind::Call(name, args) => write!(f, "{name}({})", comma(args)),
            ExprKind::Method(x, name, args) => write!(f, "{x}.{name}({})", comma(args)),
            ExprKind::Tuple(items) => write!(f, "({})", comma(items)),
            ExprKind::List(items) => write!(f, "[{}]", comma(items)),
            ExprKind::Arrow(a, b) => write!(f, "{a} -> {b}"),
        }
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

impl Layer {
    /// The layer without its name: `Linear(120)`.
    pub fn constructor(&self) -> String {
        match &self.args[..] {
            [] => self.kind.to_string(),
            args => format!("{}({})", self.kind, comma(args)),
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
