//! What editors see while a declaration is typed: printed names stand where the user wrote them, and what cannot
//! be read yet leaves the rest of the network as it is.

use proc_macro2::{Span, TokenStream, TokenTree};

/// What is printed for a declaration, and its errors.
fn expand(text: &str) -> (TokenStream, Vec<String>) {
    let mut declaration =
        crate::parse::declaration(text.parse().expect("tokens")).expect("a declaration");
    let mut errors = std::mem::take(&mut declaration.errors);
    let mut printed = crate::editor::names(&declaration);
    printed.extend(crate::compile(&declaration, &[], &mut errors));
    let errors = errors.propagate().err().into_iter().flatten();
    (printed, errors.map(|error| error.to_string()).collect())
}

/// What rust-analyzer alone reads of a declaration.
fn read(text: &str) -> TokenStream {
    crate::editor::names(
        &crate::parse::declaration(text.parse().expect("tokens")).expect("a declaration"),
    )
}

/// The names behind a keyword, such as all `fn`, with their places.
fn behind(keyword: &str, tokens: TokenStream, found: &mut Vec<(String, Span)>) {
    let mut before = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => behind(keyword, group.stream(), found),
            TokenTree::Ident(name) => {
                if before {
                    found.push((name.to_string(), name.span()));
                }
                before = name == keyword;
                continue;
            }
            _ => {}
        }
        before = false;
    }
}

/// Every name, with its place.
fn names(tokens: TokenStream, found: &mut Vec<(String, Span)>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => names(group.stream(), found),
            TokenTree::Ident(name) => found.push((name.to_string(), name.span())),
            _ => {}
        }
    }
}

/// Line and column of the first `name` in a text that stands alone.
fn place(text: &str, name: &str) -> (usize, usize) {
    let mut lines = text.lines().enumerate();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    lines
        .find_map(|(i, line)| {
            let mut all = line.match_indices(name);
            let alone = |at: &usize| {
                !line[..*at].ends_with(word) && !line[*at + name.len()..].starts_with(word)
            };
            all.find(|(at, _)| alone(at)).map(|(at, _)| (i + 1, at))
        })
        .unwrap_or_else(|| panic!("`{name}` in {text}"))
}

/// That one of the names that were found is `name`, at the place `at` of a text.
#[track_caller]
fn assert_at(found: &[(String, Span)], name: &str, text: &str, at: &str) {
    let places: Vec<(usize, usize)> = found
        .iter()
        .filter(|(other, _)| other == name)
        .map(|(_, span)| (span.start().line, span.start().column))
        .collect();
    assert!(places.contains(&place(text, at)), "`{name}` stands at {places:?}, not {at}: {text}");
}

const CHAIN: &str = "pub Digits(rate: f32): [1, 28, 28] -> [10] {
    conv1: Conv2d(6, kernel = 5), Relu, Flatten,
    tower: Residual { inside: Linear(WIDTH) },
    Dropout(rate),
    rest: [Linear(10); 2],
}";

const BLOCK: &str = "pub Pair<T>(scale: f32): (left: [T, 4], right: [T, 4]) -> [T, 4] {
    let one = Linear(4);
    let two = [Linear(4); 2];
    scale * two(one(left)) + right
}";

#[test]
fn printed_names_stand_where_they_are_written() {
    for (text, accessors, others) in [
        (CHAIN, &["conv1", "tower", "inside", "rest"][..], &["rate", "WIDTH"][..]),
        (BLOCK, &["one", "two"], &["left", "right", "scale"]),
    ] {
        let (printed, errors) = expand(text);
        assert!(errors.is_empty(), "{errors:?}");
        let (mut functions, mut types, mut all) = (vec![], vec![], vec![]);
        behind("fn", printed.clone(), &mut functions);
        behind("struct", printed.clone(), &mut types);
        names(printed, &mut all);
        let network = if text == CHAIN { "Digits" } else { "Pair" };
        assert_at(&types, network, text, network);
        // An editor goes from a constructor to the network.
        ["new", "forward"].iter().for_each(|name| assert_at(&functions, name, text, network));
        accessors.iter().for_each(|name| assert_at(&functions, name, text, name));
        others.iter().for_each(|name| assert_at(&all, name, text, name));
    }
}

/// Names of a function that lead nowhere: words of Rust and of `network!`.
const WORDS: &[&str] = &["pub", "fn", "loss", "u32", "f32", "let", "for", "in", "axis", "_"];

