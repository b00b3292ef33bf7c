//! Convolutions and their gradients as products: one operand, or both, are gathered while tiles are loaded, and never
//! stored as a matrix. Groups of channels are a batch of products.
//!
//! With `taps` the points of the kernel, `places` those of y and `pixels` those of x, of all samples where a size is
//! the batch's:
//!
//! - y `[outs, places]` = w `[outs, ins taps]` @ patches of x `[ins taps, places]`;
//! - dx `[ins, pixels]` = w `[ins, outs taps]` @ dy where a tap puts it `[outs taps, pixels]`;
//! - dw `[outs, ins taps]` = dy `[outs, places]` @ patches of x `[places, ins taps]`.

use netform_core::device::{Conv2dDims, Span};

use super::Program;
use super::matmul::{Access, Ending, Matrix, Sizes, Source, products, whole};
use crate::shader::{Place, Shader};
use crate::tape::{Expression, Tape};

/// The sizes as constants of a kernel's text; the batch is no part of it.
fn declare(shader: &mut Shader, d: &Conv2dDims) {
    let [oh, ow] = d.out_size();
    let groups = d.groups.max(1);
    let sizes = [
        ("in_channels", d.in_channels),
        ("height", d.height),
        ("width", d.width),
        ("pixels", d.height * d.width),
        ("out_channels", d.out_channels),
        ("out_height", oh),
        ("out_width", ow),
        ("places", oh * ow),
        // Channels of a group.
        ("ins", d.in_channels / groups),
        ("outs", d.out_channels / groups),
        ("kernel_height", d.kernel[0]),
        ("kernel_width", d.kernel[1]),
        ("taps", taps(d)),
        ("stride_y", d.stride[0]),
        ("stride_x", d.stride[1]),
        ("padding_y", d.padding[0]),
        ("padding_x", d.padding[1]),
        ("dilation_y", d.dilation[0]),
        ("dilation_x", d.dilation[1]),
    ];
    for (name, size) in sizes {
        shader.declarations.push_str(&format!("const {name} = {size}u;\n"));
    }
}

fn taps(d: &Conv2dDims) -> usize {
    d.kernel[0] * d.kernel[1]
}

/// Groups, and the channels of x and y in each.
fn channels(d: &Conv2dDims) -> [usize; 3] {
    let groups = d.groups.max(1);
    [groups, d.in_channels / groups, d.out_channels / groups]
}

/// The elements of a plane of x and of y.
fn planes(d: &Conv2dDims) -> [usize; 2] {
    let [oh, ow] = d.out_size();
    [d.height * d.width, oh * ow]
}

/// Whether every place sees the one pixel below it.
fn is_pointwise(d: &Conv2dDims) -> bool {
    d.kernel == [1, 1] && d.stride == [1, 1] && d.padding == [0, 0]
}

/// Planes of `size` elements as a matrix of channels by places of all samples: of `total` channels, of which a group
/// has `own`.
fn flat(
    shader: &mut Shader,
    span: Span,
    rows: usize,
    size: usize,
    [total, own]: [&'static str; 2],
) -> Source<'static> {
    let wide = span.offset.is_multiple_of(4) && size.is_multiple_of(4);
    let (place, access, by) = match wide {
        true => (shader.read_vectors(span), Access::Wide, 4),
        false => (shader.read(span), Access::Single, 1),
    };
    let offset = place.offset.clone();
    let plane = size / by;
    Source {
        access,
        along: false,
        rows: shader.word(rows),
        of_row: vec![format!(
            "{offset} + (row / {size}u * {total} + product * {own}) * {plane}u + row % {size}u / {by}u"
        )],
        of_depth: vec![format!("depth * {plane}u")],
        element: Box::new(whole(place)),
    }
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

/// The element at the sum of both parts.
fn at(place: Place) -> impl Fn(&[String], &[String]) -> String {
    move |row, depth| place.at(&format!("{} + {}", row[0], depth[0]))
}

/// Declares `pixel`: an element of x, or 0 beside it. What is negative wraps and is beside it too.
fn declare_pixel(shader: &mut Shader, x: Span) {
    let at = shader.read(x).at("first + select(0u, y * width + x, inside)");
    shader.declarations.push_str(&format!(
        "fn pixel(first: u32, y: u32, x: u32) -> f32 {{
let inside = (y < height) & (x < width);
return select(0.0, {at}, inside);
}}\n"
    ));
}

