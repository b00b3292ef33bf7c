//! The maximum and the mean of windows, and what belongs to their gradients: a thread for each element of the result.

use netform_core::device::{Pool2dDims, Span};

use super::{Limits, THREADS, begin_units, end_units};
use crate::shader::{Dispatch, Shader, line};
use crate::tape::Pooling;

/// The sizes as constants of a kernel's text; the number of planes is no part of it.
fn declare(shader: &mut Shader, d: &Pool2dDims) {
    let [oh, ow] = d.out_size();
    let sizes = [
        ("height", d.height),
        ("width", d.width),
        ("out_height", oh),
        ("out_width", ow),
        ("kernel_height", d.kernel[0]),
        ("kernel_width", d.kernel[1]),
        ("stride_y", d.stride[0]),
        ("stride_x", d.stride[1]),
        ("padding_y", d.padding[0]),
        ("padding_x", d.padding[1]),
    ];
    for (name, size) in sizes {
        shader.declarations.push_str(&format!("const {name} = {size}u;\n"));
    }
}

/// Loops over the points of window (oy, ox) of a plane that lie in the image, in row order, as `place`. What is
/// negative wraps and is beyond the image.
const WINDOW: &str = "for (var ky = 0u; ky < kernel_height; ky++) {
let iy = oy * stride_y + ky - padding_y;
if (iy >= height) { continue; }
for (var kx = 0u; kx < kernel_width; kx++) {
let ix = ox * stride_x + kx - padding_x;
if (ix >= width) { continue; }
let place = (plane * height + iy) * width + ix;";

/// Loops over the windows (oy, ox) that have a point of the image, in row order.
const WINDOWS_OF_POINT: &str = "var result = 0.0;
let y = image_y + padding_y;
let first_y = select(0u, (y - kernel_height) / stride_y + 1u, y >= kernel_height);
let x = image_x + padding_x;
let first_x = select(0u, (x - kernel_width) / stride_x + 1u, x >= kernel_width);
for (var oy = first_y; oy < out_height && oy * stride_y <= y; oy++) {
for (var ox = first_x; ox < out_width && ox * stride_x <= x; ox++) {";

pub(super) fn pool(
    limits: Limits,
    kind: Pooling,
    out: Span,
    x: Span,
    second: Option<Span>,
    d: &Pool2dDims,
) -> Option<Dispatch> {
    let into_image = matches!(kind, Pooling::MaxScatter | Pooling::AverageSpread);
    let [oh, ow] = d.out_size();
    let total = d.planes * if into_image { d.height * d.width } else { oh * ow };
    if total == 0 {
        return None;
    }
    let mut shader = limits.shader(THREADS);
    declare(&mut shader, d);
    let (target, x) = (shader.write(out), shader.read(x));
    let second = second.map(|second| shader.read(second));
    // Of the kinds that have a second input.
    let second = |index: &str| second.as_ref().map_or(String::new(), |place| place.at(index));
    if matches!(kind, Pooling::MaxScatter | Pooling::MaxGather) {
        place_of_maximum(&mut shader, &x.at("place"), &x.at("best"));
    }
    begin_units(&mut shader, "position", total);
    if into_image {
        shader.push_line(
            "let image_x = position % width;\nlet image_y = position / width % height;\nlet plane = position / (width * height);",
        );
    } else {
        shader.push_line(
            "let ox = position % out_width;\nlet oy = position / out_width % out_height;\nlet plane = position / (out_width * out_height);",
        );
    }
    let points = d.kernel[0] * d.kernel[1];
    match kind {
        Pooling::Max => {
            line!(shader, "var result = -infinity();\nvar is_first = true;\n{WINDOW}");
            line!(shader, "let value = {};", x.at("place"));
            line!(shader, "if (is_first || value > result || is_nan(value)) {{ result = value; }}");
            shader.push_line("is_first = false;\n}\n}");
        }
        Pooling::MaxGather => {
            shader.push_line("let best = place_of_maximum(plane, oy, ox);\nvar result = 0.0;");
            line!(shader, "if (best != 0xffffffffu) {{ result = {}; }}", second("best"));
        }
        Pooling::Average => {
            line!(shader, "var result = 0.0;\n{WINDOW}\nresult += {};\n}}\n}}", x.at("place"));
            line!(shader, "result = result / {points}.0;");
        }
        Pooling::MaxScatter => {
            shader.push_line(WINDOWS_OF_POINT);
            let dy = second("(plane * out_height + oy) * out_width + ox");
            line!(
                shader,
                "if (place_of_maximum(plane, oy, ox) == position) {{ result += {dy}; }}\n}}\n}}"
            );
        }
        Pooling::AverageSpread => {
            shader.push_line(WINDOWS_OF_POINT);
            let dy = x.at("(plane * out_height + oy) * out_width + ox");
            line!(shader, "result += {dy} / {points}.0;\n}}\n}}");
        }
    }
    shader.push_line(&target.set("position", "result"));
    let groups = end_units(&mut shader, total);
    Some(shader.finish(groups))
}

/// A function for the place of the first maximum of a window, where it has one: not-a-number before all.
fn place_of_maximum(shader: &mut Shader, value: &str, best: &str) {
    shader.declarations.push_str(&format!(
        "fn place_of_maximum(plane: u32, oy: u32, ox: u32) -> u32 {{
var best = 0xffffffffu;
{WINDOW}
if (best == 0xffffffffu) {{ best = place; continue; }}
if ({value} > {best} || is_nan({value})) {{ best = place; }}
}}
}}
return best;
}}
"
    ));
}
