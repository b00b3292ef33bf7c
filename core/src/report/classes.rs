//! What was taken for what, and the worst mistakes, as markup.

use super::sample::{Sample, markup};
use super::tested::Mistake;
use super::{GIVEN, Mistakes, Report, counted};
use crate::error::Result;
use crate::metric::Confusion;
use crate::plot::escaped;

/// How much less accurate tested samples are than those for validation where something is wrong with them.
const FAR: f64 = 0.2;
/// Of how many samples that is no chance.
const FEW: u64 = 20;

/// Up to how many classes there is a matrix; of more, a list of what is confused most often.
const MATRIX: usize = 26;
/// How many characters a name has at most that stands above its column on a phone without being turned.
const SHORT: usize = 4;
/// How many pairs such a list has.
const PAIRS: usize = 20;

/// A part of a value, as a percentage; a dash where there is none.
pub(super) fn percent(part: Option<f64>) -> String {
    part.map_or_else(|| "–".to_owned(), |part| format!("{:.1}%", 100.0 * part))
}

/// The confusion matrix, or what of it can be read.
pub(super) fn confusion(report: &Report<'_>, confusion: &Confusion, of: &str) -> String {
    let samples = confusion.samples();
    let accuracy = percent(confusion.accuracy());
    let mut html = format!(
        "<section>\n<h2>Confusion matrix: what was taken for what</h2>\n<p>{}; {accuracy} classified correctly, \
         macro F1 {:.3}.</p>\n",
        counted(samples, of),
        confusion.macro_f1()
    );
    if let Some(note) = far_off(report, confusion, of) {
        html += &note;
    }
    if samples == 0 {
        html += "<p>There are no samples.</p>\n";
    } else if confusion.classes() <= MATRIX {
        html += &matrix(report, confusion);
    } else {
        html += &pairs(report, confusion);
    }
    html + "</section>\n"
}

/// A word on tested samples that are much worse than those for validation: mostly they were made otherwise.
fn far_off(report: &Report<'_>, confusion: &Confusion, of: &str) -> Option<String> {
    let validated = report.history.best()?.validation_accuracy?;
    let tested = confusion.accuracy()?;
    let is_far = of == GIVEN && confusion.samples() >= FEW && tested < validated - FAR;
    is_far.then(|| {
        format!(
            "<p class=\"note\">Of the validation samples it was {}: see that these samples were scaled as the training samples \
             were, and have their columns and classes in the same order.</p>\n",
            percent(Some(validated))
        )
    })
}

fn matrix(report: &Report<'_>, confusion: &Confusion) -> String {
    let classes = 0..confusion.classes();
    let name = |class| escaped(&report.class_name_in(confusion, class));
    let heading: String =
        classes.clone().map(|class| format!("<th scope=\"col\">{}</th>", name(class))).collect();
    let is_long = classes.clone().any(|class| name(class).chars().count() > SHORT);
    let long = if is_long { " long" } else { "" };
    let mut html = format!(
        "<div class=\"scroll\"><table class=\"matrix{long}\">\n<thead><tr><th>is \\ taken for</th>{heading}\
         <th scope=\"col\">recall</th></tr></thead>\n<tbody>\n"
    );
    for class in classes.clone() {
        let samples: u64 = classes.clone().map(|answer| confusion.count(class, answer)).sum();
        let cell = |answer| {
            let count = confusion.count(class, answer);
            let part = count as f64 / samples.max(1) as f64;
            let kind = if answer == class { "right" } else { "wrong" };
            // The colour is strong enough to be seen from the first mistake on.
            let share = if count == 0 { 0.0 } else { 8.0 + 62.0 * part };
            format!("<td class=\"{kind}\" style=\"--share:{share:.0}%\">{count}</td>")
        };
        let cells: String = classes.clone().map(cell).collect();
        html += &format!(
            "<tr><th scope=\"row\">{}</th>{cells}<td>{}</td></tr>\n",
            name(class),
            percent(confusion.recall(class))
        );
    }
    let precision: String =
        classes.map(|class| format!("<td>{}</td>", percent(confusion.precision(class)))).collect();
    html + &format!(
        "</tbody>\n<tfoot><tr><th scope=\"row\">precision</th>{precision}<td></td></tr></tfoot>\n</table></div>\n"
    )
}

