//! Files of named tensors in the safetensors format, which PyTorch and others read and write too.
//!
//! A file is eight bytes with the length of a JSON header, the header, and the elements. The header is
//! checked by the `safetensors` crate; the sum of it all is checked here, without overflow, whatever a
//! header claims. The same tensors always give the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use ::safetensors::tensor::{Dtype, Metadata, TensorInfo};

use crate::element::Float;
use crate::error::{Error, Result};
use crate::io::atomic::write_atomically;

/// The bytes before the header: its length.
const PREFIX: usize = 8;
/// The longest header that readers accept.
const MAX_HEADER: usize = 100_000_000;
/// The entry of the header that is not a tensor.
const METADATA: &str = "__metadata__";

/// What a file of weights holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// The tensors, in the order of the file.
    pub tensors: Vec<NamedTensor>,
    /// What else is known of them, as text.
    pub metadata: BTreeMap<String, String>,
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// The name, such as `fc1.weight`.
    pub name: String,
    /// The sizes, outermost first; none for a scalar.
    pub shape: Vec<usize>,
    /// The elements in row order.
    pub data: Values,
}

/// Elements as a file holds them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Half precision (IEEE 754), as bits.
    F16(Vec<u16>),
    /// The upper half of a single, as bits.
    BF16(Vec<u16>),
    /// Unsigned integers.
    U32(Vec<u32>),
    /// Signed integers.
    I32(Vec<i32>),
    /// Signed integers of 64 bits: PyTorch's counters of batches.
    I64(Vec<i64>),
    /// Bytes.
    U8(Vec<u8>),
}

/// Does the same for each kind of values: a match on them, with the type of an element.
macro_rules! each {
    ($values:expr, $v:ident => $body:expr) => {
        match $values {
            Values::F32($v) => $body,
            Values::F64($v) => $body,
            Values::F16($v) | Values::BF16($v) => $body,
            Values::U32($v) => $body,
            Values::I32($v) => $body,
            Values::I64($v) => $body,
            Values::U8($v) => $body,
        }
    };
}

impl Values {
    /// Floats as they are.
    pub fn from_floats<E: Float>(data: &[E]) -> Self {
        // Both ways through f64 are exact.
        if size_of::<E>() == size_of::<f32>() {
            Values::F32(data.iter().map(|x| x.to_f64() as f32).collect())
        } else {
            Values::F64(data.iter().map(|x| x.to_f64()).collect())
        }
    }

    /// The nearest floats of type `E`.
    pub fn to_floats<E: Float>(&self) -> Vec<E> {
        match self {
            Values::F32(v) => v.iter().map(|&x| E::from_f64(x.into())).collect(),
            Values::F64(v) => v.iter().map(|&x| E::from_f64(x)).collect(),
            Values::F16(v) => v.iter().map(|&x| E::from_f64(half(x))).collect(),
            Values::BF16(v) => {
                v.iter().map(|&x| E::from_f64(f32::from_bits(u32::from(x) << 16).into())).collect()
            }
            Values::U32(v) => v.iter().map(|&x| E::from_f64(x.into())).collect(),
            Values::I32(v) => v.iter().map(|&x| E::from_f64(x.into())).collect(),
            Values::I64(v) => v.iter().map(|&x| E::from_f64(x as f64)).collect(),
            Values::U8(v) => v.iter().map(|&x| E::from_f64(x.into())).collect(),
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the element type in the file.
    pub fn dtype(&self) -> &'static str {
        match self {
            Values::F32(_) => "F32",
            Values::F64(_) => "F64",
            Values::F16(_) => "F16",
            Values::BF16(_) => "BF16",
            Values::U32(_) => "U32",
            Values::I32(_) => "I32",
            Values::I64(_) => "I64",
            Values::U8(_) => "U8",
        }
    }

    fn kind(&self) -> Dtype {
        match self {
            Values::F32(_) => Dtype::F32,
            Values::F64(_) => Dtype::F64,
            Values::F16(_) => Dtype::F16,
            Values::BF16(_) => Dtype::BF16,
            Values::U32(_) => Dtype::U32,
            Values::I32(_) => Dtype::I32,
            Values::I64(_) => Dtype::I64,
            Values::U8(_) => Dtype::U8,
        }
    }

    /// The elements in `bytes`; `None` where the type is not one of [`Values`].
    fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Self> {
        Some(match dtype {
            Dtype::F32 => Values::F32(elements(bytes, f32::from_le_bytes)),
            Dtype::F64 => Values::F64(elements(bytes, f64::from_le_bytes)),
            Dtype::F16 => Values::F16(elements(bytes, u16::from_le_bytes)),
            Dtype::BF16 => Values::BF16(elements(bytes, u16::from_le_bytes)),
            Dtype::U32 => Values::U32(elements(bytes, u32::from_le_bytes)),
            Dtype::I32 => Values::I32(elements(bytes, i32::from_le_bytes)),
            Dtype::I64 => Values::I64(elements(bytes, i64::from_le_bytes)),
            Dtype::U8 => Values::U8(bytes.to_vec()),
            _ => return None,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        each!(self, v => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())));
    }
}

/// The elements of `N` bytes each.
fn elements<T, const N: usize>(bytes: &[u8], element: fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|&chunk| element(chunk)).collect()
}

