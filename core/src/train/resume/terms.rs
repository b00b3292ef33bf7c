//! What a saved training says of itself in words: what it is a training of, on which terms, and where it was.

use std::path::Path;

use crate::error::{Error, Result};
use crate::io::header::Header;
use crate::module::Module;
use crate::optim::Optimizer;
use crate::update::Rules;

/// The version of the file that is written, and the only one that is read.
const VERSION: u64 = 3;
/// The entry of the header that says it is such a file.
const MARK: &str = "netform.training";
/// What the entries begin with that are terms.
const TERM: &str = "term.";

/// What training goes on with as it began: each by name, as text.
pub(in crate::train) struct Terms(Vec<(&'static str, String)>);

impl Terms {
    /// Of a training of `N` with the loss `L`, which `loss` describes, or its type alone where that is empty.
    pub fn of<N: Module, L, O: Optimizer>(
        loss: String,
        optimizer: &O,
        rules: &Rules,
        [samples, batch]: [usize; 2],
    ) -> Self {
        let by_type = || without_paths(std::any::type_name::<L>());
        let mut terms = vec![
            ("network", N::NAME.to_owned()),
            ("loss", if loss.is_empty() { by_type() } else { loss }),
            ("optimizer", format!("{optimizer:?}")),
            ("samples", samples.to_string()),
            ("batch", batch.to_string()),
        ];
        terms.extend(rules.described());
        Terms(terms)
    }
}

/// The name of a type without the paths of what it consists of: `Own<CrossEntropy>`.
fn without_paths(name: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    for c in name.chars() {
        match c {
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            c => {
                short.push_str(&std::mem::take(&mut word));
                short.push(c);
            }
        }
    }
    short + &word
}

impl Terms {
    /// A header with the terms alone so far.
    pub fn header(&self) -> Header {
        let mut header = Header::default();
        header.set(MARK, VERSION);
        for (name, text) in &self.0 {
            header.set(&format!("{TERM}{name}"), text);
        }
        header
    }

    /// Checks that a file is a saved training, of this version and on these terms.
    pub fn check(&self, path: &Path, header: &Header) -> Result<()> {
        if !header.0.contains_key(MARK) {
            return Err(Error::format(
                path,
                format!("`{MARK}`"),
                "these are weights alone, and not a training that can be resumed; `net.load` reads them",
            ));
        }
        let version: String = header.get(path, MARK)?;
        if version != VERSION.to_string() {
            return Err(Error::format(
                path,
                format!("`{MARK}`"),
                format!(
                    "a training saved in format {version}, and this version of netform reads format {VERSION}; resume it with the version that saved it, or begin a new training with its weights: `net.load`"
                ),
            ));
        }
        for (name, now) in &self.0 {
            let then: String = header.get(path, &format!("{TERM}{name}"))?;
            if then != *now {
                return Err(Error::format(
                    path,
                    format!("`{name}`"),
                    format!(
                        "the training that was saved has `{then}`, this one `{now}`; it goes on with what it began with: give it the same, or begin a new training with its weights: `net.load`"
                    ),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_short() {
        assert_eq!(without_paths("a::b::CrossEntropy"), "CrossEntropy");
        assert_eq!(without_paths("a::Own<b::c::Mse, &d::L1>"), "Own<Mse, &L1>");
    }
}
