//! What rustdoc shows of the items of `network!` in a user's crate: what readers look for, and nothing else.

use quote::ToTokens;
use syn::{Attribute, ImplItem, Item, Visibility};

/// What is printed for a declaration without errors.
fn printed(text: &str) -> Vec<Item> {
    let tokens = crate::expanded(text.parse().expect("tokens"));
    let file: syn::File = syn::parse2(tokens).expect("Rust");
    file.items
}

/// The items inside `const _: () = { .. };`
fn inside(item: Item) -> Vec<Item> {
    let Item::Const(item) = item else { return vec![] };
    let syn::Expr::Block(block) = *item.expr else { return vec![] };
    let items = block.block.stmts.into_iter().filter_map(|statement| match statement {
        syn::Stmt::Item(item) => Some(item),
        _ => None,
    });
    items.collect()
}

fn is_seen(vis: &Visibility, attrs: &[Attribute]) -> bool {
    !matches!(vis, Visibility::Inherited) && !is_hidden(attrs)
}

fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.to_token_stream().to_string().contains("doc (hidden)"))
}

/// The text of doc comments.
fn documentation(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        syn::Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

const DECLARATIONS: &[&str] = &[
    "/// Of digits.
     pub Digits(rate: f32): [1, 28, 28] -> [10] {
         conv: Conv2d(6, kernel = 5), Relu, Flatten, Dropout(rate), fc: Linear(10),
     }",
    "/// Of sizes.
     pub Block<T, D>: (x: [T, D], y: [T, D]) -> [T, 2 * D] { let fc = Linear(2 * D); fc(x * y) }",
    "/// Of squares.
     pub fn energy<C>(x: [C]) -> [] { sum(square(x)) }",
    "/// Of products.
     pub fn outer(x: [4, 1], y: [1, 4]) -> [4, 4] { x @ y }",
];

#[test]
fn a_page_has_the_doc_comment_the_layers_the_shapes_and_the_parameters() {
    for (text, name, parts) in [
        (
            DECLARATIONS[0],
            "Digits",
            &[
                "Of digits.",
                "Input `[1, 28, 28]`, output `[10]`, 34726 parameters.",
                "| conv | `Conv2d(6, kernel = 5)` | `[6, 24, 24]` | 156 |",
                "| fc | `Linear(10)` | `[10]` | 34570 |",
            ][..],
        ),
        (
            DECLARATIONS[1],
            "Block",
            &[
                "Of sizes.",
                "Input `(x: [T, D], y: [T, D])`, output `[T, 2 * D]`, 2 * D + 2 * D * D parameters.",
                "| fc | `Linear(2 * D)` | `[T, 2 * D]` | 2 * D + 2 * D * D |",
            ],
        ),
    ] {
        let items = printed(text);
        let network = items.iter().find_map(|item| match item {
            Item::Struct(item) if item.ident == name => Some(item),
            _ => None,
        });
        let page = documentation(&network.expect("the network").attrs);
        for part in parts {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}

#[test]
fn long_texts_and_internals_are_hidden() {
    for text in DECLARATIONS {
        for item in printed(text).into_iter().flat_map(inside) {
            let Item::Impl(item) = item else { continue };
            if is_hidden(&item.attrs) {
                continue;
            }
            for inner in &item.items {
                let (attrs, vis, name) = match inner {
                    ImplItem::Const(inner) => {
                        // rustdoc prints literals, and nothing of a block.
                        let seen = item.trait_.is_some() || is_seen(&inner.vis, &inner.attrs);
                        let long = item.trait_.is_some() || matches!(inner.expr, syn::Expr::Lit(_));
                        let hidden = is_hidden(&inner.attrs);
                        assert!(hidden || !seen || !long, "{}: {text}", inner.ident);
                        (&inner.attrs, &inner.vis, &inner.ident)
                    }
                    ImplItem::Fn(inner) => (&inner.attrs, &inner.vis, &inner.sig.ident),
                    _ => continue,
                };
                let documented = !documentation(attrs).is_empty();
                assert!(documented || !is_seen(vis, attrs), "{name}: {text}");
            }
        }
    }
}

#[test]
fn only_what_the_user_names_has_a_page() {
    for text in DECLARATIONS {
        let seen = printed(text).into_iter().filter_map(|item| match item {
            Item::Struct(item) => is_seen(&item.vis, &item.attrs).then_some(item.ident),
            Item::Trait(item) => is_seen(&item.vis, &item.attrs).then_some(item.ident),
            Item::Fn(item) => is_seen(&item.vis, &item.attrs).then_some(item.sig.ident),
            Item::Mod(item) => is_seen(&item.vis, &item.attrs).then_some(item.ident),
            _ => None,
        });
        // The bound of generic sizes is for users too.
        let others: Vec<String> = seen
            .map(|name| name.to_string())
            .filter(|name| !text.contains(name.as_str()) && name != "BlockSizes")
            .collect();
        assert!(others.is_empty(), "{others:?}: {text}");
    }
}
