//! What editors see while a declaration is typed: printed names stand where the user wrote them, and what cannot
//! be read yet leaves the rest of the network as it is.

use proc_macro2::{Span, TokenStream, TokenTree};

/// What is printed for a declaration, and its errors.
fn expand(text: &str) -> (TokenStream, Vec<String>) {
    let mut declaration =
        crate::parse::declaration(text.parse().expect("tokens")).expect("a declaration");
    let mut errors = std::mem::take(&mut declaration.errors);
    let printed = crate::compile(&declaration, &[], &mut errors);
    let errors = errors.propagate().err().into_iter().flatten();
    (printed, errors.map(|error| error.to_string()).collect())
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