#[test]
fn all_names_lead_somewhere() {
    // Not the names that accessors have, and words.
    for (text, others) in [
        (CHAIN, &["pub", "Digits", "f32", "conv1", "tower", "inside", "rest"][..]),
        (BLOCK, &["pub", "Pair", "f32", "let"]),
        (
            "pub fn loss<C>(x: [C, WIDTH], i: u32[C], delta: f32) -> [C] {
                let m = stop_gradient(x);
                let (ys, _) = scan(m, zeros([WIDTH]), |h, y| (h + y, h));
                for k in 0..COUNT { m = m * k; }
                m[0, ..].transpose() + sum(grad(ys @ x, x).reshape([C]), axis = -1) * delta - config::RATE
            }",
            WORDS,
        ),
        (
            "pub Net: (x: [4]) -> [4] {
                let fc = Linear(4, init = Xavier, bias = false); let part = parts::Block<4>;
                let gelu = Gelu(approximate = tanh); let tie = Param([4], init = Normal(0.0, 0.1));
                gelu(part(fc(x))) * tie
            }",
            &["pub", "Net", "let", "false", "tanh"],
        ),
    ] {
        let (mut written, mut found) = (vec![], vec![]);
        names(text.parse().expect("tokens"), &mut written);
        names(read(text), &mut found);
        let place =
            |(name, span): &(String, Span)| (name.clone(), span.start().line, span.start().column);
        let found: Vec<_> = found.iter().map(place).collect();
        for name in written.iter().filter(|(name, _)| !others.contains(&name.as_str())) {
            assert!(found.contains(&place(name)), "{:?}: {text}", place(name));
        }
    }
}

/// A name, and what is typed of it.
const NAMES: &[[&str; 2]] = &[["Foo", "Fo"], ["foo", "fo"], ["foo", ""]];

/// A name behind a dot.
const METHODS: &[[&str; 2]] = &[["foo", "fo"], ["foo", ""]];

/// What stands before and behind a name while it is typed, and the names that are completed there.
const HALF_TYPED: &[(&str, &str, &[[&str; 2]])] = &[
    ("pub Net: [4] { a: Linear(4), b: ", " }", NAMES),
    ("pub Net: [4] { a: Linear(4), b: ", ", c: Linear(4) }", NAMES),
    ("pub Net: [4] { a: Linear(4), ", " }", NAMES),
    ("pub Net: [4] { a: Linear(", ") }", NAMES),
    ("pub Net: [4] { a: Linear(4, ", ") }", NAMES),
    ("pub Net: [4] { a: Linear(4, init = ", ") }", &[NAMES[0]]),
    ("pub Net: [4] { Residual { a: ", " } }", NAMES),
    ("pub Net: [4] { Residual { a: Linear(4), ", " } }", NAMES),
    ("pub Net: [4] { Residual { Conv2d(6, ", ") } }", NAMES),
    ("pub Net: [4] { [", "; 3] }", &[NAMES[0], NAMES[1]]),
    ("pub Net(rate: f32): [4] { Dropout(", "), Linear(4) }", NAMES),
    ("pub Net: [4, ", "] -> [4] { Linear(4) }", NAMES),
    ("pub Net: [4] -> [", "] { Linear(4) }", NAMES),
    ("pub Net: (x: [4]) { let a = ", "; a(x) }", NAMES),
    ("pub Net: (x: [4]) { let b = Relu; let a = ", " let c = Linear(4); c(x) }", NAMES),
    ("pub Net: (x: [4]) { let a = Linear(4); a(", ") }", NAMES),
    ("pub Net: (x: [4]) { let a = Linear(4); x + ", " }", &[NAMES[0], NAMES[1]]),
    ("pub fn f(x: [4]) -> [] { let y = sum(x); ", " }", NAMES),
    ("pub fn f(x: [4]) -> [] { x.", " }", METHODS),
    ("pub fn f(x: [4]) -> [] { let y = x.", "; sum(y) }", METHODS),
    ("pub fn f(x: [4]) -> [] { let y = x.sum().", " + x; sum(y) }", METHODS),
    ("pub fn f(x: [4]) -> [] { sum(relu(x).", ") }", METHODS),
];

