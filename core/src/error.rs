//! What can go wrong, with what was found, what was expected and what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Every fallible call of netform returns this.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of netform.
///
/// `{:?}` writes the message, as `{}` does: a `main` that returns the error, an `unwrap` and `Box<dyn Error>` print it so,
/// and a message says what was found, what was expected and what to do.
///
/// ```
/// # extern crate netform_core as netform;
/// let missing = netform::data::Table::read("no_such_file.csv").unwrap_err();
/// assert!(format!("{missing:?}").starts_with("no_such_file.csv: "));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A file's content is not what it should be.
    #[error("{path}: {place}: {problem}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Where in the file: a byte, a line, a field.
        place: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// Weights do not belong to the network.
    #[error("weights do not fit network `{network}`; it keeps its old values:\n{problems}", problems = list(problems))]
    Weights {
        /// The network's name.
        network: &'static str,
        /// Each missing, extra or wrongly shaped tensor.
        problems: Vec<String>,
    },
    /// Data of the wrong size.
    #[error("{what}: expected {expected}, found {found}")]
    Size {
        /// What was being built or run.
        what: String,
        /// The size that was expected.
        expected: String,
        /// The size that was found.
        found: String,
    },
    /// A class label beyond the number of classes, or an index beyond the rows that it picks from.
    #[error("{what}: index {index} is out of range: there are {size} {of}, from 0 to {}", size.saturating_sub(1))]
    IndexOutOfRange {
        /// What was being computed.
        what: String,
        /// The index that was found.
        index: usize,
        /// The number of classes, or of rows.
        size: usize,
        /// What there are so many of: `classes`, `rows of the table`.
        of: &'static str,
    },
    /// Training met a loss that is infinite or not a number.
    #[error(
        "the loss became {loss} in epoch {epoch}, batch {batch}: training has stopped, and this batch has changed nothing{saved}; {cause}; a smaller learning rate often helps, or look for inputs that are not finite"
    )]
    NotFinite {
        /// The loss.
        loss: f64,
        /// The epoch, from 1.
        epoch: usize,
        /// The batch in the epoch, from 1.
        batch: usize,
        /// What on the way to the loss was first not finite, as text for the message: a sample, a parameter, or the
        /// output of a step of the forward pass.
        cause: String,
        /// Where the best weights so far are, as text for the message; may be empty.
        saved: String,
    },
    /// An update by gradients that are infinite or not a number, of a loss that is finite.
    #[error(
        "the update of epoch {epoch}, batch {batch} is not finite, though its loss is: training has stopped{saved}; {cause}; a smaller learning rate often helps, or look for a root or a logarithm of 0"
    )]
    UpdateNotFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The batch in the epoch, from 1.
        batch: usize,
        /// What was first not finite, as text for the message: the output of a step of the backward pass, or a
        /// parameter, where the update has been made.
        cause: String,
        /// Where the best weights so far are, as text for the message; may be empty.
        saved: String,
    },
    /// After an epoch, the loss of the validation data is infinite or not a number.
    #[error(
        "the validation loss became {loss} after epoch {epoch}: training has stopped{saved}; {cause}; a smaller learning rate often helps, or look for validation data that are not finite"
    )]
    ValidationNotFinite {
        /// The loss of the first batch whose loss is so.
        loss: f64,
        /// The epoch, from 1.
        epoch: usize,
        /// What on the way to the loss was first not finite, as text for the message: a sample, a parameter, or the
        /// output of a step of inference.
        cause: String,
        /// Where the best weights so far are, as text for the message; may be empty.
        saved: String,
    },
    /// A setting that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The device has not enough memory.
    #[error("{device}: not enough memory for {bytes} bytes{advice}")]
    OutOfMemory {
        /// The device's name.
        device: String,
        /// The bytes that were asked for.
        bytes: usize,
        /// What they were for and what would fit, as text for the message; may be empty.
        advice: String,
    },
    /// A device is not there, was lost, or cannot do what it was asked for.
    #[error("{device}: {problem}")]
    Device {
        /// The device's name.
        device: String,
        /// What was found, and what to do.
        problem: String,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// An [`Error::Io`] about `path`. Of a file that is not there, the message says where a relative path begins.
    pub fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        let source = match std::env::current_dir() {
            Ok(folder) if source.kind() == io::ErrorKind::NotFound && path.is_relative() => {
                let problem = format!("{source}; the path begins in {}", folder.display());
                io::Error::new(io::ErrorKind::NotFound, problem)
            }
            _ => source,
        };
        Error::Io { path, source }
    }

    /// An [`Error::Format`] about `path`.
    pub fn format(
        path: impl Into<PathBuf>,
        place: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Error::Format { path: path.into(), place: place.into(), problem: problem.into() }
    }
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n")
}
