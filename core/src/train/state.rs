//! What a callback carries from batch to batch, for a training that is resumed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use super::callback::Snapshot;
use crate::error::{Error, Result};

/// What a callback needs to go on where it was, by name.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::train::State;
/// let state = State::new("Patience").set("waited", 3).set("best", 0.1);
/// assert_eq!(state.get::<usize>("waited")?, 3);
/// assert_eq!(state.get::<f64>("best")?, 0.1);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub(super) callback: String,
    pub(super) values: BTreeMap<String, String>,
    pub(super) weights: Option<Snapshot>,
}

impl State {
    /// Of a callback of this name, with nothing in it yet.
    pub fn new(callback: impl Into<String>) -> Self {
        State { callback: callback.into(), ..Self::default() }
    }

    /// Adds a value as its text: numbers come back as the same numbers.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Display) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds a copy of the network's weights.
    #[must_use]
    pub fn with_weights(mut self, weights: Snapshot) -> Self {
        self.weights = Some(weights);
        self
    }

    /// Whether there is a value of this name.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The value of this name.
    ///
    /// # Errors
    /// If there is none, or it is not a `T`.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T> {
        let found = self.values.get(name);
        found.and_then(|text| text.parse().ok()).ok_or_else(|| {
            let found = found.map_or("nothing".to_owned(), |text| format!("`{text}`"));
            Error::Invalid(format!(
                "the state of callback `{}` in a checkpoint: expected a {} called `{name}`, found {found}; was it written by another version of the program?",
                self.callback,
                std::any::type_name::<T>()
            ))
        })
    }

    /// The weights, if there are some.
    pub fn weights(&self) -> Option<&Snapshot> {
        self.weights.as_ref()
    }
}
