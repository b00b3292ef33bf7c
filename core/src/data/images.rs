//! Images in files, PNG and JPEG: one as a tensor, a folder of folders as a data set of classes.
//!
//! A file is decoded when its sample is asked for. It is decoded only where the size that it claims is one that a file
//! of its length can hold.

use std::fs;
use std::io::Cursor;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use ::image::imageops::{self, FilterType};
use ::image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::cpu::Cpu;
use crate::data::dataset::Dataset;
use crate::dim::{D, Static};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::random::Seed;
use crate::shape::SampleShape;
use crate::tensor::Tensor;

/// The endings of the files that are taken for images.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];
/// How many bytes of pixels a byte of a file may become: deflate makes at most 1032 of one, each of which may be
/// eight pixels in black and white.
const EXPANSION: u64 = 8 * 1032;
/// Pixels that every file may have.
const SMALL: u64 = 1 << 16;
/// Images so many times as large as wanted are made smaller by averages first, which needs no memory in between.
const COARSE: u32 = 4;

/// The shape of an image: `[1, height, width]` in grey, `[3, height, width]` in red, green and blue.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the shape of an image",
    note = "images are `[1, height, width]` in grey or `[3, height, width]` in red, green and blue"
)]
pub trait ImageShape: SampleShape {
    /// The pixels of an image in these colours, row by row, the colours of a pixel together, at this size.
    #[doc(hidden)]
    fn pixels(image: DynamicImage) -> Vec<u8>;
}

macro_rules! colours {
    ($($channels:literal: $convert:ident;)*) => { $(
        impl<H: Static, W: Static> ImageShape for (D<$channels>, H, W) {
            fn pixels(image: DynamicImage) -> Vec<u8> {
                let mut image = image.$convert();
                // Sizes of a network fit in what images have; where not, there is no memory for one.
                let (width, height) = (W::N as u32, H::N as u32);
                let coarse = (
                    image.width().min(width.saturating_mul(COARSE)),
                    image.height().min(height.saturating_mul(COARSE)),
                );
                if coarse != image.dimensions() {
                    image = imageops::thumbnail(&image, coarse.0, coarse.1);
                }
                if (width, height) != image.dimensions() {
                    image = imageops::resize(&image, width, height, FilterType::Triangle);
                }
                image.into_raw()
            }
        }
    )* };
}
colours! {
    1: into_luma8;
    3: into_rgb8;
}

/// Reads an image as numbers from 0 to 1, resized to the height and width of `X` whatever its proportions are;
/// transparency is left out.
///
/// ```no_run
/// # extern crate netform_core as netform;
/// use netform::data::images;
/// use netform::dim::D;
///
/// let photo = images::read::<(D<3>, D<64>, D<64>), f32>("photo.jpg")?;
/// # Ok::<(), netform::error::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be read or is not a whole image in PNG or JPEG.
pub fn read<X: ImageShape, E: Float>(path: impl AsRef<Path>) -> Result<Tensor<X, E>> {
    let mut tensor = Tensor::zeros_on(Cpu::default(), X::default())?;
    read_into::<X, E>(path.as_ref(), tensor.as_mut_slice())?;
    Ok(tensor)
}

fn read_into<X: ImageShape, E: Float>(path: &Path, out: &mut [E]) -> Result<()> {
    let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
    let pixels = X::pixels(decode(path, &bytes)?);
    let channels = X::SIZES[0];
    // From [height, width, channels] to [channels, height, width].
    let plane = (X::NUMEL / channels).max(1);
    for (channel, plane) in out.chunks_exact_mut(plane).enumerate() {
        for (to, pixel) in plane.iter_mut().zip(pixels.chunks_exact(channels)) {
            *to = E::from_f64(f64::from(pixel[channel]) / 255.0);
        }
    }
    Ok(())
}

