//! The arguments of a layer: positional and named, read one after another; what is left over is an error.

use proc_macro2::TokenStream;

use crate::ast::{Argument, Expr, ExprKind, Layer};
use crate::errors::{Errors, Range, suggestion};
use crate::layers::initialiser;
use crate::lower::{size, size_or_zero};
use crate::shape::{Dim, Shape};

/// Arguments not yet read.
pub struct Arguments<'l> {
    layer: &'l Layer,
    left: Vec<&'l Argument>,
    /// Names that the layer asked for.
    known: Vec<&'static str>,
}

impl<'l> Arguments<'l> {
    pub fn new(layer: &'l Layer) -> Self {
        Arguments { layer, left: layer.args.iter().collect(), known: vec![] }
    }

    /// An error for each argument that the layer did not ask for.
    pub fn finish(self) -> Vec<syn::Error> {
        let kind = &self.layer.kind;
        let error = |argument: &&Argument| match &argument.name {
            Some(name) if self.known.contains(&name.to_string().as_str()) => {
                argument.range.error(format!("argument `{name}` of `{kind}` is given twice"))
            }
            Some(name) => {
                let near = suggestion(&name.to_string(), self.known.iter().copied());
                let known = match (near.is_empty(), self.known.is_empty()) {
                    (false, _) => near,
                    (true, true) => format!("; `{kind}` takes none"),
                    (true, false) => format!("; it takes {}", self.known.join(", ")),
                };
                Range::of(name).error(format!("unknown argument `{name}` of `{kind}`{known}"))
            }
            None => {
                argument.range.error(format!("`{kind}` does not take the argument `{argument}`"))
            }
        };
        // One mistake, one error: the first.
        self.left.iter().take(1).map(error).collect()
    }

    /// The argument of this name, or the next one without a name if it comes first.
    fn take(&mut self, name: &'static str, positional: bool) -> Option<&'l Expr> {
        self.known.push(name);
        let named = |a: &&Argument| a.name.as_ref().is_some_and(|n| n == name);
        let found = self.left.iter().position(named).or_else(|| {
            let first = self.left.iter().position(|a| a.name.is_none());
            first.filter(|_| positional)
        })?;
        Some(&self.left.remove(found).value)
    }

    fn missing(&self, name: &str, example: &str) -> syn::Error {
        self.layer
            .range
            .error(format!("`{}` needs `{name}`, for example `{example}`", self.layer.kind))
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
            ExprKind::Arrow(input, out) => {
                let (input, out) =
                    (report(size(input, &[]), errors), report(size(out, &[]), errors));
                Some((Some(input?), out?))
            }
            _ => Some((None, report(size(expr, &[]), errors)?)),
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
            Some(expr) => Some(Some(report(pair(expr, least), errors)?)),
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
            Some(expr) => report(pair(expr, 1), errors),
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
                errors
                    .push(other.range.error(format!("`{name}` is true or false, found `{other}`")));
                None
            }
        }
    }

    /// An initialiser, as tokens of netform-core's `Init`.
    pub fn init(&mut self, name: &'static str, errors: &mut Errors) -> Option<Option<TokenStream>> {
        let Some(expr) = self.take(name, false) else { return Some(None) };
        let (kind, args): (String, &[Argument]) = match &expr.kind {
            ExprKind::Call(kind, args) => (kind.to_string(), args),
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
        items.iter().map(|item| report(size(item, &[]), errors)).collect()
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

    /// A number from 0 to 1.
    pub fn probability(
        &mut self,
        name: &'static str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<f64> {
        let Some(expr) = self.take(name, true) else {
            errors.push(self.missing(name, example));
            return None;
        };
        match number(expr) {
            Some(x) if (0.0..=1.0).contains(&x) => Some(x),
            _ => {
                let message = format!("`{name}` is a literal number from 0 to 1, found `{expr}`");
                errors.push(expr.range.error(message));
                None
            }
        }
    }
}

/// The value, or nothing and the error reported.
fn report<T>(result: syn::Result<T>, errors: &mut Errors) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

fn pair(expr: &Expr, least: usize) -> syn::Result<[Dim; 2]> {
    let one = |expr: &Expr| if least == 0 { size_or_zero(expr, &[]) } else { size(expr, &[]) };
    match &expr.kind {
        ExprKind::Tuple(items) => match &items[..] {
            [a, b] => Ok([one(a)?, one(b)?]),
            _ => Err(expr
                .range
                .error(format!("expected one number or a pair such as (3, 5), found `{expr}`"))),
        },
        _ => one(expr).map(|dim| [dim.clone(), dim]),
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Int(n) => Some(*n as f64),
        ExprKind::Float(x) => Some(*x),
        ExprKind::Negative(x) => number(x).map(|x| -x),
        _ => None,
    }
}
