//! Files of events, read back by a strict reader of their formats, written apart from the writer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use netform::data::InMemory;
use netform::dim::D;
use netform::error::{Error, Result};
use netform::loss::CrossEntropy;
use netform::metric::F1;
use netform::network;
use netform::optim::Adam;
use netform::random::Seed;
use netform::train::{BatchRecord, Callback, History, TensorBoard, Trainer};

#[path = "../core/tests/common/mod.rs"]
mod common;

use common::{Folder, says};

network! {
    /// A classifier.
    pub Net: [4] -> [3] { fc1: Linear(6), Tanh, fc2: Linear(3) }
}

type Data = InMemory<(D<4>,)>;

fn data(samples: usize, phase: f32) -> Data {
    let inputs = (0..samples * 4).map(|i| (i as f32 * 0.7 + phase).sin()).collect();
    Data::new(inputs, (0..samples as u32).map(|i| i * 7 % 3).collect()).unwrap()
}

/// CRC-32C bit by bit, from its definition: the polynomial 0x1edc6f41, reflected.
fn crc32c(data: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

fn masked(data: &[u8]) -> u32 {
    let crc = crc32c(data);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Takes so many bytes off the front.
fn take<'b>(bytes: &mut &'b [u8], n: usize) -> &'b [u8] {
    let (front, rest) = bytes.split_at_checked(n).expect("the file ends in a record");
    *bytes = rest;
    front
}

fn word(bytes: &mut &[u8]) -> u32 {
    u32::from_le_bytes(take(bytes, 4).try_into().unwrap())
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in 0..10 {
        let byte = take(bytes, 1)[0];
        number |= u64::from(byte & 0x7f) << (7 * shift);
        if byte & 0x80 == 0 {
            return number;
        }
    }
    panic!("a number of more than ten bytes");
}

/// The fields of a message: number, and a number or bytes.
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

fn fields(mut bytes: &[u8]) -> BTreeMap<u64, Field<'_>> {
    let mut fields = BTreeMap::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => Field::Number(u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap())),
            2 => {
                let len = varint(&mut bytes) as usize;
                Field::Bytes(take(&mut bytes, len))
            }
            5 => Field::Number(word(&mut bytes).into()),
            other => panic!("a field of kind {other}"),
        };
        assert!(fields.insert(key >> 3, field).is_none(), "a field twice");
    }
    fields
}

fn number(fields: &BTreeMap<u64, Field<'_>>, field: u64) -> u64 {
    match fields.get(&field) {
        Some(Field::Number(number)) => *number,
        _ => panic!("no number {field}"),
    }
}

fn message<'b>(fields: &BTreeMap<u64, Field<'b>>, field: u64) -> &'b [u8] {
    match fields.get(&field) {
        Some(Field::Bytes(bytes)) => bytes,
        _ => panic!("no message {field}"),
    }
}

/// The scalars of a file by tag, in order; and the step at which it says that a session has begun.
type Scalars = BTreeMap<String, Vec<(u64, f32)>>;

fn scalars(bytes: &[u8]) -> (Scalars, Option<u64>) {
    let (mut scalars, mut begun, mut rest, mut count) = (Scalars::new(), None, bytes, 0);
    while !rest.is_empty() {
        let length = take(&mut rest, 8);
        assert_eq!(word(&mut rest), masked(length), "the checksum of a length");
        let length = u64::from_le_bytes(length.try_into().unwrap());
        let data = take(&mut rest, length as usize);
        assert_eq!(word(&mut rest), masked(data), "the checksum of data");
        let event = fields(data);
        let time = f64::from_bits(number(&event, 1));
        assert!((1.6e9..1e11).contains(&time), "{time}");
        if count == 0 {
            assert_eq!(message(&event, 3), b"brain.Event:2");
        } else if event.contains_key(&7) {
            assert_eq!(number(&fields(message(&event, 7)), 1), 1, "a session that begins");
            begun = Some(number(&event, 2));
        } else {
            let value = fields(message(&fields(message(&event, 5)), 1));
            let tag = String::from_utf8(message(&value, 1).to_vec()).unwrap();
            let number = (number(&event, 2), f32::from_bits(number(&value, 2) as u32));
            scalars.entry(tag).or_default().push(number);
        }
        count += 1;
    }
    (scalars, begun)
}

/// The files of a folder, in the order in which they are read.
fn files(folder: &Path) -> Vec<(Scalars, Option<u64>)> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.iter().all(|path| path.to_string_lossy().contains("tfevents")));
    paths.iter().map(|path| scalars(&fs::read(path).unwrap())).collect()
}

#[test]
fn the_readers_checksum_is_right() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
}

/// Ends training after so many batches.
struct Ending(usize);

impl Callback for Ending {
    fn on_batch_end(&mut self, batch: &BatchRecord) -> Result<()> {
        match (batch.epoch - 1) * 7 + batch.batch == self.0 {
            true => Err(Error::Invalid("no more".to_owned())),
            false => Ok(()),
        }
    }
}

