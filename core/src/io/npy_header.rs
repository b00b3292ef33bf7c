//! The header of NumPy's arrays: a Python dictionary of three entries.

use std::fmt;

use crate::element::{Element, Scalar};
use crate::io::safetensors::half;

/// What the header of an array says.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub kind: Kind,
    pub big_endian: bool,
    /// Whether the first axis runs fastest.
    pub fortran: bool,
    pub sizes: Vec<usize>,
}

/// A type of elements: a letter and a width in bytes, as NumPy writes them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
}

impl Kind {
    /// That of the elements of a tensor.
    pub fn of<E: Element>() -> Self {
        match E::NAME {
            "U32" => Kind::Unsigned(4),
            _ => Kind::Float(size_of::<E>()),
        }
    }

    pub fn width(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::Signed(width) | Kind::Unsigned(width) | Kind::Float(width) => width,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "b1" => Kind::Bool,
            "i1" => Kind::Signed(1),
            "i2" => Kind::Signed(2),
            "i4" => Kind::Signed(4),
            "i8" => Kind::Signed(8),
            "u1" => Kind::Unsigned(1),
            "u2" => Kind::Unsigned(2),
            "u4" => Kind::Unsigned(4),
            "u8" => Kind::Unsigned(8),
            "f2" => Kind::Float(2),
            "f4" => Kind::Float(4),
            "f8" => Kind::Float(8),
            _ => return None,
        })
    }

    /// The number in the bytes of one element.
    pub fn decode(self, bytes: &[u8], big_endian: bool) -> Scalar {
        let fold = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        let bits = match big_endian {
            true => bytes.iter().fold(0, fold),
            false => bytes.iter().rev().fold(0, fold),
        };
        match self {
            Kind::Bool => Scalar::Integer((bits != 0).into()),
            Kind::Unsigned(_) => Scalar::Integer(bits.into()),
            Kind::Signed(width) => {
                let unused = 64 - 8 * width as u32;
                Scalar::Integer(((bits << unused) as i64 >> unused).into())
            }
            Kind::Float(2) => Scalar::Float(half(bits as u16)),
            Kind::Float(4) => Scalar::Float(f32::from_bits(bits as u32).into()),
            Kind::Float(_) => Scalar::Float(f64::from_bits(bits)),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self {
            Kind::Bool => 'b',
            Kind::Signed(_) => 'i',
            Kind::Unsigned(_) => 'u',
            Kind::Float(_) => 'f',
        };
        write!(f, "{letter}{}", self.width())
    }
}

