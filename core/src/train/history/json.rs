//! The history as JSON, whole: it reads back as the same value.
//!
//! JSON has no infinite numbers and none that is no number: these are the texts `"inf"`, `"-inf"` and `"NaN"`, which
//! Python's `float` reads.

use serde_json::{Map, Value, json};

use super::steps::NAMES;
use super::{EpochRecord, History, StepRecord, WeightNorm};
use crate::error::{Error, Result};
use crate::metric::{Confusion, Figure, Goal};
use crate::train::MetricRecord;

impl History {
    /// All of the history as JSON.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// # let history = netform::train::History::default();
    /// use netform::train::History;
    /// assert_eq!(History::from_json(&history.to_json())?, history);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// An object of `epochs`, each with the names of [`EpochRecord`] (`metrics` by name, confusion matrices row by row:
    /// the class, and what it was taken for), `steps`, a list for each name of [`StepRecord`], and all else by the names of
    /// [`History`]. What there is not is `null`. Numbers that JSON does not have are the
    /// texts `"inf"`, `"-inf"` and `"NaN"`.
    pub fn to_json(&self) -> String {
        self.written(&self.steps)
    }

    /// [`History::to_json`] as of no steps: a file has them elsewhere, where there may be many.
    pub(in crate::train) fn to_json_without_steps(&self) -> String {
        self.written(&[])
    }

    fn written(&self, steps: &[StepRecord]) -> String {
        let column = |i: usize| {
            let column = steps.iter().map(move |step| step.numbers()[i]);
            // Counts are whole.
            let value = |x: f64| if i < 3 { Value::from(x as u64) } else { number(x) };
            column.map(|x| x.map(value)).collect::<Vec<_>>()
        };
        let steps: Map<String, Value> = NAMES
            .iter()
            .enumerate()
            .map(|(i, name)| ((*name).to_owned(), column(i).into()))
            .collect();
        let whole = json!({
            "epochs": self.epochs.iter().map(of_epoch).collect::<Vec<_>>(),
            "steps": steps,
            "best_epoch": self.best_epoch,
            "weights_of": self.weights_of,
            "constant_loss": self.constant_loss.map(number),
            "stopped_early": self.stopped_early,
            "interrupted": self.interrupted,
            "failure": self.failure,
        });
        whole.to_string()
    }

    /// The history of [`History::to_json`].
    ///
    /// # Errors
    /// If the text is not JSON, or not a history's: the message names the place.
    pub fn from_json(text: &str) -> Result<Self> {
        let whole: Value = serde_json::from_str(text)
            .map_err(|error| Error::Invalid(format!("a history in JSON: {error}")))?;
        let whole = At { value: &whole, place: "the history".to_owned() };
        let mut history = History::default();
        for epoch in whole.get("epochs")?.items()? {
            history.epochs.push(to_epoch(&epoch)?);
        }
        history.steps = to_steps(&whole.get("steps")?)?;
        history.best_epoch = whole.get("best_epoch")?.or_null(At::count)?;
        history.stopped_early = whole.get("stopped_early")?.truth()?;
        history.interrupted = whole.get("interrupted")?.truth()?;
        // Of an earlier version, a history has none of these.
        if let Ok(epoch) = whole.get("weights_of") {
            history.weights_of = epoch.or_null(At::count)?;
        }
        if let Ok(loss) = whole.get("constant_loss") {
            history.constant_loss = loss.or_null(At::float)?;
        }
        if let Ok(failure) = whole.get("failure") {
            history.failure = failure.or_null(|it| it.text().map(str::to_owned))?;
        }
        Ok(history)
    }
}

fn number(x: f64) -> Value {
    if x.is_finite() { Value::from(x) } else { Value::from(x.to_string()) }
}

fn of_epoch(epoch: &EpochRecord) -> Value {
    let some = |x: Option<f64>| x.map(number);
    json!({
        "epoch": epoch.epoch,
        "train_loss": number(epoch.train_loss),
        "train_accuracy": some(epoch.train_accuracy),
        "validation_loss": some(epoch.validation_loss),
        "validation_accuracy": some(epoch.validation_accuracy),
        "seconds": number(epoch.seconds),
        "rate": number(epoch.rate),
        "metrics": epoch.metrics.iter().map(of_metric).collect::<Vec<_>>(),
        "weight_norms": epoch.weight_norms.iter()
            .map(|it| json!({ "name": it.name, "norm": number(it.norm) }))
            .collect::<Vec<_>>(),
    })
}

