//! NumPy's files of one array, `.npy`: a header that is a Python dictionary, then the elements.
//!
//! The format is NEP 1 of NumPy. What a header claims is not believed: memory grows with the bytes that really come.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::cpu::Cpu;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::io::atomic::write_atomically;
use crate::io::npy_header::{Header, Kind};
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;

/// What every file begins with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Reads an array as a tensor of shape `S`: every size that is part of the type must be the file's, `Batch` and `Len`
/// take any. Elements become the nearest floats; for a tensor of `u32`, such as class labels, they must be whole numbers
/// that `u32` can hold.
///
/// ```no_run
/// # extern crate netform_core as netform;
/// use netform::data::InMemory;
/// use netform::dim::{Batch, D};
/// use netform::io::npy;
///
/// let images = npy::read::<(Batch, D<28>, D<28>), f32>("x_train.npy")?;
/// let labels = npy::read::<(Batch,), u32>("y_train.npy")?;
/// let train = InMemory::from_tensors(&images, &labels)?;
/// # Ok::<(), netform::error::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be read, is not a whole array of numbers, has another shape, or an element is out of range.
pub fn read<S: Shape, E: Element>(path: impl AsRef<Path>) -> Result<Tensor<S, E>> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    read_from(BufReader::new(file), path)
}

/// Reads an array from bytes as [`read`] does; `source` is where messages say that they are from.
///
/// # Errors
/// As [`read`].
pub fn read_from<S: Shape, E: Element>(
    reader: impl Read,
    source: impl AsRef<Path>,
) -> Result<Tensor<S, E>> {
    let mut file = Source { reader, path: source.as_ref(), position: 0 };
    let header = file.header()?;
    let shape = header.shape_as::<S>(file.path)?;
    let bytes = file.data(&header)?;
    let elements = header.elements(file.path, &bytes)?;
    let mut tensor = Tensor::zeros_on(Cpu::default(), shape)?;
    tensor.write(&elements)?;
    Ok(tensor)
}

/// Writes a tensor as an array, atomically.
///
/// ```no_run
/// # extern crate netform_core as netform;
/// use netform::{io::npy, tensor::Tensor};
/// npy::write("table.npy", &Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]))?;
/// # Ok::<(), netform::error::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be written.
pub fn write<S: Shape, E: Element>(path: impl AsRef<Path>, tensor: &Tensor<S, E>) -> Result<()> {
    write_atomically(path, &to_bytes(tensor))
}

/// The bytes of a file with a tensor as its array.
pub fn to_bytes<S: Shape, E: Element>(tensor: &Tensor<S, E>) -> Vec<u8> {
    let sizes: String =
        tensor.shape().sizes()[..S::RANK].iter().map(|size| format!("{size}, ")).collect();
    let kind = Kind::of::<E>();
    let mut header = format!(
        "{{'descr': '<{kind}', 'fortran_order': False, 'shape': ({}), }}",
        sizes.trim_end()
    );
    // Elements begin at a multiple of 64 bytes; the header ends with a new line.
    let before = MAGIC.len() + 4;
    let end = (before + header.len() + 1).next_multiple_of(64) - before;
    header.extend(std::iter::repeat_n(' ', end - header.len() - 1));
    header.push('\n');
    // Six sizes of at most twenty digits: not longer than what two bytes hold.
    let mut bytes = [&MAGIC[..], &[1, 0], &(header.len() as u16).to_le_bytes()].concat();
    bytes.extend(header.into_bytes());
    tensor.as_slice().iter().for_each(|x| x.extend_le_bytes(&mut bytes));
    bytes
}

/// The bytes of a file, with the position for messages.
struct Source<'a, R> {
    reader: R,
    path: &'a Path,
    position: u64,
}

