//! Sizes as a user writes them: literals, const items, const expressions and their arithmetic.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::ast::{BinaryOp, Expr, ExprKind, TensorType, path_text};
use crate::errors::{Errors, suggestion};
use crate::shape::{Atom, ConstExpr, Dim, Quotient, Shape, numel, show};

/// What names in sizes mean.
#[derive(Clone, Default)]
pub struct Scope {
    /// Generic parameters and loop variables.
    pub dims: BTreeMap<String, Dim>,
    /// The types of the networks that the sizes are declared in, innermost first, where they are not the one
    /// that is compiled: each has the constants of all inside it.
    pub owners: Vec<TokenStream>,
}

impl Scope {
    /// Generic parameters that stand for themselves.
    pub fn of(generics: &[Ident]) -> Self {
        let param = |name: &Ident| (name.to_string(), Dim::atom(Atom::Param(name.to_string())));
        Scope { dims: generics.iter().map(param).collect(), owners: vec![] }
    }

    /// A constant of the user, as it is called where the code is printed.
    pub fn constant_expr(&self, text: String, tokens: TokenStream) -> ConstExpr {
        self.owners.iter().fold(ConstExpr { text, tokens }, |constant, owner| {
            let alias = constant.alias();
            let text = format!("{owner} {}", constant.text);
            ConstExpr { text, tokens: quote!(<#owner>::#alias) }
        })
    }

    fn constant(&self, text: String, tokens: TokenStream) -> Dim {
        Dim::atom(Atom::Const(self.constant_expr(text, tokens)))
    }
}

/// The sizes of a declared shape, without the batch.
pub fn tensor_type(declared: &TensorType, scope: &Scope, errors: &mut Errors) -> Option<Shape> {
    if declared.dims.len() > MAX_SAMPLE_RANK {
        let message =
            format!("a sample has at most {MAX_SAMPLE_RANK} axes, found {}", declared.dims.len());
        errors.push(declared.range.error(message));
        return None;
    }
    let mut shape = Some(vec![]);
    for (axis, expr) in declared.dims.iter().enumerate() {
        match size(expr, scope).map_err(|error| without_batch(axis, expr, error)) {
            Ok(dim) => shape.iter_mut().for_each(|shape: &mut Shape| shape.push(dim.clone())),
            Err(error) => {
                errors.push(error);
                shape = None;
            }
        }
    }
    let shape = shape?;
    if too_large(&numel(&shape)) {
        errors.push(
            declared
                .range
                .error(format!("{} has more elements than memory can hold", show(&shape))),
        );
        return None;
    }
    Some(shape)
}

/// The error of the first size of a shape where it stands for the batch, as in other frameworks.
fn without_batch(axis: usize, expr: &Expr, error: syn::Error) -> syn::Error {
    let batch = ["None", "-1", "_", "B", "N", "batch", "batch_size"];
    match axis == 0 && batch.contains(&expr.to_string().as_str()) {
        true => expr.range.error(format!(
            "`{expr}` is no size; shapes are those of one sample, so leave it away where it stands for the batch"
        )),
        false => error,
    }
}

/// The most axes of one sample: `MAX_RANK` of netform-core without the batch.
const MAX_SAMPLE_RANK: usize = 5;

/// Whether no allocation can hold so many elements.
pub fn too_large(n: &Dim) -> bool {
    n.as_term().is_some_and(|(n, _)| n > Dim::LARGEST)
}

/// A size of at least 1.
pub fn size(expr: &Expr, scope: &Scope) -> syn::Result<Dim> {
    let dim = size_or_zero(expr, scope)?;
    if dim.is_zero() {
        return Err(expr.range.error("a size of 0; sizes are at least 1"));
    }
    Ok(dim)
}

/// A size as a polynomial.
pub fn size_or_zero(expr: &Expr, scope: &Scope) -> syn::Result<Dim> {
    let dim = match &expr.kind {
        ExprKind::Int(n) => Dim::literal(*n),
        ExprKind::Path(path) => match path.get_ident().map(Ident::to_string) {
            Some(name) if scope.dims.contains_key(&name) => scope.dims[&name].clone(),
            Some(name) if name.starts_with(|c: char| c.is_lowercase()) => {
                return Err(no_size(expr, &name, scope));
            }
            _ => scope.constant(path_text(path), quote!(#path)),
        },
        ExprKind::Const(tokens) => scope.constant(format!("{{{tokens}}}"), quote!({ #tokens })),
        ExprKind::Binary(op, a, b) => {
            let (x, y) = (size_or_zero(a, scope)?, size_or_zero(b, scope)?);
            binary_size(expr, *op, &x, &y)?
        }
        ExprKind::Negative(_) => {
            return Err(expr.range.error(format!("`{expr}` is negative; sizes are at least 1")));
        }
        _ => {
            return Err(expr.range.error(format!(
                "expected a size (a whole number, a const item, or a const expression in braces), found `{expr}`"
            )));
        }
    };
    let negative = dim.as_literal().is_some_and(|n| n < 0);
    if negative {
        return Err(expr.range.error(format!("`{expr}` is {dim}; sizes are at least 1")));
    }
    if too_large(&dim) {
        return Err(expr.range.error(format!("`{expr}` is larger than any memory")));
    }
    Ok(dim)
}

/// That a name is a value's, or nobody's: constants are upper case.
fn no_size(expr: &Expr, name: &str, scope: &Scope) -> syn::Error {
    let near = suggestion(name, scope.dims.keys().map(String::as_str));
    let hint = match near.is_empty() {
        true => {
            "a size is known at compile time: a whole number, a const item such as `WIDTH`, a generic parameter, or a const expression in braces"
        }
        false => near.trim_start_matches("; "),
    };
    expr.range.error(format!("`{name}` is no size; {hint}"))
}

/// The divisions in a size that leave it to const evaluation whether there is a remainder: also those that
/// a factor makes whole again.
pub fn quotients(expr: &Expr, scope: &Scope) -> Vec<Quotient> {
    let ExprKind::Binary(op, a, b) = &expr.kind else { return vec![] };
    let mut found = [quotients(a, scope), quotients(b, scope)].concat();
    if let (BinaryOp::Div, Ok(over), Ok(by)) = (op, size_or_zero(a, scope), size_or_zero(b, scope))
        && over.div(&by).is_none()
    {
        found.push(Quotient { over, by });
    }
    found
}

fn binary_size(expr: &Expr, op: BinaryOp, a: &Dim, b: &Dim) -> syn::Result<Dim> {
    use BinaryOp::{Add, Div, Matmul, Mul, Sub};
    Ok(match op {
        Add => a.add(b),
        Sub => a.sub(b),
        Mul => a.mul(b),
        Div => match (a.div(b), a.as_literal(), b.as_literal()) {
            (Some(quotient), ..) => quotient,
            (None, _, Some(0)) => {
                return Err(expr
                    .range
                    .error(format!("`{expr}` divides by 0; sizes are whole numbers from 1 on")));
            }
            (None, Some(n), Some(d)) => {
                let rest = n % d;
                return Err(expr.range.error(format!(
                    "`{expr}` leaves a remainder of {rest}; sizes are whole numbers"
                )));
            }
            _ => Dim::atom(Atom::Quotient(Box::new(Quotient { over: a.clone(), by: b.clone() }))),
        },
        Matmul => return Err(expr.range.error("`@` multiplies matrices, not sizes: use `*`")),
        _ => return Err(expr.range.error(format!("expected a size, found `{expr}`"))),
    })
}
