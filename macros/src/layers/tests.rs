//! That `netform::layers` documents the layers that there are, with their arguments.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::TABLES;

type Documented = BTreeMap<String, Vec<String>>;

/// The types of a file, and their fields.
fn documented(text: &str) -> Documented {
    let file = syn::parse_file(text).expect("Rust");
    let items = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Struct(item) => Some(item),
        _ => None,
    });
    let fields = |item: &syn::ItemStruct| {
        item.fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string())).collect()
    };
    items.map(|item| (item.ident.to_string(), fields(&item))).collect()
}

#[test]
fn every_layer_and_argument_is_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/layers");
    let mut found = Documented::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let text = fs::read_to_string(entry.expect("a file").path()).expect("text");
        found.extend(documented(&text));
    }
    let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let kinds = TABLES.iter().flat_map(|table| table.iter());
    let mut expected: Documented =
        kinds.map(|kind| (kind.name.to_owned(), texts(kind.arguments))).collect();
    for (name, arguments) in
        [("Residual", &[][..]), ("Parallel", &["axis"]), ("Param", &["shape", "init"])]
    {
        expected.insert(name.to_owned(), texts(arguments));
    }
    assert_eq!(found, expected);
}
