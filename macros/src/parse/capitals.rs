//! Names in capitals alone: a constant (`WIDTH`), a value (`W`) or a network (`MLP`), by the way they are used.
//!
//! Rust's constants and a network called `MLP` look alike. A constant is not called: what is followed by
//! parentheses, sizes in `<..>` or an expected output was read as a layer, and is one unless a value of that name
//! is bound; and what a `let` binds to a name that is called is a layer.

use std::collections::BTreeSet;

use crate::ast::*;

/// Decides for every name in capitals of a block, in which `bound` are the names of inputs, settings and sizes.
pub fn resolve(block: &mut Block, bound: impl IntoIterator<Item = String>) {
    let mut called = BTreeSet::new();
    walk_block(block, &mut |expr| match &expr.kind {
        ExprKind::Call(name, _) => drop(called.insert(name.to_string())),
        ExprKind::Layer(layer) => drop(called.insert(layer.kind.to_string())),
        ExprKind::Apply(callee, _) => {
            let callee = match &callee.kind {
                ExprKind::Index(callee, _) => callee,
                _ => callee,
            };
            called.extend(callee.as_name().map(ToString::to_string));
        }
        _ => {}
    });
    Capitals { called, bound: bound.into_iter().collect() }.block(block);
}

/// Whether a name is all capitals, as constants are: `WIDTH`, `N2`.
pub fn is_capitals(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.contains(|c: char| c.is_lowercase())
}

struct Capitals {
    /// Names that are called anywhere in the item.
    called: BTreeSet<String>,
    /// Names of values, up to here.
    bound: BTreeSet<String>,
}

impl Capitals {
    fn block(&mut self, block: &mut Block) {
        block.statements.iter_mut().for_each(|statement| self.statement(statement));
        self.expr(&mut block.result);
    }

    fn statement(&mut self, statement: &mut Statement) {
        match statement {
            Statement::Let(pattern, value) => {
                self.expr(value);
                if let Pattern::Name(name) = pattern
                    && self.called.contains(&name.to_string())
                {
                    self.constructor(value);
                }
                self.bind(pattern);
            }
            Statement::Assign(_, value) => self.expr(value),
            Statement::For { body, .. } => body.iter_mut().for_each(|inner| self.statement(inner)),
        }
    }

    fn bind(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Ignored => {}
            Pattern::Name(name) => drop(self.bound.insert(name.to_string())),
            Pattern::Many(patterns, _) => patterns.iter().for_each(|pattern| self.bind(pattern)),
        }
    }

    /// `MLP`, bound to a name that is called.
    fn constructor(&self, value: &mut Expr) {
        let ExprKind::Path(path) = &value.kind else { return };
        let Some(kind) = path.segments.last().map(|segment| segment.ident.clone()) else { return };
        if is_capitals(&kind.to_string()) && !self.bound.contains(&path_text(path)) {
            let layer = Layer::plain(path.clone(), kind, value.range);
            value.kind = ExprKind::Layer(Box::new(layer));
        }
    }

    /// `F(x)` where `F` is bound was read as a layer of that name.
    fn expr(&mut self, expr: &mut Expr) {
        let is_value = |layer: &Layer| {
            let name = layer.path.get_ident().map(ToString::to_string);
            name.is_some_and(|name| is_capitals(&name) && self.bound.contains(&name))
        };
        if let ExprKind::Layer(layer) = &mut expr.kind
            && is_value(layer)
            && layer.generics.is_empty()
        {
            expr.kind = ExprKind::Call(layer.kind.clone(), std::mem::take(&mut layer.args));
        }
        if let ExprKind::Closure(patterns, block) = &mut expr.kind {
            let outside = self.bound.clone();
            patterns.iter().for_each(|pattern| self.bind(pattern));
            self.block(block);
            self.bound = outside;
            return;
        }
        children(expr, &mut |child| self.expr(child));
    }
}

fn walk_block(block: &mut Block, visit: &mut dyn FnMut(&Expr)) {
    block.statements.iter_mut().for_each(|statement| walk_statement(statement, visit));
    walk(&mut block.result, visit);
}

fn walk_statement(statement: &mut Statement, visit: &mut dyn FnMut(&Expr)) {
    match statement {
        Statement::Let(_, value) | Statement::Assign(_, value) => walk(value, visit),
        Statement::For { body, .. } => {
            body.iter_mut().for_each(|inner| walk_statement(inner, visit));
        }
    }
}

fn walk(expr: &mut Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match &mut expr.kind {
        ExprKind::Closure(_, block) => walk_block(block, visit),
        _ => children(expr, &mut |child| walk(child, visit)),
    }
}

/// Calls `visit` on each expression that is directly inside another, but for the bodies of closures.
fn children(expr: &mut Expr, visit: &mut dyn FnMut(&mut Expr)) {
    match &mut expr.kind {
        ExprKind::Negative(x) | ExprKind::Field(x, _) | ExprKind::Unnamed(x) => visit(x),
        ExprKind::Binary(_, a, b) | ExprKind::Arrow(a, b) => {
            visit(a);
            visit(b);
        }
        ExprKind::Call(_, args) => args.iter_mut().for_each(|arg| visit(&mut arg.value)),
        ExprKind::Method(x, _, args) | ExprKind::Apply(x, args) => {
            visit(x);
            args.iter_mut().for_each(|arg| visit(&mut arg.value));
        }
        ExprKind::Index(x, places) => {
            visit(x);
            for place in places {
                match place {
                    Index::At(at) => visit(at),
                    Index::Range(from, to) => from.iter_mut().chain(to).for_each(&mut *visit),
                }
            }
        }
        ExprKind::Tuple(items) | ExprKind::List(items) => items.iter_mut().for_each(visit),
        ExprKind::Layer(layer) => layer.args.iter_mut().for_each(|arg| visit(&mut arg.value)),
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Bool(_)
        | ExprKind::Text(_)
        | ExprKind::Path(_)
        | ExprKind::Const(_)
        | ExprKind::Closure(..) => {}
    }
}
