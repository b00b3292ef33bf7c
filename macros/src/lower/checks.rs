//! Conditions on sizes: proved, refuted, or left to const evaluation in the user's crate.

use proc_macro2::TokenStream;
use quote::quote;

use super::Chain;
use crate::ast::Expr;
use crate::errors::Range;
use crate::ops::conv::Window2;
use crate::shape::{Dim, Shape, numel, show};
use crate::sizes::{quotients, too_large};

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

impl Chain {
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
        window: &Window2,
        axis: usize,
        at: Range,
        message: &[Part],
    ) {
        let [kernel, stride, padding, dilation] =
            [&window.kernel, &window.stride, &window.padding, &window.dilation].map(|p| &p[axis]);
        let window = Dim::window(size, kernel, stride, padding, dilation);
        if window.as_literal().is_some_and(|n| n > 0) {
            return;
        }
        let count = window.tokens();
        self.require(window.as_literal().is_none(), quote!(#count > 0), at, message);
    }

    pub fn require(&mut self, open: bool, condition: TokenStream, at: Range, message: &[Part]) {
        if !open {
            self.fail(at, message);
            return;
        }
        let previous = Some(self.previous.clone());
        self.checks.push(Check { condition, message: message.to_vec(), at, previous });
    }

    /// That a size of constants is at least `least`, and that nothing in it leaves a remainder.
    pub fn require_size(&mut self, expr: &Expr, dim: &Dim, least: usize) {
        let mut divisions = quotients(expr, &self.scope);
        let others = dim.quotients().into_iter().cloned();
        divisions.extend(others.filter(|other| !divisions.contains(other)).collect::<Vec<_>>());
        for quotient in divisions {
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

    pub fn require_alone(&mut self, condition: TokenStream, at: Range, message: Vec<Part>) {
        let network = text(format!("in network `{}`: ", self.network));
        let message = if matches!(&message[0], Part::Text(text) if text.starts_with('`')) {
            [vec![network], message].concat()
        } else {
            message
        };
        self.checks.push(Check { condition, message, at, previous: None });
    }
}
