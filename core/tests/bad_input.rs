//! Files that are missing, cut off, damaged or of another kind: every one gives an error that names the
//! file, the place and what was expected, and none a panic.

extern crate netform_core as netform;

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use common::{Folder, says, survives};
use flate2::Compression;
use flate2::write::GzEncoder;
use netform_core::data::{Dataset, InMemory, Table, idx, mnist};
use netform_core::dim::D;
use netform_core::error::{Error, Result};
use netform_core::io::safetensors::{self, NamedTensor, Values};

fn idx_bytes(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn idx_files_are_read_gzipped_or_not() {
    let folder = Folder::new("idx-good");
    let images = idx_bytes(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
    for bytes in [images.clone(), gzip(&images)] {
        let images = idx::read_images(folder.file("images", bytes)).unwrap();
        assert_eq!((images.count, images.rows, images.cols), (2, 1, 3));
        assert_eq!(images.pixels, [1, 2, 3, 4, 5, 6]);
    }
    let labels = idx_bytes(&[3], &[7, 8, 9]);
    for bytes in [labels.clone(), gzip(&labels)] {
        assert_eq!(idx::read_labels(folder.file("labels", bytes)).unwrap(), [7, 8, 9]);
    }
}

#[test]
fn idx_files_that_cannot_be_opened() {
    let folder = Folder::new("idx-missing");
    let missing = folder.0.join("none");
    assert!(matches!(idx::read_labels(&missing), Err(Error::Io { .. })));
    says(idx::read_labels(&missing), &["none: "]);
    assert!(matches!(idx::read_images(&folder.0), Err(Error::Io { .. })), "a folder");
}

#[test]
fn idx_files_that_are_damaged() {
    let folder = Folder::new("idx-damaged");
    let labels = |bytes: Vec<u8>| idx::read_labels(folder.file("labels", bytes));
    let images = |bytes: Vec<u8>| idx::read_images(folder.file("images", bytes));
    let good = idx_bytes(&[3], &[7, 8, 9]);

    says(labels(vec![]), &["labels: header, byte 0", "the magic number", "truncated"]);
    says(labels(good[..2].to_vec()), &["header, byte 2", "the magic number"]);
    says(labels(good[..6].to_vec()), &["header, byte 6", "the length of an axis"]);
    says(labels(good[..9].to_vec()), &["byte 9: ", "after 1 bytes", "expected 3", "truncated"]);
    says(labels(idx_bytes(&[3], &[1; 4])), &["byte 11: ", "more bytes", "to end here"]);
    says(labels(b"PNG\n....".to_vec()), &["byte 0", "0x504e470a", "expected 0x00000801 (labels)"]);
    let swapped = idx_bytes(&[1, 1, 1], &[0]);
    says(labels(swapped), &["0x00000803 (images)", "expected 0x00000801 (labels)"]);
    says(images(good), &["0x00000801 (labels)", "expected 0x00000803 (images)"]);

    // What the header claims is not reserved.
    let most = u32::MAX;
    says(images(idx_bytes(&[most; 3], &[0; 9])), &["byte 4", "4294967295 x 4294967295"]);
    says(images(idx_bytes(&[most, most, 1], &[0; 9])), &["after 9 bytes", "18446744065119617025"]);
    says(labels(idx_bytes(&[most], &[0; 9])), &["after 9 bytes", "expected 4294967295"]);
}

#[test]
fn idx_files_whose_gzip_is_damaged() {
    let folder = Folder::new("gzip-damaged");
    let labels = |bytes: &[u8]| idx::read_labels(folder.file("labels.gz", bytes));
    let good = gzip(&idx_bytes(&[300], &[5; 300]));
    let whole = "not a whole gzip file";

    for length in 2..good.len() {
        says(labels(&good[..length]), &["labels.gz: byte ", whole]);
    }
    let mut checksum = good.clone();
    checksum[good.len() - 8] ^= 1;
    says(labels(&checksum), &["byte 308 of the unzipped data", whole]);
    says(labels(&[&good[..], b"more"].concat()), &[whole]);
    says(labels(&gzip(&idx_bytes(&[2], &[5; 300]))), &["byte 10 of the unzipped data", "more"]);
    says(labels(&gzip(&idx_bytes(&[301], &[5; 300]))), &["after 300 bytes", "expected 301"]);
}

/// A folder of MNIST's four files: `count` images each, all pixels 255.
fn digits(folder: &Folder, count: u32) {
    for part in ["train", "t10k"] {
        let pixels = vec![255; count as usize * 28 * 28];
        let images = idx_bytes(&[count, 28, 28], &pixels);
        folder.file(&format!("{part}-images-idx3-ubyte.gz"), gzip(&images));
        let labels = idx_bytes(&[count], &vec![9; count as usize]);
        folder.file(&format!("{part}-labels.idx1-ubyte"), labels);
    }
}

#[test]
fn mnist_with_other_names_and_bad_files() {
    let folder = Folder::new("mnist");
    digits(&folder, 2);
    let (train, test) = mnist(&folder.0).unwrap();
    assert_eq!((train.len(), test.len()), (2, 2));
    assert!(train.inputs().iter().all(|&pixel| pixel == 1.0));

    folder.file("train-labels.idx1-ubyte", idx_bytes(&[2], &[3, 10]));
    says(mnist(&folder.0), &["train-labels.idx1-ubyte: label 1, byte 9", "found 10", "0 to 9"]);
    folder.file("train-labels.idx1-ubyte", idx_bytes(&[3], &[3; 3]));
    says(
        mnist(&folder.0),
        &["train-images-idx3-ubyte.gz", "2 images, but 3 labels in ", "labels.idx1"],
    );
    folder.file("train-images-idx3-ubyte.gz", gzip(&idx_bytes(&[1, 2, 3], &[0; 6])));
    says(
        mnist(&folder.0),
        &["train-images-idx3-ubyte.gz", "found images of 2x3", "expected 28x28"],
    );

    digits(&folder, 2);
    fs::remove_file(folder.0.join("t10k-labels.idx1-ubyte")).unwrap();
    let names = ["t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte", ".gz"];
    says(mnist(&folder.0), &names);
    says(mnist(&folder.0), &[&folder.0.display().to_string()]);
    says(mnist(folder.0.join("none")), &["none", "no such folder", "train-images-idx3-ubyte.gz"]);
}

type Flowers = InMemory<(D<2>,), ()>;

fn flowers(path: &Path) -> Result<Flowers> {
    Table::read(path)?.classes("kind")?.into_samples()
}

#[test]
fn tables_become_samples() {
    let folder = Folder::new("csv-good");
    let path =
        folder.file("a.csv", "x, y ,kind\r\n1,2,rose\r\n\r\n-3e1, 4.5 ,\"iris\"\r\n5,6,rose");
    let samples = flowers(&path).unwrap();
    assert_eq!(samples.inputs(), [1.0, 2.0, -30.0, 4.5, 5.0, 6.0]);
    assert_eq!(samples.class_names(), ["iris", "rose"]);
    assert_eq!(samples.targets(), [1, 0, 1]);

    let named = Table::read(&path).unwrap().classes_named("kind", &["rose", "lily", "iris"]);
    let named: Flowers = named.unwrap().into_samples().unwrap();
    assert_eq!(named.targets(), [0, 2, 0]);

    let line: InMemory<(D<1>,), (D<1>,), f64, f64> = Table::read(&path)
        .and_then(|table| table.features(&["y"])?.targets(&["x"])?.into_samples())
        .unwrap();
    assert_eq!((line.inputs(), line.targets()), (&[2.0, 4.5, 6.0][..], &[1.0, -30.0, 5.0][..]));

    let path = folder.file("b.csv", "x,y,kind\n0,0,10\n0,0,9\n0,0,10\n");
    assert_eq!(flowers(&path).unwrap().class_names(), ["9", "10"], "numbers by size");
    assert_eq!(flowers(&path).unwrap().targets(), [1, 0, 1]);
}

#[test]
fn an_error_that_leaves_main_is_its_message() {
    let error = || Table::read("no/such.csv").unwrap_err();
    let message = error().to_string();
    assert!(message.starts_with("no/such.csv: "), "{message}");
    assert_eq!(format!("{:?}", error()), message);
    let boxed: Box<dyn std::error::Error> = error().into();
    assert_eq!(format!("{boxed:?}"), message);
}

#[test]
fn tables_with_a_bad_header() {
    let folder = Folder::new("csv-header");
    let table = |text: &str| Table::read(folder.file("a.csv", text));
    says(Table::read(folder.0.join("none.csv")), &["none.csv"]);
    says(table(""), &["a.csv: header: ", "found nothing", "names of the columns"]);
    says(table("1,2,3\n4,5,6\n"), &["header", "only numbers"]);
    says(table("x,y,x\n1,2,3\n"), &["header", "two columns named `x`"]);
    says(table("x,y\n"), &["line 2", "no rows"]);
    let unknown = "there is no column `kind`; there are `x`, `y`";
    says(table("x,y\n1,2\n").unwrap().classes("kind"), &["a.csv: header", unknown]);
    says(table("x,y\n1,2\n").unwrap().features(&["kind"]), &[unknown]);
    says(table("x,y\n1,2\n").unwrap().targets(&["kind"]), &[unknown]);
}

#[test]
fn tables_with_bad_rows() {
    let folder = Folder::new("csv-rows");
    let read = |row: &str| {
        let text = format!("x,y,kind\n1,2,a\n\n{row}\n1,2,b\n");
        flowers(&folder.file("a.csv", text))
    };
    says(read("3,4"), &["a.csv: line 4: found 2 fields, expected 3: `kind` is missing"]);
    says(read("3,4,a,extra"), &["line 4: found 4 fields, expected 3: `extra` is one too many"]);
    says(read("3,abc,a"), &["line 4, field `y`: found `abc`, expected a finite number"]);
    says(read("3,,a"), &["line 4, field `y`: found nothing, expected a finite number"]);
    says(read("NaN,4,a"), &["line 4, field `x`: found `NaN`, expected a finite number"]);
    says(read("3,-inf,a"), &["line 4, field `y`: found `-inf`"]);
    let not_a_number = read("3,NaN,a").unwrap_err().to_string();
    assert!(not_a_number.ends_with("a finite number; there are numbers in this column: correct the field, or take such a one for missing, .missing_as(&[\"NaN\"])"), "{not_a_number}");
    says(read("3,,a"), &["expected a finite number; .drop_missing() leaves out such rows"]);
    says(read("3,1e300,a"), &["line 4, field `y`: found `1e300`", "a number that F32 can hold"]);
    says(read("3,4,"), &["line 4, field `kind`: found nothing, expected a word"]);
    says(read(&format!("{},4,a", "9a".repeat(999))), &["found `9a9a", "..`, expected"]);
    says(read("3,4,a\n\"open,5,a"), &["line 5: found a quote before a field and none after it"]);

    let path = folder.file("b.csv", b"x,y,kind\n1,2,a\n1,\xff,a\n");
    says(flowers(&path), &["b.csv: line 3: field 2 is not UTF-8"]);
    let path = folder.file("c.csv", "x,y,z,kind\n1,2,3,a\n");
    says(flowers(&path), &["shape [2] from", "c.csv: expected 2 columns, found 3 (`x`, `y`, `z`)"]);
    let path = folder.file("words.csv", "x,city,kind\n1,Rome,a\n1,,a\n");
    says(
        flowers(&path),
        &[
            "line 2, field `city`: found `Rome`",
            ".one_hot(\"city\")",
            ".classes(\"city\")",
            ".features(",
        ],
    );
    let path = folder.file("d.csv", "x,y,kind\n1,2,a\n1,2,c\n");
    let named = Table::read(path).unwrap().classes_named("kind", &["a", "b"]).unwrap();
    says(
        named.into_samples::<(D<2>,), f32>(),
        &["line 3, field `kind`: found `c`, expected one of `a`, `b`"],
    );
}

fn weights() -> Vec<u8> {
    let tensor = |name: &str, shape: &[usize], data| NamedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        data,
    };
    let tensors = [
        tensor("fc1.weight", &[2, 3], Values::F32(vec![1.0; 6])),
        tensor("fc1.bias", &[2], Values::F32(vec![0.0; 2])),
    ];
    safetensors::to_bytes(&tensors, &BTreeMap::new()).unwrap()
}

/// A file with this header and this many bytes of elements.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn weights_go_through_a_file() {
    let folder = Folder::new("weights");
    let path = folder.0.join("a.safetensors");
    let contents = safetensors::from_bytes(&weights(), "memory").unwrap();
    let metadata = BTreeMap::from([("epoch".to_owned(), "3".to_owned())]);
    safetensors::write(&path, &contents.tensors, &metadata).unwrap();
    let read = safetensors::read(&path).unwrap();
    assert_eq!((read.tensors, read.metadata), (contents.tensors, metadata));
    says(safetensors::read(folder.0.join("none")), &["none"]);
    let unwritable = folder.0.join("no/a.safetensors");
    says(safetensors::write(&unwritable, &[], &BTreeMap::new()), &["no/a.safetensors", "folder"]);
}

