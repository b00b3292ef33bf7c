//! Convolutions and their gradients, one sum for each element of the result.

use netform_core::device::{Conv2dDims, Fold, Span};

use super::elementwise::ALL;
use super::shared::Teams;
use super::{THREADS, arguments, begin_units, constants, end_units, epilogue, groups};
use crate::shader::{Dispatch, Part, Shader, line};
use crate::tape::{Expression, Tape};

/// The sizes as constants of a kernel's text; the batch is no part of it.
fn declare(shader: &mut Shader, d: &Conv2dDims) {
    let [oh, ow] = d.out_size();
    let groups = d.groups.max(1);
    let sizes = [
        ("in_channels", d.in_channels),
        ("height", d.height),
        ("width", d.width),
        ("out_channels", d.out_channels),
        ("out_height", oh),
        ("out_width", ow),
        // Channels of a group.
        ("ins", d.in_channels / groups),
        ("outs", d.out_channels / groups),
        ("kernel_height", d.kernel[0]),
        ("kernel_width", d.kernel[1]),
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

/// The elements of x, w and y.
fn sizes(d: &Conv2dDims) -> [usize; 3] {
    let [oh, ow] = d.out_size();
    let [kh, kw] = d.kernel;
    [
        d.batch * d.in_channels * d.height * d.width,
        d.out_channels * (d.in_channels / d.groups.max(1)) * kh * kw,
        d.batch * d.out_channels * oh * ow,
    ]
}

pub(super) fn conv2d(
    tape: &Tape,
    ys: &[Span],
    x: Span,
    w: Span,
    d: &Conv2dDims,
    f: &Expression,
) -> Option<Dispatch> {
    let [_, _, total] = sizes(d);
    if total == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    declare(&mut shader, d);
    constants(&mut shader, f.consts);
    let args = arguments(&mut shader, tape.args(f.ins));
    let targets: Vec<_> = ys.iter().map(|y| shader.write(*y)).collect();
    let (image, weight) = (shader.read(x), shader.read(w));
    begin_units(&mut shader, "position", total);
    shader.push_line(
        "let ox = position % out_width;
let oy = position / out_width % out_height;
let channel = position / (out_width * out_height) % out_channels;
let sample = position / (out_width * out_height * out_channels);
let first = sample * in_channels + channel / outs * ins;
var x = 0.0;
for (var c = 0u; c < ins; c++) {
for (var ky = 0u; ky < kernel_height; ky++) {
let iy = oy * stride_y + ky * dilation_y - padding_y;
if (iy >= height) { continue; }
for (var kx = 0u; kx < kernel_width; kx++) {
let ix = ox * stride_x + kx * dilation_x - padding_x;
if (ix >= width) { continue; }",
    );
    line!(
        shader,
        "x += {} * {};\n}}\n}}\n}}",
        image.at("((first + c) * height + iy) * width + ix"),
        weight.at("((channel * ins + c) * kernel_height + ky) * kernel_width + kx")
    );
    let [oh, ow] = d.out_size();
    let grid = [d.batch, d.out_channels, oh, ow];
    let parts = [Part { variable: "position", axes: &ALL, grid: &grid }];
    epilogue(&mut shader, f, &args, &parts, &targets, "position");
    let groups = end_units(&mut shader, total);
    Some(shader.finish(groups))
}

/// Every dx is the sum over the outputs whose windows have it.
pub(super) fn input(dx: Span, dy: Span, w: Span, d: &Conv2dDims) -> Option<Dispatch> {
    let [total, _, _] = sizes(d);
    if total == 0 {
        return None;
    }
    let mut shader = Shader::new(THREADS);
    declare(&mut shader, d);
    let (target, dy, weight) = (shader.write(dx), shader.read(dy), shader.read(w));
    begin_units(&mut shader, "position", total);
    // What is negative wraps and is beyond the output.
    shader.push_line(
        "let ix = position % width;
let iy = position / width % height;
let channel = position / (width * height) % in_channels;
let sample = position / (width * height * in_channels);
let unit = channel / ins;
var sum = 0.0;
for (var o = unit * outs; o < (unit + 1u) * outs; o++) {
for (var ky = 0u; ky < kernel_height; ky++) {
let from_y = iy + padding_y - ky * dilation_y;
if (from_y % stride_y != 0u || from_y / stride_y >= out_height) { continue; }
for (var kx = 0u; kx < kernel_width; kx++) {
let from_x = ix + padding_x - kx * dilation_x;
if (from_x % stride_x != 0u || from_x / stride_x >= out_width) { continue; }",
    );
    line!(
        shader,
        "sum += {} * {};\n}}\n}}\n}}",
        dy.at("((sample * out_channels + o) * out_height + from_y / stride_y) * out_width + from_x / stride_x"),
        weight.at("((o * ins + channel % ins) * kernel_height + ky) * kernel_width + kx")
    );
    line!(shader, "{} = sum;", target.at("position"));
    let groups = end_units(&mut shader, total);
    Some(shader.finish(groups))
}

/// Every dw is the sum over all samples and places of the output: a team of threads has one.
pub(super) fn weight(dw: Span, x: Span, dy: Span, d: &Conv2dDims) -> Option<Dispatch> {
    let [_, total, _] = sizes(d);
    if total == 0 {
        return None;
    }
    let [oh, ow] = d.out_size();
    let mut shader = Shader::new(THREADS);
    declare(&mut shader, d);
    let (target, image, dy) = (shader.write(dw), shader.read(x), shader.read(dy));
    let (total_word, places) = (shader.word(total), shader.word(d.batch * oh * ow));
    // Of the image's size only: a smaller batch is the same kernel.
    let mut teams = Teams::along((4 * oh * ow).max(16), 1, None);
    teams.declare(&mut shader);
    let (count, lanes) = (teams.count, teams.lanes);
    line!(
        shader,
        "for (var start = group.x * {count}u; start < {total_word}; start += groups.x * {count}u) {{"
    );
    line!(shader, "let wanted = start + team;");
    line!(shader, "let position = select({total_word} - 1u, wanted, wanted < {total_word});");
    shader.push_line(
        "let kx = position % kernel_width;
let ky = position / kernel_width % kernel_height;
let c = position / (kernel_width * kernel_height) % ins;
let o = position / (kernel_width * kernel_height * ins);
let channel = o / outs * ins + c;
var sum = 0.0;",
    );
    line!(shader, "for (var place = lane; place < {places}; place += {lanes}u) {{");
    shader.push_line(
        "let ox = place % out_width;
let oy = place / out_width % out_height;
let sample = place / (out_width * out_height);
let ix = ox * stride_x + kx * dilation_x - padding_x;
let iy = oy * stride_y + ky * dilation_y - padding_y;
if (ix >= width || iy >= height) { continue; }",
    );
    line!(
        shader,
        "sum += {} * {};\n}}",
        image.at("((sample * in_channels + channel) * height + iy) * width + ix"),
        dy.at("((sample * out_channels + o) * out_height + oy) * out_width + ox")
    );
    teams.fold(&mut shader, &[(Fold::Sum, "sum")]);
    teams.finish(&mut shader);
    line!(
        shader,
        "if (lane == 0u && wanted < {total_word}) {{ {} = sum; }}\n}}",
        target.at("position")
    );
    Some(shader.finish([groups(total.div_ceil(count)), 1, 1]))
}
