//! Weights as pictures: blue below 0, white at 0, red above.

use super::colour::{GRID, GROUND, INK, diverging, hex};
use super::frame;
use super::image::Image;
use super::svg::{Svg, escaped};
use crate::device::Device;
use crate::dim::Static;
use crate::element::Float;
use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// How wide and how high a picture is at most, in units, if its parts are not too small to be seen then.
const WIDTH: usize = 480;
const HEIGHT: usize = 480;
/// How high a picture of filters may become where they are higher than wide: they are drawn lower then than they are.
const TALLEST: usize = 4 * HEIGHT;
/// How many of the output channels are shown at most, and how many of the input channels.
const MOST: [usize; 2] = [32, 16];
/// How many columns and rows a picture of a matrix has at most: as many as it is wide.
const SIDE: usize = WIDTH - 24;
/// What a title takes.
const TITLE: usize = 34;
/// The size of a note's text, and what its line takes.
const NOTE: u32 = 12;
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
    let values = numbers(weight, O::N * I::N * H::N * W::N)?;
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
    let mut notes = vec![scale_note(scale)];
    if shown_out < O::N || shown_in < I::N {
        notes.push(format!("{shown_out} of {} filters, {shown_in} of {} channels", O::N, I::N));
    }
    Ok(framed(&title.into(), rows * (height + gap), &notes, &content))
}

/// A matrix, such as the weight of a `Linear` layer, `[out, in]`, as a picture with a point for each number; of more than
/// 456 rows or columns with a point for the mean of neighbours, which the text below says. Blue is below 0, red above, and
/// white is 0.
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
    let every = R::N.max(C::N).div_ceil(SIDE).max(1);
    let [rows, columns] = [R::N, C::N].map(|side| side.div_ceil(every));
    let values = means(numbers(matrix, R::N * C::N)?, C::N, every);
    let scale = largest(&values);
    let url = picture(&values, [rows, columns], scale).url()?;
    // Points are square, unless the picture would be too long or too thin to be seen.
    let each = (WIDTH - 24) as f64 / C::N.max(1) as f64;
    let each = each.min(24.0);
    let width = ((each * C::N as f64) as usize).max(24);
    let height = ((each * R::N as f64) as usize).clamp(24, 600);
    let mut content = String::new();
    image(&mut content, &url, [12, TITLE], [width, height]);
    let mut size = format!("{} x {} numbers", R::N, C::N);
    if every > 1 {
        size += &format!(", a point for the mean of {every} x {every}");
    }
    let notes = [size, scale_note(scale)];
    Ok(framed(&title.into(), height + 4, &notes, &content))
}

/// The numbers of a tensor that has so many.
fn numbers<S, E: Float, Dev: Device<E>>(
    tensor: &Tensor<S, E, Dev>,
    count: usize,
) -> Result<Vec<f64>>
where
    S: Shape,
{
    let mut values = vec![E::ZERO; count];
    tensor.read(&mut values)?;
    Ok(values.iter().map(|x| x.to_f64()).collect())
}

/// The means of squares of `every` rows and columns of a matrix of so many columns, row by row; at the ends there are fewer.
fn means(values: Vec<f64>, columns: usize, every: usize) -> Vec<f64> {
    if every == 1 {
        return values;
    }
    let rows: Vec<&[f64]> = values.chunks(columns.max(1)).collect();
    let mean = |rows: &[&[f64]], from: usize| {
        let places = from..columns.min(from + every);
        let sum: f64 = rows.iter().flat_map(|row| &row[places.clone()]).sum();
        sum / (rows.len() * places.len()) as f64
    };
    let across = |rows| (0..columns).step_by(every).map(move |from| mean(rows, from));
    rows.chunks(every).flat_map(across).collect()
}

/// The largest finite size of a value.
fn largest(values: &[f64]) -> f64 {
    let sizes = values.iter().map(|x| x.abs()).filter(|x| x.is_finite());
    sizes.fold(0.0, f64::max)
}

fn scale_note(scale: f64) -> String {
    let text = match scale {
        0.001..100_000.0 => format!("{scale:.3}"),
        _ => format!("{scale:.2e}"),
    };
    format!("from -{text} (blue) over 0 (white) to {text} (red)")
}

fn picture(values: &[f64], [height, width]: [usize; 2], scale: f64) -> Image {
    let point = |x: &f64| match *x {
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

/// Pictures with a title above and notes below: in one line, if there is room for all of them.
fn framed(title: &str, height: usize, notes: &[String], content: &str) -> Svg {
    let (room, together) = (WIDTH as u32 - 24, notes.join("; "));
    let lines = match frame::fitting(&together, NOTE, room) == together {
        true => vec![together],
        false => notes.to_vec(),
    };
    let (below, whole) = (TITLE + height, TITLE + height + BELOW * lines.len());
    let (ground, ink) = (hex(GROUND), hex(INK));
    let text = |y: usize, size: u32, text: &str| {
        let text = escaped(&frame::fitting(text, size, room));
        format!("<text x=\"12\" y=\"{y}\" font-size=\"{size}\" fill=\"{ink}\">{text}</text>\n")
    };
    let at = |i: usize| below + BELOW * (i + 1) - 8;
    let notes = lines.iter().enumerate().map(|(i, line)| text(at(i), NOTE, line));
    let content = format!(
        "<rect x=\"0\" y=\"0\" width=\"{WIDTH}\" height=\"{whole}\" fill=\"{ground}\"/>\n{}{content}{}",
        text(22, 15, title),
        notes.collect::<String>()
    );
    Svg::of(title, [WIDTH as u32, whole as u32], 1, &content)
}
