//! What one dispatch of a pass leaves for another: pieces of one buffer, each new one behind the last, so that calls which
//! have nothing to do with each other need not wait.

use crate::tape::Piece;

/// From here on pieces begin at the start again, and wait for those that had the place.
const MOST: usize = 1 << 22;

/// Pieces begin at multiples of so many elements.
const GRAIN: usize = 16;

/// The pieces that have been given away.
#[derive(Default)]
pub(crate) struct Scratch {
    next: usize,
    end: usize,
}

impl Scratch {
    /// A piece of `len` elements.
    pub fn take(&mut self, len: usize) -> Piece {
        if self.next + len > MOST {
            self.next = 0;
        }
        let piece = Piece { start: self.next, len };
        self.next = (self.next + len).next_multiple_of(GRAIN);
        self.end = self.end.max(self.next);
        piece
    }

    /// The elements from the start on, which others may have had: who takes them waits for those.
    pub fn start(&mut self, len: usize) -> Piece {
        self.end = self.end.max(len);
        Piece { start: 0, len }
    }

    /// The elements of all pieces.
    pub fn end(&self) -> usize {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_apart_until_there_are_too_many() {
        let mut scratch = Scratch::default();
        assert_eq!(scratch.end(), 0);
        assert_eq!(scratch.take(17), Piece { start: 0, len: 17 });
        assert_eq!(scratch.take(1), Piece { start: 32, len: 1 });
        assert_eq!(scratch.take(MOST), Piece { start: 0, len: MOST });
        assert_eq!(scratch.take(5), Piece { start: 0, len: 5 });
        assert_eq!(scratch.end(), MOST);
    }
}
