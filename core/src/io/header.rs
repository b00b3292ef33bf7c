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
            let kind = std::any::type_name::<T>();
            Error::format(path, format!("`{name}`"), format!("expected a {kind}, found {found}"))
        })
    }
}
