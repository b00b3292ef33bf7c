//! NumPy's archives of arrays, `.npz`: zip files of `.npy` files.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::io::npy;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// What the name of an array ends with in the archive.
const ENDING: &str = ".npy";

/// An archive that is open for reading.
///
/// ```no_run
/// # extern crate netform_core as netform;
/// use netform::data::InMemory;
/// use netform::dim::{Batch, D};
/// use netform::io::npz::Archive;
///
/// let mut archive = Archive::open("mnist.npz")?;
/// let images = archive.read::<(Batch, D<28>, D<28>), f32>("x_train")?;
/// let labels = archive.read::<(Batch,), u32>("y_train")?;
/// let train = InMemory::from_tensors(&images, &labels)?;
/// # Ok::<(), netform::error::Error>(())
/// ```
pub struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
}

impl Archive {
    /// Opens an archive.
    ///
    /// # Errors
    /// If the file cannot be read or is not a zip file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let file = File::open(&path).map_err(|e| Error::io(&path, e))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|e| refused(&path, "end", e))?;
        Ok(Archive { path, zip })
    }

    /// The names of the arrays, in the order of the file.
    pub fn names(&self) -> Vec<String> {
        let names = self.zip.file_names().flatten();
        names.map(|name| name.strip_suffix(ENDING).unwrap_or(&name).to_owned()).collect()
    }

    /// Reads an array as a tensor, as [`npy::read`] does.
    ///
    /// # Errors
    /// If there is no such array, or it is not one that [`npy::read`] takes.
    pub fn read<S: Shape, E: Element>(&mut self, name: &str) -> Result<Tensor<S, E>> {
        let place = self.path.join(format!("{name}{ENDING}"));
        let names = self.names();
        match self.zip.by_name(&format!("{name}{ENDING}")) {
            Ok(file) => npy::read_from(file, &place),
            Err(ZipError::FileNotFound) => {
                let problem = format!("there is no array `{name}`; there are {}", names.join(", "));
                Err(Error::format(&self.path, "directory", problem))
            }
            Err(error) => Err(refused(&self.path, &format!("array `{name}`"), error)),
        }
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("path", &self.path).field("names", &self.names()).finish()
    }
}

/// What the reader of the `zip` crate refused.
fn refused(path: &Path, place: &str, error: ZipError) -> Error {
    match error {
        ZipError::Io(e) if e.raw_os_error().is_some() => Error::io(path, e),
        error => {
            let problem = format!("not a whole zip file ({error}); is it truncated, or not .npz?");
            Error::format(path, place, problem)
        }
    }
}
