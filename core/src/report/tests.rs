//! Pages of good and of bad trainings: whole, with what was asked for, and with nothing from elsewhere.

use super::*;
use crate::metric::{Goal, Metric};
use crate::train::{EpochRecord, MetricRecord, StepRecord, WeightNorm};

const NAN: f64 = f64::NAN;

/// The training and the validation loss of an epoch.
type Losses = (f64, Option<f64>);

/// A training of these losses, as `fit` leaves it.
fn history(losses: &[Losses]) -> History {
    let mut history = History::default();
    for (i, (train_loss, validation_loss)) in losses.iter().copied().enumerate() {
        history.epochs.push(EpochRecord {
            epoch: i + 1,
            train_loss,
            validation_loss,
            train_accuracy: Some(0.75),
            seconds: 1.5,
            rate: 0.01,
            ..EpochRecord::default()
        });
    }
    history.best_epoch = history.best_by("loss").map(|epoch| epoch.epoch);
    history
}

/// The page, with what must hold of every page.
fn page(report: &Report<'_>) -> String {
    let html = report.html().unwrap();
    // Without scripts and addresses there are no requests; the one address is the name of a language.
    let addresses = html.matches("http").count();
    let names =
        html.matches("http://www.w3.org/2000/svg").count() + html.matches("http-equiv").count();
    assert_eq!(addresses, names, "{html}");
    assert!(!html.contains("<script") && !html.contains("src=\"/"), "{html}");
    // But for elements that have no end, a page is XML.
    let mut xml = html.replace("<!DOCTYPE html>", "").replace("<br>", "");
    for name in ["meta", "link", "img"] {
        let begin = format!("<{name} ");
        while let Some(at) = xml.find(&begin) {
            let end = at + xml[at..].find('>').unwrap();
            xml.replace_range(at..=end, "");
        }
    }
    if let Err(error) = roxmltree::Document::parse(&xml) {
        panic!("{error}: {xml}");
    }
    html
}

fn curves(html: &str) -> usize {
    html.matches("stroke-width=\"20\" points").count()
}

