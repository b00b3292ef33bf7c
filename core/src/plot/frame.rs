//! What is around every plot with axes: title, legend, grid, axes and their names.

use std::error::Error as StdError;

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::axis::Axis;
use super::colour::{GRID, GROUND, INK};
use super::svg::{Svg, printable};
use crate::error::{Error, Result};

/// Coordinates are whole numbers: so many of them are one unit of the picture, so that curves are smooth.
pub(super) const UNIT: u32 = 10;
/// The picture, in units: narrow enough for its texts to be read where it is as wide as a phone.
const SIZE: [u32; 2] = [480, 320];
/// The sizes of texts.
const TITLE: u32 = 15;
const TEXT: u32 = 12;
/// How wide a character is, of its height: an estimate, for nobody knows the reader's font.
const WIDTH: f64 = 0.58;
/// The height of a line of the legend.
const LINE: u32 = 18;

/// The area within the axes.
pub(super) type Area<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;
/// What drawing comes to.
pub(super) type Drawn = std::result::Result<(), Box<dyn StdError + Send + Sync>>;

/// How the legend shows what an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Line,
    Point,
    Square,
}

/// An entry of the legend.
pub(super) struct Entry {
    pub sign: Sign,
    pub colour: RGBColor,
    pub text: String,
}

/// What a plot is called, and what is on its axes.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub title: String,
    pub x: String,
    pub y: String,
}

impl Frame {
    /// Draws the frame and in it what `content` draws.
    pub fn draw(
        &self,
        [x, y]: [Axis; 2],
        legend: &[Entry],
        content: impl FnOnce(&mut Area<'_>) -> Drawn,
    ) -> Result<Svg> {
        let mut text = String::new();
        self.draw_into(&mut text, [x, y], legend, content).map_err(|error| {
            Error::Invalid(format!("the plot {:?} cannot be drawn: {error}", self.title))
        })?;
        // The root is ours: plotters' has no title and no style.
        let begin = text.find('>').map_or(0, |at| at + 2);
        let end = text.rfind("</svg>").unwrap_or(text.len());
        Ok(Svg::of(&self.title, SIZE, UNIT, &text[begin..end]))
    }

    fn draw_into(
        &self,
        text: &mut String,
        [x, y]: [Axis; 2],
        legend: &[Entry],
        content: impl FnOnce(&mut Area<'_>) -> Drawn,
    ) -> Drawn {
        let size = (SIZE[0] * UNIT, SIZE[1] * UNIT);
        let root = SVGBackend::with_string(text, size).into_drawing_area();
        root.fill(&GROUND)?;
        draw_text(&root, &self.title, TITLE, [12, 10])?;
        let top = 34 + draw_legend(&root, legend, 34)?;
        let labels = |axis: &Axis| axis.label_width() as f64 * f64::from(TEXT) * WIDTH;
        let left = labels(&y).ceil() as u32 + 14 + if self.y.is_empty() { 0 } else { 16 };
        let below = if self.x.is_empty() { 26 } else { 42 };
        let (x_labels, y_labels) = (x.clone(), y.clone());
        let mut area = ChartBuilder::on(&root)
            .margin_top(top * UNIT)
            .margin_right(18 * UNIT)
            .margin_bottom(6 * UNIT)
            .margin_left(8 * UNIT)
            .x_label_area_size(below * UNIT)
            .y_label_area_size(left * UNIT)
            .build_cartesian_2d(x, y)?;
        area.configure_mesh()
            .bold_line_style(GRID.mix(0.3).stroke_width(UNIT))
            // The light lines would be the same ones.
            .light_line_style(GRID.mix(0.0))
            .axis_style(INK.stroke_width(UNIT))
            .set_all_tick_mark_size(4 * UNIT)
            .label_style(style(TEXT))
            .axis_desc_style(style(TEXT))
            .x_label_formatter(&|x| x_labels.label(*x))
            .y_label_formatter(&|y| y_labels.label(*y))
            .x_desc(shown(&self.x))
            .y_desc(shown(&self.y))
            .draw()?;
        content(&mut area)?;
        root.present()?;
        Ok(())
    }
}

/// The style of a text of this size.
pub(super) fn style(size: u32) -> TextStyle<'static> {
    // plotters divides sizes by this.
    ("sans-serif", f64::from(size * UNIT) * 1.24).into_font().color(&INK)
}

/// A text that can stand in XML; plotters escapes the rest.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(printable).collect()
}

type Root<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw_text(
    root: &Root<'_>,
    text: &str,
    size: u32,
    at: [i32; 2],
) -> std::result::Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let style = style(size).pos(Pos::new(HPos::Left, VPos::Top));
    root.draw(&Text::new(shown(text), scaled(at), style))
}

fn scaled([x, y]: [i32; 2]) -> (i32, i32) {
    (x * UNIT as i32, y * UNIT as i32)
}

/// Draws the entries one after another, in as many lines as they take; says how high these are.
fn draw_legend(
    root: &Root<'_>,
    legend: &[Entry],
    top: i32,
) -> std::result::Result<u32, DrawingAreaErrorKind<std::io::Error>> {
    const LEFT: i32 = 12;
    let mut at = [LEFT, top];
    for Entry { sign, colour, text } in legend {
        let width = (text.chars().count() as f64 * f64::from(TEXT) * WIDTH) as i32 + 36;
        if at[0] > LEFT && at[0] + width > SIZE[0] as i32 {
            at = [LEFT, at[1] + LINE as i32];
        }
        let [x, y] = at;
        match sign {
            Sign::Line => root.draw(&PathElement::new(
                vec![scaled([x, y + 6]), scaled([x + 18, y + 6])],
                thick(*colour),
            ))?,
            Sign::Point => {
                root.draw(&Circle::new(scaled([x + 9, y + 6]), 4 * UNIT, colour.filled()))?;
            }
            Sign::Square => root.draw(&Rectangle::new(
                [scaled([x + 3, y]), scaled([x + 15, y + 12])],
                colour.mix(TINT).filled(),
            ))?,
        }
        draw_text(root, text, TEXT, [x + 24, y])?;
        at[0] += width + 8;
    }
    Ok(if legend.is_empty() { 0 } else { (at[1] - top) as u32 + LINE })
}

/// How much of a class' colour its region has.
pub(super) const TINT: f64 = 0.25;

/// The style of curves.
pub(super) fn thick(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(2 * UNIT)
}
