//! Memory for a batch; where there is not enough, the error says how large a batch would fit.

use crate::device::{Device, Memory};
use crate::element::Float;
use crate::error::{Error, Result};

/// That a workspace which is at most `one` elements for each sample can be counted at all: allocating it then
/// tells whether there is memory for it.
pub(crate) fn check_size<D: Memory>(device: &D, one: usize, capacity: usize) -> Result<()> {
    match one.max(1).checked_mul(capacity).and_then(|n| n.checked_mul(16)) {
        Some(_) => Ok(()),
        None => Err(Error::OutOfMemory {
            device: device.name(),
            bytes: usize::MAX,
            advice: "; a smaller batch needs less".to_owned(),
        }),
    }
}

/// A workspace of `words(capacity)` elements for `what` of up to `capacity` samples.
pub(crate) fn room<E: Float, D: Device<E>>(
    device: &D,
    what: &str,
    capacity: usize,
    words: impl Fn(usize) -> usize,
) -> Result<D::Buffer<E>> {
    device.zeros(words(capacity)).map_err(|error| match error {
        Error::OutOfMemory { device: name, bytes, advice } => {
            let fits = most_samples(capacity, |batch| device.fits::<E>(words(batch)));
            let advice = match fits {
                0 => format!("{advice}; it is the workspace of {what}, and not even one sample fits"),
                _ => format!(
                    "{advice}; it is the workspace of {what} with {} numbers for {capacity} samples, and a batch of {fits} would fit",
                    words(capacity)
                ),
            };
            Error::OutOfMemory { device: name, bytes, advice }
        }
        other => other,
    })
}

/// The largest batch that fits, where `capacity` does not and what is smaller fits if what is larger does.
fn most_samples(capacity: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut most, mut too_many) = (0, capacity);
    while too_many - most > 1 {
        let between = most + (too_many - most) / 2;
        if fits(between) { most = between } else { too_many = between }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;

    #[test]
    fn the_largest_batch_that_fits_is_found() {
        for capacity in [2, 3, 64, 1000] {
            for most in [0, 1, capacity / 2, capacity - 1] {
                assert_eq!(most_samples(capacity, |batch| batch <= most), most, "{capacity}");
            }
        }
    }

    #[test]
    fn an_error_names_a_batch_that_fits() {
        let words = |batch| if batch > 5 { usize::MAX / 8 } else { batch };
        let error = room::<f32, _>(&Cpu::default(), "a step of `Net`", 9, words).err().unwrap();
        let message = error.to_string();
        assert!(message.contains("a step of `Net`"), "{message}");
        assert!(message.ends_with("for 9 samples, and a batch of 5 would fit"), "{message}");
    }
}