fn of_metric(metric: &MetricRecord) -> Value {
    let some = |x: Option<f64>| x.map(number);
    json!({
        "name": metric.name,
        "goal": match metric.goal {
            Goal::Larger => "larger",
            Goal::Smaller => "smaller",
        },
        "train": some(metric.train),
        "validation": some(metric.validation),
        "train_confusion": metric.train_confusion.as_ref().map(of_confusion),
        "validation_confusion": metric.validation_confusion.as_ref().map(of_confusion),
    })
}

fn of_confusion(confusion: &Confusion) -> Value {
    let classes = 0..confusion.classes();
    let row = |class| classes.clone().map(move |answer| confusion.count(class, answer));
    classes.clone().map(|class| row(class).collect::<Vec<_>>()).collect()
}

fn to_steps(steps: &At<'_>) -> Result<Vec<StepRecord>> {
    let mut columns = Vec::new();
    for name in NAMES {
        let column = steps.get(name)?.items()?;
        columns.push(column.iter().map(|x| x.or_null(At::float)).collect::<Result<Vec<_>>>()?);
    }
    let count = columns[0].len();
    if columns.iter().any(|column| column.len() != count) {
        return Err(steps.expected("lists of the same length"));
    }
    let step = |i: usize| {
        let step = StepRecord::of_numbers(std::array::from_fn(|k| columns[k][i]));
        step.ok_or_else(|| steps.expected(&format!("numbers of a step at place {i}")))
    };
    (0..count).map(step).collect()
}

fn to_epoch(epoch: &At<'_>) -> Result<EpochRecord> {
    let float = |name| epoch.get(name)?.float();
    let some = |name| epoch.get(name)?.or_null(At::float);
    Ok(EpochRecord {
        epoch: epoch.get("epoch")?.count()?,
        train_loss: float("train_loss")?,
        train_accuracy: some("train_accuracy")?,
        validation_loss: some("validation_loss")?,
        validation_accuracy: some("validation_accuracy")?,
        seconds: float("seconds")?,
        rate: float("rate")?,
        metrics: epoch.get("metrics")?.items()?.iter().map(to_metric).collect::<Result<_>>()?,
        weight_norms: epoch
            .get("weight_norms")?
            .items()?
            .iter()
            .map(to_norm)
            .collect::<Result<_>>()?,
    })
}

fn to_norm(norm: &At<'_>) -> Result<WeightNorm> {
    Ok(WeightNorm { name: norm.get("name")?.text()?.to_owned(), norm: norm.get("norm")?.float()? })
}

fn to_metric(metric: &At<'_>) -> Result<MetricRecord> {
    let goal = metric.get("goal")?;
    Ok(MetricRecord {
        name: metric.get("name")?.text()?.to_owned(),
        goal: match goal.text()? {
            "larger" => Goal::Larger,
            "smaller" => Goal::Smaller,
            _ => return Err(goal.expected("`larger` or `smaller`")),
        },
        train: metric.get("train")?.or_null(At::float)?,
        validation: metric.get("validation")?.or_null(At::float)?,
        train_confusion: metric.get("train_confusion")?.or_null(to_confusion)?,
        validation_confusion: metric.get("validation_confusion")?.or_null(to_confusion)?,
    })
}

fn to_confusion(rows: &At<'_>) -> Result<Confusion> {
    let counts = rows.items()?;
    // Before the matrix takes its room, which for rows without numbers is far more than the text has.
    let width = |row: &At<'_>| row.value.as_array().map_or(counts.len(), Vec::len);
    if counts.iter().any(|row| width(row) != counts.len()) {
        return Err(rows.expected("as many numbers in each row as there are rows"));
    }
    let mut found = Vec::new();
    for row in &counts {
        for count in row.items()? {
            found.push(count.count()? as f64);
        }
    }
    let mut confusion = Confusion::new(counts.len());
    confusion.sums().copy_from_slice(&found);
    Ok(confusion)
}

/// A value with its place, for errors.
struct At<'v> {
    value: &'v Value,
    place: String,
}

