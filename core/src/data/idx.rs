//! IDX files, MNIST's format: a magic number, big-endian sizes, then bytes; gzipped or not.
//!
//! What a header claims is not believed: memory grows with the bytes that really come.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};

/// What every gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Images of one size, a byte a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The number of images.
    pub count: usize,
    /// The height of each.
    pub rows: usize,
    /// The width of each.
    pub cols: usize,
    /// The pixels, image by image, row by row.
    pub pixels: Vec<u8>,
}

/// Reads a file of images: three axes of unsigned bytes, gzipped or not.
///
/// # Errors
/// If the file cannot be read, or is not a whole IDX file of images and nothing else.
pub fn read_images(path: impl AsRef<Path>) -> Result<Images> {
    let (sizes, pixels) = read::<3>(path.as_ref())?;
    let [count, rows, cols] = sizes;
    Ok(Images { count, rows, cols, pixels })
}

/// Reads a file of labels: one axis of unsigned bytes, gzipped or not.
///
/// # Errors
/// If the file cannot be read, or is not a whole IDX file of labels and nothing else.
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let (_, labels) = read::<1>(path.as_ref())?;
    Ok(labels)
}

/// The sizes and bytes of an IDX file with `AXES` axes of unsigned bytes.
fn read<const AXES: usize>(path: &Path) -> Result<([usize; AXES], Vec<u8>)> {
    let mut source = Source::open(path)?;
    source.magic(AXES as u8)?;
    let mut sizes = [0; AXES];
    for size in &mut sizes {
        *size = source.size()?;
    }
    let bytes = source.data(&sizes)?;
    source.end()?;
    Ok((sizes, bytes))
}

/// The bytes of a file, unzipped, with the position for messages.
struct Source<'a> {
    path: &'a Path,
    reader: Box<dyn Read>,
    gzip: bool,
    position: u64,
}

impl<'a> Source<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        let mut file = BufReader::new(file);
        let gzip = file.fill_buf().map_err(|e| Error::io(path, e))?.starts_with(&GZIP);
        let reader: Box<dyn Read> =
            if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Ok(Source { path, reader, gzip, position: 0 })
    }

    /// Checks the four bytes that say what the file holds.
    fn magic(&mut self, axes: u8) -> Result<()> {
        let found = self.four("the magic number")?;
        let expected = [0, 0, 8, axes];
        if found == expected {
            return Ok(());
        }
        let kind = |magic: [u8; 4]| match magic {
            [0, 0, 8, 1] => " (labels)",
            [0, 0, 8, 3] => " (images)",
            _ => "",
        };
        let problem = format!(
            "found the magic number {:#010x}{}, expected {:#010x}{}",
            u32::from_be_bytes(found),
            kind(found),
            u32::from_be_bytes(expected),
            kind(expected),
        );
        Err(Error::format(self.path, "header, byte 0", problem))
    }

    /// The length of the next axis.
    fn size(&mut self) -> Result<usize> {
        let place = self.place();
        let size = u32::from_be_bytes(self.four("the length of an axis")?);
        usize::try_from(size).map_err(|_| {
            Error::format(self.path, place, format!("{size} is too long for an axis here"))
        })
    }

    /// Four bytes of the header.
    fn four(&mut self, what: &str) -> Result<[u8; 4]> {
        let bytes = self.up_to(4)?;
        <[u8; 4]>::try_from(bytes.as_slice()).map_err(|_| {
            let problem = format!("the file ends within {what}, 4 bytes; is it truncated?");
            Error::format(self.path, format!("header, byte {}", self.position), problem)
        })
    }

    /// All the bytes that the header announces.
    fn data(&mut self, sizes: &[usize]) -> Result<Vec<u8>> {
        let text = sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
        let expected = sizes
            .iter()
            .try_fold(1u64, |product, &size| product.checked_mul(size as u64))
            .ok_or_else(|| {
                let problem = format!("the sizes {text} are more bytes than a file can hold");
                Error::format(self.path, "header, byte 4", problem)
            })?;
        let bytes = self.up_to(expected)?;
        if bytes.len() as u64 == expected {
            return Ok(bytes);
        }
        let problem = format!(
            "the file ends after {} bytes of data, expected {expected} ({text}); is it truncated?",
            bytes.len(),
        );
        Err(Error::format(self.path, self.place(), problem))
    }

    /// Checks that nothing follows; for a gzip file that also checks its checksum.
    fn end(&mut self) -> Result<()> {
        let place = self.place();
        if self.up_to(1)?.is_empty() {
            return Ok(());
        }
        let problem = "found more bytes, expected the file to end here by the sizes in its header";
        Err(Error::format(self.path, place, problem))
    }

    /// The next `n` bytes, fewer where the file ends.
    fn up_to(&mut self, n: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let outcome = self.reader.by_ref().take(n).read_to_end(&mut bytes);
        self.position += bytes.len() as u64;
        match outcome {
            Ok(_) => Ok(bytes),
            Err(e) if self.gzip && is_about_content(e.kind()) => {
                let problem = format!("not a whole gzip file ({e}); is it truncated or damaged?");
                Err(Error::format(self.path, self.place(), problem))
            }
            Err(e) => Err(Error::io(self.path, e)),
        }
    }

    fn place(&self) -> String {
        let unzipped = if self.gzip { " of the unzipped data" } else { "" };
        format!("byte {}{unzipped}", self.position)
    }
}

/// Whether an error of the unzipping reader is about what the file holds, not about reading it.
fn is_about_content(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof)
}
