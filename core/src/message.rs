//! Messages put together in const evaluation: a shape error about sizes that only the compiler knows.

/// Text of at most 1024 bytes.
pub struct Message {
    bytes: [u8; 1024],
    len: usize,
}

impl Default for Message {
    fn default() -> Self {
        Self::new()
    }
}

impl Message {
    /// An empty message.
    pub const fn new() -> Self {
        Message { bytes: [0; 1024], len: 0 }
    }

    /// The message with `text` at its end; what does not fit is left out.
    pub const fn text(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// The message with `n` in decimals at its end.
    pub const fn number(mut self, mut n: usize) -> Self {
        let mut digits = [0; 20];
        let mut count = 0;
        loop {
            digits[count] = b'0' + (n % 10) as u8;
            n /= 10;
            count += 1;
            if n == 0 {
                break;
            }
        }
        while count > 0 && self.len < self.bytes.len() {
            count -= 1;
            self.bytes[self.len] = digits[count];
            self.len += 1;
        }
        self
    }

    /// The message with a shape at its end: `[16, 5, 5]`.
    pub const fn shape(mut self, sizes: &[usize]) -> Self {
        self = self.text("[");
        let mut i = 0;
        while i < sizes.len() {
            if i > 0 {
                self = self.text(", ");
            }
            self = self.number(sizes[i]);
            i += 1;
        }
        self.text("]")
    }

    /// The message.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "a message that is too long",
        }
    }
}

/// Stops const evaluation with the message; the error points at the caller.
#[track_caller]
pub const fn fail(message: &Message) -> ! {
    panic!("{}", message.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shapes() {
        const TEXT: Message =
            Message::new().text("yields ").shape(&[16, 5, 5]).text(" = ").number(400).number(0);
        assert_eq!(TEXT.as_str(), "yields [16, 5, 5] = 4000");
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        assert_eq!(Message::new().text(&"x".repeat(2000)).number(7).as_str().len(), 1024);
    }
}