impl<'v> At<'v> {
    fn expected(&self, what: &str) -> Error {
        let mut found = self.value.to_string();
        if found.chars().count() > 40 {
            found = found.chars().take(40).collect::<String>() + "..";
        }
        Error::Invalid(format!("{}: expected {what}, found `{found}`", self.place))
    }

    fn get(&self, name: &str) -> Result<At<'v>> {
        let value = self.value.get(name);
        let value = value.ok_or_else(|| self.expected(&format!("an object with `{name}`")))?;
        Ok(At { value, place: format!("`{name}` of {}", self.place) })
    }

    fn items(&self) -> Result<Vec<At<'v>>> {
        let items = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        let at = |(i, value)| At { value, place: format!("item {i} of {}", self.place) };
        Ok(items.iter().enumerate().map(at).collect())
    }

    /// What `f` makes of the value, unless it is null.
    fn or_null<T>(&self, f: impl FnOnce(&Self) -> Result<T>) -> Result<Option<T>> {
        if self.value.is_null() { Ok(None) } else { f(self).map(Some) }
    }

    fn text(&self) -> Result<&'v str> {
        self.value.as_str().ok_or_else(|| self.expected("a text"))
    }

    fn truth(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    fn count(&self) -> Result<usize> {
        let count = self.value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| self.expected("a whole number"))
    }

    fn float(&self) -> Result<f64> {
        let number = match self.value {
            Value::String(text) => text.parse().ok().filter(|x: &f64| !x.is_finite()),
            value => value.as_f64(),
        };
        number.ok_or_else(|| self.expected("a number, \"inf\", \"-inf\" or \"NaN\""))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::history;
    use super::*;

    #[test]
    fn it_reads_back_as_the_same() {
        let mut history = history();
        history.epochs[0].train_loss = 0.1 + 0.2;
        history.epochs[0].rate = f64::INFINITY;
        history.failure = Some("a \"text\"".to_owned());
        history.constant_loss = Some(0.1 + 0.7);
        let step = StepRecord {
            epoch: 1,
            batch: 2,
            samples: 3,
            loss: 0.3,
            rate: 0.1,
            gradient_norm: None,
        };
        history.steps = vec![step, StepRecord { gradient_norm: Some(f64::NEG_INFINITY), ..step }];
        let back = History::from_json(&history.to_json()).unwrap();
        assert!(back.epochs.iter().all(|epoch| epoch.metrics[0].train.unwrap().is_nan()));
        // A figure that is no number is not equal to itself.
        let numbers = |mut history: History| {
            history.epochs.iter_mut().for_each(|epoch| epoch.metrics[0].train = None);
            history
        };
        assert_eq!(numbers(back), numbers(history));
    }

    #[test]
    fn one_of_an_earlier_version_has_less() {
        let history = History::default();
        let mut text = history.to_json();
        for name in ["failure", "weights_of", "constant_loss"] {
            let entry = format!("\"{name}\":null");
            let earlier = text.replace(&format!("{entry},"), "").replace(&format!(",{entry}"), "");
            assert_ne!(earlier, text);
            text = earlier;
        }
        assert_eq!(History::from_json(&text).unwrap(), history);
    }

    #[test]
    fn what_is_no_history_is_refused_with_its_place() {
        let good = history().to_json();
        // A matrix of so many rows would take 320 GB.
        let many = ["[]"; 200_000].join(",");
        for (from, to, expected) in [
            ("{", "", "a history in JSON: "),
            ("\"epochs\"", "\"others\"", "the history: expected an object with `epochs`, found `{"),
            (
                "\"epoch\":2",
                "\"epoch\":2.5",
                "`epoch` of item 1 of `epochs` of the history: expected a whole number, found `2.5`",
            ),
            (
                "\"NaN\"",
                "\"a lot\"",
                "expected a number, \"inf\", \"-inf\" or \"NaN\", found `\"a lot\"`",
            ),
            ("[1,1]", "[1]", "expected as many numbers in each row as there are rows"),
            ("[1,1]", many.as_str(), "expected as many numbers in each row as there are rows"),
            ("\"larger\"", "\"round\"", "expected `larger` or `smaller`"),
        ] {
            let error = History::from_json(&good.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(expected), "{from}: {error}");
        }
    }
}
