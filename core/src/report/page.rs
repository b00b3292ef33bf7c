//! The page: its sections in order, as markup.

use super::classes::{confusion, mistakes, percent};
use super::errors::errors;
use super::sample::digits;
use super::{Described, Report, Verdict, charts};
use crate::error::Result;
use crate::metric::Confusion;
use crate::plot::escaped;
use crate::train::{EpochRecord, History};

const STYLE: &str = include_str!("style.css");
/// How many epochs the table has; of more, these are spread over all of them, and the best and the last are among them.
const ROWS: usize = 500;

/// The whole page.
pub(super) fn page(report: &Report<'_>) -> Result<String> {
    let title = escaped(&title(report));
    let mut body = header(report, &title);
    body += &figures(report.history);
    body += "<section class=\"charts\">\n<h2>Curves</h2>\n";
    let charts = charts::charts(report.history)?;
    if charts.is_empty() {
        body += "<p>There is no epoch to draw.</p>\n";
    }
    body += "<div class=\"grid\">\n";
    charts.iter().for_each(|chart| body += chart.as_str());
    body += &format!("</div>\n{}</section>\n", caption(report.history));
    if let Some((matrix, of)) = chosen_confusion(report) {
        body += &confusion(report, matrix, &of);
    }
    if let Some(found) = &report.mistakes {
        body += &mistakes(report, found)?;
    }
    if let Some(numbers) = &report.numbers {
        body += &errors(report, numbers)?;
    }
    if let Some(network) = &report.network {
        body += &described(network);
    }
    body += &epochs(report.history);
    // Nothing is loaded from anywhere, not even an icon.
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    ))
}

/// What is said of all curves: which epoch they mark, and a learning rate that needs no curve.
fn caption(history: &History) -> String {
    let mut said = Vec::new();
    if let Some(best) = history.best_epoch {
        let mark = if history.epochs.len() > 1 {
            "; the upright line in a chart is at the epoch that is best by the chart's own figure"
        } else {
            ""
        };
        said.push(format!("Best epoch by loss: {best}{mark}."));
    }
    if let Some(rate) = charts::constant_rate(history) {
        said.push(format!("Learning rate {} throughout.", digits(rate)));
    }
    match said.is_empty() {
        true => String::new(),
        false => format!("<p class=\"caption\">{}</p>\n", said.join(" ")),
    }
}

fn title(report: &Report<'_>) -> String {
    match (&report.title, &report.network) {
        (Some(title), _) => title.clone(),
        (None, Some(network)) => format!("Training of {}", network.summary.network),
        (None, None) => "Report of a training".to_owned(),
    }
}

/// Title, how the training ended, and the verdict.
fn header(report: &Report<'_>, title: &str) -> String {
    let history = report.history;
    let verdict = Verdict::of(history);
    let kind = match verdict {
        Verdict::Overfitting { .. } | Verdict::Underfitting { .. } => "warn",
        Verdict::Memorised { .. } | Verdict::Rising { .. } | Verdict::NoBetter { .. } => "warn",
        Verdict::NotFinite { .. } | Verdict::Diverged { .. } | Verdict::Failed(_) => "bad",
        Verdict::Improving { .. } | Verdict::Settled { .. } => "good",
        Verdict::Nothing | Verdict::TooShort(_) | Verdict::Unclear { .. } => "open",
    };
    let mut sentence = verdict.to_string();
    if let Some(failure) = &history.failure {
        sentence += &format!(": {failure}");
    }
    if let Some(first) = sentence.get(..1) {
        sentence = first.to_uppercase() + &sentence[1..];
    }
    format!(
        "<header>\n<h1>{title}</h1>\n<p class=\"meta\">{}</p>\n</header>\n\
         <section class=\"verdict {kind}\">\n<h2>{}</h2>\n<p>{}.</p>\n</section>\n",
        escaped(&course(history)),
        verdict.headline(),
        escaped(&sentence),
    )
}

/// How long the training was, and how it ended.
fn course(history: &History) -> String {
    let mut facts = vec![match history.epochs.len() {
        0 => "no epoch".to_owned(),
        1 => "1 epoch".to_owned(),
        n => format!("{n} epochs"),
    }];
    let seconds = history.seconds();
    if seconds.is_finite() && seconds > 0.0 {
        facts.push(match seconds {
            0.0..0.001 => "less than 1 ms".to_owned(),
            0.001..1.0 => format!("{:.0} ms", 1000.0 * seconds),
            1.0..120.0 => format!("{seconds:.1} s"),
            _ => format!("{:.0} min", seconds / 60.0),
        });
    }
    let validated = history.epochs.iter().any(|epoch| epoch.validation_loss.is_some());
    if !validated && !history.epochs.is_empty() {
        facts.push("no validation data".to_owned());
    }
    facts.extend(history.best_and_kept());
    if history.stopped_early {
        facts.push("stopped early".to_owned());
    }
    if history.interrupted {
        facts.push("interrupted".to_owned());
    }
    if history.failure.is_some() {
        facts.push("failed".to_owned());
    }
    facts.join(" · ")
}

