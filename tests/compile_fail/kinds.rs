//! The kinds of mistakes: the folders below `trybuild/`, in the order of `docs/errors.md`.

/// A kind of mistake.
pub struct Kind {
    pub folder: &'static str,
    pub title: &'static str,
    pub about: &'static str,
    /// Whether its mistakes are of shape: their texts state two shapes or numbers.
    pub shapes: bool,
    /// Whether what was meant can be told, so that the texts say it.
    pub help: bool,
}

const fn shapes(folder: &'static str, title: &'static str, about: &'static str) -> Kind {
    Kind { folder, title, about, shapes: true, help: false }
}

const fn words(folder: &'static str, title: &'static str, about: &'static str) -> Kind {
    Kind { folder, title, about, shapes: false, help: true }
}

pub const KINDS: &[Kind] = &[
    shapes(
        "chain_shapes",
        "Layers of a chain",
        "A layer gets another shape than it takes: the error is at that layer, with the name of the layer before and what it yields.",
    ),
    shapes(
        "constants",
        "Sizes that are const items",
        "`network!` sees the name of a const item and not its value, so rustc checks these sizes, in the same words.",
    ),
    shapes(
        "expressions",
        "Shapes in expressions",
        "Functions, methods and indices say which value does not fit and its shape.",
    ),
    shapes(
        "broadcasting",
        "Broadcasting",
        "From the last axis on, sizes must be equal, or one of them a literal 1.",
    ),
    shapes(
        "recurrent",
        "Recurrent layers and `scan`",
        "A step keeps the shape of what it carries, and all sequences have one length.",
    ),
    shapes(
        "attention",
        "Attention",
        "Heads divide the features; queries and keys have the same features, keys and values the same positions.",
    ),
    shapes(
        "shared_weights",
        "Shared weights",
        "A layer that is called twice has one set of weights, and so do weights that are tied.",
    ),
    shapes(
        "composition",
        "Networks in networks",
        "A network inside another is checked where it is used; its own mistakes are reported once, where they are.",
    ),
    shapes(
        "generics",
        "Generic networks",
        "What holds for all sizes is proved at the declaration. What depends on them is checked where they are given, and says which do not fit.",
    ),
    shapes(
        "functions",
        "Functions on tensors",
        "An `fn` of `network!` takes tensors of exactly the declared shapes.",
    ),
    shapes(
        "data",
        "Data against the network",
        "Samples, batches and predictions have the shapes that the network declares.",
    ),
    shapes(
        "losses",
        "Loss against targets",
        "A loss states which outputs and targets it compares.",
    ),
    shapes(
        "tensors",
        "Tensors by hand",
        "Tensor code outside of networks is checked by its types.",
    ),
    shapes(
        "batches",
        "Batch against batch",
        "The number of samples is a value, `Batch`, or a constant, `D<32>`; what is said of one is not true of the other.",
    ),
    words(
        "element_types",
        "Elements and devices",
        "Floats where integers are needed, integers where floats are, `f64` beside `f32`, and tensors of another device.",
    ),
    words(
        "layer_parameters",
        "Arguments of layers",
        "Sizes, names and values of what is in the parentheses of a layer or function.",
    ),
    words("arity", "How many values", "Operands, inputs, outputs and names."),
    words(
        "names",
        "Names",
        "Names that are unknown, taken, reserved or not used. A name near another is taken for a misspelling, one of PyTorch, NumPy or Keras is translated.",
    ),
    words(
        "gradients",
        "Gradients",
        "`grad(e, x)` is of one number a sample, for a value that it depends on.",
    ),
    words(
        "syntax",
        "Syntax",
        "A declaration reads like Rust; what does not belong into one is said with what is written instead.",
    ),
    Kind { help: false, ..words("limits", "Limits", "What is too large or has no end.") },
];

/// The kind of a folder.
#[cfg(test)]
pub fn kind(folder: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.folder == folder).unwrap_or_else(|| panic!("no kind `{folder}`"))
}
