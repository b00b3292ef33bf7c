//! Networks inside networks: lowered in place, with the sizes and settings that they are given.

use std::collections::BTreeMap;
use std::rc::Rc;

use syn::Ident;

use super::inputs::takes;
use super::values::Value;
use super::{Chain, Declarations, LayerInfo, Linked, Lowered, Reported, network as lowered};
use crate::ast::{Body, Layer, Network, TensorType, path_text};
use crate::errors::{Errors, Range, count, suggestion};
use crate::graph::NodeId;
use crate::shape::Dim;
use crate::sizes::{Scope, tensor_type};

impl Chain {
    /// Lowers another network in place. Its parameters have the name of the layer in front.
    pub fn nested(
        &mut self,
        layer: &Layer,
        operands: &[(NodeId, String, Range)],
    ) -> Lowered<Value> {
        let key = path_text(&layer.path);
        let uses = self.uses.clone();
        let Some(linked) = uses.networks.get(&key) else { return Err(Reported) };
        let network = &linked.item;
        let at = layer.range;
        if self.open.contains(&key) {
            return self
                .report(at, format!("network `{key}` contains itself; its graph has no end then"));
        }
        self.turn_of(at)?;
        if let (Some(arg), []) = (layer.args.first(), &network.settings[..]) {
            let hint = match &network.generics[..] {
                [] => format!("write `{key}` alone"),
                _ => format!("its sizes are given as `{key}<..>`"),
            };
            let message = format!("network `{key}` takes no arguments, found `{arg}`; {hint}");
            return self.report(arg.range, message);
        }
        if layer.generics.len() != network.generics.len() {
            let hint = match &network.generics[..] {
                [] => format!("write `{key}` alone"),
                names => {
                    let names: Vec<String> = names.iter().map(Ident::to_string).collect();
                    format!("write `{key}<{}>`", names.join(", "))
                }
            };
            let (has, found) = (count(network.generics.len(), "size"), layer.generics.len());
            let message = format!("network `{key}` has {has}, found {found}; {hint}");
            return self.report(Range::of(&layer.path), message);
        }
        if operands.len() != network.inputs.len() {
            let names: Vec<&Ident> = network.inputs.iter().map(|(name, _)| name).collect();
            let takes = takes(&names);
            let message = format!("network `{key}` takes {takes}, found {}", operands.len());
            return self.report(at, message);
        }
        let (mut dims, mut given) = (BTreeMap::new(), vec![]);
        for (name, size) in network.generics.iter().zip(&layer.generics) {
            let dim = self.size(size, 1)?;
            given.push(format!("{name} = {dim}"));
            dims.insert(name.to_string(), dim);
        }
        let settings = self.given(network, layer)?;
        given.extend(
            settings
                .iter()
                .zip(&layer.args)
                .map(|((name, _), arg)| format!("{name} = {}", arg.value)),
        );
        let prefix = format!("{}.", self.name_of(layer));
        // Applied again, it has the same names again.
        self.names.retain(|name| !name.starts_with(&prefix));
        self.counts.retain(|name, _| !name.starts_with(&prefix));
        let inner = linked.uses.clone().unwrap_or_else(|| uses.clone());
        let scope = Rc::new(Scope { dims, owners: self.owners(linked.owner.as_ref()) });
        let saved = (
            std::mem::replace(&mut self.scope, scope),
            std::mem::take(&mut self.bound),
            std::mem::replace(&mut self.prefix, prefix),
            std::mem::replace(&mut self.uses, inner.clone()),
            self.instance.take(),
            self.previous.clone(),
        );
        let again = self.layers.iter().any(|info| info.name.starts_with(&self.prefix));
        let listed = self.layers.len();
        self.open.push(key.clone());
        let result = self.inside_network(network, operands, &settings, layer);
        self.open.pop();
        if again {
            self.layers.truncate(listed);
            let prefix = self.prefix.clone();
            self.list_again(prefix.trim_end_matches('.'), layer, &result);
        }
        (self.scope, self.bound, self.prefix, self.uses, self.instance, self.previous) = saved;
        result.map_err(|errors| {
            self.blame(linked, &inner, layer, errors, &given);
            Reported
        })
    }

    /// A network that shares its layers with itself is listed once; a row says how often it is used.
    fn list_again(&mut self, name: &str, layer: &Layer, result: &Result<Value, usize>) {
        let count = self.counts.entry(format!("again {name}")).or_insert(1);
        *count += 1;
        let text = format!("{}, used {count} times", layer.constructor());
        let output = match result {
            Ok(Value::Tensor(id)) => self.sample_of(*id),
            _ => vec![],
        };
        match self.layers.iter_mut().find(|info| info.name == name) {
            Some(info) => info.text = text,
            None => self.layers.push(LayerInfo {
                name: name.to_owned(),
                ident: None,
                text,
                output,
                params: Dim::literal(0),
                view: None,
            }),
        }
    }

