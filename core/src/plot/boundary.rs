//! Points of classes in a plane, and which class each place of it is taken for.

use std::ops::Range;

use plotters::element::{Circle, Rectangle};
use plotters::style::Color;

use super::axis::{Axis, ends};
use super::colour::series;
use super::frame::{Area, Drawn, Entry, Frame, Sign, TINT, radius};
use super::svg::Svg;
use super::thin::apart;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::model::Classifier;
use crate::network::Network;

/// In how many columns and rows of places the plane is asked for its class.
const CELLS: usize = 120;

/// Points of classes in a plane; behind them, the plane in the colour of the class that each place is taken for.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::plot::Boundary;
///
/// let points = [[0.1, 0.2], [0.8, 0.9], [0.3, 0.1], [0.7, 0.6]];
/// let svg = Boundary::new("Which side", points, [0, 1, 0, 1])?
///     .names(["below", "above"])
///     .by(|[x, y]| (x + y > 1.0).into())
///     .svg()?;
/// assert!(svg.as_str().contains("above"));
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Boundary {
    frame: Frame,
    points: Vec<[f64; 2]>,
    labels: Vec<u32>,
    names: Vec<String>,
    /// The class of each cell, row by row from below.
    cells: Vec<usize>,
}

impl Boundary {
    /// Points with their classes, from 0.
    ///
    /// # Errors
    /// If there are not as many labels as points.
    pub fn new<X: Into<f64>>(
        title: impl Into<String>,
        points: impl IntoIterator<Item = [X; 2]>,
        labels: impl IntoIterator<Item = u32>,
    ) -> Result<Self> {
        let points: Vec<_> = points.into_iter().map(|point| point.map(Into::into)).collect();
        let labels: Vec<u32> = labels.into_iter().collect();
        if points.len() != labels.len() {
            return Err(Error::Size {
                what: "points of classes".to_owned(),
                expected: format!("a label for each of {} points", points.len()),
                found: format!("{} labels", labels.len()),
            });
        }
        let frame = Frame { title: title.into(), ..Frame::default() };
        Ok(Boundary { frame, points, labels, names: Vec::new(), cells: Vec::new() })
    }

    /// What the axes are called.
    #[must_use]
    pub fn axes(mut self, x: impl Into<String>, y: impl Into<String>) -> Self {
        self.frame.name_axes(x, y);
        self
    }

    /// The names of the classes, by class; they are numbers without.
    #[must_use]
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Asks a function for the class of each place.
    #[must_use]
    pub fn by(mut self, class: impl Fn([f64; 2]) -> usize) -> Self {
        self.cells = self.places().map(class).collect();
        self
    }

    /// Asks a classifier for the class of each place, and takes its names. It is given the places in the units of the
    /// points, as it is measured samples.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Side: [2] -> [1] { fc1: Linear(1) } }
    /// # fn main() -> netform::error::Result<()> {
    /// use netform::model::Classifier;
    /// use netform::plot::Boundary;
    /// # use netform::random::Seed;
    ///
    /// let model = Classifier::new(Side::new(Seed(1)), ["red", "blue"])?;
    /// let svg = Boundary::new("Two classes", [[0.1f32, 0.2], [0.8, 0.9]], [0, 1])?.by_model(&model)?.svg()?;
    /// assert!(svg.as_str().contains("blue"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Model::predict`](crate::model::Model::predict): if the network's input is not of two numbers, or an output
    /// is not finite.
    pub fn by_model<N>(self, model: &Classifier<N>) -> Result<Self>
    where
        N: Network<InputElement = <N as crate::module::Module>::Elem>,
    {
        let places = self.places().map(|place| place.map(N::Elem::from_f64));
        let cells = model.predict(places)?.iter().map(|answer| answer.class()).collect();
        Ok(Boundary { cells, names: model.class_names().to_vec(), ..self })
    }

    /// The middles of the cells, row by row from below.
    fn places(&self) -> impl Iterator<Item = [f64; 2]> + use<> {
        let [x, y] = self.plane().map(|axis| axis.ends());
        let at = |[low, high]: [f64; 2], i| low + (high - low) * (i as f64 + 0.5) / CELLS as f64;
        (0..CELLS * CELLS).map(move |i| [at(x, i % CELLS), at(y, i / CELLS)])
    }

    /// The points with some room around them.
    fn plane(&self) -> [Axis; 2] {
        [0, 1].map(|i| {
            let ends = ends(self.points.iter().map(|point| point[i]));
            Axis::around(ends.unwrap_or((0.0, 1.0)))
        })
    }

    /// Draws the plot. Points that are not finite have no place; of thousands, those are drawn that look the same as all of
    /// them.
    ///
    /// # Errors
    /// None that is known: whatever the values are, there is a picture.
    pub fn svg(&self) -> Result<Svg> {
        let [x, y] = self.plane();
        let place = [x.clone(), y.clone()];
        let labelled: Vec<_> =
            self.points.iter().copied().zip(self.labels.iter().copied()).collect();
        let shown = apart(&labelled, &place, |&([a, b], label)| (label, (a, b)));
        self.frame.draw([x, y], &self.legend(), |area| {
            self.draw_cells(area, &place)?;
            let placed = shown.iter().filter(|([a, b], _)| place[0].has(*a) && place[1].has(*b));
            let radius = radius(shown.len());
            area.draw_series(placed.map(|([a, b], label)| {
                Circle::new((*a, *b), radius, series(*label as usize).filled())
            }))?;
            Ok(())
        })
    }

    /// Draws cells of one class that are side by side as one, and rows of them that are alike.
    fn draw_cells(&self, area: &mut Area<'_>, place: &[Axis; 2]) -> Drawn {
        let [x, y] = place.each_ref().map(Axis::ends);
        let at = |[low, high]: [f64; 2], i: usize| low + (high - low) * i as f64 / CELLS as f64;
        area.draw_series(regions(&self.cells).iter().map(|Region { class, columns, rows }| {
            let corners =
                [(at(x, columns.start), at(y, rows.end)), (at(x, columns.end), at(y, rows.start))];
            Rectangle::new(corners, series(*class).mix(TINT).filled())
        }))?;
        Ok(())
    }

    /// The classes that there are among points and places, of many the first ones.
    fn legend(&self) -> Vec<Entry> {
        let points = self.labels.iter().map(|label| *label as usize);
        let mut classes: Vec<usize> = points.chain(self.cells.iter().copied()).collect();
        classes.sort_unstable();
        classes.dedup();
        let name = |class: usize| {
            self.names.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
        };
        let entry = |class| Entry { sign: Sign::Point, colour: series(class), text: name(class) };
        classes.into_iter().take(24).map(entry).collect()
    }
}

/// Cells of one class, which are a rectangle.
struct Region {
    class: usize,
    columns: Range<usize>,
    rows: Range<usize>,
}

/// The cells as few regions: what is the same in the row above goes on.
fn regions(cells: &[usize]) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    let mut above: Vec<usize> = Vec::new();
    for (row, cells) in cells.chunks(CELLS).enumerate() {
        let (mut column, mut here) = (0, Vec::new());
        for run in cells.chunk_by(|a, b| a == b) {
            let columns = column..column + run.len();
            column = columns.end;
            let goes_on = |&i: &usize| regions[i].class == run[0] && regions[i].columns == columns;
            let i = above.iter().copied().find(goes_on).unwrap_or(regions.len());
            if i == regions.len() {
                regions.push(Region { class: run[0], columns, rows: row..row });
            }
            regions[i].rows.end = row + 1;
            here.push(i);
        }
        above = here;
    }
    regions
}
