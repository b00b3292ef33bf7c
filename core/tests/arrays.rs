//! NumPy's files: what is read from good ones, and what is said of bad ones.

extern crate netform_core as netform;

mod common;

use common::{Folder, says, survives};
use netform_core::data::InMemory;
use netform_core::dim::{Batch, D, Len};
use netform_core::error::{Error, Result};
use netform_core::io::npy;
use netform_core::shape::Shape;
use netform_core::tensor::Tensor;

/// A file of version 1 with this header and these elements.
fn file(header: &str, elements: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), elements].concat()
}

fn header(descr: &str, fortran: bool, shape: &str) -> String {
    let fortran = if fortran { "True" } else { "False" };
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

type Table = (Batch, D<3>);

fn read<S: Shape>(bytes: &[u8]) -> Result<Tensor<S, f32>> {
    npy::read_from(bytes, "a.npy")
}

fn labels(bytes: &[u8]) -> Result<Tensor<(Batch,), u32>> {
    npy::read_from(bytes, "a.npy")
}

#[test]
fn arrays_of_every_order_and_type() {
    let expected = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let rows: Vec<u8> = expected.iter().flat_map(|x: &f32| x.to_le_bytes()).collect();
    let found = read::<Table>(&file(&header("<f4", false, "(2, 3)"), &rows)).unwrap();
    assert_eq!((found.shape(), found.as_slice()), ((Batch(2), D::<3>), &expected[..]));
    // Column by column, big-endian.
    let columns: Vec<u8> = [1, 4, 2, 5, 3, 6].iter().flat_map(|x: &i16| x.to_be_bytes()).collect();
    let found = read::<Table>(&file(&header(">i2", true, "(2, 3)"), &columns)).unwrap();
    assert_eq!(found.as_slice(), expected);
    let planes: Vec<u8> = (0..24).collect();
    let found = read::<(Len, D<3>, D<2>)>(&file(&header("|u1", true, "(4, 3, 2)"), &planes));
    // Element [i, j, k] is i + 4 j + 12 k.
    assert_eq!(found.unwrap().as_slice()[..8], [0.0, 12.0, 4.0, 16.0, 8.0, 20.0, 1.0, 13.0]);

    let classes = |descr: &str, bytes: &[u8]| labels(&file(&header(descr, false, "(2,)"), bytes));
    assert_eq!(classes("|b1", &[1, 0]).unwrap().as_slice(), [1, 0]);
    let long: Vec<u8> = [7i64, 9].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(classes("<i8", &long).unwrap().as_slice(), [7, 9]);
    let floats: Vec<u8> = [7f64, 9.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(classes("<f8", &floats).unwrap().as_slice(), [7, 9]);

    let scalar = read::<()>(&file(&header("<f8", false, "()"), &0.5f64.to_le_bytes())).unwrap();
    assert_eq!(scalar.as_slice(), [0.5]);
    let none = read::<Table>(&file(&header("<f4", false, "(0, 3)"), &[])).unwrap();
    assert_eq!(none.shape(), (Batch(0), D::<3>));
    // Version 2 has four bytes for the length of the header.
    let header = header("<f4", false, "(2, 3)");
    let length = (header.len() as u32).to_le_bytes();
    let second = [b"\x93NUMPY\x02\x00", &length[..], header.as_bytes(), &rows].concat();
    assert_eq!(read::<Table>(&second).unwrap().as_slice(), expected);
}

#[test]
fn what_is_written_is_read() {
    let folder = Folder::new("npy-written");
    let table = Tensor::<_>::from([[1.0, -2.0, f32::MIN_POSITIVE], [4.0, 5.0, f32::MAX]]);
    let path = folder.0.join("table.npy");
    npy::write(&path, &table).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(
        bytes.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, ")
    );
    assert_eq!(bytes.len(), 128 + 6 * 4, "elements begin at a multiple of 64 bytes");
    assert_eq!(npy::read::<(D<2>, D<3>), f32>(&path).unwrap(), table);
    let classes = Tensor::<_, u32>::from([3, u32::MAX]);
    let path = folder.0.join("classes.npy");
    npy::write(&path, &classes).unwrap();
    let data = InMemory::from_tensors(&table, &npy::read::<(Batch,), u32>(&path).unwrap());
    assert_eq!(data.unwrap().targets(), [3, u32::MAX]);
    let few = InMemory::from_tensors(&table, &Tensor::<_, u32>::from([1, 2, 3]));
    says(few, &["expected 2 targets", "found 3"]);
}

#[test]
fn arrays_that_are_damaged_or_others() {
    let good = file(&header("<f4", false, "(2, 3)"), &[0; 24]);
    for end in 0..good.len() {
        says(read::<Table>(&good[..end]), &["a.npy: ", "truncated?"]);
    }
    says(read::<Table>(&[&good[..], &[0]].concat()), &["found more bytes", "[2, 3]"]);
    says(
        read::<Table>(b"PK\x03\x04 an archive"),
        &["found `PK\\x03\\x04 a`", "not a file of NumPy"],
    );
    says(read::<Table>(b"\x93NUMPY\x09\x00"), &["byte 6", "found version 9"]);
    let wrong = |text: &str| read::<Table>(&file(text, &[]));
    says(wrong("{'descr'"), &["a.npy: header, byte 10: ", "expected `:`"]);
    says(wrong(&header("<c8", false, "(1,)")), &["elements of type `<c8`"]);
    says(wrong(&header("|O", false, "(1,)")), &["elements of type `|O`"]);

    let shape = |text: &str| read::<Table>(&file(&header("<f4", false, text), &[0; 24]));
    says(
        shape("(3, 2)"),
        &["a.npy: the shape of the array", "expected [batch, 3]", "found [3, 2]"],
    );
    says(shape("(6,)"), &["found [6]"]);
    says(shape("(1, 2, 3)"), &["found [1, 2, 3]"]);
    says(shape("(1, 1, 1, 1, 1, 1, 6)"), &["found [1, 1, 1, 1, 1, 1, 6]"]);

    // What the header claims is not reserved.
    says(shape("(9223372036854775807, 3)"), &["more bytes than a file can"]);
    says(shape("(1000000000000, 3)"), &["ends after 24 bytes", "expected 12000000000000"]);
    let long = [b"\x93NUMPY\x02\x00", &u32::MAX.to_le_bytes()[..], b"{"].concat();
    says(read::<Table>(&long), &["within the header, 4294967295 bytes"]);

    let classes = |descr: &str, bytes: &[u8]| labels(&file(&header(descr, false, "(1,)"), bytes));
    says(classes("|i1", &[0xff]), &["element 0: found -1, expected a whole number from 0 to"]);
    says(classes("<f4", &0.5f32.to_le_bytes()), &["found 0.5, expected a whole number"]);
    says(classes("<f4", &f32::NAN.to_le_bytes()), &["found NaN"]);
    let large = file(&header("<f8", false, "()"), &1e300f64.to_le_bytes());
    says(read::<()>(&large), &["expected a number that F32 can hold"]);
    assert!(matches!(npy::read::<Table, f32>("none.npy"), Err(Error::Io { .. })));
}

#[test]
fn random_damage_to_arrays() {
    let good = file(&header(">f4", true, "(2, 3)"), &[7; 24]);
    survives(&good, 5000, read::<Table>);
}

#[cfg(feature = "npz")]
mod archives {
    use std::io::Write;

    use netform_core::data::Dataset;
    use netform_core::io::npz::Archive;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    /// Two arrays, one of them compressed.
    fn archive() -> Vec<u8> {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let arrays = [
            ("x.npy", file(&header("|u1", false, "(2, 3)"), &[1, 2, 3, 4, 5, 6])),
            ("y.npy", file(&header("|u1", false, "(2,)"), &[0, 1])),
        ];
        let methods = [CompressionMethod::Stored, CompressionMethod::Deflated];
        for ((name, bytes), method) in arrays.into_iter().zip(methods) {
            zip.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn archives_are_read() {
        let folder = Folder::new("npz");
        let mut archive = Archive::open(folder.file("a.npz", archive())).unwrap();
        assert_eq!(archive.names(), ["x", "y"]);
        let x = archive.read::<Table, f32>("x").unwrap();
        let y = archive.read::<(Batch,), u32>("y").unwrap();
        let data = InMemory::from_tensors(&x, &y).unwrap();
        assert_eq!((data.len(), data.targets()), (2, &[0, 1][..]));
        says(archive.read::<Table, f32>("z"), &["a.npz", "no array `z`; there are x, y"]);
        says(archive.read::<Table, f32>("y"), &["y.npy", "expected [batch, 3], found [2]"]);
        assert!(matches!(Archive::open("none.npz"), Err(Error::Io { .. })));
        says(Archive::open(folder.file("b.npz", b"text")), &["b.npz", "not a whole zip file"]);
    }

    #[test]
    fn random_damage_to_archives() {
        let folder = Folder::new("npz-random");
        survives(&archive(), 500, |bytes| {
            let mut archive = Archive::open(folder.file("a.npz", bytes))?;
            archive.read::<Table, f32>("x")?;
            archive.read::<(Batch,), u32>("y")
        });
    }
}
