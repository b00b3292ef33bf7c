//! The arguments of a layer: positional and named, read one after another; what is left over is an error.

use std::rc::Rc;

use proc_macro2::TokenStream;

use crate::ast::{Argument, BinaryOp, Expr, ExprKind, Layer};
use crate::errors::{Errors, Range, suggestion};
use crate::foreign::translated;
use crate::initialisers::{self, initialiser};
use crate::layers::Kind;
use crate::shape::{Dim, Shape};
use crate::sizes::{Scope, size_or_zero};

/// Arguments not yet read.
pub struct Arguments<'l> {
    layer: &'l Layer,
    scope: Rc<Scope>,
    left: Vec<&'l Argument>,
    /// The groups of a convolution, once they are read.
    pub groups: Option<Dim>,
    /// The sizes that were read, each with the least that it may be.
    pub sizes: Vec<(&'l Expr, Dim, usize)>,
}

impl<'l> Arguments<'l> {
    /// The arguments, if the kind of layer takes such ones: one mistake, one error.
    pub fn new(layer: &'l Layer, kind: &Kind, scope: Rc<Scope>) -> syn::Result<Self> {
        let mut seen: Vec<String> = vec![];
        let mut unnamed = usize::from(kind.positional);
        for argument in &layer.args {
            let name = match &argument.name {
                Some(name) => name.to_string(),
                None if unnamed == 0 => return Err(stray(layer, kind, argument)),
                None => {
                    unnamed -= 1;
                    kind.arguments[0].to_owned()
                }
            };
            if !kind.arguments.contains(&name.as_str()) {
                return Err(unknown(layer, kind, argument, &name));
            }
            if seen.contains(&name) {
                let message =
                    format!("argument `{name}` of `{}` is given twice; remove one", kind.name);
                return Err(argument.range.error(message));
            }
            seen.push(name);
        }
        Ok(Arguments {
            layer,
            scope,
            left: layer.args.iter().collect(),
            groups: None,
            sizes: vec![],
        })
    }

    fn size(&mut self, expr: &'l Expr, least: usize, errors: &mut Errors) -> Option<Dim> {
        let word = expr.to_string();
        if matches!(word.trim_matches('"'), "same" | "valid") {
            let message = format!(
                "`{expr}` is no size in `{}`; a padding of (kernel - 1) / 2 points keeps the size of an axis, such as `kernel = 3, padding = 1`",
                self.layer
            );
            errors.push(expr.range.error(message));
            return None;
        }
        let dim = report(size_or_zero(expr, &self.scope), errors)?;
        if least > 0 && dim.is_zero() {
            let message = format!("a size of 0 in `{}`; sizes are at least 1", self.layer);
            errors.push(expr.range.error(message));
            return None;
        }
        self.sizes.push((expr, dim.clone(), least));
        Some(dim)
    }

    /// One number for both axes, or a pair.
    fn sizes(&mut self, expr: &'l Expr, least: usize, errors: &mut Errors) -> Option<[Dim; 2]> {
        if let ExprKind::List(items) = &expr.kind {
            let items: Vec<String> = items.iter().map(Expr::to_string).collect();
            let message = format!(
                "expected one number or a pair, found `{expr}`; did you mean `({})`?",
                items.join(", ")
            );
            errors.push(expr.range.error(message));
            return None;
        }
        let ExprKind::Tuple(items) = &expr.kind else {
            return self.size(expr, least, errors).map(|dim| [dim.clone(), dim]);
        };
        let [a, b] = &items[..] else {
            let message = format!("expected one number or a pair such as (3, 5), found `{expr}`");
            errors.push(expr.range.error(message));
            return None;
        };
        Some([self.size(a, least, errors)?, self.size(b, least, errors)?])
    }

