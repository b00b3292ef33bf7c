//! Buffer lifetimes to offsets in one workspace: buffers that are never needed at once share memory.
//!
//! Sizes are symbolic, so buffers are grouped by what their size is a multiple of (the batch, nothing, a
//! product of constants): within a group the multiples are numbers, and can be packed. Offsets are aligned
//! by their multiples or, where those are small numbers, by what they are multiples of.

use std::collections::BTreeMap;

use crate::shape::{Atom, Dim};

/// A buffer that lives from step `start` to step `end`, both included.
#[derive(Clone)]
pub struct Buffer {
    pub size: Dim,
    pub start: usize,
    pub end: usize,
}

/// Where each buffer begins, and the length of the workspace, in elements.
pub struct Layout {
    pub offsets: Vec<Dim>,
    pub len: Dim,
}

/// Offsets are multiples of 16 elements: 64 bytes in f32, a cache line and every device's alignment.
const ALIGNMENT: i128 = 16;

/// Packs buffers: in each group the largest first, each at the lowest offset where no buffer lies that
/// lives at the same time.
pub fn pack(buffers: &[Buffer]) -> Layout {
    let mut groups: BTreeMap<Dim, Vec<(usize, i128)>> = BTreeMap::new();
    for (i, buffer) in buffers.iter().enumerate() {
        let (unit, multiple) = match buffer.size.as_term() {
            Some((n, atoms)) => (Dim::from_term(1, atoms), n),
            // What is made of aligned parts is aligned.
            None => match buffer.size.div(&Dim::literal(ALIGNMENT)) {
                Some(unit) => (unit, ALIGNMENT),
                None => (buffer.size.clone(), 1),
            },
        };
        groups.entry(unit).or_default().push((i, multiple));
    }
    let mut offsets = vec![Dim::literal(0); buffers.len()];
    let mut len = Dim::literal(0);
    for (unit, members) in groups {
        let (unit, mut members) = aligned(unit, members);
        members.sort_by_key(|(i, size)| (-size, *i));
        let mut placed: Vec<(usize, i128, i128)> = vec![];
        for (i, size) in members {
            let offset = lowest(buffers, &placed, i, size);
            offsets[i] = len.add(&unit.mul(&Dim::literal(offset)));
            placed.push((i, offset, size));
        }
        let end =
            placed.iter().map(|(_, offset, size)| offset.saturating_add(*size)).max().unwrap_or(0);
        len = len.add(&unit.mul(&Dim::literal(end)));
    }
    Layout { offsets, len }
}

/// A group whose offsets are aligned. A multiple of 1 rounded to 16 would be 16 times the memory where it
/// counts more than samples or single elements.
fn aligned(unit: Dim, mut members: Vec<(usize, i128)>) -> (Dim, Vec<(usize, i128)>) {
    let simple = unit.is_one() || unit == Dim::batch();
    if !simple && members.iter().any(|(_, multiple)| *multiple < ALIGNMENT) {
        return (Dim::atom(Atom::Aligned(Box::new(unit))), members);
    }
    for (_, multiple) in &mut members {
        *multiple = (multiple.saturating_add(ALIGNMENT - 1) / ALIGNMENT).saturating_mul(ALIGNMENT);
    }
    (unit, members)
}

/// The lowest offset at which buffer `i` overlaps nothing that lives with it.
fn lowest(buffers: &[Buffer], placed: &[(usize, i128, i128)], i: usize, size: i128) -> i128 {
    let mut taken: Vec<(i128, i128)> = placed
        .iter()
        .filter(|(j, ..)| {
            buffers[*j].start <= buffers[i].end && buffers[i].start <= buffers[*j].end
        })
        .map(|(_, offset, size)| (*offset, offset.saturating_add(*size)))
        .collect();
    taken.sort_unstable();
    let mut offset: i128 = 0;
    for (start, end) in taken {
        if offset.saturating_add(size) <= start {
            break;
        }
        offset = offset.max(end);
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(n: i128, start: usize, end: usize) -> Buffer {
        Buffer { size: Dim::batch().mul(&Dim::literal(n)), start, end }
    }

    #[test]
    fn buffers_that_do_not_meet_share_memory() {
        let layout = pack(&[buffer(32, 0, 1), buffer(32, 2, 3), buffer(20, 1, 2)]);
        assert!(layout.offsets[0] == layout.offsets[1]);
        assert!(layout.offsets[2] == Dim::batch().mul(&Dim::literal(32)));
        assert!(layout.len == Dim::batch().mul(&Dim::literal(64)));
    }

    #[test]
    fn what_is_made_of_aligned_parts_is_not_padded() {
        let size = Dim::literal(32).add(&Dim::batch().mul(&Dim::literal(48)));
        let layout = pack(&[Buffer { size: size.clone(), start: 0, end: 1 }]);
        assert!(layout.len == size);
    }

    #[test]
    fn multiples_of_constants_are_not_padded_to_multiples_of_16() {
        let unit = Dim::batch().mul(&Dim::atom(Atom::Param("D".to_owned())));
        let buffer = |n: i128| Buffer { size: unit.mul(&Dim::literal(n)), start: 0, end: 1 };
        let layout = pack(&[buffer(1), buffer(4)]);
        assert_eq!(layout.len.to_string(), "5 * aligned(batch * D)");
        assert_eq!(layout.offsets[0].to_string(), "4 * aligned(batch * D)");
        let layout = pack(&[buffer(100), buffer(32)]);
        assert_eq!(layout.len.to_string(), "144 * batch * D");
    }

    #[test]
    fn fixed_and_batch_buffers_lie_apart() {
        let fixed = Buffer { size: Dim::literal(5), start: 0, end: 9 };
        let layout = pack(&[fixed, buffer(16, 0, 9)]);
        assert!(layout.len == Dim::literal(16).add(&Dim::batch().mul(&Dim::literal(16))));
        assert!(layout.offsets[0] != layout.offsets[1]);
    }
}
