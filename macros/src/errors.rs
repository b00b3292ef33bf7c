//! Errors with spans: collected within a stage, reported together between stages.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens from one span to another, for a caret under all of them. Stable Rust cannot join spans;
/// rustc joins the first and the last token of an error itself.
#[derive(Clone, Copy)]
pub struct Range {
    start: Span,
    end: Span,
}

impl Range {
    pub fn new(start: Span, end: Span) -> Self {
        Range { start, end }
    }

    pub fn of(tokens: &impl ToTokens) -> Self {
        let mut all = tokens.to_token_stream().into_iter();
        let first = all.next();
        let start = first.as_ref().map_or_else(Span::call_site, TokenTree::span);
        let end = all.last().or(first).map_or_else(Span::call_site, |token| token.span());
        Range { start, end }
    }

    pub fn to(self, other: Range) -> Self {
        Range { start: self.start, end: other.end }
    }

    pub fn start(self) -> Span {
        self.start
    }

    pub fn error(self, message: impl std::fmt::Display) -> syn::Error {
        syn::Error::new_spanned(self.ends(), message)
    }

    /// `(function)(arguments)` whose caret is under this range: the first parentheses carry the first span, the others
    /// the last. The function's name has none, as an editor would go from what the user wrote to the function.
    pub fn call(self, function: &str, arguments: TokenStream) -> TokenStream {
        let name = Ident::new(function, Span::call_site());
        let group = |tokens: TokenStream, span: Span| {
            let mut group = Group::new(Delimiter::Parenthesis, tokens);
            group.set_span(span);
            TokenTree::from(group)
        };
        let name = TokenTree::from(name).into();
        [group(name, self.start), group(arguments, self.end)].into_iter().collect()
    }

    /// The tokens with the spans of this range, first and last.
    pub fn over(self, tokens: TokenStream) -> TokenStream {
        let mut all: Vec<TokenTree> = tokens.into_iter().collect();
        all.iter_mut().for_each(|token| token.set_span(self.start));
        if let Some(last) = all.last_mut() {
            last.set_span(self.end);
        }
        all.into_iter().collect()
    }

    fn ends(self) -> TokenStream {
        [Ident::new("a", self.start), Ident::new("z", self.end)]
            .into_iter()
            .map(TokenTree::from)
            .collect()
    }
}

/// The errors of a stage.
#[derive(Default)]
pub struct Errors(Vec<syn::Error>);

impl Errors {
    pub fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back those that were pushed since there were `len`.
    pub fn since(&mut self, len: usize) -> Vec<syn::Error> {
        self.0.split_off(len.min(self.0.len()))
    }

    /// All errors as one, if there are any.
    pub fn propagate(self) -> syn::Result<()> {
        match self.0.into_iter().reduce(|mut all, next| {
            all.combine(next);
            all
        }) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// The candidate that is at most two edits from `name`, or its beginning, for "did you mean".
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .map(|(edits, candidate)| match name.strip_prefix(candidate) {
            // `kernel_size` is meant as `kernel`.
            Some(rest) if rest.starts_with('_') => (1, candidate),
            _ => (edits, candidate),
        })
        .filter(|(edits, candidate)| *edits <= 2 && *edits < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// "; did you mean `x`?", or nothing.
pub fn suggestion<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// `1 input`, `3 inputs`.
pub fn count(n: usize, what: &str) -> String {
    match n {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// "`x`, `y` and `z`".
pub fn listed(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Edits (insertion, deletion, substitution, case aside) between two names.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
