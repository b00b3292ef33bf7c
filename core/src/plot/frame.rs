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
/// The picture with one line of legend, in units: narrow enough for its texts to be read where it is as wide as a phone.
const SIZE: [u32; 2] = [480, 320];
/// What is left and right of the legend, and above it.
const MARGIN: i32 = 12;
const TOP: i32 = 34;
/// What stands in front of a legend's text, and what behind it.
const SIGN: i32 = 24;
const GAP: i32 = 20;
/// Of more entries than these, each has at most half a line.
const FEW: usize = 4;
/// The sizes of texts.
const TITLE: u32 = 15;
const TEXT: u32 = 12;
/// How wide a character is, of its height: an estimate, for nobody knows the reader's font.
const WIDTH: f64 = 0.58;
/// What a number beside the upper end of an axis needs above it.
const HALF: u32 = 5;
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
    /// What the axes are called.
    pub fn name_axes(&mut self, x: impl Into<String>, y: impl Into<String>) {
        (self.x, self.y) = (x.into(), y.into());
    }

    /// Draws the frame and in it what `content` draws.
    pub fn draw(
        &self,
        [x, y]: [Axis; 2],
        legend: &[Entry],
        content: impl FnOnce(&mut Area<'_>) -> Drawn,
    ) -> Result<Svg> {
        let legend = Legend::of(legend);
        let size = [SIZE[0], SIZE[1] + legend.height.saturating_sub(LINE)];
        let mut text = String::new();
        self.draw_into(&mut text, size, [x, y], &legend, content).map_err(|error| {
            Error::Invalid(format!("the plot {:?} cannot be drawn: {error}", self.title))
        })?;
        // The root is ours: plotters' has no title and no style.
        let begin = text.find('>').map_or(0, |at| at + 2);
        let end = text.rfind("</svg>").unwrap_or(text.len());
        Ok(Svg::of(&self.title, size, UNIT, &text[begin..end]))
    }

    fn draw_into(
        &self,
        text: &mut String,
        [width, height]: [u32; 2],
        [x, y]: [Axis; 2],
        legend: &Legend<'_>,
        content: impl FnOnce(&mut Area<'_>) -> Drawn,
    ) -> Drawn {
        let root = SVGBackend::with_string(text, (width * UNIT, height * UNIT)).into_drawing_area();
        root.fill(&GROUND)?;
        draw_text(&root, &fitting(&self.title, TITLE, width - 2 * MARGIN as u32), TITLE, [12, 10])?;
        legend.draw(&root)?;
        let top = TOP as u32 + legend.height + HALF;
        let labels = |axis: &Axis| axis.label_width() as f64 * f64::from(TEXT) * WIDTH;
        let left = labels(&y).ceil() as u32 + 14 + if self.y.is_empty() { 0 } else { 16 };
        let below = if self.x.is_empty() { 26 } else { 42 };
        // What is right of the axes and what is between them has room for their names.
        let x_name = fitting(&self.x, TEXT, width.saturating_sub(left + 26));
        let y_name = fitting(&self.y, TEXT, height.saturating_sub(top + below + 6));
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
            .x_desc(x_name)
            .y_desc(y_name)
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
fn shown(text: &str) -> String {
    text.chars().map(printable).collect()
}

/// A text of a size in a room of so many units, as it can stand in XML: cut, where it is too long for it.
pub(super) fn fitting(text: &str, size: u32, room: u32) -> String {
    shown(&shortened(text, (f64::from(room) / (f64::from(size) * WIDTH)) as usize))
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

/// The entries one after another, in as many lines as they take.
struct Legend<'e> {
    /// Where each one is, and its text.
    placed: Vec<(&'e Entry, [i32; 2], String)>,
    /// Of all lines.
    height: u32,
}

impl<'e> Legend<'e> {
    fn of(entries: &'e [Entry]) -> Self {
        let end_of_line = SIZE[0] as i32 - MARGIN;
        let whole = end_of_line - MARGIN;
        let room = if entries.len() > FEW { (whole - GAP) / 2 } else { whole };
        let each = f64::from(TEXT) * WIDTH;
        let most = (f64::from(room - SIGN) / each) as usize;
        let width = |chars: usize| (chars as f64 * each) as i32;
        let mut at = [MARGIN, TOP];
        let place = |entry: &'e Entry| {
            let text = shortened(&entry.text, most);
            let end = SIGN + width(text.chars().count());
            if at[0] > MARGIN && at[0] + end > end_of_line {
                at = [MARGIN, at[1] + LINE as i32];
            }
            let here = at;
            at[0] += end + GAP;
            (entry, here, text)
        };
        let placed: Vec<_> = entries.iter().map(place).collect();
        let lines = placed.last().map_or(0, |(_, [_, y], _)| (y - TOP) as u32 + LINE);
        Legend { placed, height: lines }
    }

    fn draw(
        &self,
        root: &Root<'_>,
    ) -> std::result::Result<(), DrawingAreaErrorKind<std::io::Error>> {
        for (Entry { sign, colour, .. }, [x, y], text) in &self.placed {
            match sign {
                Sign::Line => root.draw(&PathElement::new(
                    vec![scaled([*x, y + 6]), scaled([x + 18, y + 6])],
                    thick(*colour),
                ))?,
                Sign::Point => {
                    root.draw(&Circle::new(scaled([x + 9, y + 6]), 4 * UNIT, colour.filled()))?;
                }
                Sign::Square => root.draw(&Rectangle::new(
                    [scaled([x + 3, *y]), scaled([x + 15, y + 12])],
                    colour.mix(TINT).filled(),
                ))?,
            }
            draw_text(root, text, TEXT, [x + SIGN, *y])?;
        }
        Ok(())
    }
}

/// A text of at most so many characters: of a longer one begin and end, which tell names of parameters apart.
fn shortened(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let begin = most / 2;
    let end = most.saturating_sub(begin + 1);
    let begin: String = text.chars().take(begin).collect();
    let end: String = text.chars().skip(count - end).collect();
    format!("{begin}…{end}")
}

/// How much of a class' colour its region has.
pub(super) const TINT: f64 = 0.25;

/// How large each of so many points is: of many, smaller.
pub(super) fn radius(points: usize) -> u32 {
    let units = if points > 400 { 2 } else { 3 };
    units * UNIT + UNIT / 2
}

/// The style of curves.
pub(super) fn thick(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(2 * UNIT)
}
