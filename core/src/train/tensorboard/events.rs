//! Files of events: records of TFRecord, each an `Event` in the wire format of protocol buffers.
//!
//! - <https://www.tensorflow.org/tutorials/load_data/tfrecord>: length (8 bytes), its checksum, the data, their checksum
//! - `Event` and `SessionLog`: tensorflow/core/util/event.proto
//! - `Summary`: tensorflow/core/framework/summary.proto
//! - <https://protobuf.dev/programming-guides/encoding/>

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crc::{CRC_32_ISCSI, Crc};

use crate::error::{Error, Result};
use crate::io::atomic::explain_growing;

/// CRC-32C, of Castagnoli's polynomial.
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// A file of events that is being written.
#[derive(Debug)]
pub(super) struct Events {
    path: PathBuf,
    file: BufWriter<File>,
    /// Whether something but the version has been written.
    begun: bool,
    /// One event, and one value of its summary; used again.
    event: Vec<u8>,
    value: Vec<u8>,
}

/// The kinds of fields: what a field's number is followed by.
const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const BYTES: u8 = 2;
const FIXED_32: u8 = 5;

impl Events {
    /// A new file in a folder, which is made if it is not there.
    pub fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|e| explain_growing(folder, folder, e))?;
        // What TensorBoard knows files by, and reads them in the order of: ten digits of seconds.
        let (seconds, process) = (now() as u64, std::process::id());
        let mut count = 0;
        let (path, file) = loop {
            let name = format!("events.out.tfevents.{seconds:010}.{count:04}.netform.{process}");
            let path = folder.join(name);
            match File::create_new(&path) {
                Ok(file) => break (path, file),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => count += 1,
                Err(e) => return Err(explain_growing(&path, folder, e)),
            }
        };
        let file = BufWriter::new(file);
        let mut events = Events { path, file, begun: false, event: vec![], value: vec![] };
        events.begin(None);
        bytes(&mut events.event, 3, b"brain.Event:2");
        events.end()?;
        Ok(events)
    }

    /// A number at a step.
    pub fn scalar(&mut self, step: usize, tag: &str, value: f64) -> Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            // Events of earlier files at this step and after it are forgotten: a session has begun anew.
            self.begin(Some(step));
            bytes(&mut self.event, 7, &[1 << 3 | VARINT, 1]);
            self.end()?;
        }
        // Summary.Value: a tag and a simple value.
        self.value.clear();
        bytes(&mut self.value, 1, tag.as_bytes());
        self.value.push(2 << 3 | FIXED_32);
        self.value.extend((value as f32).to_le_bytes());
        // In a summary, in an event.
        self.begin(Some(step));
        let len = self.value.len();
        self.event.push(5 << 3 | BYTES);
        varint(&mut self.event, (1 + varint_len(len as u64) + len) as u64);
        bytes(&mut self.event, 1, &self.value);
        self.end()
    }

    /// Brings what has been written to the file.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(|e| self.refused(e))
    }

    /// Begins an event, with its time and its step.
    fn begin(&mut self, step: Option<usize>) {
        self.event.clear();
        self.event.push(1 << 3 | FIXED_64);
        self.event.extend(now().to_le_bytes());
        if let Some(step) = step {
            self.event.push(2 << 3 | VARINT);
            varint(&mut self.event, step as u64);
        }
    }

    /// Writes the event as a record.
    fn end(&mut self) -> Result<()> {
        let length = (self.event.len() as u64).to_le_bytes();
        let parts: [&[u8]; 4] = [
            &length,
            &masked(&length).to_le_bytes(),
            &self.event,
            &masked(&self.event).to_le_bytes(),
        ];
        let written = parts.into_iter().try_for_each(|part| self.file.write_all(part));
        written.map_err(|e| self.refused(e))
    }

    /// The system's error about the file.
    fn refused(&self, error: io::Error) -> Error {
        explain_growing(&self.path, self.path.parent().unwrap_or(&self.path), error)
    }
}

/// The time in seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// A checksum as it is stored: turned, and with a number added, because checksums of what holds checksums are weak.
fn masked(data: &[u8]) -> u32 {
    CRC.checksum(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A field of bytes, a text or a message.
fn bytes(to: &mut Vec<u8>, field: u8, data: &[u8]) {
    to.push(field << 3 | BYTES);
    varint(to, data.len() as u64);
    to.extend_from_slice(data);
}

/// A number of seven bits a byte, the lowest first; all bytes but the last have their highest bit set.
fn varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn varint_len(number: u64) -> usize {
    (64 - number.leading_zeros()).div_ceil(7).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_castagnolis() {
        // The check value of CRC-32/ISCSI, and the vectors of RFC 3720, B.4.
        assert_eq!(CRC.checksum(b"123456789"), 0xe306_9283);
        assert_eq!(CRC.checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(CRC.checksum(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn numbers_of_any_size() {
        for (number, expected) in
            [(0, &[0][..]), (1, &[1]), (127, &[127]), (128, &[0x80, 1]), (300, &[0xac, 2])]
        {
            let mut found = vec![];
            varint(&mut found, number);
            assert_eq!(found, expected);
            assert_eq!(varint_len(number), expected.len());
        }
        assert_eq!(varint_len(u64::MAX), 10);
    }
}
