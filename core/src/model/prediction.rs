//! What a classifier says of a sample.

use std::fmt;
use std::sync::Arc;

/// What a [`Classifier`](super::Classifier) says of one sample: how probable each class is.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    pub(super) names: Arc<[String]>,
    pub(super) probabilities: Vec<f64>,
}

impl Prediction {
    /// The most probable class, from 0; the first of several that are.
    pub fn class(&self) -> usize {
        self.order().first().copied().unwrap_or_default()
    }

    /// The name of the most probable class.
    pub fn name(&self) -> &str {
        &self.names[self.class()]
    }

    /// How probable the most probable class is, from 0 to 1.
    pub fn probability(&self) -> f64 {
        self.probabilities[self.class()]
    }

    /// How probable each class is, by class: numbers from 0 to 1 that add up to 1.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Names and probabilities of the `k` most probable classes, the most probable one first; of all where there are
    /// fewer.
    pub fn top(&self, k: usize) -> Vec<(&str, f64)> {
        let order = self.order().into_iter().take(k);
        order.map(|class| (self.names[class].as_str(), self.probabilities[class])).collect()
    }

    /// The classes, the most probable one first.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.probabilities.len()).collect();
        order.sort_by(|&a, &b| self.probabilities[b].total_cmp(&self.probabilities[a]));
        order
    }
}

impl fmt::Display for Prediction {
    /// `virginica (97.3%)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:.1}%)", self.name(), 100.0 * self.probability())
    }
}
