//! How far a network is off where targets are numbers, as markup: predicted against measured, figures, the worst samples.

use super::numbers::{Column, DRAWN, Numbers, Worst};
use super::sample::{Sample, digits, markup};
use super::{GIVEN, Report, counted};
use crate::error::Result;
use crate::plot::{Plot, Svg, ends};

/// The section of a regression.
pub(super) fn errors(report: &Report<'_>, numbers: &Numbers) -> Result<String> {
    let mut html = format!(
        "<section>\n<h2>Predicted against measured</h2>\n<p>{}{}.</p>\n",
        counted(numbers.samples as u64, GIVEN),
        match report.target_scaling.row() {
            Some(_) =>
                "; all numbers are in the units that the targets had before they were scaled",
            None => "",
        }
    );
    if numbers.samples == 0 {
        return Ok(html + "<p>There are no samples.</p>\n</section>\n");
    }
    html += &lost(numbers);
    html += &figures(numbers);
    html += "<div class=\"grid\">\n";
    for (i, column) in numbers.columns.iter().enumerate().take(DRAWN) {
        html += plot(numbers, i, column)?.as_str();
    }
    html += "</div>\n";
    if numbers.columns.len() > DRAWN {
        html += &format!("<p>The first {DRAWN} outputs are drawn.</p>\n");
    }
    if let Some(Column { points, .. }) = numbers.columns.first()
        && points.kept.len() < points.seen
    {
        let (kept, seen) = (points.kept.len(), points.seen);
        html += &format!(
            "<p>{kept} of {seen} points are drawn, at random, and those of the worst errors.</p>\n"
        );
    }
    html += "</section>\n<section>\n<h2>The worst errors</h2>\n";
    html += &format!(
        "<p>An error is what was predicted less what was measured. Samples are counted from 0{}.</p>\n",
        if numbers.outputs == 1 { "" } else { ", outputs from 1" }
    );
    for (i, column) in numbers.columns.iter().enumerate().take(DRAWN) {
        html += &worst(numbers, i, column)?;
    }
    Ok(html + "</section>\n")
}

/// What an output is called; nothing where it is the only one.
fn name(numbers: &Numbers, output: usize) -> Option<String> {
    match numbers.outputs {
        1 => None,
        n if numbers.is_each() => Some(format!("output {} of {n}", output + 1)),
        n => Some(format!("all {n} outputs")),
    }
}

/// What was not finite, if something was.
fn lost(numbers: &Numbers) -> String {
    match numbers.columns.iter().map(|column| column.lost).sum::<usize>() {
        0 => String::new(),
        1 => "<p><strong>One number or its prediction is not finite; the figures are of the others.</strong></p>\n".to_owned(),
        lost => format!(
            "<p><strong>{lost} numbers or their predictions are not finite; the figures are of the others.</strong></p>\n"
        ),
    }
}

/// MAE, RMSE and R2.
fn figures(numbers: &Numbers) -> String {
    let of = if numbers.outputs == 1 { "" } else { "<th></th>" };
    let mut html = format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{of}<th scope=\"col\">MAE</th><th scope=\"col\">RMSE</th>\
         <th scope=\"col\">R2</th></tr></thead>\n<tbody>\n"
    );
    for (i, Column { errors, .. }) in numbers.columns.iter().enumerate() {
        let heading = name(numbers, i).map(|name| format!("<th scope=\"row\">{name}</th>"));
        let cell =
            |x: Option<f64>| format!("<td>{}</td>", x.map_or_else(|| "–".to_owned(), digits));
        let cells = [errors.mae(), errors.rmse(), errors.r2()].map(cell).concat();
        html += &format!("<tr>{}{cells}</tr>\n", heading.unwrap_or_default());
    }
    let r2 = numbers.columns.iter().filter_map(|it| it.errors.r2());
    let note = match r2.fold(f64::INFINITY, f64::min) < 0.0 {
        true => {
            "<p class=\"note\">An R2 below 0 is worse than the mean of what was measured: see that these samples, inputs \
                 and targets, were scaled as the training samples were.</p>\n"
        }
        false => "",
    };
    html + "</tbody>\n</table></div>\n"
        + note
        + "<p>MAE is the mean absolute error, RMSE the root of the mean squared error, and R2 \
            the part of the variance of what was measured that the network explains: 1 at best.</p>\n"
}

/// Points, and the line on which they would be.
fn plot(numbers: &Numbers, i: usize, Column { points, worst, .. }: &Column) -> Result<Svg> {
    let (mut drawn, is_all) = (points.kept.clone(), points.kept.len() == points.seen);
    if !is_all {
        // What has no place is counted beside the figures, where it is counted whole.
        drawn.retain(|(x, y)| x.is_finite() && y.is_finite());
        drawn.extend(
            worst.iter().filter(|it| it.error().is_finite()).map(|it| (it.measured, it.predicted)),
        );
    }
    let measured = ends(drawn.iter().map(|(x, _)| *x));
    let title = name(numbers, i).map_or_else(String::new, |name| format!(", {name}"));
    let plot = Plot::new(format!("Predicted against measured{title}"))
        .axes("measured", "predicted")
        .points("samples", drawn);
    match measured {
        Some((low, high)) => plot.line("no error", [(low, low), (high, high)]),
        None => plot,
    }
    .svg()
}

/// The samples that are off the most.
fn worst(numbers: &Numbers, i: usize, column: &Column) -> Result<String> {
    let mut html = match name(numbers, i) {
        Some(name) => format!("<h3>{}{}</h3>\n", name[..1].to_uppercase(), &name[1..]),
        None => String::new(),
    };
    let output = if numbers.is_each() { "" } else { "<th scope=\"col\">output</th>" };
    html += &format!(
        "<div class=\"scroll\"><table class=\"worst\" style=\"--columns:{}\">\n<thead><tr><th scope=\"col\">sample</th>{output}<th scope=\"col\">measured</th>\
         <th scope=\"col\">predicted</th><th scope=\"col\">error</th><th scope=\"col\" class=\"inputs\">inputs</th></tr></thead>\n<tbody>\n",
        4 + usize::from(!numbers.is_each()),
    );
    for found in &column.worst {
        let Worst { index, output, measured, predicted, .. } = found;
        let output = match numbers.is_each() {
            true => String::new(),
            false => format!("<td>{}</td>", output + 1),
        };
        let [measured, predicted, error] = [*measured, *predicted, found.error()].map(digits);
        html += &format!(
            "<tr><th scope=\"row\">{index}</th>{output}<td>{measured}</td><td>{predicted}</td><td>{error}</td>\
             <td class=\"inputs\">{}</td></tr>\n",
            inputs(found)?
        );
    }
    Ok(html + "</tbody>\n</table></div>\n")
}

fn inputs(found: &Worst) -> Result<String> {
    Ok(match &found.sample {
        Some(Sample::Picture(image)) => format!(
            "<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"sample {}\">",
            image.url()?,
            image.width,
            image.height,
            found.index
        ),
        Some(Sample::Numbers(numbers)) => markup(numbers),
        None => String::new(),
    })
}
