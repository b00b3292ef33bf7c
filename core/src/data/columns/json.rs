//! Columns as text, for the file of a model.

use serde_json::{Map, Value, json};

use super::{Categories, Column, Columns, Encoding, Fill};

/// The names of the words of a column, by what they become.
const ONE_HOT: &str = "one_hot";
const ORDINAL: &str = "ordinal";

impl Columns {
    /// The columns as JSON.
    pub(crate) fn to_json(&self) -> String {
        Value::Array(self.each().map(written).collect()).to_string()
    }

    /// The columns that [`Columns::to_json`] has written, or what was expected of the text.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|e| format!("no JSON: {e}"))?;
        let columns = value.as_array().ok_or("expected a list of columns")?;
        let columns = columns.iter().map(read).collect::<Result<_, _>>()?;
        Columns::of(columns).map_err(|error| error.to_string())
    }
}

fn written(column: &Column) -> Value {
    let mut entry = Map::new();
    entry.insert("name".to_owned(), json!(column.name));
    match column.encoding() {
        Encoding::Number => None,
        Encoding::OneHot(words) => entry.insert(ONE_HOT.to_owned(), json!(words.names)),
        Encoding::Ordinal(words) => entry.insert(ORDINAL.to_owned(), json!(words.names)),
    };
    match column.fill() {
        None => None,
        Some(Fill::Number(x)) => entry.insert("fill".to_owned(), json!(x)),
        Some(Fill::Word(word)) => entry.insert("fill".to_owned(), json!(word)),
    };
    Value::Object(entry)
}

fn read(value: &Value) -> Result<Column, String> {
    let name = value["name"].as_str().ok_or_else(|| format!("a column without a name: {value}"))?;
    let words = |kind: &str| -> Result<Option<Categories>, String> {
        let Some(list) = value.get(kind) else { return Ok(None) };
        let list = list.as_array().ok_or_else(|| format!("`{kind}` of `{name}` is no list"))?;
        let word = |word: &Value| word.as_str().map(str::to_owned);
        let words: Option<Vec<String>> = list.iter().map(word).collect();
        let words = words.ok_or_else(|| format!("`{kind}` of `{name}` has what is no word"))?;
        Categories::new(name, &words).map(Some).map_err(|error| error.to_string())
    };
    let encoding = match (words(ONE_HOT)?, words(ORDINAL)?) {
        (None, None) => Encoding::Number,
        (Some(words), None) => Encoding::OneHot(words),
        (None, Some(words)) => Encoding::Ordinal(words),
        (Some(_), Some(_)) => return Err(format!("`{name}` is `{ONE_HOT}` and `{ORDINAL}`")),
    };
    let fill = match value.get("fill") {
        None => None,
        Some(Value::String(word)) => Some(Fill::Word(word.clone())),
        Some(other) => match other.as_f64() {
            Some(x) => Some(Fill::Number(x)),
            None => return Err(format!("`fill` of `{name}` is no number and no word")),
        },
    };
    Column::new(name, encoding, fill.as_ref()).map_err(|problem| format!("`{name}`: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Columns {
        let words = |names: &[&str]| Categories::new("a", names).unwrap();
        let column = |name, encoding, fill: Option<Fill>| {
            Column::new(name, encoding, fill.as_ref()).unwrap()
        };
        Columns::of(vec![
            column("km", Encoding::Number, Some(0.1.into())),
            column("fuel", Encoding::OneHot(words(&["a \"b\"", "c"])), Some("c".into())),
            column("size", Encoding::Ordinal(words(&["1", "2"])), Some(2.into())),
            column("x", Encoding::Number, None),
        ])
        .unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let columns = columns();
        assert_eq!(columns.names(), ["km", "fuel=a \"b\"", "fuel=c", "size", "x"]);
        assert_eq!(Columns::from_json(&columns.to_json()).unwrap(), columns);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            ("{", "no JSON"),
            ("{}", "a list of columns"),
            ("[{}]", "without a name"),
            ("[{\"name\": \"a\"}, {\"name\": \"a\"}]", "name 2 is `a`"),
            ("[{\"name\": \"a\", \"one_hot\": 1}]", "`one_hot` of `a` is no list"),
            ("[{\"name\": \"a\", \"one_hot\": [1]}]", "has what is no word"),
            ("[{\"name\": \"a\", \"ordinal\": [\"b\", \"b\"]}]", "name 2 is `b`"),
            ("[{\"name\": \"a\", \"ordinal\": [\"b\"], \"one_hot\": [\"b\"]}]", "and `ordinal`"),
            ("[{\"name\": \"a\", \"ordinal\": [\"b\"], \"fill\": \"c\"}]", "expected one of `b`"),
            ("[{\"name\": \"a\", \"fill\": \"c\"}]", "expected a finite number"),
            ("[{\"name\": \"a\", \"fill\": []}]", "no number and no word"),
        ];
        for (text, part) in cases {
            let problem = Columns::from_json(text).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
    }
}
