//! Plots as SVG documents: points and curves over axes, classes with the boundary between them, weights as pictures.
//!
//! | | |
//! |---|---|
//! | [`Plot`] | points, lines and functions: data with a fitted line, any curves |
//! | [`curves`] | a figure of a training, epoch by epoch |
//! | [`Boundary`] | classes in a plane, and what each place is taken for |
//! | [`filters`] | the weights of a convolution as small pictures |
//! | [`heat_map`], [`histogram`] | any weights, as a picture and by how often they are how large |
//!
//! All of them yield an [`Svg`], which can be saved or put into a page. Values that are infinite or not a number are left
//! out and counted.

mod axis;
mod boundary;
mod chart;
mod colour;
mod curves;
mod filters;
mod frame;
mod histogram;
mod image;
mod svg;
#[cfg(test)]
mod tests;
mod thin;

pub use boundary::Boundary;
pub use chart::Plot;
pub use curves::curves;
pub use filters::{filters, heat_map};
pub use histogram::histogram;
pub use svg::Svg;

pub(crate) use axis::ends;
pub(crate) use curves::{curves_plot, figures};
pub(crate) use image::Image;
pub(crate) use svg::escaped;
