//! A declaration travels with its type: beside each item a macro of the same name is printed that holds it.
//! An item that uses others calls their macros, one after another, with itself as continuation, and so sees
//! their declarations: in any module or crate, before or after them.

use std::collections::BTreeSet;
use std::rc::Rc;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Ident, Path, Result, Token, Visibility, braced, bracketed};

use crate::ast::{
    Argument, Block, Body, Declaration, Expr, ExprKind, Index, Item, Layer, Pattern, Statement,
    path_text,
};
use crate::errors::nearest;
use crate::lower::{Declarations, Linked, functions, layer_names};
use crate::ops::scalar;
use crate::synonyms;

/// A declaration, and what was found of the items that it uses.
pub struct Linking {
    /// Paths whose macros are yet to be called.
    open: Vec<Path>,
    found: Vec<Found>,
    declaration: TokenStream,
}

/// An item that was found, with all that it uses itself.
#[derive(Clone)]
pub struct Found {
    path: Path,
    /// Whether it is declared beside the item that uses it: its constants are that item's own.
    beside: bool,
    item: TokenStream,
    uses: Vec<Found>,
}

impl Found {
    /// Whether it is what a path leads to.
    pub fn is(&self, path: &Path) -> bool {
        path_text(&self.path) == path_text(path)
    }

    /// Whether the item, or what it uses, has an error of its own, which is reported where it is declared.
    pub fn is_broken(&self) -> bool {
        self.item.is_empty() || self.uses.iter().any(Found::is_broken)
    }
}

impl Linking {
    /// A declaration of which nothing is known yet.
    pub fn new(tokens: TokenStream, declaration: &Declaration) -> Self {
        Linking { open: used(declaration), found: vec![], declaration: tokens }
    }

