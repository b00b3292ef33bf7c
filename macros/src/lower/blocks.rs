//! Statements: `let`, assignments, loops that are unrolled, layers that are declared.

use std::rc::Rc;

use super::values::{Declared, Value};
use super::{Chain, Lowered, Reported};
use crate::ast::{Block, Expr, ExprKind, Layer, Pattern, Statement};
use crate::errors::Range;
use crate::shape::Dim;

/// The most steps that a loop is unrolled to.
const MAX_STEPS: i64 = 1000;

impl Chain {
    /// The value of a block, whose names end with it.
    pub fn block(&mut self, block: &Block) -> Lowered<Value> {
        let outer = self.bound.len();
        let value = self.inside(block);
        if value.is_ok() {
            self.require_used(outer);
        }
        self.bound.truncate(outer);
        value
    }

    /// That the names that were bound since there were `from` are used, where they have to be.
    pub fn require_used(&mut self, from: usize) {
        for bound in self.bound.iter().skip(from) {
            let Some(what) = bound.must.filter(|_| !bound.used.get()) else { continue };
            let name = &bound.name;
            if name.starts_with('_') {
                continue;
            }
            let hint = match what {
                "input" => format!("use it, remove it, or call it `_{name}`"),
                _ => "use it or remove it".to_owned(),
            };
            self.errors.push(bound.at.error(format!("{what} `{name}` is not used; {hint}")));
        }
    }

    fn inside(&mut self, block: &Block) -> Lowered<Value> {
        self.statements(&block.statements)?;
        self.value(&block.result)
    }

    fn statements(&mut self, statements: &[Statement]) -> Lowered<()> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Lowered<()> {
        match statement {
            Statement::Let(pattern, Expr { kind: ExprKind::Layer(layer), range }) => {
                self.declare(pattern, layer, *range)
            }
            Statement::Let(pattern, value) => {
                let bound = self.value(value)?;
                self.bind_pattern(pattern, bound, value)
            }
            Statement::Assign(name, value) => {
                let value = self.value(value)?;
                let text = name.to_string();
                let depth = self.depth();
                match self.bound.iter_mut().rev().find(|bound| bound.name == text) {
                    Some(bound) if bound.depth < depth => {
                        self.report(Range::of(name), format!("`{text}` is bound outside of this closure, whose steps cannot change it; carry it from step to step"))
                    }
                    Some(bound) => {
                        bound.value = value;
                        Ok(())
                    }
                    None => {
                        let message = self.unknown_value(&text);
                        self.report(Range::of(name), message)
                    }
                }
            }
            Statement::For { variable, from, to, body } => {
                let what =
                    "a `for` is unrolled here, so its range is written in numbers, such as `0..4`";
                let (first, end) = (self.written(from, what)?, self.written(to, what)?);
                let steps = end.saturating_sub(first);
                if steps < 0 {
                    let message =
                        format!("a loop from {first} to {end} has no turns; ranges go up");
                    return self.report(from.range.to(to.range), message);
                }
                if steps > MAX_STEPS {
                    return self.report(to.range, format!("a loop of {steps} steps; at most {MAX_STEPS} are unrolled, and `scan` runs longer ones"));
                }
                for i in first..end {
                    self.turn(variable, i, body)?;
                }
                Ok(())
            }
        }
    }

    /// One turn of a loop, in which the variable is a size.
    fn turn(&mut self, variable: &syn::Ident, i: i64, body: &[Statement]) -> Lowered<()> {
        self.turn_of(Range::of(variable))?;
        let outer = self.bound.len();
        let scope = self.scope.clone();
        let mut inner = (*scope).clone();
        inner.dims.insert(variable.to_string(), Dim::literal(i));
        self.scope = Rc::new(inner);
        self.bind(&variable.to_string(), Value::Size(Dim::literal(i)), Range::of(variable), None);
        let done = self.statements(body);
        self.scope = scope;
        self.bound.truncate(outer);
        done
    }

    /// `let qkv = Linear(3 * D);`
    fn declare(&mut self, pattern: &Pattern, layer: &Layer, at: Range) -> Lowered<()> {
        let Pattern::Name(name) = pattern else {
            return self.report(at, format!("`{layer}` is one layer: bind it to one name"));
        };
        self.check_name(name);
        let full = format!("{}{name}", self.prefix);
        if layer.kind == "Param" {
            let node = crate::layers::parameter(self, layer, &full).ok_or(Reported)?;
            self.bind(&name.to_string(), Value::Tensor(node), Range::of(name), Some("parameter"));
        } else {
            let declared = Declared { layer: Layer { name: None, ..layer.clone() }, name: full };
            self.bind(
                &name.to_string(),
                Value::Layer(Rc::new(declared)),
                Range::of(name),
                Some("layer"),
            );
        }
        Ok(())
    }
}