impl Header {
    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`; says what is wrong otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut text = Text(text.trim());
        let (mut descr, mut fortran, mut sizes) = (None, None, None);
        text.expect("{")?;
        while !text.take("}") {
            let key = text.string()?;
            text.expect(":")?;
            match key {
                "descr" => descr = Some(text.descr()?),
                "fortran_order" => fortran = Some(text.boolean()?),
                "shape" => sizes = Some(text.sizes()?),
                other => return Err(format!("found the entry `{}`", other.escape_debug())),
            }
            if !text.take(",") && !text.0.trim_start().starts_with('}') {
                return Err(text.found("a comma or `}`"));
            }
        }
        if !text.0.trim().is_empty() {
            return Err(text.found("the end of the header"));
        }
        let missing = |entry| format!("the entry `{entry}` is missing");
        let (big_endian, kind) = descr.ok_or_else(|| missing("descr"))?;
        Ok(Header {
            kind,
            big_endian,
            fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
            sizes: sizes.ok_or_else(|| missing("shape"))?,
        })
    }

    /// The bytes of all elements; `None` where there are too many.
    pub fn bytes(&self) -> Option<u64> {
        let width = self.kind.width() as u64;
        self.sizes.iter().try_fold(width, |bytes, &size| bytes.checked_mul(size as u64))
    }

    /// The shape as messages show it.
    pub fn shape(&self) -> String {
        format!("{:?}", self.sizes)
    }
}

/// What is left of a header.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    /// Takes `token`, if it comes next.
    fn take(&mut self, token: &str) -> bool {
        let rest = self.0.trim_start().strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(self.found(&format!("`{token}`"))) }
    }

    fn found(&self, expected: &str) -> String {
        let found: String = self.0.trim_start().chars().take(40).collect();
        format!("found `{}`, expected {expected}", found.escape_debug())
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let end = quote.and_then(|quote| text[1..].find(quote));
        let end = end.ok_or_else(|| self.found("a string in quotes"))?;
        self.0 = &text[end + 2..];
        Ok(&text[1..=end])
    }

    fn descr(&mut self) -> Result<(bool, Kind), String> {
        let expected = "numbers of one type: b1, i1 to i8, u1 to u8, f2, f4 or f8";
        if self.0.trim_start().starts_with('[') {
            return Err(format!("found an array of records, expected {expected}"));
        }
        let text = self.string()?;
        let big = text.starts_with('>');
        let kind = text.strip_prefix(['<', '>', '|', '=']).unwrap_or(text);
        let kind = Kind::parse(kind).ok_or_else(|| {
            format!("found elements of type `{}`, expected {expected}", text.escape_debug())
        })?;
        Ok((big, kind))
    }

    fn boolean(&mut self) -> Result<bool, String> {
        match (self.take("True"), self.take("False")) {
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            _ => Err(self.found("`True` or `False`")),
        }
    }

    fn sizes(&mut self) -> Result<Vec<usize>, String> {
        let mut sizes = Vec::new();
        self.expect("(")?;
        while !self.take(")") {
            let text = self.0.trim_start();
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let size = text[..end].parse().map_err(|_| self.found("the size of an axis"))?;
            sizes.push(size);
            self.0 = &text[end..];
            // Python 2 wrote long integers so.
            self.take("L");
            if !self.take(",") && !self.0.trim_start().starts_with(')') {
                return Err(self.found("a comma or `)`"));
            }
        }
        Ok(sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header, String> {
        Header::parse(text)
    }

    #[test]
    fn headers_as_numpy_writes_them() {
        let expected =
            Header { kind: Kind::Float(4), big_endian: false, fortran: false, sizes: vec![3, 4] };
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }          \n";
        assert_eq!(header(text), Ok(expected));
        let other = header("{\"shape\":(7L,),'fortran_order':True,'descr':'>i2'}").unwrap();
        let Header { kind, big_endian, fortran, sizes } = other;
        assert_eq!((kind, big_endian, fortran), (Kind::Signed(2), true, true));
        assert_eq!(sizes, [7]);
        assert!(
            header("{'descr': '|b1', 'fortran_order': False, 'shape': ()}")
                .unwrap()
                .sizes
                .is_empty()
        );
    }

    #[test]
    fn headers_that_are_wrong() {
        let says = |text: &str, problem: &str| {
            let found = header(text).unwrap_err();
            assert!(found.contains(problem), "`{problem}` is not in: {found}");
        };
        says("", "expected `{`");
        says("{", "expected a string in quotes");
        says("{'descr': '<f4'", "expected a comma or `}`");
        says("{'descr': '<f4'}", "`fortran_order` is missing");
        says("{'descr': '<c8'}", "found elements of type `<c8`, expected numbers");
        says("{'descr': [('x', '<f4')]}", "array of records");
        says("{'descr': '<f4', 'shape': (3 4)}", "found `4)}`, expected a comma or `)`");
        says("{'descr': '<f4', 'shape': (-3,)}", "expected the size of an axis");
        says("{'shape': (99999999999999999999,)}", "expected the size of an axis");
        says("{'shape': 3}", "expected `(`");
        says("{'fortran_order': Maybe}", "expected `True` or `False`");
        says("{'colour': 3}", "found the entry `colour`");
        says("{'shape': ()} }", "expected the end of the header");
        says("{'\u{e4}': 3}", "the entry");
        says("{'", "expected a string in quotes");
    }

    #[test]
    fn elements_of_every_kind() {
        let decode = |kind, bytes: &[u8]| {
            let mut reversed = bytes.to_vec();
            reversed.reverse();
            let little = Kind::parse(kind).unwrap().decode(bytes, false);
            assert_eq!(Kind::parse(kind).unwrap().decode(&reversed, true), little);
            little
        };
        assert_eq!(decode("b1", &[2]), Scalar::Integer(1));
        assert_eq!(decode("i1", &[0xff]), Scalar::Integer(-1));
        assert_eq!(decode("i2", &[0, 0x80]), Scalar::Integer(-32768));
        assert_eq!(decode("i8", &(-5i64).to_le_bytes()), Scalar::Integer(-5));
        assert_eq!(decode("u8", &u64::MAX.to_le_bytes()), Scalar::Integer(u64::MAX.into()));
        assert_eq!(decode("u4", &[1, 2, 0, 0]), Scalar::Integer(513));
        assert_eq!(decode("f2", &[0, 0x3c]), Scalar::Float(1.0));
        assert_eq!(decode("f4", &0.1f32.to_le_bytes()), Scalar::Float(0.1f32.into()));
        assert_eq!(decode("f8", &(-0.1f64).to_le_bytes()), Scalar::Float(-0.1));
    }
}
