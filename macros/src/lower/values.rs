//! Expressions to values: names, operators and numbers.

use std::cell::Cell;
use std::rc::Rc;

use super::{Chain, Lowered, Part, Reported, text};
use crate::ast::{BinaryOp, Expr, ExprKind, Layer, Pattern, path_text};
use crate::errors::{Range, listed, suggestion};
use crate::graph::NodeId;
use crate::ops::scalar;
use crate::shape::{Dim, broadcast, show};

/// What a name can stand for.
#[derive(Clone)]
pub enum Value {
    Tensor(NodeId),
    /// Several results.
    Tuple(Vec<Value>),
    /// A layer that is declared, and can be called.
    Layer(Rc<Declared>),
    /// A layer inside one that was called, by its full name: its weights can be read.
    Inside(Rc<str>),
    /// A generic parameter or a loop variable.
    Size(Dim),
}

/// A layer apart from its use.
pub struct Declared {
    pub layer: Layer,
    /// The full name of its parameters.
    pub name: String,
}

/// A name in scope.
pub struct Bound {
    pub name: String,
    pub value: Value,
    pub at: Range,
    /// What it is, where it has to be used.
    pub must: Option<&'static str>,
    pub used: Cell<bool>,
    /// How many closures of scans are around it.
    pub depth: usize,
}

impl Value {
    /// What it is, in messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Value::Tensor(_) => "a tensor",
            Value::Tuple(_) => "several values",
            Value::Layer(_) => "a layer",
            Value::Inside(_) => "a layer inside another",
            Value::Size(_) => "a size",
        }
    }
}

impl Chain {
    /// Brings a name into scope.
    pub fn bind(&mut self, name: &str, value: Value, at: Range, must: Option<&'static str>) {
        let (used, depth) = (Cell::new(false), self.depth());
        self.bound.push(Bound { name: name.to_owned(), value, at, must, used, depth });
    }

    /// The value of a name, which counts as a use.
    pub fn look_up(&mut self, name: &str) -> Option<Value> {
        let bound = self.bound.iter().rev().find(|bound| bound.name == name)?;
        bound.used.set(true);
        let (depth, value) = (bound.depth, bound.value.clone());
        Some(self.captured_value(depth, value))
    }

    /// Binds the names of a pattern.
    pub fn bind_pattern(&mut self, pattern: &Pattern, value: Value, of: &Expr) -> Lowered<()> {
        match pattern {
            Pattern::Ignored => Ok(()),
            Pattern::Name(name) => {
                self.bind(&name.to_string(), value, Range::of(name), None);
                Ok(())
            }
            Pattern::Many(patterns, at) => {
                let values = match value {
                    Value::Tuple(values) => values,
                    other => {
                        let hint = match &other {
                            Value::Tensor(_) => "; `unstack(0)` makes several of one",
                            _ => "",
                        };
                        let (is, names) = (other.describe(), patterns.len());
                        return self
                            .report(*at, format!("`{of}` is {is}, found {names} names{hint}"));
                    }
                };
                if values.len() != patterns.len() {
                    let names: Vec<String> = (0..values.len())
                        .map(|i| format!("{}", char::from(b'a' + (i % 26) as u8)))
                        .collect();
                    let example = match values.len() {
                        2..=6 => format!("; for example `let ({}) = ..`", names.join(", ")),
                        _ => "; one value of several is `values[0]`".to_owned(),
                    };
                    let message = format!(
                        "`{of}` has {} values, found {} names{example}",
                        values.len(),
                        patterns.len()
                    );
                    return self.report(*at, message);
                }
                patterns.iter().zip(values).try_for_each(|(p, v)| self.bind_pattern(p, v, of))
            }
        }
    }

    /// The value of an expression that has to be a tensor. A number is one without axes.
    pub fn tensor(&mut self, expr: &Expr) -> Lowered<NodeId> {
        let value = self.value(expr)?;
        self.as_tensor(value, expr.range, expr)
    }