fn decode(path: &Path, bytes: &[u8]) -> Result<DynamicImage> {
    let refused = |problem: String| {
        let problem = format!("{problem}; save it again as PNG or JPEG, or remove it");
        Error::format(path, "image", problem)
    };
    let damaged = |e| refused(format!("not a whole image ({e})"));
    let mut reader = ImageReader::new(Cursor::new(bytes));
    match ::image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => reader.set_format(format),
        _ => return Err(refused("found neither PNG nor JPEG".to_owned())),
    }
    let most = (bytes.len() as u64).saturating_mul(EXPANSION).saturating_add(SMALL);
    let mut limits = Limits::no_limits();
    // The image, and what decoders keep of it beside.
    limits.max_alloc = Some(most.saturating_mul(2));
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > most || width == 0 || height == 0 {
        let problem = format!(
            "found a size of {width} x {height} pixels, more or less than a file of {} bytes can hold",
            bytes.len()
        );
        return Err(refused(problem));
    }
    DynamicImage::from_decoder(decoder).map_err(damaged)
}

/// A data set of a folder that has a folder of images for each class: `flowers/rose/1.jpg`, `flowers/tulip/a/2.png`.
///
/// Classes are numbered in the order of their names. Files that do not end in `.png`, `.jpg` or `.jpeg` are left out.
/// Inputs are numbers from 0 to 1, as [`read`] makes them. [`Dataset::prefetch`] decodes on other threads, and
/// [`Dataset::to_memory`] once and for all.
///
/// ```no_run
/// # extern crate netform_core as netform;
/// use netform::data::{Dataset, ImageFolder, augment::Flip};
/// use netform::dim::D;
/// use netform::random::Seed;
///
/// let flowers: ImageFolder<(D<3>, D<64>, D<64>)> = ImageFolder::open("flowers")?;
/// println!("{:?}", flowers.class_names());
/// let (train, test) = flowers.stratified_split(0.8, Seed(1))?;
/// let train = train.cloned().augment(Flip::Horizontal).prefetch(2)?;
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageFolder<X, E = f32> {
    files: Vec<PathBuf>,
    classes: Vec<u32>,
    class_names: Vec<String>,
    shape: PhantomData<fn() -> (X, E)>,
}

impl<X: ImageShape, E: Float> ImageFolder<X, E> {
    /// Finds the classes and images in a folder; no image is read yet.
    ///
    /// # Errors
    /// If the folder cannot be read, has no folders, or one of them has no images.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let root = path.as_ref();
        let folders: Vec<PathBuf> =
            entries(root)?.into_iter().filter(|path| path.is_dir()).collect();
        if folders.is_empty() {
            let problem = "found no folders, expected one for each class, with its images in it";
            return Err(Error::format(root, "folder", problem));
        }
        let (mut files, mut classes, mut class_names) = (Vec::new(), Vec::new(), Vec::new());
        for (folder, class) in folders.iter().zip(0..) {
            find(folder, &mut files)?;
            if files.len() == classes.len() {
                let problem = format!(
                    "found no files that end in .{}, expected the images of a class; remove the folder if it is none",
                    ENDINGS.join(", .")
                );
                return Err(Error::format(folder, "folder", problem));
            }
            classes.resize(files.len(), class);
            let name = folder.file_name().unwrap_or_default();
            class_names.push(name.to_string_lossy().into_owned());
        }
        Ok(ImageFolder { files, classes, class_names, shape: PhantomData })
    }

    /// The files, by sample.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

/// What is in a folder, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let paths = entries.map(|entry| Ok(entry.map_err(|e| Error::io(folder, e))?.path()));
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Adds the images in a folder and in the folders in it.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in entries(folder)? {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        // A link to a folder may lead around in a circle.
        if path.is_dir() && !path.is_symlink() {
            find(&path, files)?;
        } else if path.is_file() && ENDINGS.contains(&ending.as_str()) {
            files.push(path);
        }
    }
    Ok(())
}

impl<X: ImageShape, E: Float> Dataset for ImageFolder<X, E> {
    type Input = X;
    type Target = ();
    type Element = E;
    type TargetElement = u32;

    fn len(&self) -> usize {
        self.files.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [E],
        targets: &mut [u32],
    ) -> Result<()> {
        for (image, &index) in inputs.chunks_exact_mut(X::NUMEL.max(1)).zip(indices) {
            read_into::<X, E>(&self.files[index], image)?;
        }
        self.gather_targets(pass, indices, targets)
    }

    fn gather_targets(&self, _: Seed, indices: &[usize], targets: &mut [u32]) -> Result<()> {
        for (target, &index) in targets.iter_mut().zip(indices) {
            *target = self.classes[index];
        }
        Ok(())
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }
}