    /// The values of a network's settings: by name, or in their order.
    fn given(&mut self, network: &Network, layer: &Layer) -> Lowered<Vec<(String, NodeId)>> {
        let key = &network.name;
        let names: Vec<String> =
            network.settings.iter().map(|setting| setting.name.to_string()).collect();
        let takes = format!("its settings are {}", names.join(", "));
        let mut given: Vec<(String, NodeId)> = vec![];
        for arg in &layer.args {
            let name = match &arg.name {
                Some(name) => name.to_string(),
                None => match names.iter().find(|name| given.iter().all(|(had, _)| had != *name)) {
                    Some(name) => name.clone(),
                    None => {
                        let message = format!("`{arg}` is no argument of network `{key}`: {takes}");
                        return self.report(arg.range, message);
                    }
                },
            };
            if !names.contains(&name) {
                let near = suggestion(&name, names.iter().map(String::as_str));
                let hint = if near.is_empty() { format!("; {takes}") } else { near };
                let message = format!("network `{key}` has no setting `{name}`{hint}");
                return self.report(arg.range, message);
            }
            if given.iter().any(|(had, _)| *had == name) {
                let message =
                    format!("setting `{name}` of network `{key}` is given twice; remove one");
                return self.report(arg.range, message);
            }
            let id = self.float(&arg.value)?;
            if !self.graph.shape(id).is_empty() {
                let message = format!(
                    "setting `{name}` of network `{key}` is one number, the same for all samples: a literal, a constant or a setting of `{}`, found `{}`",
                    self.network, arg.value
                );
                return self.report(arg.range, message);
            }
            given.push((name, id));
        }
        match names.iter().find(|name| given.iter().all(|(had, _)| had != *name)) {
            Some(name) => {
                let message = format!(
                    "network `{key}` needs a value for its setting `{name}`: `{}({name} = ..)`, a number or a setting of `{}`",
                    layer.kind, self.network
                );
                self.report(layer.range, message)
            }
            None => Ok(given),
        }
    }

    /// The body, on operands that have the shapes of the inputs. After an error, how many there were before
    /// the body.
    fn inside_network(
        &mut self,
        network: &Network,
        operands: &[(NodeId, String, Range)],
        settings: &[(String, NodeId)],
        layer: &Layer,
    ) -> Result<Value, usize> {
        let at = layer.range;
        let mut ids = vec![];
        for ((name, declared), operand) in network.inputs.iter().zip(operands) {
            let outer = std::mem::replace(&mut self.network, network.name.to_string());
            let id = self.argument(&name.to_string(), declared, operand);
            self.network = outer;
            ids.push(id.map_err(|_| self.errors.len())?);
        }
        for (name, id) in settings {
            self.bind(name, Value::Tensor(*id), at, None);
        }
        let (errors, checks) = (self.errors.len(), self.checks.len());
        let mut value = match &network.body {
            Body::Chain(all) => {
                self.x = ids[0];
                self.chain(all, &network.name);
                if self.known { Ok(Value::Tensor(self.x)) } else { Err(Reported) }
            }
            Body::Block(block) => {
                for ((name, _), id) in network.inputs.iter().zip(ids) {
                    self.bind(&name.to_string(), Value::Tensor(id), at, None);
                }
                self.block(block)
            }
        };
        if network.generics.is_empty() {
            // What the body asks of constants is asked where the network is declared, and holds here.
            self.checks.truncate(checks);
            let types = network.outputs.as_ref().map_or(&[][..], |outputs| &outputs.types);
            value = value.map(|value| self.as_declared(value, types, at));
        }
        for check in &mut self.checks[checks..] {
            (check.at, check.previous) = (at, None);
        }
        value.map_err(|_| errors)
    }

    /// What a network yields, with the shapes that it declares.
    fn as_declared(&mut self, value: Value, types: &[TensorType], at: Range) -> Value {
        match (value, types) {
            (Value::Tensor(id), [declared]) => {
                Value::Tensor(self.in_shape(id, declared, at).unwrap_or(id))
            }
            (Value::Tuple(values), types) if values.len() == types.len() => {
                let each = values.into_iter().zip(types);
                let one =
                    |(value, declared)| self.as_declared(value, std::slice::from_ref(declared), at);
                Value::Tuple(each.map(one).collect())
            }
            (value, _) => value,
        }
    }

    /// A value in a declared shape that is as long; what is wrong with it is said where it is declared.
    fn in_shape(&mut self, id: NodeId, declared: &TensorType, at: Range) -> Option<NodeId> {
        let scope = self.scope.clone();
        let sample = tensor_type(declared, &scope, &mut Errors::default())?;
        if sample.len() != self.sample_of(id).len() {
            return None;
        }
        let shape = self.with_batch(id, sample);
        let shaped = self.graph.reshape(id, shape).ok()?;
        self.at(at, Ok(shaped)).ok()
    }

    /// Errors of a body that has none where it is declared come from the sizes that it is given, or from the
    /// `scan` that it is in: they are errors of the layer here.
    fn blame(
        &mut self,
        linked: &Linked<Network>,
        uses: &Rc<Declarations>,
        layer: &Layer,
        since: usize,
        given: &[String],
    ) {
        let found = self.errors.since(since);
        if found.is_empty() {
            return;
        }
        let as_declared = given.is_empty() && self.depth() == 0;
        if as_declared || !lowered(&linked.item, uses, self.train).errors.is_empty() {
            found.into_iter().for_each(|error| self.errors.push(error));
            return;
        }
        let with = if given.is_empty() { "" } else { ", with " };
        let of = format!("in `{layer}` of network `{}`{with}{}", self.network, given.join(", "));
        for error in found {
            self.errors.push(layer.range.error(format!("{of}: {error}")));
        }
    }
}
