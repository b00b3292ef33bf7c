//! How often values are how large.

use plotters::element::Rectangle;
use plotters::style::Color;

use super::axis::{Axis, Scale, ends};
use super::colour::series;
use super::frame::{Entry, Frame, Sign};
use super::svg::Svg;
use crate::error::Result;

/// How many bars there are at most.
const BARS: usize = 40;

/// How often values, such as a layer's weights, are how large. Those that are not finite are counted in the legend.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [20] -> [20] { fc1: Linear(20) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::plot;
/// # use netform::random::Seed;
///
/// let net = Net::new(Seed(1));
/// let svg = plot::histogram("Weights of fc1", net.fc1().weight()?.to_vec())?;
/// assert!(svg.as_str().contains("400 values"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// None that is known: whatever the values are, there is a picture.
pub fn histogram<X: Into<f64>>(
    title: impl Into<String>,
    values: impl IntoIterator<Item = X>,
) -> Result<Svg> {
    let all: Vec<f64> = values.into_iter().map(Into::into).collect();
    let finite: Vec<f64> = all.iter().copied().filter(|x| x.is_finite()).collect();
    let x = Axis::around(ends(finite.iter().copied()).unwrap_or((0.0, 1.0)));
    // As many bars as there is something to see in.
    let bars = ((finite.len() as f64).sqrt().ceil() as usize * 2).clamp(8, BARS);
    let [low, high] = x.ends();
    let mut counts = vec![0u32; bars];
    for value in &finite {
        let part = (value - low) / (high - low);
        counts[((part * bars as f64) as usize).min(bars - 1)] += 1;
    }
    let y = Axis::of(Scale::Linear, counts.iter().map(|&count| f64::from(count)).chain([0.0]));
    let text = match all.len() - finite.len() {
        0 => format!("{} values", all.len()),
        lost => format!("{} values, and {lost} that are not finite", finite.len()),
    };
    let legend = [Entry { sign: Sign::Square, colour: series(0), text }];
    let frame = Frame { title: title.into(), x: "value".to_owned(), y: "how many".to_owned() };
    let at = |i: usize| low + (high - low) * i as f64 / bars as f64;
    frame.draw([x, y], &legend, |area| {
        let bar = |(i, &count): (usize, &u32)| {
            let corners = [(at(i), f64::from(count)), (at(i + 1), 0.0)];
            Rectangle::new(corners, series(0).mix(0.7).filled())
        };
        let drawn = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        area.draw_series(drawn.map(bar))?;
        Ok(())
    })
}
