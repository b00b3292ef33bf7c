//! Conditions on sizes: proved, refuted, or left to const evaluation in the user's crate.

use proc_macro2::TokenStream;
use quote::quote;

use super::Chain;
use crate::ast::Expr;
use crate::errors::Range;
use crate::ops::conv::Window2;
use crate::shape::{Atom, Dim, Quotient, Shape, numel, show};
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

/// What sizes must satisfy.
#[derive(Clone, PartialEq)]
pub enum Condition {
    /// Each pair is equal.
    Equal(Vec<(Dim, Dim)>),
    /// `over / by` leaves no remainder.
    Divisible { over: Dim, by: Dim },
    /// The first is larger.
    More(Dim, Dim),
    /// The first is not smaller.
    AtLeast(Dim, Dim),
    /// No more elements than memory can hold.
    Memory(Dim),
}

impl Condition {
    /// A `bool` expression.
    pub fn tokens(&self) -> TokenStream {
        match self {
            Condition::Equal(pairs) => {
                let equal = pairs.iter().map(|(a, b)| {
                    let (a, b) = Self::balanced(a, b);
                    quote!(#a == #b)
                });
                quote!(#(#equal)&&*)
            }
            Condition::Divisible { over, by } => {
                let (over, by) = (over.tokens(), by.tokens());
                quote!(#by > 0 && (#over) % (#by) == 0)
            }
            Condition::More(a, b) => {
                let (a, b) = Self::balanced(a, b);
                quote!(#a > #b)
            }
            Condition::AtLeast(a, b) => {
                let (a, b) = Self::balanced(a, b);
                quote!(#a >= #b)
            }
            Condition::Memory(total) => {
                let (total, largest) = (total.tokens(), Dim::literal(Dim::LARGEST).tokens());
                quote!(#total <= #largest)
            }
        }
    }

    /// Both sides without a minus sign.
    fn balanced(a: &Dim, b: &Dim) -> (TokenStream, TokenStream) {
        let ((a, less_a), (b, less_b)) = (a.split(), b.split());
        (a.add(&less_b).tokens(), b.add(&less_a).tokens())
    }

    /// Whether it holds wherever another does, which has to hold: memory that holds a value holds all that are
    /// never larger.
    pub fn is_implied_by(&self, other: &Condition) -> bool {
        match (self, other) {
            (Condition::Memory(part), Condition::Memory(whole)) => part.is_within(whole),
            _ => false,
        }
    }

    /// The sizes in it.
    pub fn dims(&self) -> Vec<&Dim> {
        match self {
            Condition::Equal(pairs) => pairs.iter().flat_map(|(a, b)| [a, b]).collect(),
            Condition::Divisible { over: a, by: b }
            | Condition::More(a, b)
            | Condition::AtLeast(a, b) => vec![a, b],
            Condition::Memory(total) => vec![total],
        }
    }
}

/// A condition that the macro cannot decide: checked by const evaluation in the user's crate where it is on
/// constants, by the types where it is on generic sizes.
pub struct Check {
    pub condition: Condition,
    pub message: Vec<Part>,
    /// The layer that is wrong.
    pub at: Range,
    /// Where the other shape comes from: its name and its tokens; nowhere for a size that is wrong alone.
    pub previous: Option<(String, Range)>,
}

impl Chain {
    /// That two sizes are equal: proved, refuted, or left to const evaluation.
    pub fn require_equal(&mut self, want: &Dim, got: &Dim, at: Range, message: &[Part]) {
        let difference = want.differs(got);
        if difference.is_zero() {
            return;
        }
        let equal = Condition::Equal(vec![(want.clone(), got.clone())]);
        self.require(difference.as_literal().is_none(), equal, at, message);
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
        let (room, reach) = Dim::room_and_reach(size, kernel, padding, dilation);
        let fits = Condition::AtLeast(room, reach);
        self.require(window.as_literal().is_none(), fits, at, message);
    }

    pub fn require(&mut self, open: bool, condition: Condition, at: Range, message: &[Part]) {
        if !open {
            self.fail(at, message);
            return;
        }
        let previous = Some(self.previous.clone());
        self.checks.push(Check { condition, message: message.to_vec(), at, previous });
    }

    /// That a size is at least `least`, and that nothing in it leaves a remainder.
    pub fn require_size(&mut self, expr: &Expr, dim: &Dim, least: usize) {
        let mut divisions = quotients(expr, &self.scope);
        let others = dim.quotients().into_iter().cloned();
        divisions.extend(others.filter(|other| !divisions.contains(other)).collect::<Vec<_>>());
        for Quotient { over, by } in divisions {
            let message = vec![
                text(format!("`{expr}` leaves a remainder: ")),
                Part::Number(over.clone()),
                text(" is not divisible by "),
                Part::Number(by.clone()),
            ];
            self.require_alone(Condition::Divisible { over, by }, expr.range, message);
        }
        if dim.as_literal().is_some() {
            return;
        }
        if let Some(params) = dim.positive_with() {
            // As large as its parameters make it: it is enough that they are sizes.
            for name in params {
                let param = Dim::atom(Atom::Param(name.clone()));
                let message = vec![
                    text(format!("`{name}` is ")),
                    Part::Number(param.clone()),
                    text("; sizes are at least 1"),
                ];
                let positive = Condition::More(param, Dim::literal(0));
                self.require_alone(positive, expr.range, message);
            }
            return;
        }
        let (plus, minus) = dim.split();
        let mut message = vec![text(format!("`{expr}` is ")), Part::Number(plus.clone())];
        if !minus.is_zero() {
            message.extend([text(" - "), Part::Number(minus.clone())]);
        }
        message.push(text(format!("; sizes are at least {least}")));
        let condition = match least {
            0 => Condition::AtLeast(plus, minus),
            _ => Condition::More(plus, minus),
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
        let condition = Condition::Memory(total);
        if self.checks.iter().all(|check| check.condition != condition) {
            self.checks.push(Check { condition, message, at, previous: None });
        }
    }

    pub fn require_alone(&mut self, condition: Condition, at: Range, message: Vec<Part>) {
        // Every use of a size asks the same of it.
        if self.checks.iter().any(|check| check.condition == condition) {
            return;
        }
        let of = text(format!("in `{}`: ", self.network));
        let message = match &message[0] {
            Part::Text(size) if size.starts_with('`') => [vec![of], message].concat(),
            _ => message,
        };
        self.checks.push(Check { condition, message, at, previous: None });
    }

    /// Leaves out checks that others imply.
    pub fn without_implied(mut self) -> Self {
        let mut kept: Vec<Check> = vec![];
        for check in self.checks {
            if !kept.iter().any(|other| check.condition.is_implied_by(&other.condition)) {
                kept.retain(|other| !other.condition.is_implied_by(&check.condition));
                kept.push(check);
            }
        }
        self.checks = kept;
        self
    }
}
