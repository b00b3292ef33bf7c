//! The arguments of a call of a function: read one after another; what is left over is an error.

use super::values::Value;
use super::{Chain, Lowered, words};
use crate::ast::{Argument, Expr, ExprKind};
use crate::errors::{Range, count, suggestion};
use crate::graph::NodeId;
use crate::shape::{Dim, Shape, show};

/// A call of a function or method on its way to a value.
pub struct Operands<'e> {
    /// How the function is called: `softmax(x, axis = -1)`.
    pub usage: &'static str,
    pub name: String,
    pub at: Range,
    receiver: Option<(Value, &'e Expr)>,
    left: Vec<&'e Argument>,
    given: usize,
    /// What the user wrote for the first operand.
    first: Option<&'e Expr>,
}

impl<'e> Operands<'e> {
    pub fn new(
        usage: &'static str,
        name: &str,
        at: Range,
        receiver: Option<(Value, &'e Expr)>,
        args: &'e [Argument],
    ) -> Self {
        let given = args.len() + usize::from(receiver.is_some());
        Operands {
            usage,
            name: name.to_owned(),
            at,
            receiver,
            left: args.iter().collect(),
            given,
            first: None,
        }
    }

    /// How many operands have no name.
    pub fn unnamed(&self) -> usize {
        self.left.iter().filter(|arg| arg.name.is_none()).count()
            + usize::from(self.receiver.is_some())
    }

    fn arity<T>(&self, cx: &mut Chain) -> Lowered<T> {
        let found = count(self.given, "operand");
        cx.report(self.at, format!("`{}` is called as `{}`, found {found}", self.name, self.usage))
    }

    /// The argument of a name, or the next one without.
    fn take(&mut self, name: &str) -> Option<&'e Expr> {
        let named = |arg: &&Argument| arg.name.as_ref().is_some_and(|n| n == name);
        let found = self
            .left
            .iter()
            .position(named)
            .or_else(|| self.left.iter().position(|arg| arg.name.is_none()))?;
        Some(&self.left.remove(found).value)
    }