/// The number that the bits of a half-precision float stand for.
pub(super) fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    };
    sign * magnitude
}

/// Reads a file of weights.
///
/// # Errors
/// If the file cannot be read, or is not a whole safetensors file of the types in [`Values`].
pub fn read(path: impl AsRef<Path>) -> Result<Contents> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    from_bytes(&bytes, path)
}

/// The weights in the bytes of a file; `source` is where messages say that they are from.
///
/// # Errors
/// If the bytes are not a whole safetensors file of the types in [`Values`].
pub fn from_bytes(bytes: &[u8], source: impl AsRef<Path>) -> Result<Contents> {
    let source = source.as_ref();
    let (header, data) = open(bytes, source)?;
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok(Contents { tensors: tensors(source, &header, data, &|_| true)?, metadata })
}

/// The tensors of a file whose names are `wanted`, and the names of all: elements of other types harm nobody who does
/// not want them.
pub(crate) fn read_wanted(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(Vec<NamedTensor>, Vec<String>)> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let (header, data) = open(&bytes, path)?;
    Ok((tensors(path, &header, data, wanted)?, header.offset_keys()))
}

/// The header, and the elements that it speaks of.
fn open<'a>(bytes: &'a [u8], source: &Path) -> Result<(Metadata, &'a [u8])> {
    let (header, data) = split(bytes, source)?;
    let header: Metadata = serde_json::from_slice(header).map_err(|e| {
        let problem = format!("not a header of safetensors: {e}");
        Error::format(source, format!("header, from byte {PREFIX} on"), problem)
    })?;
    if header.data_len() != data.len() {
        let problem = format!(
            "found {} bytes of elements after the header, expected {}; is the file truncated?",
            data.len(),
            header.data_len(),
        );
        return Err(Error::format(source, format!("byte {}", bytes.len() - data.len()), problem));
    }
    Ok((header, data))
}

/// The tensors whose names are `wanted`, in the order of the file.
fn tensors(
    source: &Path,
    header: &Metadata,
    data: &[u8],
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<NamedTensor>> {
    let names = header.offset_keys().into_iter().filter(|name| wanted(name));
    let tensors = names.filter_map(|name| {
        let info = header.info(&name)?;
        Some(tensor(source, name, info, data))
    });
    tensors.collect()
}

/// The header and the elements.
fn split<'a>(bytes: &'a [u8], source: &Path) -> Result<(&'a [u8], &'a [u8])> {
    let Some((length, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        let problem = format!(
            "the file ends after {} bytes, expected {PREFIX} with the length of the header; is it truncated?",
            bytes.len()
        );
        return Err(Error::format(source, "byte 0", problem));
    };
    if bytes.starts_with(b"PK\x03\x04") {
        let problem = "not safetensors: this is an archive, as torch.save writes; in Python, `safetensors.torch.save_file(model.state_dict(), path)` writes what can be read here";
        return Err(Error::format(source, "byte 0", problem));
    }
    let length = u64::from_le_bytes(*length);
    usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)).ok_or_else(|| {
        let problem = format!(
            "found {length} as the length of the header, but {} bytes follow; is the file truncated, or not safetensors?",
            rest.len()
        );
        Error::format(source, "byte 0", problem)
    })
}