/// Declares `spread`: the element of dy that a tap puts at a place, which strides may leave out.
fn declare_spread(shader: &mut Shader, dy: Span) {
    let at =
        shader.read(dy).at("first + select(0u, y / stride_y * out_width + x / stride_x, inside)");
    shader.declarations.push_str(&format!(
        "fn spread(first: u32, y: u32, x: u32) -> f32 {{
let whole = (y % stride_y == 0u) & (x % stride_x == 0u);
let inside = whole & (y / stride_y < out_height) & (x / stride_x < out_width);
return select(0.0, {at}, inside);
}}\n"
    ));
}

/// A call of one of them: parts of row and depth with the operation between them.
fn call(name: &'static str, operation: &'static str) -> impl Fn(&[String], &[String]) -> String {
    move |row, depth| {
        let [first, y, x] = [0, 1, 2].map(|i| (&row[i], &depth[i]));
        format!(
            "{name}({} + {}, {} {operation} {}, {} {operation} {})",
            first.0, first.1, y.0, y.1, x.0, x.1
        )
    }
}

/// The points of a kernel's windows, plane by plane: a row is a window, and `plane` the part of a depth that finds
/// its plane.
fn windows(
    rows: String,
    of_row: [&str; 3],
    plane: &str,
    point: impl Fn(&[String], &[String]) -> String + 'static,
) -> Source<'static> {
    let of_depth = [
        plane,
        "depth / kernel_width % kernel_height * dilation_y",
        "depth % kernel_width * dilation_x",
    ];
    Source {
        access: Access::Single,
        along: false,
        rows,
        of_row: texts(of_row),
        of_depth: texts(of_depth),
        element: Box::new(point),
    }
}

pub(super) fn conv2d(
    program: &mut Program,
    tape: &Tape,
    ys: &[Span],
    [x, w]: [Span; 2],
    d: &Conv2dDims,
    f: &Expression,
) {
    let ([groups, ins, outs], [pixels, places]) = (channels(d), planes(d));
    let k = if pixels == 0 { 0 } else { ins * taps(d) };
    let sizes = Sizes { products: groups, m: outs, n: d.batch * places, k };
    let weight = Matrix { span: w, step: outs * k, rows: outs, depth: k, along: true };
    let [oh, ow] = d.out_size();
    let ending = Ending {
        outs: ys,
        f: Some((tape, f)),
        grid: [d.batch, d.out_channels, oh, ow],
        lines: |shader, _| {
            shader.push_line(
                "let sample = col / places;
let channel = product * outs + row;
let place = col % places;",
            );
            "(sample * out_channels + channel) * places + place".to_owned()
        },
        parts: &[("sample", &[0]), ("channel", &[1]), ("place", &[2, 3])],
    };
    let sources = |shader: &mut Shader| {
        declare(shader, d);
        let weight = weight.source(shader);
        if is_pointwise(d) {
            return [weight, flat(shader, x, sizes.n, places, ["in_channels", "ins"])];
        }
        declare_pixel(shader, x);
        let of_row = [
            "(row / places * in_channels + product * ins) * pixels",
            "row % places / out_width * stride_y - padding_y",
            "row % out_width * stride_x - padding_x",
        ];
        let rows = shader.word(sizes.n);
        [weight, windows(rows, of_row, "depth / taps * pixels", call("pixel", "+"))]
    };
    products(program, sizes, sources, &ending);
}