/// That an editor finds `name` at the same place in what is printed for the text with it and with `half` of it.
fn is_completed(before: &str, [name, half]: [&str; 2], after: &str) -> Result<(), String> {
    let printed =
        |name: &str| crate::expanded(format!("{before}{name}{after}").parse().expect("tokens"));
    let (tokens, mut found) = (printed(name), vec![]);
    names(tokens.clone(), &mut found);
    let first = found.iter().find(|(other, _)| other == name);
    let at = first.map(|(_, span)| span.start().column);
    if at != Some(before.chars().count()) {
        return Err(format!("{before}{name}{after}: at {at:?}"));
    }
    let text = tokens.to_string();
    let (same, _) = text.split_once(&format!(" {name} ")).unwrap_or_default();
    // Behind a dot there is the value before it, of which an editor knows the type.
    let same = same.strip_suffix(" .").unwrap_or(same);
    let other = printed(half).to_string();
    let rest = other.strip_prefix(same);
    match rest {
        Some(_) if same.contains("cfg (rust_analyzer)") => Ok(()),
        _ => Err(format!("{before}{name}{after}: {same}, but {}", &other[..other.len().min(500)])),
    }
}

#[test]
fn names_are_completed_while_they_are_typed() {
    let mut faults = vec![];
    for (before, after, names) in HALF_TYPED {
        faults.extend(names.iter().filter_map(|name| is_completed(before, *name, after).err()));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// Declarations of `Net` that end, or are broken off, in the middle of something; layers `a`, and `c` where it
/// stands behind, are whole.
const INCOMPLETE: &[&str] = &[
    "pub Net: [4] -> [4] { a: Linear(4), b: }",
    "pub Net: [4] -> [4] { a: Linear(4), b: , c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: Linear() }",
    "pub Net: [4] -> [4] { a: Linear(4), b: Linear, c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: Lin, c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: Linear(,), c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: Linear(4, bias = ), c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: Linear(4 * ), c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4) b: Linear(4), c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: super::, c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: Residual { d: }, c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: [Linear(4); ], c: Linear(4) }",
    "pub Net: [4] -> [4] { a: Linear(4), b: Linear(4) -> , c: Linear(4) }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); let y = }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); let y = ; let c = Linear(4); c(x) }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); let }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); a(x). }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); x. let c = Linear(4); c(x) }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); let y = a(x) let c = Linear(4); c(y) }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); let y = a(x) + ; let c = Linear(4); c(y) }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); for i in 0.. { } }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); let y = scan(x, zeros([4]), |h, ); a(y) }",
    "pub Net: (x: [4]) -> [4] { let a = Linear(4); }",
    "pub Net: [4] -> { a: Linear(4) }",
    "pub Net: [4, ] -> [] -> { a: Linear(4) }",
    "pub Net: { a: Linear(4) }",
    "pub Net { a: Linear(4) }",
    "pub Net(rate: ): [4] -> [4] { a: Linear(4) }",
    "pub Net<T: [T, 4] { a: Linear(4) }",
    "pub Other: [4] -> @ { Linear(4) } pub Net: [4] { a: Linear(4) }",
    "pub fn other(x: [4] -> ) -> { x } pub Net: [4] { a: Linear(4) }",
    "pub { Linear(4) } pub Net: [4] { a: Linear(4) }",
    "pub Other: [4] -> [4] Net: [4] { a: Linear(4) }",
    "Other<T>: [T] Net: (x: [4]) -> [4] { let a = Linear(4); a(x) }",
];

#[test]
fn what_is_incomplete_leaves_the_rest() {
    for text in INCOMPLETE {
        let (printed, errors) = expand(text);
        assert!(matches!(errors.len(), 1 | 2), "{errors:?}: {text}");
        let (mut functions, mut types) = (vec![], vec![]);
        behind("fn", printed.clone(), &mut functions);
        behind("struct", printed.clone(), &mut types);
        assert_at(&types, "Net", text, "Net");
        let mut expected = vec!["a"];
        expected.extend(text.contains("c: ").then_some("c"));
        expected.extend(text.contains("let c ").then_some("c"));
        expected.iter().for_each(|name| assert_at(&functions, name, text, name));
        for method in ["new", "on", "from_bytes", "forward"] {
            assert!(functions.iter().any(|(name, _)| name == method), "{method}: {text}");
        }
        syn::parse2::<syn::File>(printed).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

#[test]
fn each_broken_line_is_one_error() {
    let (_, errors) = expand(
        "pub Net: [4] -> [4] { a: , Linear(4), b: Linear(,), c: Linear(4) }
         pub Other: [4] -> [4] { d: }",
    );
    assert_eq!(errors.len(), 3, "{errors:?}");
}