/// One tensor from the elements of all.
fn tensor(source: &Path, name: String, info: &TensorInfo, data: &[u8]) -> Result<NamedTensor> {
    let (start, end) = info.data_offsets;
    let error = |problem| Err(Error::format(source, format!("tensor `{name}`"), problem));
    let Some(bytes) = data.get(start..end) else {
        return error(format!("its bytes {start} to {end} are not in the file"));
    };
    let Some(values) = Values::decode(info.dtype, bytes) else {
        return error(format!(
            "found elements of type {}, expected F32, F64, F16, BF16, U32, I32, I64 or U8; `StateDict::ignore` leaves it out",
            info.dtype
        ));
    };
    Ok(NamedTensor { name, shape: info.shape.clone(), data: values })
}

/// Writes a file of weights, atomically.
///
/// # Errors
/// If a tensor's sizes do not fit its elements, a name occurs twice or is `__metadata__`, or the file
/// cannot be written.
pub fn write(
    path: impl AsRef<Path>,
    tensors: &[NamedTensor],
    metadata: &BTreeMap<String, String>,
) -> Result<()> {
    write_atomically(path, &to_bytes(tensors, metadata)?)
}

/// The bytes of a file of weights.
///
/// # Errors
/// If a tensor's sizes do not fit its elements, or a name occurs twice or is `__metadata__`.
pub fn to_bytes(tensors: &[NamedTensor], metadata: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut sorted: Vec<&NamedTensor> = tensors.iter().collect();
    // The widest elements first, so that all are aligned; then by name: the order of the `safetensors` crate.
    sorted.sort_by(|a, b| b.data.kind().cmp(&a.data.kind()).then_with(|| a.name.cmp(&b.name)));
    let mut data = Vec::new();
    let mut header = BTreeMap::new();
    if !metadata.is_empty() {
        header.insert(METADATA, serde_json::to_value(metadata).map_err(unwritable)?);
    }
    for tensor in sorted {
        check_shape(tensor)?;
        let start = data.len();
        tensor.data.encode(&mut data);
        let info = TensorInfo {
            dtype: tensor.data.kind(),
            shape: tensor.shape.clone(),
            data_offsets: (start, data.len()),
        };
        let name = tensor.name.as_str();
        let info = serde_json::to_value(info).map_err(unwritable)?;
        if name == METADATA || header.insert(name, info).is_some() {
            return Err(Error::Invalid(format!(
                "a tensor named `{name}`: expected names that differ, and none that is `{METADATA}`"
            )));
        }
    }
    assemble(&header, &data)
}

/// Prefix, header and elements, which begin at a multiple of eight bytes.
fn assemble(header: &BTreeMap<&str, serde_json::Value>, data: &[u8]) -> Result<Vec<u8>> {
    let mut header = serde_json::to_vec(header).map_err(unwritable)?;
    header.resize(header.len().next_multiple_of(PREFIX), b' ');
    if header.len() > MAX_HEADER {
        return Err(Error::Size {
            what: "the header of a safetensors file".to_owned(),
            expected: format!("at most {MAX_HEADER} bytes"),
            found: header.len().to_string(),
        });
    }
    Ok([&(header.len() as u64).to_le_bytes()[..], &header, data].concat())
}

fn check_shape(tensor: &NamedTensor) -> Result<()> {
    let numel = tensor.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    if numel == Some(tensor.data.len()) {
        return Ok(());
    }
    Err(Error::Size {
        what: format!("the tensor `{}` of shape {:?}", tensor.name, tensor.shape),
        expected: "as many elements as the shape has".to_owned(),
        found: format!("{} elements", tensor.data.len()),
    })
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::Invalid(format!("the header of a safetensors file: {error}"))
}

