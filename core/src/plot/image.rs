//! Small pictures as text: PNG in the form of a URL, which pages and SVG documents have within themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

/// A picture of so many columns and rows, with the colours of its points row by row.
pub(crate) struct Image {
    pub width: usize,
    pub height: usize,
    pub points: Vec<[u8; 3]>,
}

impl Image {
    /// The picture with at most so many columns and rows: of more, each point is the mean of those that it stands for.
    pub fn at_most(self, most: usize) -> Image {
        let Image { width, height, .. } = self;
        let every = width.max(height).div_ceil(most.max(1)).max(1);
        if every == 1 {
            return self;
        }
        let part = |i: usize, of: usize| i * every..of.min((i + 1) * every);
        let mean = |row: usize, column: usize| {
            let (rows, columns) = (part(row, height), part(column, width));
            let count = rows.len() * columns.len();
            let mut sums = [0usize; 3];
            for points in rows.map(|y| &self.points[y * width..][columns.clone()]) {
                for point in points {
                    sums.iter_mut().zip(point).for_each(|(sum, x)| *sum += usize::from(*x));
                }
            }
            sums.map(|sum| ((sum + count / 2) / count) as u8)
        };
        let [rows, columns] = [height, width].map(|side| side.div_ceil(every));
        let points = (0..rows * columns).map(|i| mean(i / columns, i % columns)).collect();
        Image { width: columns, height: rows, points }
    }

    /// The picture as a `data:` URL.
    pub fn url(&self) -> Result<String> {
        let failed = |problem: String| {
            Error::Invalid(format!(
                "a picture of {} x {} points cannot be written: {problem}",
                self.width, self.height
            ))
        };
        let side = |n: usize| u32::try_from(n).map_err(|_| failed("it is too large".to_owned()));
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width)?, side(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().map_err(|e| failed(e.to_string()))?;
        writer.write_image_data(self.points.as_flattened()).map_err(|e| failed(e.to_string()))?;
        writer.finish().map_err(|e| failed(e.to_string()))?;
        Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_picture_is_one_of_means() {
        let points = (0..15).map(|i| [10 * i, 0, 255]).collect();
        let small = Image { width: 5, height: 3, points }.at_most(3);
        assert_eq!((small.width, small.height), (3, 2));
        // Two by two points each, the rest at the right and below.
        let red: Vec<u8> = small.points.iter().map(|point| point[0]).collect();
        assert_eq!(red, [30, 50, 65, 105, 125, 140]);
        assert!(small.points.iter().all(|point| point[1..] == [0, 255]));
        let kept = small.at_most(3);
        assert_eq!((kept.width, kept.height, kept.points.len()), (3, 2, 6));
    }
}
