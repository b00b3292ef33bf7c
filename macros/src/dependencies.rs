//! Which items of a declaration use which: they are compiled after what they use, and what uses itself is an
//! error.

use syn::{Ident, Path};

use crate::ast::{Declaration, Item};
use crate::errors::{Errors, Range, listed};
use crate::link::names;

/// The items of the same declaration that each item uses, and where it names them.
pub struct Dependencies {
    uses: Vec<Vec<(usize, Path)>>,
}

/// How far the search for an order is with an item.
#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    /// What it uses is being visited.
    Open,
    Done,
    /// It uses itself, or what does.
    Endless,
}

impl Dependencies {
    pub fn of(declaration: &Declaration) -> Self {
        let own: Vec<&Ident> = declaration.items.iter().map(Item::name).collect();
        let index = |path: &Path| own.iter().position(|name| path.is_ident(*name));
        let uses = |item| {
            let paths = names(item).into_iter();
            paths.filter_map(|path| index(&path).map(|i| (i, path))).collect()
        };
        Dependencies { uses: declaration.items.iter().map(uses).collect() }
    }

    /// The items that an item uses.
    pub fn used_by(&self, item: usize) -> impl Iterator<Item = usize> {
        self.uses[item].iter().map(|(used, _)| *used)
    }

    /// Items after what they use. What has no end is reported once and left out, as is what uses it.
    pub fn order(&self, items: &[Item], errors: &mut Errors) -> Vec<usize> {
        let mut states = vec![State::New; items.len()];
        let (mut order, mut open) = (vec![], vec![]);
        for item in 0..items.len() {
            self.visit(item, items, &mut states, &mut open, &mut order, errors);
        }
        order
    }

    fn visit(
        &self,
        item: usize,
        items: &[Item],
        states: &mut [State],
        open: &mut Vec<usize>,
        order: &mut Vec<usize>,
        errors: &mut Errors,
    ) {
        if states[item] != State::New {
            return;
        }
        states[item] = State::Open;
        open.push(item);
        let mut ends = true;
        for (used, path) in &self.uses[item] {
            if states[*used] == State::Open {
                let begin = open.iter().position(|i| i == used).unwrap_or_default();
                errors.push(endless(
                    &items[*used],
                    path,
                    open[begin + 1..].iter().map(|i| &items[*i]),
                ));
                ends = false;
                break;
            }
            self.visit(*used, items, states, open, order, errors);
            ends &= states[*used] == State::Done;
        }
        open.pop();
        states[item] = if ends { State::Done } else { State::Endless };
        if ends {
            order.push(item);
        }
    }
}

/// The error at the name that closes a circle, which leads through some other items.
fn endless<'i>(item: &Item, at: &Path, through: impl Iterator<Item = &'i Item>) -> syn::Error {
    let way = listed(through.map(Item::name));
    let way = if way.is_empty() { way } else { format!(", by way of {way}") };
    let message = match item {
        Item::Network(network) => {
            format!("network `{}` contains itself{way}; its graph has no end then", network.name)
        }
        Item::Function(function) => {
            format!("`{}` calls itself{way}; a function's graph has no end then", function.name)
        }
    };
    Range::of(at).error(message)
}
