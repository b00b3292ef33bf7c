//! Colours that can be told apart on light and on dark ground, and the style that changes the ground.
//!
//! A document names the colours of light ground; where the reader's system prefers dark, [`STYLE`] replaces ground and
//! ink by their numbers. Paper is light.

use plotters::style::RGBColor;

/// What is behind everything.
pub(super) const GROUND: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
/// Of texts and axes.
pub(super) const INK: RGBColor = RGBColor(0x3F, 0x44, 0x4C);
/// Of grids, which are drawn thin.
pub(super) const GRID: RGBColor = RGBColor(0x80, 0x86, 0x90);

/// Of series and classes; each has a contrast of about 3 or more to both grounds.
const SERIES: [RGBColor; 8] = [
    RGBColor(0x3A, 0x86, 0xD4),
    RGBColor(0xE0, 0x76, 0x2B),
    RGBColor(0x2F, 0xA3, 0x6B),
    RGBColor(0xA0, 0x63, 0xD6),
    RGBColor(0xDB, 0x4A, 0x5B),
    RGBColor(0x1F, 0xA3, 0xA8),
    RGBColor(0xB8, 0x90, 0x1E),
    RGBColor(0xD6, 0x5C, 0xA6),
];

/// The colour of a series or class; they come again after the eighth.
pub(super) fn series(i: usize) -> RGBColor {
    SERIES[i % SERIES.len()]
}

/// A colour as documents name it.
pub(super) fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// The style of a document; it is the same in each, so that several can be in one page.
pub(super) const STYLE: &str = "\
.netform-plot{max-width:100%;height:auto}\
.netform-plot text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif}\
.netform-plot rect{shape-rendering:crispEdges}\
.netform-plot image{image-rendering:pixelated}\
@media screen and (prefers-color-scheme:dark){\
.netform-plot [fill='#FFFFFF']{fill:#15181D}\
.netform-plot [fill='#3F444C']{fill:#C9CED6}\
.netform-plot [stroke='#3F444C']{stroke:#C9CED6}}";

/// Of a part of the way from the least weight, -1, over 0 to the largest, 1: blue, white, red.
pub(super) fn diverging(part: f64) -> [u8; 3] {
    let end = if part < 0.0 { [0x1F, 0x5F, 0xB4] } else { [0xC4, 0x30, 0x3C] };
    let part = part.abs().min(1.0);
    end.map(|c: u8| (255.0 + (f64::from(c) - 255.0) * part).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_names_the_colours_that_are_drawn() {
        for colour in [GROUND, INK] {
            assert!(STYLE.contains(&format!("[fill='{}']", hex(colour))));
        }
        assert!(STYLE.contains(&format!("[stroke='{}']", hex(INK))));
    }

    #[test]
    fn nothing_is_white() {
        assert_eq!(diverging(0.0), [255; 3]);
        assert_eq!(diverging(-7.0), [0x1F, 0x5F, 0xB4]);
        // What is no number has no side.
        assert_eq!(diverging(f64::NAN), diverging(1.0));
    }
}
