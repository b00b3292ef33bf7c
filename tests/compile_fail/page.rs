//! `docs/errors.md`, made of the cases and their texts.

use std::fmt::Write;

use super::corpus::Case;
use super::kinds::KINDS;

pub const PATH: &str = "docs/errors.md";

const HEAD: &str = "\
# Errors

What `cargo check` says about mistakes in networks and in the code around them, by kind. Each is one error, at what you
have written. This page is made of the cases in [trybuild](../trybuild), which are compiled by the tests; each links to
its program.

- Shapes are of one sample, `[channels, height, width]`; where a tensor has its batch, too, it is the first axis: `[batch, 784]`.
- Where `network!` knows all sizes, the error is its own. Sizes that are const items are known only to rustc: it says
  `error[E0080]: evaluation panicked`, then the same message, and a note at the layer where the other shape comes from.
- Outside of `network!` shapes are types: `(D<10>,)` is `[10]`, `(Batch, D<784>)` is a batch of `[784]`. Sizes above 999 are
  in groups of three digits: `D<50, 257>` is 50257. rustc writes `netform::D<10>` where `D` comes from `use netform::prelude::*`.
- What you annotate yourself, the type of a `let` or of a parameter of your own function, rustc alone compares with what it
  gets: its first line is `error[E0308]`, and both sizes stand at the caret.
- A layer or function that is neither one of netform's nor near one is looked up among your own networks, unless it is given
  what no network takes, such as `kernel = 3`. Where there is none, it is rustc that says ``cannot find macro `Encoder` in
  this scope``, and nothing of netform is asked: a network travels as a macro of its name. Declare it, or import it.
- A call can either say what does not fit or infer it: where a network has several inputs, or a function takes tensors,
  netform's own text needs the shape of each tensor. `Tensor::from_vec(..)` without one is rustc's
  `error[E0283]: type annotations needed`; its note says which shape is taken there.

What rustc says of these, it says alone:

| written | rustc | to write |
|---|---|---|
| `let samples = Table::read(..)?.classes(..)?.into_samples()?;` | `E0283`, `E0284`: type annotations needed | the shape of the samples: `let samples: InMemory<(D<4>,)> = ..`, of targets that are numbers `InMemory<(D<4>,), (D<1>,), f32, f32>` |
| `InMemory<(D<4>,)>` for `.targets(..)`, or `InMemory<.., f32, f32>` for `.classes(..)` | `E0308`: expected `InMemory<(D<4>,)>`, found `InMemory<_, _, _, _>` | the other of these two types |
| `InMemory<4>`, `InMemory<(4,)>` | `E0747`: constant provided when a type was expected | sizes are types: `InMemory<(D<4>,)>` |
| `Table::read(..)?.into_samples()?` | `E0599`: no method named `into_samples` found for struct `Table` | which column is the target: `.classes(\"species\")?` or `.targets(&[\"width\"])?` before it |
| `.metric(\"mae\", Mae)`, `Trainer::new(CrossEntropy, Adam)` | `E0423`: expected value, found struct | `Mae::new()`, `Accuracy::new(3)` of three classes, `F1::macro_average(3)`, `TopK::new(5)`, `Confusion::new(3)`, `Adam::new(1e-2)` |
| `CrossEntropy::new()` | `E0599`: no function named `new` | `CrossEntropy`: losses are values |
| `net.fit(..)`, `net.predict(..)` | `E0599`: no method named `fit` | `Trainer::new(CrossEntropy, Adam::new(1e-2)).fit(&mut net, &data)?`, `Classifier::new(net, names)?.predict(..)?` |
| `net.train()`, `model.eval()` | `E0599`: no method named `eval` | nothing: a trainer trains, and models and predictors evaluate |
| `let net = network! { .. };` | expected expression, found keyword `const` | `network!` outside of functions, and `let net = Iris::new(Seed(1));` |

";

/// The page.
pub fn page(cases: &[Case]) -> String {
    let mut page = HEAD.to_owned();
    for kind in KINDS {
        let link = kind.title.to_lowercase().replace([',', '`'], "").replace(' ', "-");
        let count = cases.iter().filter(|case| case.kind.folder == kind.folder).count();
        let _ = writeln!(page, "- [{}](#{link}), {count} cases", kind.title);
    }
    for kind in KINDS {
        let _ = write!(page, "\n## {}\n\n{}\n", kind.title, kind.about);
        let of_kind = || cases.iter().filter(|case| case.kind.folder == kind.folder);
        of_kind().filter(|case| case.shown).for_each(|case| in_full(&mut page, case));
        let mut others = of_kind().filter(|case| !case.shown).peekable();
        if others.peek().is_some() {
            page.push_str("\nOthers:\n\n");
        }
        for Case { mistake, path, fix, .. } in others {
            let mistake = mistake.trim_end_matches('.');
            let _ = writeln!(page, "- [{mistake}](../trybuild/{path}.rs). {fix}");
        }
    }
    page
}

fn in_full(page: &mut String, case: &Case) {
    let Case { mistake, path, fix, text, .. } = case;
    let (program, text) = (case.program(), text.trim_end());
    let _ = write!(
        page,
        "\n### {}\n\n```rust\n{program}\n```\n\n```text\n{text}\n```\n\nFix: {fix} ([{path}](../trybuild/{path}.rs))\n",
        mistake.trim_end_matches('.')
    );
}
