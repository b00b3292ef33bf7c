//! What every text has to be: one error at the user's tokens, in decimals, without the names of what is inside.

use super::corpus::Case;

/// Names that only the authors of netform know.
const INTERNAL: &[&str] = &[
    "typenum",
    "UInt",
    "UTerm",
    "B0",
    "B1",
    "Never",
    "Digits<",
    "`__",
    "::__",
    "__private",
    "__n::",
    "__netform",
];

/// The longest first line: a few lines of a terminal.
const LONGEST: usize = 300;

/// The most lines of a text, with what rustc adds.
const MOST_LINES: usize = 45;

/// Cases among those of shapes whose mistake is another: there are no two shapes to state.
const OF_NO_SHAPE: &[&str] = &[
    "recurrent/batch_norm_in_scan",
    "recurrent/batch_norm_of_network_in_scan",
    "recurrent/scan_arity",
    "recurrent/scan_assigns_outside",
    "recurrent/scan_closure_arity",
    "recurrent/scan_closure_result",
    "recurrent/scan_without_closure",
    "shared_weights/before_call",
    "composition/arguments",
    "composition/broken_neighbour",
    "composition/broken_part",
    "composition/broken_part_elsewhere",
    "composition/generics",
    "composition/layer_as_tensor",
    "composition/misspelled",
    "composition/misspelled_in_module",
    "composition/unknown_weight",
    "composition/weight_of_repeat_index",
    "composition/weight_of_unknown_layer",
    "composition/weight_without_layer",
    "generics/length_of_parameters",
    "generics/unknown_size",
    "functions/parameters",
    "functions/size_no_input_tells",
    "data/input_without_shape",
    "data/inputs_by_their_element",
    "data/network_as_data",
    "data/numbers_in_a_row",
    "data/one_row",
    "data/predict_a_data_set",
    "data/shape_not_a_tuple",
    "data/target_not_a_tuple",
    "data/trainer_of_two_inputs",
    "losses/loss_step_of_logits",
    "losses/optimiser_as_text",
    "losses/setting_with_axes",
    "losses/three_outputs",
];

/// Cases whose text is all rustc's: nothing of netform is asked for what was meant.
const OF_RUSTC: &[&str] = &[
    "element_types/f32_plus_f64",
    "element_types/tensors_of_two_devices",
    "element_types/text_as_number",
    "names/unknown_constant",
    "names/unknown_function_far",
    "names/unknown_layer_in_chain",
    "names/unknown_network",
];

/// What is wrong with a case's text; nothing where it is as it should be.
pub fn faults(case: &Case) -> Vec<String> {
    let Case { text, source, .. } = case;
    let mut faults = vec![];
    let mut expect = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    let errors = text.lines().filter(|line| line.starts_with("error")).count();
    expect(errors == 1, format!("one mistake is {errors} errors"));
    expect(!text.contains("warning"), "a warning beside the error".to_owned());
    for word in INTERNAL {
        expect(!text.contains(word), format!("says `{word}`"));
    }
    let first = text.lines().next().unwrap_or_default();
    expect(first.len() <= LONGEST, format!("a first line of {} characters", first.len()));
    let lines = text.lines().count();
    expect(lines <= MOST_LINES, format!("{lines} lines"));
    let caret = Caret::of(text);
    match caret.as_ref().map(|caret| caret.fault(&case.path, source)) {
        Some(None) => {}
        Some(Some(fault)) => expect(false, fault),
        None => expect(false, "no caret on one line".to_owned()),
    }
    if case.kind.shapes {
        let label = caret.map(|caret| caret.label).unwrap_or_default();
        let of_shape = !OF_NO_SHAPE.contains(&case.path.as_str());
        // What rustc alone compares, with an annotation or a function of the user's own, it says at the caret.
        let by_rustc = first.starts_with("error[E0308]");
        let figures =
            figures(&if by_rustc { format!("{first} {label}") } else { first.to_owned() });
        expect(!of_shape || figures >= 2, format!("states {figures} shapes or numbers, not two"));
        // What rustc compares are types; values have names in what `network!` says.
        let of_network = !first.starts_with("error[") || first.contains("evaluation panicked");
        expect(!of_network || first.contains('`'), "names nothing".to_owned());
    }
    if case.kind.help && !OF_RUSTC.contains(&case.path.as_str()) {
        expect(helps(text), "does not say what to do".to_owned());
    }
    if ["misspelled", "gives it"].iter().any(|word| case.mistake.contains(word)) {
        let meant = case.fix.split('`').nth(1).unwrap_or_default();
        let last = meant.rsplit("::").next().unwrap_or_default();
        expect(text.contains(&format!("`{last}`")), format!("does not name `{last}`"));
    }
    faults
}

