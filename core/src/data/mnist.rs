//! MNIST: 28x28 digits from the four IDX files that it is distributed as.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::data::idx::{self, Images};
use crate::data::memory::InMemory;
use crate::dim::D;
use crate::error::{Error, Result};

/// The height and width of an image.
const SIDE: usize = 28;
/// The number of classes.
const CLASSES: u8 = 10;

/// Digits: images `[1, 28, 28]` of numbers from 0 to 1, and their classes, 0 to 9.
pub type Mnist = InMemory<(D<1>, D<28>, D<28>), (), f32, u32>;

/// The training and the test set of MNIST, from the folder that holds its four files:
/// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`. Each may be gzipped, with `.gz` at the end of its name or without, may be
/// written `train-images.idx3-ubyte`, and may begin with `mnist-`.
///
/// ```no_run
/// # extern crate netform_core as netform;
/// let (train, test) = netform::data::mnist("examples/data")?;
/// # Ok::<(), netform::error::Error>(())
/// ```
///
/// # Errors
/// If a file is missing or is not a whole IDX file, if images are not 28x28, if there are not as many
/// labels as images, or if a label is above 9.
pub fn mnist(dir: impl AsRef<Path>) -> Result<(Mnist, Mnist)> {
    let dir = dir.as_ref();
    Ok((part(dir, "train")?, part(dir, "t10k")?))
}

/// The images and labels whose files begin with `part`.
fn part(dir: &Path, part: &str) -> Result<Mnist> {
    let images_path = find(dir, &format!("{part}-images"), "idx3-ubyte")?;
    let labels_path = find(dir, &format!("{part}-labels"), "idx1-ubyte")?;
    let images = read_images(&images_path)?;
    let labels = idx::read_labels(&labels_path)?;
    if images.count == 0 {
        return Err(Error::format(images_path, "header", "0 images, expected at least one"));
    }
    if images.count != labels.len() {
        let problem = format!(
            "{} images, but {} labels in {}; expected a label for each image",
            images.count,
            labels.len(),
            labels_path.display(),
        );
        return Err(Error::format(images_path, "header, byte 4", problem));
    }
    if let Some(at) = labels.iter().position(|&label| label >= CLASSES) {
        // The labels follow a header of eight bytes.
        let place = format!("label {at}, byte {}", at + 8);
        let problem = format!("found {}, expected a digit from 0 to 9", labels[at]);
        return Err(Error::format(labels_path, place, problem));
    }
    let pixels = images.pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let labels = labels.into_iter().map(u32::from).collect();
    let names = (0..CLASSES).map(|class| class.to_string()).collect();
    Ok(InMemory::new(pixels, labels)?.with_class_names(names))
}

fn read_images(path: &Path) -> Result<Images> {
    let images = idx::read_images(path)?;
    if (images.rows, images.cols) != (SIDE, SIDE) {
        let problem = format!(
            "found images of {}x{} pixels, expected {SIDE}x{SIDE}",
            images.rows, images.cols
        );
        return Err(Error::format(path, "header, byte 8", problem));
    }
    Ok(images)
}

/// The first file in `dir` with one of the names that the file is known by.
fn find(dir: &Path, stem: &str, ending: &str) -> Result<PathBuf> {
    let names = [
        format!("{stem}-{ending}"),
        format!("{stem}.{ending}"),
        format!("mnist-{stem}-{ending}"),
        format!("mnist-{stem}.{ending}"),
    ];
    let files = names.iter().flat_map(|name| [dir.join(name), dir.join(format!("{name}.gz"))]);
    if let Some(path) = files.into_iter().find(|path| path.is_file()) {
        return Ok(path);
    }
    let message = if dir.is_dir() {
        format!("the folder has none of {}, each with or without `.gz`", names.join(", "))
    } else {
        format!("there is no such folder; it should hold {}.gz", names[0])
    };
    Err(Error::io(dir, std::io::Error::new(ErrorKind::NotFound, message)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Dataset;

    #[test]
    fn the_digits_of_the_examples() {
        let (train, test) =
            mnist(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data")).unwrap();
        assert_eq!((train.len(), test.len()), (7008, 1496));
        assert_eq!(train.class_names().len(), 10);
        for digits in [train, test] {
            assert_eq!(digits.inputs().iter().copied().fold(0.0, f32::max), 1.0);
            assert_eq!(digits.inputs().iter().copied().fold(1.0, f32::min), 0.0);
            for class in 0..10 {
                let count = digits.targets().iter().filter(|&&label| label == class).count();
                assert!(count * 20 > digits.len(), "{count} of class {class}");
            }
        }
    }
}
