//! The picture that a plot comes to: an SVG document as text.

use std::fmt;
use std::path::Path;

use super::colour::STYLE;
use crate::error::Result;
use crate::io::write_atomically;

/// A picture as an SVG document. `{}` writes it, so that it can stand in a page as it is; [`Svg::save`] makes a file.
///
/// It needs no fonts to be made, asks for nothing from elsewhere, and its colours follow what the reader's system
/// prefers, light or dark.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::plot::Plot;
/// let svg = Plot::new("A line").line("y", [(0.0, 1.0), (1.0, 3.0)]).svg()?;
/// assert!(svg.as_str().starts_with("<svg "));
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Svg {
    text: String,
}

impl Svg {
    /// Of what is between the tags of the root, in a picture of so many units.
    pub(super) fn of(title: &str, [width, height]: [u32; 2], scale: u32, content: &str) -> Self {
        let title = escaped(title);
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"netform-plot\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             {content}</svg>\n",
            width * scale,
            height * scale,
        );
        Svg { text }
    }

    /// The document's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Writes the document as a file, whole or not at all.
    ///
    /// # Errors
    /// If the folder does not exist, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path, self.text.as_bytes())
    }
}

impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Text as it may stand in markup, between tags or in quotes. What XML has no place for, as a character of control, is
/// replaced.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(printable(c)),
        }
    }
    safe
}

/// The character, or what stands for one that XML 1.0 does not allow: <https://www.w3.org/TR/xml/#charsets>.
pub(super) fn printable(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_texts_is_text() {
        assert_eq!(
            escaped("<a href=\"x\" b='y'>&\u{1}\u{ffff}ä"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\u{fffd}\u{fffd}ä"
        );
    }
}