impl<R: Read> Source<'_, R> {
    fn header(&mut self) -> Result<Header> {
        let start = self.exactly(MAGIC.len() as u64 + 2, "the magic string and the version")?;
        let (magic, version) = start.split_at(MAGIC.len());
        if magic != MAGIC {
            let problem = format!(
                "found `{}`, expected `\\x93NUMPY`: not a file of NumPy",
                magic.escape_ascii()
            );
            return Err(Error::format(self.path, "header, byte 0", problem));
        }
        let digits = match version[0] {
            1 => 2,
            2 | 3 => 4,
            other => {
                let problem = format!("found version {other}, expected 1, 2 or 3");
                return Err(Error::format(self.path, "header, byte 6", problem));
            }
        };
        let length = self.exactly(digits, "the length of the header")?;
        let length = length.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte));
        let place = format!("header, byte {}", self.position);
        let text = self.exactly(length, "the header")?;
        let text = std::str::from_utf8(&text).map_err(|_| "not text".to_owned());
        text.and_then(Header::parse).map_err(|problem| Error::format(self.path, place, problem))
    }

    /// All the elements that the header announces, and nothing else.
    fn data(&mut self, header: &Header) -> Result<Vec<u8>> {
        let expected = header.bytes().ok_or_else(|| {
            let problem = format!("the shape {} has more bytes than a file can", header.shape());
            Error::format(self.path, "header", problem)
        })?;
        let start = self.position;
        let bytes = self.up_to(expected)?;
        if bytes.len() as u64 != expected {
            let problem = format!(
                "the file ends after {} bytes of elements, expected {expected} ({} of `{}`); is it truncated?",
                bytes.len(),
                header.shape(),
                header.kind,
            );
            return Err(Error::format(self.path, format!("byte {start}"), problem));
        }
        let place = format!("byte {}", self.position);
        if !self.up_to(1)?.is_empty() {
            let problem = format!(
                "found more bytes, expected the file to end with the {} of its header",
                header.shape()
            );
            return Err(Error::format(self.path, place, problem));
        }
        Ok(bytes)
    }

    fn exactly(&mut self, n: u64, what: &str) -> Result<Vec<u8>> {
        let bytes = self.up_to(n)?;
        if bytes.len() as u64 == n {
            return Ok(bytes);
        }
        let problem = format!("the file ends within {what}, {n} bytes; is it truncated?");
        Err(Error::format(self.path, format!("header, byte {}", self.position), problem))
    }

    /// The next `n` bytes, fewer where the file ends.
    fn up_to(&mut self, n: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let outcome = self.reader.by_ref().take(n).read_to_end(&mut bytes);
        self.position += bytes.len() as u64;
        outcome.map_err(|e| Error::io(self.path, e))?;
        Ok(bytes)
    }
}

impl Header {
    /// The file's shape as `S`.
    fn shape_as<S: Shape>(&self, path: &Path) -> Result<S> {
        let mut sizes = [1; MAX_RANK];
        let fits = self.sizes.len() == S::RANK;
        sizes.iter_mut().zip(&self.sizes).for_each(|(to, &size)| *to = size);
        fits.then(|| S::of_sizes(sizes)).flatten().ok_or_else(|| Error::Size {
            what: format!("{}: the shape of the array", path.display()),
            expected: S::describe(),
            found: self.shape(),
        })
    }

    /// The elements in row order.
    fn elements<E: Element>(&self, path: &Path, bytes: &[u8]) -> Result<Vec<E>> {
        let width = self.kind.width();
        let mut order = Order::of(&self.sizes, self.fortran);
        let mut elements = Vec::with_capacity(bytes.len() / width);
        for _ in 0..bytes.len() / width {
            let at = order.next();
            let found = self.kind.decode(&bytes[at * width..][..width], self.big_endian);
            elements.push(E::from_scalar(found).ok_or_else(|| {
                let expected = match E::NAME {
                    "U32" => "a whole number from 0 to 4294967295".to_owned(),
                    name => format!("a number that {name} can hold"),
                };
                let problem = format!("found {found}, expected {expected}");
                Error::format(path, format!("element {at}"), problem)
            })?);
        }
        Ok(elements)
    }
}

/// Where the elements are in the file, in row order.
struct Order {
    sizes: Vec<usize>,
    strides: Vec<usize>,
    index: Vec<usize>,
    at: usize,
}

impl Order {
    /// In Fortran's order the first axis runs fastest, else the last.
    fn of(sizes: &[usize], fortran: bool) -> Self {
        let mut strides = vec![1; sizes.len()];
        let mut axes: Vec<usize> = (0..sizes.len()).collect();
        if !fortran {
            axes.reverse();
        }
        let mut stride = 1_usize;
        for axis in axes {
            strides[axis] = stride;
            stride = stride.saturating_mul(sizes[axis]);
        }
        Order { sizes: sizes.to_vec(), strides, index: vec![0; sizes.len()], at: 0 }
    }

    /// The position of the next element.
    fn next(&mut self) -> usize {
        let at = self.at;
        for axis in (0..self.sizes.len()).rev() {
            self.index[axis] += 1;
            self.at += self.strides[axis];
            if self.index[axis] < self.sizes[axis] {
                break;
            }
            self.at -= self.strides[axis] * self.sizes[axis];
            self.index[axis] = 0;
        }
        at
    }
}