    pub fn as_tensor(
        &mut self,
        value: Value,
        at: Range,
        what: &dyn std::fmt::Display,
    ) -> Lowered<NodeId> {
        match value {
            Value::Tensor(id) => {
                self.say(id, what);
                Ok(id)
            }
            Value::Size(dim) => Ok(match dim.as_literal() {
                Some(n) => self.graph.constant(n as f64),
                None => self.graph.size(dim),
            }),
            Value::Tuple(values) => {
                let message = format!(
                    "`{what}` is {} values, where one is needed; take them apart with `let (a, b) = ..`",
                    values.len()
                );
                self.report(at, message)
            }
            Value::Layer(_) => self.report(
                at,
                format!("`{what}` is a layer, where a tensor is needed; call it: `{what}(x)`"),
            ),
            Value::Inside(name) => {
                let has = self.weights_of(&name);
                let weights = has.iter().take(3).map(|weight| format!("{what}.{weight}"));
                let message = format!(
                    "`{what}` is a layer, where a tensor is needed; among its weights are {}",
                    listed(weights)
                );
                self.report(at, message)
            }
        }
    }

    /// The value of an expression that has to be floats.
    pub fn float(&mut self, expr: &Expr) -> Lowered<NodeId> {
        let id = self.tensor(expr)?;
        self.require_float(id, expr.range, expr)
    }

    pub fn require_float(
        &mut self,
        id: NodeId,
        at: Range,
        what: &dyn std::fmt::Display,
    ) -> Lowered<NodeId> {
        if !self.graph.nodes[id].integer {
            return Ok(id);
        }
        let shape = show(&self.sample_of(id));
        self.report(at, format!("`{what}` is u32{shape}, integers, where floats are needed; `one_hot({what}, n)`, an `Embedding` or `float({what})` makes floats of them"))
    }

    /// The value of an expression, which memory can hold.
    pub fn value(&mut self, expr: &Expr) -> Lowered<Value> {
        let value = self.evaluate(expr)?;
        if let Value::Tensor(id) = value {
            let (sample, before) = (self.sample_of(id), self.errors.len());
            let what = format!("`{expr}` in `{}` is", self.network);
            self.require_memory(text(what), &sample, expr.range);
            if self.errors.len() > before {
                return Err(Reported);
            }
        }
        Ok(value)
    }

    fn evaluate(&mut self, expr: &Expr) -> Lowered<Value> {
        let at = expr.range;
        Ok(Value::Tensor(match &expr.kind {
            ExprKind::Int(n) => return Ok(Value::Size(Dim::literal(*n))),
            ExprKind::Float(x) => self.graph.constant(*x),
            ExprKind::Path(_) | ExprKind::Const(_) => return self.name(expr),
            ExprKind::Negative(x) => {
                let x = self.float(x)?;
                let negative = self.graph.scalar("neg", &[x]);
                self.at(at, negative)?
            }
            ExprKind::Binary(BinaryOp::Matmul, a, b) => {
                let (x, y) = (self.float(a)?, self.float(b)?);
                self.matmul(x, y, at)?
            }
            ExprKind::Binary(op, a, b) => {
                let (x, y) = (self.tensor(a)?, self.tensor(b)?);
                self.binary(*op, [(x, a), (y, b)], at)?
            }
            ExprKind::Call(name, args) => return self.call(name, args, at),
            ExprKind::Method(x, name, args) => return self.method(x, name, args, at),
            ExprKind::Apply(callee, args) => {
                let value = self.callee(callee)?;
                return self.apply(value, callee, args, at);
            }
            ExprKind::Field(x, name) => return self.field(x, name),
            ExprKind::Unnamed(_) => return self.report(at, "expected a method or a weight behind the dot, for example `x.transpose()`"),
            ExprKind::Index(x, places) => return self.index(x, places, at),
            ExprKind::Tuple(items) => {
                return Ok(Value::Tuple(items.iter().map(|item| self.value(item)).collect::<Lowered<_>>()?));
            }
            ExprKind::List(items) => self.stacked(items, at)?,
            // A function whose name begins with a capital letter.
            ExprKind::Layer(layer) if self.uses.functions.contains_key(&path_text(&layer.path)) => {
                return self.call_function(&path_text(&layer.path), &layer.args, at);
            }
            ExprKind::Layer(layer) => return self.report(at, format!("`{layer}` is a layer: bind it with `let f = {layer};` and call `f(x)`, or call it here: `{layer}(x)`")),
            ExprKind::Bool(b) => return self.report(at, format!("`{b}` is not a tensor; comparisons give 1 and 0")),
            ExprKind::Text(text) => return self.report(at, format!("`{expr}` is a text, where a tensor is needed; names stand without quotation marks: `{text}`")),
            ExprKind::Arrow(..) => return self.report(at, format!("`{expr}` states the sizes of a layer; it is no value")),
            ExprKind::Closure(..) => return self.report(at, "a closure is an argument of `scan` only; declare a function, `fn f(x: [4]) -> [4] { .. }`, beside the network"),
        }))
    }

