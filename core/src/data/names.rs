//! Names of classes and of categories: what is told apart by them must have different ones.

use std::collections::HashSet;

use crate::error::{Error, Result};

/// That `names` differ and are not empty; `what` they are of is for the message.
pub(crate) fn check_names(what: &str, names: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    match names.iter().position(|name| name.is_empty() || !seen.insert(name)) {
        None => Ok(()),
        Some(i) => Err(Error::Invalid(format!(
            "the names of {what}: name {} is `{}`, expected names that differ and are not empty",
            i + 1,
            names[i]
        ))),
    }
}