    /// The argument of this name, or the next one without a name if it comes first.
    fn take(&mut self, name: &'static str, positional: bool) -> Option<&'l Expr> {
        let named = |a: &&Argument| a.name.as_ref().is_some_and(|n| n == name);
        let found = self.left.iter().position(named).or_else(|| {
            let first = self.left.iter().position(|a| a.name.is_none());
            first.filter(|_| positional)
        })?;
        Some(&self.left.remove(found).value)
    }

    fn missing(&self, name: &str, example: &str) -> syn::Error {
        self.layer.range.error(format!(
            "`{}` needs `{name}`, for example `{example}`",
            self.layer.constructor()
        ))
    }

    /// `out` or `in -> out`: the declared input, if any, and the output.
    pub fn in_out(
        &mut self,
        name: &'static str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<(Option<Dim>, Dim)> {
        let Some(expr) = self.take(name, true) else {
            errors.push(self.missing(name, example));
            return None;
        };
        match &expr.kind {
            // `16 <- 4`
            ExprKind::Binary(BinaryOp::Less, out, input)
                if matches!(input.kind, ExprKind::Negative(_)) =>
            {
                let (kind, input) = (&self.layer.kind, input.to_string());
                let message = format!(
                    "`{expr}` is no size; the input stands before the output: write `{kind}({} -> {out})`",
                    input.trim_start_matches('-')
                );
                errors.push(expr.range.error(message));
                None
            }
            ExprKind::Arrow(input, out) => {
                let input = self.size(input, 1, errors);
                let out = self.size(out, 1, errors)?;
                Some((Some(input?), out))
            }
            _ => Some((None, self.size(expr, 1, errors)?)),
        }
    }

    /// `5` or `(5, 3)`, by name. `least` is the smallest value that makes sense.
    pub fn pair(
        &mut self,
        name: &'static str,
        least: usize,
        errors: &mut Errors,
    ) -> Option<Option<[Dim; 2]>> {
        match self.take(name, false) {
            None => Some(None),
            Some(expr) => Some(Some(self.sizes(expr, least, errors)?)),
        }
    }

    /// A pair that has no default.
    pub fn required_pair(
        &mut self,
        name: &'static str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<[Dim; 2]> {
        let value = self.pair(name, 1, errors)?;
        if value.is_none() {
            errors.push(self.missing(name, example));
        }
        value
    }

    /// A pair by name or as the first argument without one.
    pub fn positional_pair(
        &mut self,
        name: &'static str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<[Dim; 2]> {
        match self.take(name, true) {
            Some(expr) => self.sizes(expr, 1, errors),
            None => {
                errors.push(self.missing(name, example));
                None
            }
        }
    }

    pub fn boolean(
        &mut self,
        name: &'static str,
        default: bool,
        errors: &mut Errors,
    ) -> Option<bool> {
        match self.take(name, false) {
            None => Some(default),
            Some(Expr { kind: ExprKind::Bool(value), .. }) => Some(*value),
            Some(other) => {
                errors.push(other.range.error(format!(
                    "`{name}` of `{}` is `true` or `false`, found `{other}`",
                    self.layer.kind
                )));
                None
            }
        }
    }

    /// An initialiser, as tokens of netform-core's `Init`.
    pub fn init(&mut self, name: &'static str, errors: &mut Errors) -> Option<Option<TokenStream>> {
        let Some(expr) = self.take(name, false) else { return Some(None) };
        let (kind, args): (String, &[Argument]) = match &expr.kind {
            ExprKind::Text(text) => {
                let meant = initialisers::translated(text).unwrap_or("Xavier");
                let message = format!(
                    "`{expr}` is a text, and an initialiser a name; write `{name} = {meant}`"
                );
                errors.push(expr.range.error(message));
                return None;
            }
            ExprKind::Call(kind, args) => (kind.to_string(), args),
            ExprKind::Layer(layer) => (layer.kind.to_string(), &layer.args),
            _ => (expr.to_string(), &[]),
        };
        let numbers: Option<Vec<f64>> = args.iter().map(|arg| number(&arg.value)).collect();
        let init = match numbers {
            Some(numbers) => initialiser(&kind, &numbers),
            None => Err(format!("`{expr}`: the arguments of an initialiser are numbers")),
        };
        match init {
            Ok(tokens) => Some(Some(tokens)),
            Err(message) => {
                errors.push(expr.range.error(message));
                None
            }
        }
    }

    /// `[16, 5, 5]`
    pub fn shape(&mut self, example: &str, errors: &mut Errors) -> Option<Shape> {
        let Some(expr) = self.take("shape", true) else {
            errors.push(self.missing("shape", example));
            return None;
        };
        let ExprKind::List(items) = &expr.kind else {
            let message =
                format!("expected a shape in brackets, for example `{example}`, found `{expr}`");
            errors.push(expr.range.error(message));
            return None;
        };
        items.iter().map(|item| self.size(item, 1, errors)).collect()
    }

    /// One of some words.
    pub fn choice(
        &mut self,
        name: &'static str,
        words: &[&'static str],
        errors: &mut Errors,
    ) -> Option<Option<&'static str>> {
        let Some(expr) = self.take(name, false) else { return Some(None) };
        let found = expr.to_string();
        match words.iter().find(|word| **word == found) {
            Some(word) => Some(Some(word)),
            None => {
                errors.push(
                    expr.range
                        .error(format!("`{name}` is one of {}, found `{found}`", words.join(", "))),
                );
                None
            }
        }
    }

    pub fn axis(&mut self, name: &'static str, default: i64, errors: &mut Errors) -> Option<i64> {
        let Some(expr) = self.take(name, true) else { return Some(default) };
        match number(expr) {
            Some(x) if x.fract() == 0.0 && x.abs() < 100.0 => Some(x as i64),
            _ => {
                errors.push(
                    expr.range
                        .error(format!("`{name}` is a whole number such as -1, found `{expr}`")),
                );
                None
            }
        }
    }

    /// An argument that has no default.
    pub fn required(
        &mut self,
        name: &'static str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<&'l Expr> {
        let expr = self.take(name, true);
        if expr.is_none() {
            errors.push(self.missing(name, example));
        }
        expr
    }

    /// A size by name, or nothing.
    pub fn size_named(&mut self, name: &'static str, errors: &mut Errors) -> Option<Option<Dim>> {
        let Some(expr) = self.take(name, false) else { return Some(None) };
        let size = self.size(expr, 1, errors)?;
        if name == "groups" {
            self.groups = Some(size.clone());
        }
        Some(Some(size))
    }

    /// A size that may be 0, by name, or nothing.
    pub fn size_or_zero_named(
        &mut self,
        name: &'static str,
        errors: &mut Errors,
    ) -> Option<Option<Dim>> {
        match self.take(name, false) {
            None => Some(None),
            Some(expr) => self.size(expr, 0, errors).map(Some),
        }
    }

    /// A size that has no default, by name or as the first argument without one.
    pub fn required_size(
        &mut self,
        name: &'static str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<Dim> {
        let expr = self.required(name, example, errors)?;
        self.size(expr, 1, errors)
    }

    /// A number with a default, by name.
    pub fn named_number(
        &mut self,
        name: &'static str,
        default: f64,
        errors: &mut Errors,
    ) -> Option<f64> {
        match self.take(name, false) {
            None => Some(default),
            Some(expr) => self.number_of(name, expr, errors),
        }
    }

    fn number_of(&self, name: &str, expr: &Expr, errors: &mut Errors) -> Option<f64> {
        let value = number(expr);
        if value.is_none() {
            let message = format!("`{name}` of `{}` is a number, found `{expr}`", self.layer.kind);
            errors.push(expr.range.error(message));
        }
        value
    }

    /// A number with a default, by name or as the first argument without one.
    pub fn number(&mut self, name: &'static str, default: f64, errors: &mut Errors) -> Option<f64> {
        match self.take(name, true) {
            None => Some(default),
            Some(expr) => self.number_of(name, expr, errors),
        }
    }
}

/// The value, or nothing and the error reported.
fn report<T>(result: syn::Result<T>, errors: &mut Errors) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

/// A name that the layer does not take.
fn unknown(layer: &Layer, kind: &Kind, argument: &Argument, name: &str) -> syn::Error {
    let near = suggestion(name, kind.arguments.iter().copied());
    let hint = match (translated(layer, kind), near.is_empty(), kind.arguments) {
        (Some(ours), ..) if name == "activation" => {
            format!(", since an activation is a layer of its own; did you mean `{ours}`?")
        }
        (Some(ours), ..) => format!("; did you mean `{ours}`?"),
        (None, false, _) => near,
        (None, true, []) => format!("; `{}` takes no arguments", kind.name),
        (None, true, [only]) => format!("; it takes `{only}`"),
        (None, true, names) => format!("; it takes {}", names.join(", ")),
    };
    let at = argument.name.as_ref().map_or(argument.range, Range::of);
    at.error(format!("unknown argument `{name}` of `{}`{hint}", kind.name))
}

/// An argument without a name too many: PyTorch's positions, most likely.
fn stray(layer: &Layer, kind: &Kind, argument: &Argument) -> syn::Error {
    let name = kind.name;
    if kind.arguments.is_empty() {
        let message = format!("`{name}` takes no arguments, found `{argument}`; write `{name}`");
        return argument.range.error(message);
    }
    let sizes: Vec<String> =
        layer.args.iter().filter(|a| a.name.is_none()).map(Argument::to_string).collect();
    let meant = match name {
        "Reshape" | "Param" => Some(format!("{name}([{}])", sizes.join(", "))),
        _ => translated(layer, kind),
    };
    let hint = match meant {
        None => format!("; it takes {}", kind.arguments.join(", ")),
        Some(meant) => format!("; did you mean `{meant}`?"),
    };
    let (count, too) = if kind.positional { ("one argument", " too") } else { ("no argument", "") };
    argument
        .range
        .error(format!("`{name}` takes {count} without a name, found `{argument}`{too}{hint}"))
}

/// A number that is written in the declaration.
pub fn number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Int(n) => Some(*n as f64),
        ExprKind::Float(x) => Some(*x),
        ExprKind::Negative(x) => number(x).map(|x| -x),
        _ => None,
    }
}