/// Whether a text says how the mistake is mended: a clause after the message, an example, rustc's help.
fn helps(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let clause = [
        "; ",
        ": ",
        "for example",
        "such as",
        "did you mean",
        "is called as",
        " takes ",
        "expected ",
        " is a number",
        " is `true` or ",
    ];
    let message = first.strip_prefix("error: ").unwrap_or("");
    clause.iter().any(|word| message.contains(word))
        || text.contains("help: ") && !text.contains("is not implemented for")
        || text.contains("note: ")
        || text.contains("expected `")
}

/// Where an error is: the first place that a text shows.
struct Caret<'t> {
    file: &'t str,
    line: usize,
    /// The source line with its carets below: the columns from the first on.
    columns: std::ops::Range<usize>,
    /// What stands behind the carets.
    label: &'t str,
}

impl<'t> Caret<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with("--> "));
        let place = lines.next()?.trim_start().strip_prefix("--> ")?;
        let mut parts = place.split(':');
        let (file, line) = (parts.next()?, parts.next()?.parse().ok()?);
        let mut shown = lines.take_while(|line| line.contains('|') || *line == "...");
        let source = shown.find(|text| text.trim_start().starts_with(&format!("{line} |")))?;
        let code = source.find('|')? + 2;
        let below = shown.next()?;
        let start = below.find('^')?;
        let carets = below[start..].chars().take_while(|c| *c == '^').count();
        let label = below[start + carets..].trim();
        (start >= code).then(|| Caret {
            file,
            line,
            columns: start - code..start - code + carets,
            label,
        })
    }

    /// What is wrong with the place, in the program of a path.
    fn fault(&self, path: &str, source: &str) -> Option<String> {
        if self.file != format!("trybuild/{path}.rs") {
            return Some(format!("the error is in {}", self.file));
        }
        let Some(line) = source.lines().nth(self.line.saturating_sub(1)) else {
            return Some("the caret is behind the end".to_owned());
        };
        let under: String =
            line.chars().skip(self.columns.start).take(self.columns.len()).collect();
        if under.chars().count() < self.columns.len() || under.trim().is_empty() {
            return Some("the caret is under nothing".to_owned());
        }
        under.contains("network!").then(|| "the caret is under the whole macro call".to_owned())
    }
}

/// How many shapes and numbers a text states outside of code: `[16, 5, 5]`, `(D<10>,)`, 128. What is in
/// backticks is code, unless it is a shape or a number alone.
fn figures(text: &str) -> usize {
    let prose = |(i, part): (usize, &str)| match i % 2 == 0 || is_figure(part) {
        true => count(part),
        false => 0,
    };
    text.split('`').enumerate().map(prose).sum()
}

/// Whether code is a shape or a number alone, or a tensor's type.
fn is_figure(code: &str) -> bool {
    let number = |c: char| c.is_ascii_digit() || " +-*/.".contains(c);
    code.chars().all(number) || code.contains("D<") || code == "()" || code == "(Batch,)"
}