    /// The next one without a name, which is not taken.
    fn next(&self) -> Option<&'e Expr> {
        self.left.iter().find(|arg| arg.name.is_none()).map(|arg| &arg.value)
    }

    /// The argument of a name only.
    pub fn take_named(&mut self, name: &str) -> Option<&'e Expr> {
        let named = |arg: &&Argument| arg.name.as_ref().is_some_and(|n| n == name);
        let found = self.left.iter().position(named)?;
        Some(&self.left.remove(found).value)
    }

    /// The next operand, as a value of any kind.
    pub fn value(&mut self, cx: &mut Chain) -> Lowered<(Value, &'e Expr)> {
        if let Some(receiver) = self.receiver.take() {
            self.first = Some(receiver.1);
            return Ok(receiver);
        }
        match self.take("") {
            Some(expr) => {
                self.first = self.first.or(Some(expr));
                Ok((cx.value(expr)?, expr))
            }
            None => self.arity(cx),
        }
    }

    /// The next operand, not evaluated.
    pub fn expr(&mut self, cx: &mut Chain, name: &str) -> Lowered<&'e Expr> {
        match self.take(name) {
            Some(expr) => Ok(expr),
            None => self.arity(cx),
        }
    }

    /// The next operand, a tensor of floats or integers.
    pub fn tensor(&mut self, cx: &mut Chain) -> Lowered<NodeId> {
        let (value, expr) = self.value(cx)?;
        cx.as_tensor(value, expr.range, expr)
    }

    /// The next operand, a tensor of floats.
    pub fn float(&mut self, cx: &mut Chain) -> Lowered<NodeId> {
        let (value, expr) = self.value(cx)?;
        let id = cx.as_tensor(value, expr.range, expr)?;
        cx.require_float(id, expr.range, expr)
    }

    /// The next operand, a tensor of integers.
    pub fn integer(&mut self, cx: &mut Chain) -> Lowered<NodeId> {
        let (value, expr) = self.value(cx)?;
        let id = cx.as_tensor(value, expr.range, expr)?;
        if cx.graph.nodes[id].integer {
            return Ok(id);
        }
        let shape = show(&cx.sample_of(id));
        let hint = cx.as_integers(&expr.to_string(), &shape);
        let name = &self.name;
        cx.report(
            expr.range,
            format!("`{name}` takes integers here, found `{expr}`, floats of shape {shape}{hint}"),
        )
    }

    /// All operands that are left, as floats; one that is a list stands for what is in it: `concat([a, b])`.
    pub fn floats(&mut self, cx: &mut Chain) -> Lowered<Vec<NodeId>> {
        let mut ids = vec![];
        if let (1, Some(Expr { kind: ExprKind::List(items), .. })) = (self.unnamed(), self.next()) {
            self.take("");
            return items.iter().map(|item| cx.float(item)).collect();
        }
        while self.unnamed() > 0 {
            let (value, expr) = self.value(cx)?;
            for (value, expr) in words::members(value, expr) {
                let id = cx.as_tensor(value, expr.range, expr)?;
                ids.push(cx.require_float(id, expr.range, expr)?);
            }
        }
        Ok(ids)
    }

    /// An axis of a sample of shape `sample`, by name or position; negative from the last.
    pub fn axis(&mut self, cx: &mut Chain, sample: &[Dim], default: Option<i64>) -> Lowered<usize> {
        match self.axis_or_none(cx, sample)? {
            Some(axis) => Ok(axis),
            None => match default {
                Some(axis) => self.position(cx, axis, sample, self.at),
                None => self.arity(cx),
            },
        }
    }

    pub fn axis_or_none(&mut self, cx: &mut Chain, sample: &[Dim]) -> Lowered<Option<usize>> {
        let Some(expr) = self.take("axis") else { return Ok(None) };
        let axis = cx.constant(expr)?;
        self.position(cx, axis, sample, expr.range).map(Some)
    }

    /// Axes as one number or a list; all of them where none are given.
    pub fn axes(&mut self, cx: &mut Chain, sample: &[Dim]) -> Lowered<Option<Vec<usize>>> {
        let Some(expr) = self.take_named("axes").or_else(|| self.take("axis")) else {
            return Ok(None);
        };
        let items: Vec<&Expr> = match &expr.kind {
            ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().collect(),
            _ => vec![expr],
        };
        let mut axes = vec![];
        for item in items {
            let axis = cx.constant(item)?;
            let axis = self.position(cx, axis, sample, item.range)?;
            if axes.contains(&axis) {
                let (name, shape) = (&self.name, show(sample));
                let of = self.first.map_or_else(String::new, |first| format!("`{first}` "));
                let message =
                    format!("`{name}` is given axis {axis} of {of}{shape} twice; remove one");
                return cx.report(item.range, message);
            }
            axes.push(axis);
        }
        Ok(Some(axes))
    }

    pub fn position(&self, cx: &mut Chain, axis: i64, sample: &[Dim], at: Range) -> Lowered<usize> {
        let rank = sample.len() as i64;
        let position = if axis < 0 { axis + rank } else { axis };
        if (0..rank).contains(&position) {
            return Ok(position as usize);
        }
        let name = &self.name;
        let of = self.first.map_or_else(|| "its operand".to_owned(), |first| format!("`{first}`"));
        let message = match rank {
            0 => {
                format!("`{name}` takes axis {axis}, but {of} has shape [], a number without axes")
            }
            _ => format!(
                "`{name}` takes axis {axis}, but {of} has shape {}, with {}",
                show(sample),
                match rank {
                    1 => "axis 0 alone".to_owned(),
                    _ => format!("axes from 0 to {}", rank - 1),
                }
            ),
        };
        cx.report(at, message)
    }

    /// A list of sizes: `[16, 5, 5]`.
    pub fn shape(&mut self, cx: &mut Chain) -> Lowered<(Shape, Range)> {
        let expr = self.expr(cx, "shape")?;
        let ExprKind::List(items) = &expr.kind else {
            return cx.report(
                expr.range,
                format!("expected a shape in brackets, for example `[16, 5, 5]`, found `{expr}`"),
            );
        };
        let sizes = items.iter().map(|item| cx.size(item, 1)).collect::<Lowered<Shape>>()?;
        Ok((sizes, expr.range))
    }

    /// A size by name or position.
    pub fn size(&mut self, cx: &mut Chain, name: &str, least: usize) -> Lowered<Dim> {
        let expr = self.expr(cx, name)?;
        cx.size(expr, least)
    }

    pub fn size_or(&mut self, cx: &mut Chain, name: &str, default: usize) -> Lowered<Dim> {
        match self.take_named(name) {
            Some(expr) => cx.size(expr, 0),
            None => Ok(Dim::literal(default as i128)),
        }
    }

    /// A number that is written here, by name or position.
    pub fn number(&mut self, cx: &mut Chain, name: &str, default: Option<f64>) -> Lowered<f64> {
        match (self.take(name), default) {
            (Some(expr), _) => self.written(cx, name, expr),
            (None, Some(x)) => Ok(x),
            (None, None) => self.arity(cx),
        }
    }

    /// A number that is written here, by name only.
    pub fn named_number(&mut self, cx: &mut Chain, name: &str, default: f64) -> Lowered<f64> {
        match self.take_named(name) {
            Some(expr) => self.written(cx, name, expr),
            None => Ok(default),
        }
    }

    fn written(&self, cx: &mut Chain, name: &str, expr: &Expr) -> Lowered<f64> {
        match crate::arguments::number(expr) {
            Some(x) => Ok(x),
            None => cx.report(
                expr.range,
                format!(
                    "`{name}` of `{}` is a number that is written here, found `{expr}`",
                    self.name
                ),
            ),
        }
    }

    /// `true` or `false`, by name.
    pub fn flag(&mut self, cx: &mut Chain, name: &str, default: bool) -> Lowered<bool> {
        match self.take_named(name) {
            None => Ok(default),
            Some(Expr { kind: ExprKind::Bool(value), .. }) => Ok(*value),
            Some(other) => cx.report(
                other.range,
                format!("`{name}` of `{}` is `true` or `false`, found `{other}`", self.name),
            ),
        }
    }

    /// A word, by name.
    pub fn word(
        &mut self,
        cx: &mut Chain,
        name: &str,
        words: &[&'static str],
    ) -> Lowered<&'static str> {
        let Some(expr) = self.take_named(name) else { return Ok(words[0]) };
        let found = expr.to_string();
        match words.iter().find(|word| **word == found) {
            Some(word) => Ok(word),
            None => cx.report(
                expr.range,
                format!("`{name}` is one of {}, found `{found}`", words.join(", ")),
            ),
        }
    }

    /// That nothing is left.
    pub fn end(&mut self, cx: &mut Chain) -> Lowered<()> {
        if let Some(arg) = self.left.first() {
            if let Some(name) = &arg.name {
                let known: Vec<&str> = names(self.usage);
                let near = match name.to_string().as_str() {
                    "dim" | "dims" if known.contains(&"axis") => {
                        "; did you mean `axis`?".to_owned()
                    }
                    "keepdim" | "keepdims" if known.contains(&"keep") => {
                        "; did you mean `keep`?".to_owned()
                    }
                    text => suggestion(text, known.iter().copied()),
                };
                let hint = match near.is_empty() {
                    true => format!("; it is called as `{}`", self.usage),
                    false => near,
                };
                let message = format!("unknown argument `{name}` of `{}`{hint}", self.name);
                return cx.report(Range::of(name), message);
            }
            return self.arity(cx);
        }
        if self.receiver.is_some() {
            return self.arity(cx);
        }
        Ok(())
    }
}

/// The names of arguments in a usage.
fn names(usage: &'static str) -> Vec<&'static str> {
    usage
        .split(['(', ',', ')'])
        .filter_map(|part| part.split_once(" = ").map(|(name, _)| name.trim()))
        .collect()
}