#[cfg(test)]
mod tests {
    use ::safetensors::SafeTensors;

    use super::*;

    fn named(name: &str, shape: &[usize], data: Values) -> NamedTensor {
        NamedTensor { name: name.to_owned(), shape: shape.to_vec(), data }
    }

    fn every_kind() -> Vec<NamedTensor> {
        vec![
            named("count", &[], Values::I64(vec![-7])),
            named("wide", &[2], Values::F64(vec![0.1, f64::MIN_POSITIVE])),
            named("fc1.weight", &[2, 3], Values::F32(vec![1.0, -2.0, 3.5, 0.0, 1e-30, 6.0])),
            named("fc1.bias", &[0], Values::F32(vec![])),
            named("ids", &[2], Values::U32(vec![1, u32::MAX])),
            named("signed", &[1], Values::I32(vec![-3])),
            named("half", &[3], Values::F16(vec![0x3c00, 0xc000, 0x0001])),
            named("brain", &[1], Values::BF16(vec![0x3f80])),
            named("bytes", &[3], Values::U8(vec![0, 7, 255])),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let metadata: BTreeMap<String, String> =
            [("format", "pt"), ("epoch", "3")].map(|(k, v)| (k.into(), v.into())).into();
        let bytes = to_bytes(&every_kind(), &metadata).unwrap();
        assert_eq!(bytes, to_bytes(&every_kind(), &metadata).unwrap());
        let mut contents = from_bytes(&bytes, "memory").unwrap();
        assert_eq!(contents.metadata, metadata);
        let mut expected = every_kind();
        expected.sort_by(|a, b| a.name.cmp(&b.name));
        contents.tensors.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(contents.tensors, expected);
    }

    #[test]
    fn the_safetensors_crate_reads_it_too() {
        let bytes = to_bytes(&every_kind(), &BTreeMap::new()).unwrap();
        let theirs = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(theirs.len(), every_kind().len());
        for ours in every_kind() {
            let view = theirs.tensor(&ours.name).unwrap();
            assert_eq!(view.shape(), ours.shape);
            assert_eq!(Values::decode(view.dtype(), view.data()), Some(ours.data));
        }
        let again = ::safetensors::serialize(theirs.iter(), None).unwrap();
        assert_eq!(from_bytes(&again, "").unwrap(), from_bytes(&bytes, "").unwrap());
    }

    #[test]
    fn values_become_floats() {
        let cases = [
            (
                Values::F16(vec![0x3c00, 0xc000, 0x0001, 0x7bff]),
                [1.0, -2.0, 2f64.powi(-24), 65504.0],
            ),
            (Values::BF16(vec![0x3f80, 0xc000, 0x4049, 0]), [1.0, -2.0, 3.140625, 0.0]),
            (Values::I64(vec![-1, 2, 3, 4]), [-1.0, 2.0, 3.0, 4.0]),
            (Values::U8(vec![0, 1, 2, 255]), [0.0, 1.0, 2.0, 255.0]),
        ];
        for (values, expected) in cases {
            assert_eq!(values.to_floats::<f64>(), expected);
        }
        assert!(half(0x7c00) == f64::INFINITY && half(0xfc00) == f64::NEG_INFINITY);
        assert!(half(0x7c01).is_nan());
        assert_eq!(Values::from_floats(&[0.1f32]), Values::F32(vec![0.1]));
        assert_eq!(Values::from_floats(&[0.1f64]), Values::F64(vec![0.1]));
        assert_eq!(Values::F32(vec![0.1]).to_floats::<f32>(), [0.1]);
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let one = || Values::F32(vec![1.0]);
        for tensors in [
            vec![named("a", &[2], one())],
            vec![named("a", &[usize::MAX, 2], one())],
            vec![named("a", &[1], one()), named("a", &[1], one())],
            vec![named(METADATA, &[1], one())],
        ] {
            assert!(to_bytes(&tensors, &BTreeMap::new()).is_err(), "{tensors:?}");
        }
    }
}
