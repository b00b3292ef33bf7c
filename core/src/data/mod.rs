//! Data: readers of the formats that small data sets come in, data sets with typed shapes, and
//! mini-batches of them.

pub mod augment;
pub mod batches;
pub mod columns;
pub mod csv;
pub mod dataset;
mod elements;
pub mod idx;
#[cfg(feature = "images")]
pub mod images;
mod kept;
mod kinds;
pub mod map;
pub mod memory;
pub mod mnist;
mod names;
pub mod prefetch;
pub mod scaling;
mod shared;
mod splits;
pub mod subset;

pub use self::batches::{Batches, Loader, MiniBatch};
pub(crate) use self::columns::Listed;
pub use self::columns::{Columns, Fill};
pub use self::csv::Table;
pub use self::dataset::Dataset;
pub use self::elements::DatasetOf;
#[cfg(feature = "images")]
pub use self::images::ImageFolder;
pub(crate) use self::kept::Source;
pub use self::kinds::{InMemoryOf, NumericTargets, Three, Unlabelled};
pub use self::memory::InMemory;
pub use self::mnist::mnist;
pub(crate) use self::names::check_names;
pub use self::scaling::Scaling;
pub use self::subset::Subset;
