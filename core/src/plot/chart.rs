//! Points, lines and functions over two axes.

use plotters::coord::ranged1d::Ranged;
use plotters::element::{Circle, EmptyElement, PathElement, Text};
use plotters::series::LineSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor};

use super::axis::{Axis, Scale};
use super::colour::{GRID, series};
use super::frame::{Area, Drawn, Entry, Frame, Sign, UNIT, fitting, radius, style, thick};
use super::svg::Svg;
use super::thin::{apart, thinned};
use crate::error::Result;

/// In how many places a function is looked at.
const SAMPLES: u32 = 400;
/// The size of a mark's text, and what room it has at the least: half a plot with wide labels.
const MARK: u32 = 11;
const MARK_ROOM: u32 = 190;

/// Points, lines and functions over two axes, each in a colour of its own, with a legend.
///
/// Values that are infinite or not a number have no place: a line has a gap there, and the legend says how many there
/// are. Of thousands of points, those are drawn that look the same as all of them.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::plot::Plot;
///
/// let measured = [(0.0, 1.1), (1.0, 2.8), (2.0, 5.2), (3.0, 6.9)];
/// let svg = Plot::new("A line through four points")
///     .axes("x", "y")
///     .points("measured", measured)
///     .function("2 x + 1", |x| 2.0 * x + 1.0)
///     .svg()?;
/// # let path = std::env::temp_dir().join(format!("netform-doc-plot-{}.svg", std::process::id()));
/// svg.save(&path)?;
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Default)]
pub struct Plot<'f> {
    frame: Frame,
    series: Vec<Series<'f>>,
    marks: Vec<(f64, String)>,
    log_y: bool,
    counting_x: bool,
}

struct Series<'f> {
    name: String,
    what: What<'f>,
}

enum What<'f> {
    Points(Vec<(f64, f64)>),
    Line(Vec<(f64, f64)>),
    Function(Box<dyn Fn(f64) -> f64 + 'f>),
}

impl<'f> Plot<'f> {
    /// A plot with this title, and nothing in it.
    pub fn new(title: impl Into<String>) -> Self {
        let frame = Frame { title: title.into(), ..Frame::default() };
        Plot { frame, ..Plot::default() }
    }

    /// What the axes are called.
    #[must_use]
    pub fn axes(mut self, x: impl Into<String>, y: impl Into<String>) -> Self {
        self.frame.name_axes(x, y);
        self
    }

    /// Adds points.
    #[must_use]
    pub fn points<X: Into<f64>, Y: Into<f64>>(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (X, Y)>,
    ) -> Self {
        self.with(name, What::Points(numbers(points)))
    }

    /// Adds a line from point to point, in the order in which they are given.
    #[must_use]
    pub fn line<X: Into<f64>, Y: Into<f64>>(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (X, Y)>,
    ) -> Self {
        self.with(name, What::Line(numbers(points)))
    }

    /// Adds the curve of a function over the range that points and lines have. It is seen as far as it stays near them.
    #[must_use]
    pub fn function(self, name: impl Into<String>, f: impl Fn(f64) -> f64 + 'f) -> Self {
        self.with(name, What::Function(Box::new(f)))
    }

    /// Adds an upright line at `x`, with a word to it.
    #[must_use]
    pub fn mark(mut self, x: impl Into<f64>, text: impl Into<String>) -> Self {
        self.marks.push((x.into(), text.into()));
        self
    }

    /// Places by the logarithm of y; values that are not positive have no place then.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// Says that x is counted: only whole numbers are written beside its axis.
    #[must_use]
    pub fn counting_x(mut self) -> Self {
        self.counting_x = true;
        self
    }

    fn with(mut self, name: impl Into<String>, what: What<'f>) -> Self {
        self.series.push(Series { name: name.into(), what });
        self
    }

    /// Draws the plot.
    ///
    /// # Errors
    /// None that is known: whatever the values are, there is a picture.
    pub fn svg(&self) -> Result<Svg> {
        let (x, y) = (self.x_axis(), self.y_scale());
        let functions = self.functions(&x);
        let y = self.y_axis(y, &functions);
        let place = [x.clone(), y.clone()];
        let mut functions = functions.into_iter();
        let lines: Vec<_> = self
            .series
            .iter()
            .map(|Series { what, .. }| match what {
                What::Points(points) => (Sign::Point, apart(points, &place, |point| ((), *point))),
                What::Line(points) => (Sign::Line, thinned(points, &place)),
                What::Function(_) => (Sign::Line, functions.next().unwrap_or_default()),
            })
            .collect();
        let legend: Vec<Entry> = self
            .series
            .iter()
            .zip(&lines)
            .enumerate()
            .map(|(i, (of, (sign, _)))| Entry { sign: *sign, colour: series(i), text: of.text() })
            .collect();
        let marks = self.marks.iter().filter(|(at, _)| x.has(*at));
        let marks: Vec<_> = marks.collect();
        self.frame.draw([x, y], &legend, |area| {
            for (at, text) in marks {
                draw_mark(area, &place, *at, text, is_crowded_above(&lines, &place, *at))?;
            }
            for (i, (sign, points)) in lines.iter().enumerate() {
                match sign {
                    Sign::Point => draw_points(area, &place, points, series(i))?,
                    _ => draw_line(area, &place, points, series(i))?,
                }
            }
            Ok(())
        })
    }