#[test]
fn a_training_is_a_page() {
    let falling: Vec<_> = (1..=8).map(|i| (1.0 / f64::from(i), Some(1.2 / f64::from(i)))).collect();
    let mut history = history(&falling);
    history.stopped_early = true;
    history.weights_of = Some(8);
    let html = page(&Report::new(&history));
    for text in [
        "<title>Report of a training</title>",
        "8 epochs · 12.0 s · the best epoch is 8, and the network has its weights · stopped early",
        "Still improving",
        "best by loss: epoch 8",
        "Best epoch by loss: 8; ",
        "Learning rate 0.01 throughout.",
        "prefers-color-scheme: dark",
        "width=device-width",
        "@media print",
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
    // Two losses and their two entries in the legend, and an accuracy with its own.
    assert_eq!(curves(&html), 6);
}

#[test]
fn bad_trainings_have_a_page_that_says_so() {
    let bad: [(&[Losses], &str, &str); 6] = [
        (&[], "no epoch", "No epoch came to its end: there is nothing to judge."),
        (&[(1.0, Some(2.0))], "1 epoch", "One epoch is too short to say"),
        (&[(1.0, None); 5], "no validation data", "Training loss hardly changed"),
        (&[(NAN, Some(1.0)); 5], "5 epochs", "A loss is NaN in epoch 1"),
        (&[(1.0, Some(f64::INFINITY))], "1 epoch", "A loss is inf in epoch 1"),
        (&[(f64::MAX, Some(f64::MIN)); 4], "4 epochs", "<td>-1.798e308</td>"),
    ];
    for (losses, course, content) in bad {
        let mut history = history(losses);
        history.interrupted = true;
        let html = page(&Report::new(&history));
        for text in [course, content, "interrupted"] {
            assert!(html.contains(text), "{text} in {html}");
        }
    }
}

#[test]
fn a_long_training_has_a_table_of_some_epochs_with_the_best_and_the_last() {
    let mut history = history(&[(1.0, None); 1200]);
    history.best_epoch = Some(602);
    let html = page(&Report::new(&history));
    assert!(html.contains("<summary>One epoch of every 3, the best and the last"), "{html}");
    let row = |epoch| html.matches(&format!("<th scope=\"row\">{epoch}</th>")).count();
    assert_eq!([1, 2, 3, 4, 601, 602, 603, 1199, 1200].map(row), [1, 0, 0, 1, 1, 1, 0, 0, 1]);
    assert!(html.contains("<tr class=\"best\"><th scope=\"row\">602</th>"), "{html}");
}

#[test]
fn figures_of_all_kinds_have_a_curve() {
    let mut history = history(&[(1.0, None), (0.5, None)]);
    for epoch in &mut history.epochs {
        epoch.train_accuracy = None;
        epoch.weight_norms = vec![
            WeightNorm { name: "fc1.weight".to_owned(), norm: 1.0 },
            WeightNorm { name: "fc1.bias".to_owned(), norm: NAN },
        ];
        epoch.metrics = vec![MetricRecord {
            name: "f1".to_owned(),
            goal: Goal::Larger,
            train: Some(0.5),
            validation: None,
            train_confusion: Some(Confusion::new(3)),
            validation_confusion: None,
        }];
    }
    history.steps = (0..10)
        .map(|i| StepRecord {
            epoch: 1 + i / 5,
            batch: 1 + i % 5,
            samples: 4,
            loss: 1.0,
            rate: 0.1 / (1.0 + i as f64),
            gradient_norm: (i % 2 == 0).then_some(3.0),
        })
        .collect();
    let html = page(&Report::new(&history));
    for text in [
        // No column is empty, and none has the name of another.
        "<th>epoch</th><th>training loss</th><th>training f1</th><th>seconds</th><th>rate</th>",
        "<td>1.0000</td><td>0.5000</td><td>1.50</td><td>0.0100</td>",
        "<title>Loss</title>",
        "<title>F1</title>",
        "<title>Loss of each step</title>",
        "<title>Learning rate</title>",
        "<title>Norm of the gradients</title>",
        "<title>Norms of the weights</title>",
        "fc1.bias (2 not finite)",
        "There are no samples.",
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
}

#[test]
fn texts_are_no_markup() {
    let bad = "</title><script>alert(1)</script>&\"'\u{0}";
    let mut history = history(&[(1.0, Some(1.0)), (0.5, Some(0.5))]);
    history.epochs[1].metrics = vec![MetricRecord {
        name: bad.to_owned(),
        goal: Goal::Larger,
        train: Some(0.5),
        validation: Some(NAN),
        train_confusion: None,
        validation_confusion: None,
    }];
    history.epochs[1].weight_norms = vec![WeightNorm { name: bad.to_owned(), norm: 1.0 }];
    let mut confusion = Confusion::new(2);
    confusion.add(&[0.0f32, 1.0], &[0u32]).unwrap();
    let report = Report::new(&history).title(bad).confusion(confusion).class_names([bad, bad]);
    let report = Report {
        mistakes: Some(Mistakes {
            wrong: 1,
            shown: vec![Mistake {
                sample: sample::Sample::Numbers(vec![bad.to_owned()]),
                truth: 0,
                answer: 1,
                probability: NAN,
            }],
            outputs: Outputs::Logits,
            doubtful: true,
        }),
        ..report
    };
    assert!(page(&report).contains("taken for <b>&lt;/title&gt;"));
}

#[test]
fn a_confusion_matrix_shows_mistakes_and_many_classes_as_a_list() {
    let history = history(&[]);
    let mut confusion = Confusion::new(3);
    confusion.add(&[0.9f32, 0.1, 0.0, 0.9, 0.0, 0.1, 0.0, 0.0, 1.0], &[0u32, 1, 2]).unwrap();
    let names = ["setosa", "versicolor", "virginica"];
    let html = page(&Report::new(&history).confusion(confusion).class_names(names));
    assert!(html.contains("<h2>Confusion matrix: what was taken for what</h2>"), "{html}");
    assert!(html.contains("3 samples; 66.7% classified correctly"), "{html}");
    assert!(html.contains("<td class=\"wrong\" style=\"--share:70%\">1</td>"), "{html}");
    let mut many = Confusion::new(100);
    let mut row = [0.0f32; 100];
    row[99] = 1.0;
    many.add(&row, &[7u32]).unwrap();
    let html = page(&Report::new(&history).confusion(many));
    assert!(html.contains("<tr><td>7</td><td>99</td><td>1</td></tr>"), "{html}");
}

#[test]
fn what_outputs_are_is_said_before_they_are_read() {
    let history = history(&[(1.0, None)]);
    let with = |outputs, doubtful| Report {
        mistakes: Some(Mistakes { wrong: 0, shown: Vec::new(), outputs, doubtful }),
        ..Report::new(&history)
    };
    let doubt = "all of them could be probabilities";
    assert!(page(&with(Outputs::Logits, true)).contains(doubt));
    assert!(!page(&with(Outputs::Logits, false)).contains(doubt));
    page(&with(Outputs::Probabilities, false).outputs(Outputs::Probabilities));
    let late = with(Outputs::Logits, false).outputs(Outputs::Probabilities);
    let error = late.html().unwrap_err().to_string();
    assert!(error.contains("taken for logits, and said to be probabilities afterwards"), "{error}");
}

#[test]
fn a_file_is_written_or_the_error_names_it() {
    let name = format!("netform-report-{}.html", std::process::id());
    let path = std::env::temp_dir().join(name);
    let history = history(&[(1.0, None)]);
    history.save_report(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), Report::new(&history).html().unwrap());
    std::fs::remove_file(&path).unwrap();
    let error = history.save_report(path.join("no folder.html")).unwrap_err().to_string();
    assert!(error.contains("no folder.html"), "{error}");
}
