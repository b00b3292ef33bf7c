//! What messages call a value: the expression that the user wrote for it, with its shape.

use std::fmt::Display;

use super::values::Value;
use super::{Chain, Part, text};
use crate::ast::{Expr, ExprKind, Layer};
use crate::graph::NodeId;
use crate::shape::{Dim, show};

/// Longer expressions are not in messages: the caret is under them.
const LONGEST: usize = 40;

/// An expression where it is short; `f(..)` of a longer call.
fn short(what: String) -> Option<String> {
    if what.chars().count() <= LONGEST {
        return Some(what);
    }
    let (name, arguments) = what.split_once('(')?;
    let mut depth = 1;
    let end = arguments.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    })?;
    let whole = end + 1 == arguments.len() && !name.contains([' ', '[']);
    whole.then(|| format!("{name}(..)"))
}

impl Chain {
    /// Remembers what the user wrote for a value; the last of several.
    pub fn say(&mut self, id: NodeId, what: &dyn Display) {
        let place = (self.depth(), id);
        match short(what.to_string()) {
            Some(what) => drop(self.words.insert(place, what)),
            None => drop(self.words.remove(&place)),
        }
    }

    /// Forgets values of graphs inside the current one.
    pub fn forget_inner_words(&mut self) {
        let depth = self.depth();
        self.words.retain(|(level, _), _| *level <= depth);
    }

    /// What the user wrote for a value, where it is short.
    pub fn word(&self, id: NodeId) -> Option<&str> {
        self.words.get(&(self.depth(), id)).map(String::as_str)
    }

    /// `` `x` ``, or `otherwise` where there are no words for it.
    pub fn word_or(&self, id: NodeId, otherwise: &str) -> String {
        self.word(id).map_or_else(|| otherwise.to_owned(), |word| format!("`{word}`"))
    }

    /// `` `x` [3, 4] ``, or `[3, 4]` where there are no words for it.
    pub fn shown(&self, id: NodeId) -> String {
        let shape = show(&self.sample_of(id));
        self.word(id).map_or_else(|| shape.clone(), |word| format!("`{word}` {shape}"))
    }

    /// [`Chain::shown`] for a message that const evaluation may have to fill in.
    pub fn shown_parts(&self, id: NodeId) -> [Part; 2] {
        let word = self.word(id).map_or_else(String::new, |word| format!("`{word}` "));
        [text(word), Part::Shape(self.sample_of(id))]
    }

    /// `x.f()`, or `.f()` where `x` is no single name.
    pub fn method_of(&self, id: NodeId, call: &str) -> String {
        let simple = |word: &&str| word.chars().all(|c| c.is_alphanumeric() || "_.()".contains(c));
        format!("{}{call}", self.word(id).filter(simple).unwrap_or_default())
    }
}

/// Where a layer declares its inputs: how it is written for those that it gets, `Linear(128 -> 10)`.
pub fn for_inputs(layer: &Layer, found: &Dim) -> Vec<Part> {
    let arrow = |value: &Expr| match &value.kind {
        ExprKind::Arrow(_, out) => Some(out.to_string()),
        _ => None,
    };
    let Some(i) = layer.args.iter().position(|arg| arrow(&arg.value).is_some()) else {
        return vec![];
    };
    let name = layer.args[i].name.as_ref().map_or_else(String::new, |name| format!("{name} = "));
    let texts = |args: &[crate::ast::Argument]| args.iter().map(ToString::to_string).collect();
    let (before, after): (Vec<String>, Vec<String>) =
        (texts(&layer.args[..i]), texts(&layer.args[i + 1..]));
    let before: String = before.iter().map(|arg| format!("{arg}, ")).collect();
    let after: String = after.iter().map(|arg| format!(", {arg}")).collect();
    let out = arrow(&layer.args[i].value).unwrap_or_default();
    vec![
        text(format!("; write `{}({before}{name}", layer.kind)),
        Part::Number(found.clone()),
        text(format!(" -> {out}{after})`")),
    ]
}

/// The numbers next to `near` that divide `whole`: `3 or 5`.
pub fn divisors(whole: &Dim, near: &Dim) -> Option<String> {
    let (whole, near) = (whole.as_literal()?, near.as_literal()?);
    // Those that a user may have meant; sizes can be large.
    let divides = |n: &i128| whole % n == 0;
    let below = (1..near.min(10_000)).rev().find(divides);
    let above = (near + 1..near.saturating_add(10_000).min(whole + 1)).find(divides);
    match (below, above) {
        (Some(below), Some(above)) => Some(format!("{below} or {above}")),
        (one, other) => one.or(other).map(|n| n.to_string()),
    }
}

/// The values of an expression, each with what the user wrote for it: the parts of a tuple that is written out.
pub fn members(value: Value, expr: &Expr) -> Vec<(Value, &Expr)> {
    let values = match value {
        Value::Tuple(values) => values,
        value => vec![value],
    };
    match &expr.kind {
        ExprKind::Tuple(items) if items.len() == values.len() => {
            values.into_iter().zip(items).collect()
        }
        _ => values.into_iter().map(|value| (value, expr)).collect(),
    }
}