fn fit(folder: &Path, end: usize, resume: bool) -> Result<History> {
    let (train, test) = (data(26, 0.0), data(9, 0.3));
    let file = folder.join("run.safetensors");
    let trainer = Trainer::new(CrossEntropy, Adam::new(0.01))
        .epochs(3)
        .batch(4)
        .validate(&test)
        .metric("f1", F1::macro_average(3))
        .gradient_norms()
        .weight_norms()
        .callback(TensorBoard::new(folder.join("board")))
        .callback(Ending(end))
        .autosave_every(5, &file);
    let mut trainer = if resume { trainer.resume(&file) } else { trainer };
    trainer.fit(&mut Net::new(Seed(1)), &train)
}

#[test]
fn all_figures_are_in_the_files() {
    let folder = Folder::new("board");
    let history = fit(&folder.0, usize::MAX, false).unwrap();
    let [(train, begun)] = &files(&folder.0.join("board/train"))[..] else { panic!("one file") };
    assert_eq!(*begun, Some(1));
    let steps = |figure: fn(&netform::train::StepRecord) -> f64| {
        (1..).zip(&history.steps).map(|(i, step)| (i, figure(step) as f32)).collect::<Vec<_>>()
    };
    assert_eq!(train["step/loss"], steps(|step| step.loss));
    assert_eq!(train["step/rate"], steps(|step| step.rate));
    assert_eq!(train["step/gradient_norm"], steps(|step| step.gradient_norm.unwrap()));
    let epochs = |figure: &dyn Fn(&netform::train::EpochRecord) -> f64| {
        let epochs = history.epochs.iter();
        epochs.map(|it| (7 * it.epoch as u64, figure(it) as f32)).collect::<Vec<_>>()
    };
    assert_eq!(train["loss"], epochs(&|it| it.train_loss));
    assert_eq!(train["accuracy"], epochs(&|it| it.train_accuracy.unwrap()));
    assert_eq!(train["f1"], epochs(&|it| it.metric("f1").unwrap().train.unwrap()));
    assert_eq!(train["weight_norm/fc2.bias"], epochs(&|it| it.weight_norms[3].norm));
    let [(validation, _)] = &files(&folder.0.join("board/validation"))[..] else {
        panic!("one file")
    };
    assert_eq!(validation["loss"], epochs(&|it| it.validation_loss.unwrap()));
    assert_eq!(validation["accuracy"], epochs(&|it| it.validation_accuracy.unwrap()));
    assert_eq!(validation["f1"], epochs(&|it| it.metric("f1").unwrap().validation.unwrap()));
    assert_eq!(validation.len(), 3);
}

#[test]
fn a_training_that_goes_on_writes_where_it_goes_on() {
    let folder = Folder::new("board-resumed");
    assert!(fit(&folder.0, 13, false).is_err());
    let history = fit(&folder.0, usize::MAX, true).unwrap();
    let parts = files(&folder.0.join("board/train"));
    let [(first, Some(1)), (second, Some(11))] = &parts[..] else { panic!("{parts:?}") };
    assert_eq!(first["step/loss"].len(), 13);
    let losses = history.steps[10..].iter().map(|step| step.loss as f32);
    assert_eq!(second["step/loss"], (11..).zip(losses).collect::<Vec<_>>());
}

#[test]
fn a_second_call_on_other_data_goes_on_behind_the_first() {
    let folder = Folder::new("board-again");
    let mut net = Net::new(Seed(1));
    let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.01))
        .epochs(2)
        .batch(4)
        .callback(TensorBoard::new(folder.0.join("board")));
    // Epochs of 7 batches, then of 3.
    for samples in [26, 10] {
        trainer.fit(&mut net, &data(samples, 0.0)).unwrap();
    }
    let parts = files(&folder.0.join("board/train"));
    let [(first, Some(1)), (second, Some(15))] = &parts[..] else { panic!("{parts:?}") };
    let places = |part: &Scalars, tag: &str| part[tag].iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(places(first, "step/loss"), (1..=14).collect::<Vec<_>>());
    assert_eq!(places(first, "loss"), [7, 14]);
    assert_eq!(places(second, "step/loss"), (15..=20).collect::<Vec<_>>());
    assert_eq!(places(second, "loss"), [17, 20]);
}

#[test]
fn a_folder_that_cannot_be_is_found_at_once() {
    let folder = Folder::new("board-file");
    let file = folder.file("board", "in the way");
    let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).callback(TensorBoard::new(file));
    says(trainer.fit(&mut Net::new(Seed(1)), &data(26, 0.0)), &["board", "write to a folder"]);
}

/// Linux has a folder in which not even the superuser creates files.
#[cfg(target_os = "linux")]
#[test]
fn a_closed_folder_has_a_way_out() {
    let board = TensorBoard::new("/sys/kernel/board");
    let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).callback(board);
    let outcome = trainer.fit(&mut Net::new(Seed(1)), &data(26, 0.0));
    says(outcome, &["/sys/kernel/board/train: ", "no file can be created in /sys/kernel/board"]);
}
