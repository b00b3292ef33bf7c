//! Weights of layers as values: `emb.weight`, `block.fc.weight`, `blocks[0].fc.weight`. A parameter's name is a
//! path, which is gone through place by place.

use std::rc::Rc;

use super::values::Value;
use super::{Chain, Lowered};
use crate::ast::{Expr, Index};
use crate::errors::{Range, listed, suggestion};

impl Chain {
    /// `emb.weight`: a parameter of a layer that was applied before, or a layer inside such a layer.
    pub fn field(&mut self, x: &Expr, name: &syn::Ident) -> Lowered<Value> {
        let outer = match self.value(x)? {
            Value::Layer(declared) => declared.name.clone(),
            Value::Inside(outer) => outer.to_string(),
            other => {
                let hint = match name.to_string().as_str() {
                    "T" | "mT" => format!("`{x}.transpose()` exchanges its last two axes"),
                    "shape" => "sizes are written as they are declared".to_owned(),
                    _ => "only layers have weights".to_owned(),
                };
                let message = format!("`{x}` is {} and has no `{name}`; {hint}", other.describe());
                return self.report(Range::of(name), message);
            }
        };
        let full = format!("{outer}.{name}");
        if let Some(param) = self.params.iter().find(|param| param.name == full) {
            let node = param.node;
            return Ok(Value::Tensor(self.captured(0, node)));
        }
        if !self.weights_of(&full).is_empty() {
            return Ok(Value::Inside(full.into()));
        }
        let message = self.no_weight(x, &outer, &name.to_string());
        self.report(Range::of(name), message)
    }

    /// `stack.blocks[0]`: one of a repeat inside another layer.
    pub fn inside_repeat(
        &mut self,
        x: &Expr,
        outer: &Rc<str>,
        places: &[Index],
        at: Range,
    ) -> Lowered<Value> {
        let [Index::At(place)] = places else {
            return self.report(at, format!("`{x}` has layers inside: index it by one number"));
        };
        let i = self.constant(place)?;
        let full = format!("{outer}.{i}");
        if !self.weights_of(&full).is_empty() {
            return Ok(Value::Inside(full.into()));
        }
        let has = self.weights_of(outer);
        let has = written(&places_of(&has));
        self.report(place.range, format!("`{x}` has no layer with number {i}; it has {has}"))
    }

    /// The parameters of a layer by what stands behind its name: `fc.weight`.
    pub fn weights_of(&self, layer: &str) -> Vec<String> {
        let rest = |name: &str| Some(name.strip_prefix(layer)?.strip_prefix('.')?.to_owned());
        self.params.iter().filter_map(|param| rest(&param.name)).collect()
    }

    /// That a layer has nothing of this name.
    fn no_weight(&self, x: &Expr, outer: &str, name: &str) -> String {
        let has = self.weights_of(outer);
        if has.is_empty() {
            return format!(
                "`{x}` has no parameters yet: a layer gets them where it is called first"
            );
        }
        let places = places_of(&has);
        let what = match has.iter().any(|path| path.contains('.')) {
            true => "layer or parameter",
            false => "parameter",
        };
        let further = has.iter().filter(|path| path.ends_with(&format!(".{name}")));
        let hint =
            match (suggestion(name, places.iter().copied()), &further.collect::<Vec<_>>()[..]) {
                (near, _) if !near.is_empty() => near,
                (_, [one]) => format!("; did you mean `{one}`?"),
                _ => format!("; it has {}", written(&places)),
            };
        format!("`{x}` has no {what} `{name}`{hint}")
    }
}

/// The first places of paths, each once.
fn places_of(paths: &[String]) -> Vec<&str> {
    let mut places: Vec<&str> = paths
        .iter()
        .map(|path| path.split_once('.').map_or(&path[..], |(first, _)| first))
        .collect();
    places.dedup();
    places
}

/// Places as they are written: those of a repeat in brackets.
fn written(places: &[&str]) -> String {
    listed(places.iter().map(|place| match place.parse::<usize>() {
        Ok(i) => format!("[{i}]"),
        Err(_) => (*place).to_owned(),
    }))
}
