//! Training: epochs of shuffled batches, validation after each, and callbacks between them.

mod callback;
mod check;
mod checkpoint;
mod epoch;
mod fit;
mod history;
#[cfg(feature = "ctrlc")]
mod interrupt;
mod metrics;
mod monitor;
mod norms;
mod progress;
mod resume;
mod session;
mod state;
mod stopping;
mod tally;
mod tensorboard;
#[cfg(test)]
mod tests;
mod trainer;
mod validation;

pub use callback::{BatchRecord, Callback, Flow, NetworkAccess, Plan, Snapshot};
pub use checkpoint::Checkpoint;
pub use history::{EpochRecord, History, StepRecord, WeightNorm};
pub use metrics::{Figures, MetricRecord, Metrics, Named};
pub use progress::Progress;
pub use state::State;
pub use stopping::EarlyStopping;
pub use tally::Evaluation;
pub use tensorboard::TensorBoard;
pub use trainer::Trainer;
pub use validation::{NoValidation, Validation, evaluate};