/// What is confused most often.
fn pairs(report: &Report<'_>, confusion: &Confusion) -> String {
    let classes = confusion.classes();
    let all = (0..classes).flat_map(|class| (0..classes).map(move |answer| (class, answer)));
    let mut wrong: Vec<(u64, usize, usize)> = all
        .filter(|(class, answer)| class != answer)
        .map(|(class, answer)| (confusion.count(class, answer), class, answer))
        .filter(|(count, ..)| *count > 0)
        .collect();
    wrong.sort_by_key(|(count, class, answer)| (u64::MAX - count, *class, *answer));
    let mut html = format!(
        "<p>Of {classes} classes, the {} pairs that are confused most often:</p>\n\
         <div class=\"scroll\"><table>\n<thead><tr><th>is</th><th>taken for</th><th>samples</th></tr></thead>\n<tbody>\n",
        wrong.len().min(PAIRS)
    );
    for (count, class, answer) in wrong.into_iter().take(PAIRS) {
        let [class, answer] =
            [class, answer].map(|it| escaped(&report.class_name_in(confusion, it)));
        html += &format!("<tr><td>{class}</td><td>{answer}</td><td>{count}</td></tr>\n");
    }
    html + "</tbody>\n</table></div>\n"
}

/// The samples that were taken for another class.
pub(super) fn mistakes(
    report: &Report<'_>,
    Mistakes { wrong, shown, doubtful, .. }: &Mistakes,
) -> Result<String> {
    let mut html = "<section>\n<h2>What was taken for something else</h2>\n".to_owned();
    let none = report.confusion.as_ref().is_some_and(|(matrix, _)| matrix.samples() == 0);
    html += &match (*wrong, shown.len()) {
        (0, _) if none => "<p>There are no samples.</p>\n".to_owned(),
        (0, _) => "<p>Nothing was: every sample is classified correctly.</p>\n".to_owned(),
        (wrong, shown) if shown < wrong => format!(
            "<p>{wrong} samples; these are the {shown} of which the network was most certain.</p>\n"
        ),
        (1, _) => "<p>One sample.</p>\n".to_owned(),
        (wrong, _) => format!("<p>{wrong} samples.</p>\n"),
    };
    if *doubtful {
        html += "<p><strong>The outputs were taken for logits, and all of them could be probabilities as well. If they are, \
                 <code>Report::outputs</code> has to say so: what was taken for what is wrong otherwise.</strong></p>\n";
    }
    if let Some(first) = shown.first() {
        let kind = match first.sample {
            Sample::Picture(_) => "",
            Sample::Numbers(_) => " numbers",
        };
        html += &format!("<div class=\"mistakes{kind}\">\n");
        for mistake in shown {
            html += &figure(report, mistake)?;
        }
        html += "</div>\n";
    }
    Ok(html + "</section>\n")
}

fn figure(report: &Report<'_>, mistake: &Mistake) -> Result<String> {
    let [truth, answer] =
        [mistake.truth, mistake.answer].map(|class| escaped(&report.class_name(class)));
    let sample = match &mistake.sample {
        Sample::Picture(image) => format!(
            "<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"a sample of class {truth}\">",
            image.url()?,
            image.width,
            image.height
        ),
        Sample::Numbers(numbers) => markup(numbers),
    };
    Ok(format!(
        "<figure>{sample}<figcaption>is <b>{truth}</b><br>taken for <b>{answer}</b> ({})</figcaption></figure>\n",
        percent(Some(mistake.probability))
    ))
}
