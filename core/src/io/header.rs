//! What a file of weights says beside them, by name: values as text.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, Result};

/// What to do about a value that this program has not written.
const CHANGED: &str = "another program has written or changed this file: save it again";

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
            let problem = format!("expected {kind}, found {found}; {CHANGED}");
            Error::format(path, format!("`{name}`"), problem)
        })
    }

    /// The number called `name` in the file `path`, which is one of `range`.
    ///
    /// # Errors
    /// If there is none, or it is none of these.
    pub fn within<T>(&self, path: &Path, name: &str, range: RangeInclusive<T>) -> Result<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let number = self.get(path, name)?;
        if range.contains(&number) {
            return Ok(number);
        }
        let (least, most) = range.into_inner();
        let problem =
            format!("expected a number from {least} to {most}, found {number}; {CHANGED}");
        Err(Error::format(path, format!("`{name}`"), problem))
    }
}