/// Every dx is the sum over the outputs whose windows have it.
pub(super) fn input(program: &mut Program, dx: Span, [dy, w]: [Span; 2], d: &Conv2dDims) {
    let ([groups, ins, outs], [pixels, places]) = (channels(d), planes(d));
    let k = if places == 0 { 0 } else { outs * taps(d) };
    let sizes = Sizes { products: groups, m: ins, n: d.batch * pixels, k };
    let ending = Ending {
        outs: &[dx],
        f: None,
        grid: [d.batch, d.in_channels, d.height, d.width],
        lines: |shader, _| {
            shader.push_line("let channel = col / pixels * in_channels + product * ins + row;");
            "channel * pixels + col % pixels".to_owned()
        },
        parts: &[],
    };
    let sources = |shader: &mut Shader| {
        declare(shader, d);
        let weight = shader.read(w);
        let of_row = texts(["(product * outs * ins + row) * taps"]);
        let of_depth = texts(["depth / taps * (ins * taps) + depth % taps"]);
        let rows = shader.word(ins);
        let weight = Source {
            access: Access::Single,
            along: true,
            rows,
            of_row,
            of_depth,
            element: Box::new(at(weight)),
        };
        if is_pointwise(d) {
            return [weight, flat(shader, dy, sizes.n, places, ["out_channels", "outs"])];
        }
        declare_spread(shader, dy);
        let of_row = [
            "(row / pixels * out_channels + product * outs) * places",
            "row % pixels / width + padding_y",
            "row % width + padding_x",
        ];
        let rows = shader.word(sizes.n);
        [weight, windows(rows, of_row, "depth / taps * places", call("spread", "-"))]
    };
    products(program, sizes, sources, &ending);
}

/// Every dw is the sum over all samples and places of the output.
pub(super) fn weight(program: &mut Program, dw: Span, [x, dy]: [Span; 2], d: &Conv2dDims) {
    let ([groups, ins, outs], [pixels, places]) = (channels(d), planes(d));
    let k = if pixels == 0 { 0 } else { d.batch * places };
    let sizes = Sizes { products: groups, m: outs, n: ins * taps(d), k };
    let ending = Ending {
        outs: &[dw],
        f: None,
        grid: [d.out_channels, ins, d.kernel[0], d.kernel[1]],
        lines: |_, _| "(product * outs + row) * (ins * taps) + col".to_owned(),
        parts: &[],
    };
    let sources = |shader: &mut Shader| {
        declare(shader, d);
        let deep = dy.offset.is_multiple_of(4) && places.is_multiple_of(4);
        let (place, access, of_depth) = match deep {
            true => (
                shader.read_vectors(dy),
                Access::Deep,
                "depth / places * (out_channels * places / 4u) + depth % places / 4u",
            ),
            false => (
                shader.read(dy),
                Access::Single,
                "depth / places * (out_channels * places) + depth % places",
            ),
        };
        let of_row = match deep {
            true => "(product * outs + row) * (places / 4u)",
            false => "(product * outs + row) * places",
        };
        let rows = shader.word(outs);
        let left = Source {
            access,
            along: true,
            rows,
            of_row: texts([of_row]),
            of_depth: texts([of_depth]),
            element: Box::new(at(place)),
        };
        declare_pixel(shader, x);
        let of_row = texts([
            "(product * ins + row / taps) * pixels",
            "row / kernel_width % kernel_height * dilation_y - padding_y",
            "row % kernel_width * dilation_x - padding_x",
        ]);
        let of_depth = texts([
            "depth / places * (in_channels * pixels)",
            "depth % places / out_width * stride_y",
            "depth % out_width * stride_x",
        ]);
        let rows = shader.word(sizes.n);
        [
            left,
            Source {
                access: Access::Single,
                along: true,
                rows,
                of_row,
                of_depth,
                element: Box::new(call("pixel", "+")),
            },
        ]
    };
    products(program, sizes, sources, &ending);
}
