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