    /// The call of the next macro; `None` where everything is found.
    pub fn next(&self) -> Option<TokenStream> {
        let (next, rest) = self.open.split_first()?;
        let (found, declaration) = (&self.found, &self.declaration);
        Some(quote!(#next! { [#next] [#(#rest,)*] { #(#found)* } { #declaration } }))
    }

    pub fn declaration(&self) -> &TokenStream {
        &self.declaration
    }

    pub fn found(&self) -> &[Found] {
        &self.found
    }
}

/// What a call of an item's macro gives to `__linked!`: the continuation, then the item and what it uses.
impl Parse for Linking {
    fn parse(input: ParseStream) -> Result<Self> {
        let (current, open, found, declaration);
        bracketed!(current in input);
        let path = current.call(Path::parse_mod_style)?;
        bracketed!(open in input);
        let open = open.parse_terminated(Path::parse_mod_style, Token![,])?.into_iter().collect();
        braced!(found in input);
        let mut found = parse_found(&found)?;
        braced!(declaration in input);
        let declaration = declaration.parse()?;
        let (item, uses);
        braced!(item in input);
        braced!(uses in input);
        let (item, uses) = (item.parse()?, parse_found(&uses)?);
        found.push(Found { path, beside: false, item, uses });
        Ok(Linking { open, found, declaration })
    }
}

fn parse_found(input: ParseStream) -> Result<Vec<Found>> {
    let mut all = vec![];
    while !input.is_empty() {
        let path = input.call(Path::parse_mod_style)?;
        let beside = input.parse::<Option<Token![=]>>()?.is_some();
        let (item, uses);
        braced!(item in input);
        braced!(uses in input);
        all.push(Found { path, beside, item: item.parse()?, uses: parse_found(&uses)? });
    }
    Ok(all)
}

impl ToTokens for Found {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Found { path, beside, item, uses } = self;
        let beside = beside.then(|| quote!(=));
        tokens.extend(quote!(#path #beside { #item } { #(#uses)* }));
    }
}

/// What a declaration can use: its own items, and what was found.
pub fn declarations(declaration: &Declaration, found: &[Found]) -> Result<Declarations> {
    let mut all = Declarations::default();
    for found in found {
        let inner = crate::parse::declaration(found.item.clone())?;
        let uses = Rc::new(declarations(&inner, &found.uses)?);
        let path = &found.path;
        for item in inner.items {
            let owner = (!found.beside).then(|| quote!(#path));
            add(&mut all, path_text(path), item, owner, Some(uses.clone()));
        }
    }
    for item in &declaration.items {
        let name = item.name();
        add(&mut all, name.to_string(), item.clone(), None, None);
    }
    Ok(all)
}

fn add(
    all: &mut Declarations,
    name: String,
    item: Item,
    owner: Option<TokenStream>,
    uses: Option<Rc<Declarations>>,
) {
    match item {
        Item::Network(item) => drop(all.networks.insert(name, Linked { item, owner, uses })),
        Item::Function(item) => drop(all.functions.insert(name, Linked { item, owner, uses })),
    }
}

/// The macro of an item: it holds the item's tokens, and those of all that it uses.
pub fn travelling(index: usize, declaration: &Declaration, found: &[Found]) -> TokenStream {
    let (item, name) = (&declaration.tokens[index], declaration.items[index].name());
    let beside = siblings(declaration, index, &mut BTreeSet::from([name.to_string()]), found);
    let uses = found.iter().chain(&beside);
    holding(index, declaration, &quote!({ #item } { #(#uses)* }))
}

/// The macro of an item with an error: it holds nothing.
pub fn broken(index: usize, declaration: &Declaration) -> TokenStream {
    holding(index, declaration, &quote!({} {}))
}

fn holding(index: usize, declaration: &Declaration, held: &TokenStream) -> TokenStream {
    let item = &declaration.items[index];
    let (name, vis, place) = (item.name(), item.vis(), place(&declaration.tokens[index]));
    // An editor goes from the item's name to the name, not to `network!`.
    let unique = Ident::new(&format!("__netform_{name}_{place:08x}"), name.span());
    let export = matches!(vis, Visibility::Public(_)).then(|| quote!(#[macro_export]));
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros, non_local_definitions)]
        #export
        macro_rules! #unique {
            ($($continuation:tt)*) => {
                ::netform::__linked! { $($continuation)* #held }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #vis use #unique as #name;
    }
}

/// The items of the same declaration that an item uses.
fn siblings(
    declaration: &Declaration,
    index: usize,
    seen: &mut BTreeSet<String>,
    found: &[Found],
) -> Vec<Found> {
    let names = names(&declaration.items[index]);
    let mut all = vec![];
    for (i, item) in declaration.items.iter().enumerate() {
        let name = item.name();
        if names.iter().any(|path| path.is_ident(name)) && seen.insert(name.to_string()) {
            let mut uses = siblings(declaration, i, seen, found);
            uses.extend(found.iter().cloned());
            all.push(Found {
                path: name.clone().into(),
                beside: true,
                item: declaration.tokens[i].clone(),
                uses,
            });
        }
    }
    all
}

/// A number for where an item is written: macros that are exported share one namespace.
fn place(item: &TokenStream) -> u32 {
    let span = item.clone().into_iter().next().map(|token| token.span().unwrap_or_call_site());
    let at = span.unwrap_or_default();
    let text = format!("{at} {item}");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) as u32
}

/// File, line and column of a span, where a compiler tells them.
trait Located {
    fn unwrap_or_call_site(self) -> String;
}

impl Located for Span {
    fn unwrap_or_call_site(self) -> String {
        if !proc_macro::is_available() {
            return String::new();
        }
        let span = self.unwrap();
        format!("{} {} {}", span.file(), span.line(), span.column())
    }
}

/// The items of other declarations that the items of this one use.
fn used(declaration: &Declaration) -> Vec<Path> {
    let own: Vec<&Ident> = declaration.items.iter().map(Item::name).collect();
    let mut seen = BTreeSet::new();
    let mut paths = vec![];
    for item in &declaration.items {
        let Names { paths: all, impossible, .. } = collected(item);
        for path in all {
            let is_own = path.get_ident().is_some_and(|name| own.contains(&name));
            if !is_own
                && !is_known(&path)
                && !is_own_misspelled(&path, &own)
                && path.get_ident().is_none_or(|name| !impossible.contains(&name.to_string()))
                && seen.insert(path_text(&path))
            {
                paths.push(path);
            }
        }
    }
    paths
}

/// Whether a name is a layer or function of netform, or one of them misspelled: that is reported, not looked
/// up.
fn is_known(path: &Path) -> bool {
    let Some(name) = path.get_ident().map(ToString::to_string) else { return false };
    let layer = name.starts_with(|c: char| c.is_ascii_uppercase());
    if layer {
        return synonyms::is_taken(&name)
            || nearest(&name, layer_names()).is_some_and(|near| is_misspelled(&name, near));
    }
    let all = functions::names().chain(scalar::TABLE.iter().map(|row| row.name));
    synonyms::function(&name).is_some() || nearest(&name, all.chain(["grad", "scan"])).is_some()
}

/// Whether a name is one edit from an item of this declaration: `Encodr`, but not `Block2` for `Block1`.
fn is_own_misspelled(path: &Path, own: &[&Ident]) -> bool {
    let Some(name) = path.get_ident().map(ToString::to_string) else { return false };
    let stem = |name: &str| name[..name.len().saturating_sub(1)].to_owned();
    own.iter().map(ToString::to_string).any(|own| {
        let numbered = !own.is_ascii()
            || !name.is_ascii()
            || stem(&own) == stem(&name)
            || stem(&own) == name
            || own == stem(&name);
        own.len() >= 5 && !numbered && crate::errors::distance(&name, &own) == 1
    })
}

/// Whether a name is so near to a layer's that it is meant: `Linera`, but not `Cnn` for `Rnn`.
pub fn is_misspelled(name: &str, layer: &str) -> bool {
    let most = match layer.len() {
        0..=3 => 0,
        4 => 1,
        _ => 2,
    };
    crate::errors::distance(name, layer) <= most
}

/// The argument among those of a layer that no network can take: networks take numbers.
pub fn impossible(args: &[Argument]) -> Option<&Argument> {
    args.iter().find(|arg| {
        let size = arg.name.as_ref().is_some_and(|name| SIZES.iter().any(|size| name == size));
        let kind = &arg.value.kind;
        size || matches!(
            kind,
            ExprKind::Arrow(..) | ExprKind::Bool(_) | ExprKind::List(_) | ExprKind::Text(_)
        )
    })
}

/// Names that layers' arguments have in every framework, and settings of networks have not.
const SIZES: &[&str] = &[
    "kernel",
    "kernel_size",
    "pool_size",
    "units",
    "filters",
    "shape",
    "input_shape",
    "in_features",
    "out_features",
    "in_channels",
    "out_channels",
    "activation",
    "stride",
    "padding",
    "dilation",
    "groups",
    "features",
    "heads",
    "bias",
    "init",
];

/// Names that arguments of built-in functions have.
const AXES: &[&str] = &["axis", "axes", "keep"];

/// The layers and functions that an item names, but for values of its own.
pub fn names(item: &Item) -> Vec<Path> {
    collected(item).paths
}

fn collected(item: &Item) -> Names {
    let mut names = Names::default();
    match item {
        Item::Function(function) => {
            names.bound.extend(function.inputs.iter().map(|(name, _)| name.to_string()));
            names.bound.extend(function.settings.iter().map(|setting| setting.name.to_string()));
            names.block(&function.body);
        }
        Item::Network(network) => match &network.body {
            Body::Chain(layers) => layers.iter().for_each(|layer| names.layer(layer)),
            Body::Block(block) => {
                names.bound.extend(network.inputs.iter().map(|(name, _)| name.to_string()));
                names.block(block);
            }
        },
    }
    names
}

#[derive(Default)]
struct Names {
    bound: BTreeSet<String>,
    paths: Vec<Path>,
    /// Names with arguments that no network or function of the user's can take: they are reported, not looked up.
    impossible: BTreeSet<String>,
}

impl Names {
    fn layer(&mut self, layer: &Layer) {
        match &layer.children {
            Some(children) => children.iter().for_each(|child| self.layer(child)),
            None => {
                let is_reported = |name: &&Ident| {
                    let small = name.to_string().starts_with(char::is_lowercase);
                    small && layer_names().any(|layer| *name == &layer.to_lowercase())
                        || impossible(&layer.args).is_some()
                };
                if let Some(name) = layer.path.get_ident().filter(is_reported) {
                    self.impossible.insert(name.to_string());
                }
                self.paths.push(layer.path.clone());
            }
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Ignored => {}
            Pattern::Name(name) => drop(self.bound.insert(name.to_string())),
            Pattern::Many(patterns, _) => patterns.iter().for_each(|p| self.pattern(p)),
        }
    }

    fn block(&mut self, block: &Block) {
        block.statements.iter().for_each(|statement| self.statement(statement));
        self.expr(&block.result);
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(pattern, value) => {
                self.expr(value);
                self.pattern(pattern);
            }
            Statement::Assign(_, value) => self.expr(value),
            Statement::For { body, .. } => body.iter().for_each(|inner| self.statement(inner)),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Negative(x) | ExprKind::Field(x, _) | ExprKind::Unnamed(x) => self.expr(x),
            ExprKind::Binary(_, a, b) | ExprKind::Arrow(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Call(name, args) => {
                if !self.bound.contains(&name.to_string()) {
                    let axis = |arg: &Argument| {
                        arg.name.as_ref().is_some_and(|name| AXES.iter().any(|axis| name == axis))
                    };
                    if args.iter().any(axis) {
                        self.impossible.insert(name.to_string());
                    }
                    self.paths.push(name.clone().into());
                }
                args.iter().for_each(|arg| self.expr(&arg.value));
            }
            ExprKind::Method(x, _, args) | ExprKind::Apply(x, args) => {
                self.expr(x);
                args.iter().for_each(|arg| self.expr(&arg.value));
            }
            ExprKind::Index(x, places) => {
                self.expr(x);
                for place in places {
                    if let Index::At(at) = place {
                        self.expr(at);
                    }
                }
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                items.iter().for_each(|item| self.expr(item));
            }
            ExprKind::Layer(layer) => self.layer(layer),
            ExprKind::Closure(patterns, block) => {
                patterns.iter().for_each(|p| self.pattern(p));
                self.block(block);
            }
            _ => {}
        }
    }
}
