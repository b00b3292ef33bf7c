//! Weights as pictures: blue below 0, white at 0, red above.

use super::colour::{GRID, GROUND, INK, diverging, hex};
use super::image::Image;
use super::svg::{Svg, escaped};
use crate::device::Device;
use crate::dim::Static;
use crate::element::Float;
use crate::error::Result;
use crate::tensor::Tensor;

/// How wide and how high a picture is at most, in units, if its parts are not too small to be seen then.
const WIDTH: usize = 480;
const HEIGHT: usize = 480;
/// How high a picture of filters may become where they are higher than wide: they are drawn lower then than they are.
const TALLEST: usize = 4 * HEIGHT;
/// How many of the output channels are shown at most, and how many of the input channels.
const MOST: [usize; 2] = [32, 16];
/// What a title takes.
const TITLE: usize = 34;
/// What the largest weight's text takes.
const BELOW: usize = 22;

/// The filters of a convolution as small pictures: a column for each input channel, and each output channel in a row; of
/// one input channel several side by side. Blue weights are below 0, red ones above, and white is 0, by one scale for all.
/// Of more than 32 output or 16 input channels the first are shown, and the text below says so.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [1, 8, 8] -> [9, 4, 4] { conv1: Conv2d(9, kernel = 5) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::plot;
/// # use netform::random::Seed;
///
/// let net = Net::new(Seed(1));
/// let svg = plot::filters("What conv1 looks for", &net.conv1().weight()?)?;
/// assert_eq!(svg.as_str().matches("<image ").count(), 9);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the device is lost.
pub fn filters<O, I, H, W, E, Dev>(
    title: impl Into<String>,
    weight: &Tensor<(O, I, H, W), E, Dev>,
) -> Result<Svg>
where
    O: Static,
    I: Static,
    H: Static,
    W: Static,
    E: Float,
    Dev: Device<E>,
{
    let mut values = vec![E::ZERO; O::N * I::N * H::N * W::N];
    weight.read(&mut values)?;
    let [shown_out, shown_in] = [O::N.min(MOST[0]), I::N.min(MOST[1])];
    let scale = largest(&values);
    let one = |k: usize| {
        let size = H::N * W::N;
        picture(&values[k * size..(k + 1) * size], [H::N, W::N], scale).url()
    };
    let columns = if shown_in == 1 { (shown_out as f64).sqrt().ceil() as usize } else { shown_in };
    let kept = (0..shown_out).flat_map(|o| (0..shown_in).map(move |i| o * I::N + i));
    let pictures = kept.map(one).collect::<Result<Vec<_>>>()?;
    let rows = pictures.len().div_ceil(columns.max(1));
    let gap = 8;
    let fitting = |room: usize, parts: usize| (room / parts.max(1)).saturating_sub(gap);
    let width = fitting(WIDTH - 24, columns).min(fitting(HEIGHT, rows)).clamp(10, 72);
    let height = (width * H::N).div_ceil(W::N.max(1)).clamp(10, fitting(TALLEST, rows).max(10));
    let mut content = String::new();
    for (k, url) in pictures.iter().enumerate() {
        let x = 12 + k % columns * (width + gap);
        let y = TITLE + k / columns * (height + gap);
        image(&mut content, url, [x, y], [width, height]);
    }
    let mut note = scale_note(scale);
    if shown_out < O::N || shown_in < I::N {
        note += &format!("; {shown_out} of {} filters, {shown_in} of {} channels", O::N, I::N);
    }
    Ok(framed(&title.into(), rows * (height + gap), &note, &content))
}

/// A matrix, such as the weight of a `Linear` layer, `[out, in]`, as a picture with a point for each number. Blue is below
/// 0, red above, and white is 0.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [20] -> [10] { fc1: Linear(10) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::plot;
/// # use netform::random::Seed;
///
/// let net = Net::new(Seed(1));
/// let svg = plot::heat_map("Weights of fc1", &net.fc1().weight()?)?;
/// assert_eq!(svg.as_str().matches("<image ").count(), 1);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the device is lost.
pub fn heat_map<R, C, E, Dev>(
    title: impl Into<String>,
    matrix: &Tensor<(R, C), E, Dev>,
) -> Result<Svg>
where
    R: Static,
    C: Static,
    E: Float,
    Dev: Device<E>,
{
    let mut values = vec![E::ZERO; R::N * C::N];
    matrix.read(&mut values)?;
    let scale = largest(&values);
    let url = picture(&values, [R::N, C::N], scale).url()?;
    // Points are square, unless the picture would be too long or too thin to be seen.
    let each = (WIDTH - 24) as f64 / C::N.max(1) as f64;
    let each = each.min(24.0);
    let width = ((each * C::N as f64) as usize).max(24);
    let height = ((each * R::N as f64) as usize).clamp(24, 600);
    let mut content = String::new();
    image(&mut content, &url, [12, TITLE], [width, height]);
    let note = format!("{} x {} numbers; {}", R::N, C::N, scale_note(scale));
    Ok(framed(&title.into(), height + 4, &note, &content))
}

/// The largest finite size of a value.
fn largest<E: Float>(values: &[E]) -> f64 {
    let sizes = values.iter().map(|x| x.to_f64().abs()).filter(|x| x.is_finite());
    sizes.fold(0.0, f64::max)
}

fn scale_note(scale: f64) -> String {
    let text = match scale {
        0.001..100_000.0 => format!("{scale:.3}"),
        _ => format!("{scale:.2e}"),
    };
    format!("from -{text} (blue) over 0 (white) to {text} (red)")
}

fn picture<E: Float>(values: &[E], [height, width]: [usize; 2], scale: f64) -> Image {
    let point = |x: &E| match x.to_f64() {
        // What is no number is black.
        x if x.is_nan() => [0; 3],
        x => diverging(if scale > 0.0 { x / scale } else { x }),
    };
    Image { width, height, points: values.iter().map(point).collect() }
}

fn image(content: &mut String, url: &str, [x, y]: [usize; 2], [width, height]: [usize; 2]) {
    *content += &format!(
        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" href=\"{url}\"/>\n\
         <rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"{}\"/>\n",
        hex(GRID)
    );
}

/// Pictures with a title above and a note below.
fn framed(title: &str, height: usize, note: &str, content: &str) -> Svg {
    let whole = TITLE + height + BELOW;
    let (ground, ink) = (hex(GROUND), hex(INK));
    let content = format!(
        "<rect x=\"0\" y=\"0\" width=\"{WIDTH}\" height=\"{whole}\" fill=\"{ground}\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" fill=\"{ink}\">{}</text>\n{content}\
         <text x=\"12\" y=\"{}\" font-size=\"12\" fill=\"{ink}\">{note}</text>\n",
        escaped(title),
        whole - 8
    );
    Svg::of(title, [WIDTH as u32, whole as u32], 1, &content)
}