/// Shapes count once, with the numbers in them.
fn count(text: &str) -> usize {
    let (mut found, mut depth, mut in_number) = (0, 0_usize, false);
    let bytes: Vec<char> = text.chars().collect();
    for (i, c) in bytes.iter().enumerate() {
        match c {
            '[' | '(' if depth == 0 => {
                depth = 1;
                let inside: String =
                    bytes[i..].iter().take_while(|c| **c != ']' && **c != ')').collect();
                // Text in parentheses is no shape.
                let shape =
                    *c == '[' || inside.contains("D<") || inside == "(" || inside.contains("Batch");
                found += usize::from(shape);
            }
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let digit = c.is_ascii_digit() && depth == 0;
        let within_word = i > 0 && (bytes[i - 1].is_alphabetic() || bytes[i - 1] == '_');
        if digit && !in_number && !within_word {
            found += 1;
        }
        in_number = digit || in_number && *c == '.';
    }
    found
}

/// Texts that must be found to be bad, so that the checks are known to see it.
mod tests {
    use super::super::corpus::Case;
    use super::super::kinds::kind;
    use super::{faults, figures};

    const PROGRAM: &str = "\
//! A layer gets another shape.
//! Fix: `Linear(128 -> 10)`.
network! {
    pub Mlp: [784] { fc1: Linear(128), fc2: Linear(100 -> 10) }
}
";

    const GOOD: &str = "\
error: shape mismatch in network `Mlp`: layer `fc2: Linear(100 -> 10)` expects 100 features, but `fc1` yields 128
 --> trybuild/chain_shapes/x.rs:4:40
  |
4 |     pub Mlp: [784] { fc1: Linear(128), fc2: Linear(100 -> 10) }
  |                                        ^^^^^^^^^^^^^^^^^^^^^^
";

    fn found(folder: &str, program: &str, text: &str) -> Vec<String> {
        let (program, text) = (program.to_owned(), text.to_owned());
        faults(&Case::new(kind(folder), format!("{folder}/x"), program, text))
    }

    /// That a change of the good text is one fault.
    fn bad(change: (&str, &str), fault: &str) {
        assert!(GOOD.contains(change.0), "{change:?} changes nothing");
        let found = found("chain_shapes", PROGRAM, &GOOD.replace(change.0, change.1));
        assert!(found.len() == 1 && found[0].contains(fault), "{change:?}: {found:?}");
    }

    #[test]
    fn a_good_text_has_no_faults() {
        assert_eq!(found("chain_shapes", PROGRAM, GOOD), Vec::<String>::new());
    }

    #[test]
    fn errors_and_warnings_are_counted() {
        bad(("128\n", "128\nerror: another\n"), "2 errors");
        bad(("error: ", "oops: "), "0 errors");
        bad(("128\n", "128\nwarning: unused\n"), "a warning");
    }

    #[test]
    fn internals_are_seen() {
        bad(("`fc1` yields 128", "`fc1` yields 128 UInt"), "says `UInt`");
    }

    #[test]
    fn figures_are_needed() {
        bad(("100 features, but `fc1` yields 128", "others"), "states 0 shapes");
        bad(("100 features", "features"), "states 1 shapes");
    }

    #[test]
    fn names_are_needed() {
        let text = GOOD.replace("network `Mlp`: layer `fc2: Linear(100 -> 10)`", "a layer");
        assert_eq!(found("chain_shapes", PROGRAM, &text.replace("`fc1`", "it")), ["names nothing"]);
    }

    #[test]
    fn the_place_is_looked_at() {
        bad(("chain_shapes/x.rs", "names/y.rs"), "the error is in trybuild/names/y.rs");
        bad(
            (&GOOD[GOOD.find("                                        ^").unwrap_or(0)..], ""),
            "no caret",
        );
        let whole = GOOD.replace(
            "4 |     pub Mlp: [784] { fc1: Linear(128), fc2: Linear(100 -> 10) }",
            "3 | / network! {",
        );
        let whole = whole
            .replace(":4:40", ":3:1")
            .replace("|                                        ^", "| |_^");
        assert_eq!(found("chain_shapes", PROGRAM, &whole).len(), 1, "{whole}");
        let head = "error: 1 and 2: `x`\n --> trybuild/chain_shapes/x.rs:3:1\n  |\n3 | network! {\n  | ^^^^^^^^^^\n";
        assert_eq!(
            found("chain_shapes", PROGRAM, head),
            ["the caret is under the whole macro call"]
        );
    }

    #[test]
    fn long_texts_are_faults() {
        let long = format!("128 {}\n", "x".repeat(300));
        bad(("128\n", &long), "characters");
        bad(("^\n", &format!("^\n{}", "  = note: x\n".repeat(60))), "lines");
    }

    #[test]
    fn a_misspelled_name_is_named() {
        let program = "//! A layer is misspelled.\n//! Fix: `Linear`.\nfc: Linera\n";
        let text = |end: &str| {
            format!(
                "error: unknown layer `Linera`{end}\n --> trybuild/names/x.rs:3:5\n  |\n3 | fc: Linera\n  |     ^^^^^^\n"
            )
        };
        assert_eq!(
            found("names", program, &text("; did you mean `Linear`?")),
            Vec::<String>::new()
        );
        let faults = found("names", program, &text(""));
        assert_eq!(faults, ["does not say what to do", "does not name `Linear`"]);
    }

    #[test]
    fn shapes_and_numbers_count_once() {
        for (text, n) in [
            ("`x` [3, 4] and `y` [3]: 4 meets 3", 4),
            ("layer `fc: Linear(100 -> 10)` yields [16, 5, 5] = 400", 2),
            ("samples of shape (D<1>, D<28>), the network takes (D<784>,)", 2),
            ("found `(netform::Batch, netform::D<3>)` and ()", 2),
            ("expected `2`, found `3`", 2),
            ("a text (in parentheses) of no conv2d", 0),
            ("1.5 and 0", 2),
        ] {
            assert_eq!(figures(text), n, "{text}");
        }
    }
}