#[test]
fn weights_that_are_damaged() {
    let read = |bytes: &[u8]| safetensors::from_bytes(bytes, "a.safetensors");
    let good = weights();
    says(read(b""), &["a.safetensors: byte 0", "after 0 bytes", "expected 8"]);
    says(read(&good[..20]), &["byte 0", "as the length of the header, but 12 bytes follow"]);
    says(read(&good[..good.len() - 1]), &["found 31 bytes of elements", "expected 32"]);
    says(read(&[&good[..], &[0]].concat()), &["found 33 bytes of elements", "expected 32"]);
    says(
        read(b"PK\x03\x04 a file of pickled tensors"),
        &["not safetensors", "as torch.save writes", "safetensors.torch.save_file"],
    );
    says(read(&[255; 64]), &["found 18446744073709551615 as the length"]);
    says(read(&with_header("{\"a\":", 0)), &["header, from byte 8 on", "not a header"]);
    says(read(&with_header("[1, 2]", 0)), &["not a header"]);

    let tensor = |dtype: &str, shape: &str, end: &str| {
        format!(r#"{{"a":{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[0,{end}]}}}}"#)
    };
    says(read(&with_header(&tensor("F32", "2", "9"), 9)), &["not a header"]);
    says(read(&with_header(&tensor("F32", "2", "8"), 9)), &["found 9 bytes", "expected 8"]);
    says(read(&with_header(&tensor("F7", "2", "8"), 8)), &["not a header", "F7"]);
    says(read(&with_header(&tensor("F8_E4M3", "8", "8"), 8)), &["tensor `a`", "type F8_E4M3"]);
    says(read(&with_header(&tensor("F32", "-1", "8"), 8)), &["not a header"]);
    says(read(&with_header(&tensor("F64", "18446744073709551615, 2", "8"), 8)), &["not a header"]);
    says(read(&with_header("{}", 4)), &["found 4 bytes", "expected 0"]);
}

#[test]
fn weights_whose_sizes_add_up_to_more_than_a_number() {
    // Each tensor claims 2^61 - 1 bytes; the eight together, with the header, are more than 2^64.
    let size = (1u64 << 61) - 1;
    let entry = |i: u64| {
        let (start, end) = (i * size, (i + 1) * size);
        format!(r#""t{i}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{start},{end}]}}"#)
    };
    let header = format!("{{{}}}", (0..8).map(entry).collect::<Vec<_>>().join(","));
    let outcome = safetensors::from_bytes(&with_header(&header, 4), "a.safetensors");
    says(outcome, &["found 4 bytes of elements", "expected 18446744073709551608"]);
}

#[test]
fn random_damage_to_idx_files() {
    let folder = Folder::new("random-idx");
    let images = idx_bytes(&[3, 2, 2], &[7; 12]);
    for good in [images.clone(), gzip(&images)] {
        survives(&good, 1000, |bytes| idx::read_images(folder.file("images", bytes)));
    }
}

#[test]
fn random_damage_to_tables() {
    let folder = Folder::new("random-csv");
    let good = b"x,y,kind\n1,2,rose\n3.5,-4e2,\"iris\"\n5,6,rose\n";
    survives(good, 2000, |bytes| flowers(&folder.file("a.csv", bytes)));
}

#[test]
fn random_damage_to_weights() {
    survives(&weights(), 5000, |bytes| safetensors::from_bytes(bytes, "memory"));
}