    /// The points of points and lines.
    fn given(&self) -> impl Iterator<Item = (f64, f64)> {
        self.series
            .iter()
            .flat_map(|series| match &series.what {
                What::Points(points) | What::Line(points) => &points[..],
                What::Function(_) => &[],
            })
            .copied()
    }

    fn x_axis(&self) -> Axis {
        let scale = if self.counting_x { Scale::Counting } else { Scale::Linear };
        let marks = self.marks.iter().map(|(at, _)| *at);
        Axis::of(scale, self.given().map(|(x, _)| x).chain(marks))
    }

    fn y_scale(&self) -> Scale {
        if self.log_y { Scale::Log } else { Scale::Linear }
    }

    /// The functions' values.
    fn functions(&self, x: &Axis) -> Vec<Vec<(f64, f64)>> {
        let [low, high] = x.ends();
        let at = |i: u32| low + (high - low) * f64::from(i) / f64::from(SAMPLES);
        let values =
            |f: &dyn Fn(f64) -> f64| (0..=SAMPLES).map(|i| (at(i), f(at(i)))).collect::<Vec<_>>();
        let functions = self.series.iter().filter_map(|series| match &series.what {
            What::Function(f) => Some(values(f)),
            _ => None,
        });
        functions.collect()
    }

    /// Of what is given, with the values of functions that are near it; of all where nothing is given.
    fn y_axis(&self, scale: Scale, functions: &[Vec<(f64, f64)>]) -> Axis {
        let of_functions = functions.iter().flatten().map(|(_, y)| *y);
        let mut given: Vec<f64> = self.given().map(|(_, y)| y).collect();
        if given.is_empty() {
            return Axis::of(scale, of_functions);
        }
        let near = Axis::of(scale, given.iter().copied()).wider(0.5);
        given.extend(of_functions.filter(|y| near.has(*y)));
        Axis::of(scale, given)
    }
}

impl Series<'_> {
    /// What the legend says.
    fn text(&self) -> String {
        let (What::Points(points) | What::Line(points)) = &self.what else {
            return self.name.clone();
        };
        let lost = points.iter().filter(|(x, y)| !x.is_finite() || !y.is_finite()).count();
        match lost {
            0 => self.name.clone(),
            _ => format!("{} ({lost} not finite)", self.name),
        }
    }
}

fn numbers<X: Into<f64>, Y: Into<f64>>(
    points: impl IntoIterator<Item = (X, Y)>,
) -> Vec<(f64, f64)> {
    points.into_iter().map(|(x, y)| (x.into(), y.into())).collect()
}

fn draw_points(
    area: &mut Area<'_>,
    [x, y]: &[Axis; 2],
    points: &[(f64, f64)],
    colour: RGBColor,
) -> Drawn {
    let placed = points.iter().filter(|point| x.has(point.0) && y.has(point.1));
    let radius = radius(points.len());
    area.draw_series(placed.map(|point| Circle::new(*point, radius, colour.mix(0.85).filled())))?;
    Ok(())
}

/// Draws a line with a gap where a point has no place; a point between two gaps is a dot.
fn draw_line(
    area: &mut Area<'_>,
    [x, y]: &[Axis; 2],
    points: &[(f64, f64)],
    colour: RGBColor,
) -> Drawn {
    for run in points.split(|point| !x.has(point.0) || !y.has(point.1)) {
        match run {
            [] => {}
            [one] => {
                area.draw_series([Circle::new(*one, 4 * UNIT, colour.filled())])?;
            }
            _ => {
                area.draw_series(LineSeries::new(run.iter().copied(), thick(colour)))?;
            }
        }
    }
    Ok(())
}

/// On which side of a mark its text is: on the one on which there is room for it.
fn side(x: &Axis, at: f64) -> HPos {
    let [left, right] = x.ends();
    if at - left > right - at { HPos::Right } else { HPos::Left }
}

/// Whether more is drawn where the text of a mark would be above than where it would be below, by parts of a thousand.
fn is_crowded_above(lines: &[(Sign, Vec<(f64, f64)>)], [x, y]: &[Axis; 2], at: f64) -> bool {
    let of = |axis: &Axis, value: f64| axis.map(&value, (0, 1000));
    let beside = match side(x, at) {
        HPos::Right => of(x, at) - 400..=of(x, at),
        _ => of(x, at)..=of(x, at) + 400,
    };
    let points = lines.iter().flat_map(|(_, points)| points);
    let near = points.filter(|point| x.has(point.0) && y.has(point.1));
    let near = near.filter(|point| beside.contains(&of(x, point.0)));
    let (mut above, mut below) = (0, 0);
    for height in near.map(|point| of(y, point.1)) {
        above += usize::from(height > 850);
        below += usize::from(height < 150);
    }
    above > below
}

fn draw_mark(area: &mut Area<'_>, [x, y]: &[Axis; 2], at: f64, text: &str, is_low: bool) -> Drawn {
    let [low, high] = y.ends();
    let line = PathElement::new(vec![(at, low), (at, high)], GRID.stroke_width(UNIT));
    area.draw_series([line])?;
    let side = side(x, at);
    let right = if matches!(side, HPos::Right) { -4 } else { 4 };
    let (from, end, down) = if is_low { (low, VPos::Bottom, -3) } else { (high, VPos::Top, 3) };
    let shift = (right * UNIT as i32, down * UNIT as i32);
    let text = fitting(text, MARK, MARK_ROOM);
    let text = Text::new(text, shift, style(MARK).pos(Pos::new(side, end)));
    area.draw_series([EmptyElement::at((at, from)) + text])?;
    Ok(())
}