/// The figures of the best epoch beside those of the last.
fn figures(history: &History) -> String {
    let Some(last) = history.last() else { return String::new() };
    let best = history.best().unwrap_or(last);
    let columns = if best.epoch == last.epoch { vec![last] } else { vec![best, last] };
    let name = |epoch: &EpochRecord| match (epoch.epoch == best.epoch, history.best_epoch) {
        (true, Some(_)) => format!("epoch {}, the best", epoch.epoch),
        _ => format!("epoch {}, the last", epoch.epoch),
    };
    let heading: String =
        columns.iter().map(|epoch| format!("<th scope=\"col\">{}</th>", name(epoch))).collect();
    let mut html = format!(
        "<section>\n<h2>Figures</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th></th>{heading}</tr></thead>\n<tbody>\n"
    );
    let mut row = |name: &str, value: &dyn Fn(&EpochRecord) -> Option<String>| {
        if columns.iter().all(|epoch| value(epoch).is_none()) {
            return;
        }
        let cell = |epoch: &&EpochRecord| {
            format!("<td>{}</td>", value(epoch).unwrap_or_else(|| "–".to_owned()))
        };
        let cells: String = columns.iter().map(cell).collect();
        html += &format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escaped(name));
    };
    row("training loss", &|epoch| Some(number(epoch.train_loss)));
    row("validation loss", &|epoch| epoch.validation_loss.map(number));
    row("training accuracy", &|epoch| epoch.train_accuracy.map(|part| percent(Some(part))));
    row("validation accuracy", &|epoch| epoch.validation_accuracy.map(|part| percent(Some(part))));
    for metric in &last.metrics {
        let of = |epoch: &EpochRecord| epoch.metric(&metric.name).cloned();
        row(&format!("training {}", metric.name), &|epoch| of(epoch)?.train.map(number));
        row(&format!("validation {}", metric.name), &|epoch| of(epoch)?.validation.map(number));
    }
    html + "</tbody>\n</table></div>\n</section>\n"
}

/// A number to four or five digits: small ones with as many decimals, so that they can be compared.
fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        0.0..0.001 => format!("{x:.3e}"),
        0.001..1000.0 => format!("{x:.4}"),
        _ => digits(x),
    }
}

/// The matrix that was given, or that of the best epoch, and what its samples are.
fn chosen_confusion<'r>(report: &'r Report<'_>) -> Option<(&'r Confusion, String)> {
    if let Some((given, of)) = &report.confusion {
        return Some((given, (*of).to_owned()));
    }
    let epoch = report.history.best().or(report.history.last())?;
    let of = |kind| format!("{kind} samples after epoch {}", epoch.epoch);
    epoch.metrics.iter().find_map(|metric| {
        let validation = metric.validation_confusion.as_ref().map(|it| (it, of("validation")));
        validation.or(metric.train_confusion.as_ref().map(|it| (it, of("training"))))
    })
}

fn described(Described { summary, plan }: &Described) -> String {
    format!(
        "<section>\n<h2>The network</h2>\n<pre>{}</pre>\n<details>\n<summary>Its graph and its plan</summary>\n\
         <pre>{}</pre>\n</details>\n</section>\n",
        escaped(summary.to_string().trim_end()),
        escaped(plan.trim_end())
    )
}

/// The epochs as a table, which is folded.
fn epochs(history: &History) -> String {
    if history.epochs.is_empty() {
        return String::new();
    }
    let every = history.epochs.len().div_ceil(ROWS);
    let last = history.epochs.len() - 1;
    let is_best = |epoch: &EpochRecord| Some(epoch.epoch) == history.best_epoch;
    let numbered = history.epochs.iter().enumerate();
    let shown = numbered.filter(|(i, epoch)| i % every == 0 || *i == last || is_best(epoch));
    let columns = history.columns();
    let heading: String = columns
        .iter()
        .map(|column| {
            let of = if column.validation { "validation" } else { "training" };
            format!("<th>{}</th>", escaped(&format!("{of} {}", column.name)))
        })
        .collect();
    let mut html = format!(
        "<section>\n<details>\n<summary>{}</summary>\n<div class=\"scroll\"><table>\n<thead><tr><th>epoch</th>\
         {heading}<th>seconds</th><th>rate</th></tr></thead>\n<tbody>\n",
        match every {
            1 => "Every epoch".to_owned(),
            _ => format!("One epoch of every {every}, the best and the last"),
        }
    );
    for (i, epoch) in shown {
        let best = if is_best(epoch) { " class=\"best\"" } else { "" };
        html += &format!("<tr{best}><th scope=\"row\">{}</th>", epoch.epoch);
        for column in &columns {
            let value = column.values[i];
            let text = match column.name {
                "accuracy" => percent(value),
                _ => value.map_or_else(String::new, number),
            };
            html += &format!("<td>{text}</td>");
        }
        html += &format!("<td>{:.2}</td><td>{}</td></tr>\n", epoch.seconds, number(epoch.rate));
    }
    html + "</tbody>\n</table></div>\n</details>\n</section>\n"
}
