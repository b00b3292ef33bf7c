//! What a file of weights says beside them, by name: values as text.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The metadata of a safetensors file.
#[derive(Default)]
pub struct Header(pub BTreeMap<String, String>);

impl Header {
    /// Gives the value called `name` a text.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.0.insert(name.to_owned(), value.to_string());
    }

    /// The value called `name` in the file `path`.
    ///
    /// # Errors
    /// If there is none, or its text is not that of a `T`.
    pub fn get<T: FromStr>(&self, path: &Path, name: &str) -> Result<T> {
        let found = self.0.get(name);
        found.and_then(|text| text.parse().ok()).ok_or_else(|| {
            let found = found.map_or("nothing".to_owned(), |text| format!("`{text}`"));
            // For the message alone, so that it does not matter how the compiler writes types.
            let kind = match std::any::type_name::<T>() {
                "bool" => "true or false",
                name if name.ends_with("String") => "a text",
                _ => "a number",
            };
            let problem = format!(
                "expected {kind}, found {found}; another program has written or changed this file: save it again"
            );
            Error::format(path, format!("`{name}`"), problem)
        })
    }
}
