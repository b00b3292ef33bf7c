//! A field of a table: how numbers are written, which texts mean that nothing is there, the words that it may be, and how
//! messages show it.

use std::collections::BTreeMap;
use std::fmt;

use crate::data::check_names;
use crate::error::Result;

/// The most characters of a field that a message repeats.
const SHOWN: usize = 40;
/// The most names that a message lists.
const LISTED: usize = 10;

/// What stands for the missing fields of a column: a number, or a word. `1.5.into()`, `"unknown".into()`.
#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    /// Of a column of numbers.
    Number(f64),
    /// Of a column of words.
    Word(String),
}

impl Fill {
    /// As a word.
    pub(in crate::data) fn word(&self) -> String {
        match self {
            Fill::Number(x) => x.to_string(),
            Fill::Word(word) => word.clone(),
        }
    }
}

impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Shown(&self.word()))
    }
}

macro_rules! fill_from {
    ($($from:ty, $x:ident => $fill:expr;)*) => { $(
        impl From<$from> for Fill {
            fn from($x: $from) -> Self {
                $fill
            }
        }
    )* };
}
fill_from! {
    f64, x => Fill::Number(x);
    f32, x => Fill::Number(f64::from(x));
    i32, x => Fill::Number(f64::from(x));
    u32, x => Fill::Number(f64::from(x));
    &str, word => Fill::Word(word.to_owned());
    String, word => Fill::Word(word);
}

/// How a table writes what its fields are.
#[derive(Clone, Debug)]
pub(in crate::data) struct Notation {
    /// What is before the decimals of a number.
    pub decimal: char,
    /// What groups its digits in threes.
    pub thousands: Option<char>,
    /// What means, beside an empty field, that nothing is there.
    pub missing: Vec<String>,
}

impl Default for Notation {
    fn default() -> Self {
        Notation { decimal: '.', thousands: None, missing: Vec::new() }
    }
}

impl Notation {
    /// That the marks can be told apart from each other and from digits.
    pub fn check(&self) -> std::result::Result<(), String> {
        let is_mark = |mark: char| !mark.is_alphanumeric() && !"+-\"".contains(mark);
        match (self.decimal, self.thousands) {
            (decimal, Some(thousands)) if decimal == thousands => Err(format!(
                "{decimal:?} is both before decimals and between thousands: expected two marks, as `.thousands('.').decimal(',')`"
            )),
            (decimal, thousands) => {
                match [decimal].into_iter().chain(thousands).find(|it| !is_mark(*it)) {
                    None => Ok(()),
                    Some(other) => Err(format!(
                        "{other:?} is no mark in a number: expected one such as '.' or ','"
                    )),
                }
            }
        }
    }

    /// The number that a field is.
    pub fn number(&self, field: &str) -> Option<f64> {
        if self.decimal == '.' && self.thousands.is_none() {
            return field.parse().ok();
        }
        let (whole, decimals) = match field.split_once(self.decimal) {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (field, None),
        };
        let grouped = match self.thousands {
            Some(mark) if whole.contains(mark) => {
                is_grouped(whole, mark).then(|| whole.replace(mark, ""))?
            }
            _ => whole.to_owned(),
        };
        let text = match decimals {
            Some(decimals) => format!("{grouped}.{decimals}"),
            None => grouped,
        };
        // A point that is no mark of decimals may group digits.
        let strange = self.decimal != '.' && field.contains('.') && self.thousands != Some('.');
        if strange { None } else { text.parse().ok() }
    }

    /// Whether nothing is there.
    pub fn is_missing(&self, field: &str) -> bool {
        field.is_empty() || self.missing.iter().any(|text| text == field)
    }
}

/// Whether the digits of a whole number are in groups of three: `1,234` and `-12,345,678`.
pub(in crate::data) fn is_grouped(whole: &str, mark: char) -> bool {
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let mut groups = digits.split(mark);
    let are_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().is_some_and(|it| (1..=3).contains(&it.len()) && are_digits(it));
    let mut others = groups.peekable();
    first && others.peek().is_some() && others.all(|it| it.len() == 3 && are_digits(it))
}

/// The words that the fields of a column may be, in their order.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) struct Categories {
    pub names: Vec<String>,
    positions: BTreeMap<String, usize>,
}

impl Categories {
    /// Of names for the fields of `column`, which differ.
    pub fn new<S: AsRef<str>>(column: &str, names: &[S]) -> Result<Self> {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        check_names(&format!("column `{column}`"), &names)?;
        let positions = names.iter().cloned().zip(0..).collect();
        Ok(Categories { names, positions })
    }

    /// The place of a word.
    pub fn position(&self, word: &str) -> Option<usize> {
        self.positions.get(word).copied()
    }
}

/// What the fields of a column become.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) enum Encoding {
    /// The number that each is.
    Number,
    /// A number for each word, 1 for the field's own and 0 for the others.
    OneHot(Categories),
    /// The place among the words.
    Ordinal(Categories),
}

/// What a field should have been.
pub(in crate::data) enum Refusal<'c> {
    NoNumber,
    /// A number beyond what the elements of this name hold.
    TooLarge(&'static str),
    NoWord(&'c [String]),
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoNumber => f.write_str("a finite number"),
            Refusal::TooLarge(element) => write!(f, "a number that {element} can hold"),
            Refusal::NoWord(words) => write!(f, "one of {}", Listed(words)),
        }
    }
}

/// Names as a message lists them: the first, and how many more there are.
pub(crate) struct Listed<'a>(pub &'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().take(LISTED).enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { ", " }, Shown(name))?;
        }
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// A field as a message shows it: cut where it is long, `nothing` where it is empty.
pub(in crate::data) struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN) {
            _ if self.0.is_empty() => f.write_str("nothing"),
            Some((end, _)) => write!(f, "`{}..`", self.0[..end].escape_debug()),
            None => write!(f, "`{}`", self.0.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_tables_write_them() {
        let notation = |decimal, thousands| Notation { decimal, thousands, missing: vec![] };
        let point = notation('.', None);
        let english = notation('.', Some(','));
        let german = notation(',', Some('.'));
        let comma = notation(',', None);
        let cases = [
            (&point, "1.5", Some(1.5)),
            (&point, "-2e3", Some(-2000.0)),
            (&point, "1,234", None),
            (&point, "", None),
            (&point, "1.2.3", None),
            (&english, "1,234", Some(1234.0)),
            (&english, "-12,345,678.25", Some(-12_345_678.25)),
            (&english, "12", Some(12.0)),
            (&english, "1,23", None),
            (&english, "1234,567", None),
            (&english, "1.234,567", None),
            (&english, ",234", None),
            (&german, "1.234,5", Some(1234.5)),
            (&german, "1.5", None),
            (&comma, "1,5", Some(1.5)),
            (&comma, "1.5", None),
            (&comma, "1,5,5", None),
        ];
        for (notation, field, number) in cases {
            assert_eq!(notation.number(field), number, "{field} with {notation:?}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..12).map(|i| i.to_string()).collect();
        assert_eq!(Listed(&names[..2]).to_string(), "`0`, `1`");
        assert!(Listed(&names[..10]).to_string().ends_with("`8`, `9`"));
        assert!(Listed(&names).to_string().ends_with("`8`, `9` and 2 more"));
    }

    #[test]
    fn long_and_empty_fields_are_shown_short() {
        assert_eq!(Shown("").to_string(), "nothing");
        assert_eq!(Shown("a\nb").to_string(), "`a\\nb`");
        let long = "\u{e4}".repeat(50);
        assert_eq!(Shown(&long).to_string(), format!("`{}..`", "\u{e4}".repeat(40)));
    }
}