    /// A value in scope, a size, or a constant of the user's.
    fn name(&mut self, expr: &Expr) -> Lowered<Value> {
        let name = match &expr.kind {
            ExprKind::Path(path) => path_text(path),
            _ => String::new(),
        };
        if let Some(value) = self.look_up(&name) {
            return Ok(value);
        }
        if let Some(dim) = self.scope.dims.get(&name) {
            return Ok(Value::Size(dim.clone()));
        }
        if expr.as_name().is_some_and(|name| name.to_string().contains(|c: char| c.is_lowercase()))
        {
            let message = self.unknown_value(&name);
            return self.report(expr.range, message);
        }
        // A constant may be of any type of numbers: it is a size only where a size is asked for.
        match &expr.kind {
            ExprKind::Path(path) => Ok(Value::Tensor(self.number(name, quote::quote!(#path)))),
            ExprKind::Const(tokens) => {
                let text = format!("{{{tokens}}}");
                Ok(Value::Tensor(self.number(text, quote::quote!({ #tokens }))))
            }
            _ => Err(Reported),
        }
    }

    /// That nothing in scope has this name.
    pub fn unknown_value(&self, name: &str) -> String {
        let names: Vec<&str> = self.bound.iter().map(|bound| bound.name.as_str()).collect();
        let near = suggestion(name, names.iter().copied());
        let hint = match (near.is_empty(), &names[..]) {
            _ if name == "self" => {
                "; a layer is declared by `let fc = Linear(10);` and called as `fc(x)`".to_owned()
            }
            (true, []) => "; there are no values in scope".to_owned(),
            (true, names) => format!("; in scope: {}", listed(names)),
            (false, _) => near,
        };
        format!("unknown value `{name}`{hint}")
    }

    /// How a value of floats can be integers: an input is declared so.
    pub fn as_integers(&self, name: &str, shape: &str) -> String {
        let input = self.bound.iter().any(|b| b.name == name && b.must == Some("input"));
        if input || name == "input" {
            format!("; declare it as `u32{shape}`")
        } else {
            "; integers are inputs, declared as `u32[..]`, and what `argmax` yields".to_owned()
        }
    }

    /// A constant of the user's as a number.
    fn number(&mut self, text: String, tokens: proc_macro2::TokenStream) -> NodeId {
        let constant = self.scope.constant_expr(text, tokens);
        self.graph.number(constant)
    }

    /// An operator other than `@`.
    fn binary(
        &mut self,
        op: BinaryOp,
        operands: [(NodeId, &Expr); 2],
        at: Range,
    ) -> Lowered<NodeId> {
        let comparison = matches!(
            op,
            BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Greater
                | BinaryOp::Less
                | BinaryOp::GreaterEqual
                | BinaryOp::LessEqual
        );
        if !comparison {
            for (id, expr) in operands {
                self.require_float(id, expr.range, expr)?;
            }
        }
        let Some(name) = scalar::binary_name(op) else {
            return self.report(at, format!("`{}` is no operation on elements", op.symbol()));
        };
        self.scalar(name, &operands.map(|(id, _)| id), at)
    }

    /// A scalar op of values per sample: one with fewer axes gets axes of size 1 after the batch.
    pub fn scalar(&mut self, name: &str, operands: &[NodeId], at: Range) -> Lowered<NodeId> {
        let mut aligned = operands.to_vec();
        if operands.iter().any(|id| self.is_batched(*id)) {
            let rank = operands.iter().map(|id| self.sample_of(*id).len()).max().unwrap_or(0);
            for id in &mut aligned {
                if self.is_batched(*id) {
                    let mut shape = self.graph.shape(*id).clone();
                    let missing = rank + 1 - shape.len();
                    shape.splice(1..1, vec![Dim::one(); missing]);
                    let reshaped = self.graph.reshape(*id, shape);
                    *id = self.at(at, reshaped)?;
                }
            }
        }
        self.unify(&mut aligned, operands, at)?;
        let result = self.graph.scalar(name, &aligned);
        self.at(at, result)
    }

    /// Makes operands broadcast: sizes that the macro cannot see into are checked by const evaluation, and
    /// taken as equal here.
    fn unify(&mut self, aligned: &mut [NodeId], operands: &[NodeId], at: Range) -> Lowered<()> {
        let Some(&first) = aligned.first() else { return Ok(()) };
        let mut all = self.graph.shape(first).clone();
        for i in 1..aligned.len() {
            let id = aligned[i];
            let shape = self.graph.shape(id).clone();
            if let Some(both) = broadcast(&all, &shape) {
                all = both;
                continue;
            }
            let mut head = vec![text(format!("shape mismatch in `{}`: ", self.network))];
            head.extend(self.shown_parts(operands[0]));
            head.push(text(" and "));
            head.extend(self.shown_parts(operands[i]));
            head.push(text(" do not broadcast: from the last axis, "));
            let hint = self.column_of([operands[0], operands[i]]);
            let mut message = head.clone();
            let mut to = shape.clone();
            let skip = all.len().saturating_sub(shape.len());
            let added = shape.len().saturating_sub(all.len());
            for (j, size) in to.iter_mut().enumerate().skip(added) {
                let other = &all[j + skip - added];
                if size != other && !size.is_one() && !other.is_one() {
                    message.truncate(head.len());
                    message.extend([
                        Part::Number(other.clone()),
                        text(" meets "),
                        Part::Number(size.clone()),
                        text(hint.clone()),
                    ]);
                    self.require_equal(other, size, at, &message);
                    if !self.known {
                        return Err(Reported);
                    }
                    *size = other.clone();
                }
            }
            match self.graph.reshape(id, to.clone()) {
                Ok(reshaped) => aligned[i] = reshaped,
                // Sizes of their own, which no name says to be equal.
                Err(_) => {
                    self.fail(at, &message);
                    return Err(Reported);
                }
            }
            all = broadcast(&all, &to).unwrap_or(all);
        }
        Ok(())
    }

    /// Where a vector has the size of a matrix's rows: how it becomes a column.
    fn column_of(&self, ids: [NodeId; 2]) -> String {
        let [a, b] = ids.map(|id| self.sample_of(id));
        let (column, n) = match (&a[..], &b[..]) {
            ([.., rows, _], [n]) if rows == n => (ids[1], n),
            ([n], [.., rows, _]) if rows == n => (ids[0], n),
            _ => return String::new(),
        };
        format!("; `{}` makes [{n}, 1] of the vector", self.method_of(column, ".unsqueeze(-1)"))
    }

    /// A whole number that the macro can see.
    pub fn constant(&mut self, expr: &Expr) -> Lowered<i64> {
        self.written(expr, "expected a whole number that is written here, such as `2`")
    }

    /// A whole number that the macro can see, or an error that begins with what it is for.
    pub fn written(&mut self, expr: &Expr, what: &str) -> Lowered<i64> {
        if let ExprKind::Negative(x) = &expr.kind {
            return self.written(x, what).map(|n| -n);
        }
        let name = expr.as_name().map(ToString::to_string);
        let value = name.is_some_and(|n| {
            n.starts_with(char::is_lowercase) && !self.scope.dims.contains_key(&n)
        });
        let dim = if value { None } else { Some(self.size(expr, 0)?) };
        match dim.and_then(|dim| dim.as_literal()).and_then(|n| i64::try_from(n).ok()) {
            Some(n) => Ok(n),
            None => self.report(expr.range, format!("{what}, found `{expr}`")),
        }
    }

    /// A size of at least `least`.
    pub fn size(&mut self, expr: &Expr, least: usize) -> Lowered<Dim> {
        let scope = self.scope.clone();
        let dim = match least {
            0 => crate::sizes::size_or_zero(expr, &scope),
            _ => crate::sizes::size(expr, &scope),
        };
        match dim {
            Ok(dim) => {
                self.require_size(expr, &dim, least);
                Ok(dim)
            }
            Err(error) => {
                self.errors.push(error);
                self.known = false;
                Err(Reported)
            }
        }
    }

    /// `[a, b]`: values on a new first axis.
    fn stacked(&mut self, items: &[Expr], at: Range) -> Lowered<NodeId> {
        let ids = items.iter().map(|item| self.float(item)).collect::<Lowered<Vec<_>>>()?;
        self.stack(&ids, 0, at)
    }
}
