//! Declarations with mistakes that nobody thought of: tokens dropped, doubled, swapped and replaced. The
//! compiler answers each with code or with an error, never with a panic or a loop without end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What is mutated: every layer, argument and kind of size, and functions.
const DECLARATIONS: &[&str] = &[
    "pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(6 -> 16, kernel = (5, 3), stride = (1, 2), bias = false), Tanh,
        MaxPool2d(2, stride = 1, padding = 1), Flatten,
        fc1: Linear(120, init = Normal(0.0, 0.02), bias_init = Zeros), Gelu(approximate = tanh),
        Dropout(0.25), fc2: Linear(10), Softmax(axis = -1),
    }",
    "Consts: [A, { 2 + 2 }] {
        Linear(A * 3 - 1), Sigmoid, Reshape([2, 2, (A * 3 - 1)]), Conv2d(K, kernel = K / 2, padding = K),
        Linear(config::HIDDEN / 8 * 8),
    }",
    "fn log_sum_exp<C>(x: [C]) -> [] { let m = stop_gradient(max(x)); m + ln(sum(exp(x - m))) }
     pub fn entropy<C>(logits: [..S, C], labels: u32[..S]) -> [] { log_sum_exp(logits) - gather(logits, labels) }
     fn rosenbrock(x: [2], y: [2]) -> [] { sum(square(1.0 - x) * 100 / y + max(x) * softplus(-y)) }",
    "pub Attention<T, D>(rate: f32): (x: [T, D], ids: u32[T]) -> ([3, 32], []) {
        let norm = LayerNorm; let qkv = Linear(3 * 32); let w = Param([D, 4], init = Xavier);
        let emb = Embedding(7, features = D); let drop = Dropout(rate);
        let [q, k, v] = qkv(norm(x + emb(ids))).reshape([T, 3, 32]).unstack(1);
        let y = softmax(causal(q @ k.transpose() / sqrt(D)), axis = -1) @ v;
        let (states, last) = scan(x, zeros([4]), |h, s| (tanh(h + s @ w), h * 2));
        for i in 0..3 { y = drop(y) + i; }
        (concat(y[0..2, ..], y[-1].unsqueeze(0), axis = 0), sum(grad(sum(last), x)) + mean(states > 0))
    }",
    "Blocks: [3, 8, 8] -> [2] {
        Residual { c: Conv2d(3, kernel = 3, padding = 1, groups = 3), BatchNorm2d, Silu },
        Parallel(axis = 0) { AvgPool2d(2), { Conv2d(4, kernel = 2, stride = 2, dilation = 1), Elu(1.0) } },
        ConvTranspose2d(2, kernel = 2, stride = 2), GroupNorm(2), AdaptiveAvgPool2d(2), Upsample(2),
        Reshape([8, 4]), rnn: Lstm(5, last = true), [Linear(5); 3], Linear(2) -> [2],
    }",
    "pub Block<T, D>: (x: [T, D]) -> [T, D] {
        let norm = LayerNorm; let layers = [Linear(D, bias = false); 2]; let scale = Param([D], init = Ones);
        x + scale * layers(norm(x))
    }
    pub Stack<T>: [T, 8] -> [T, 4] {
        blocks: [Block<T, 8>; 3], Residual { inner: Block<T, 4 * 2> -> [T, 8] }, Dropout(0.1), Linear(4),
    }
    pub Twice<T, D, H>: (x: [T, D], y: [T, D], _mask: [T]) -> ([T, D], [D]) {
        let block = Block<T, D>; let tie = Linear(D);
        let (a, b) = (block(x), block(y));
        let (states, (h, c)) = scan((a, b), (zeros([D]), zeros([D])), |(h, c), (s, t)| {
            let next = tanh(h + s);
            ((next, c + t * next), next)
        });
        let q = states.reshape([T, H, D / H]).permute([1, 0, 2]);
        for i in 0..2 { let z = q * i; for j in 1..3 { b = b + z[0].sum() / j; } }
        (tie(b) + sum(tie.weight), h * c + stop_gradient(c))
    }",
    "fn bowl(x: [3]) -> [] { sum(square(x) * exp(x)) }
     pub Twofold: (x: [3], y: [3]) -> ([3], []) {
        let first = grad(bowl(x), x);
        let second = grad(sum(first * y), x);
        let hidden = Linear(5); let out = Linear(1);
        let z = sum(out(tanh(hidden(x + second))));
        (grad(z, x) * 2 - second, mse(grad(sum(sin(grad(z, x))), x), y) + log_sum_exp(first))
    }",
    "pub fn margin<C>(x: [..S, C], y: u32[..S], weights: [f32; C], delta: f32) -> ([], []) {
        let w = sum(lookup(weights.reshape([C, 1]), y));
        (max(0.0, delta - gather(x, y)) * w, w)
    }
    pub fn pairs(a: [2, 3, 4], b: [4, 5], c: [2, 5]) -> [2, 3] {
        let y = (a @ b) * unsqueeze(c, axis = 1);
        let z = concat(slice(y, 0, 2, axis = 2), pad(flip(y, axis = 2), before = 1, after = 0, axis = 2), axis = 2);
        sum(select(z > 0, z, -z), axis = -1) / max(z, axis = -1)
    }",
    "Inner<N, M>(rate: f32): (x: [N, M], w: [M]) -> ([N, M], [M]) {
        let fc = Linear(M); let drop = Dropout(rate);
        (drop(fc(x * w)), mean(x, axis = 0) + w)
    }
    Outer<N>(keep: f32): (x: [N, 6], ids: u32[N]) -> [N, 3] {
        let inner = Inner<N, 6>(rate = keep); let emb = Embedding(9, features = 6); let gru = Gru(6);
        let heads = MultiHeadAttention(2, causal = true); let w = Param([6], init = Uniform(-0.1, 0.1));
        let (y, m) = inner(x + emb(ids), w);
        let (ys, h) = gru(y);
        let (sums, _) = scan(ys, h, |h, s| { let next = tanh(h * m + s @ inner.fc.weight); (next, next + s) });
        heads(sums)[.., 0..3] * unsqueeze(float(argmax(x, axis = -1)), axis = 1)
    }",
];

const CASES: usize = 4000;
/// Far more than all cases need without optimisation on a busy machine; a case that never ends is stopped by
/// whoever runs the tests.
const LIMIT: Duration = Duration::from_secs(900);

/// xorshift64*, so that a case that fails fails again.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

/// A number in place of another one.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "3",
    "255",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1000000000000000000000000000000",
    "170141183460469231731687303715884105727",
    "0.5",
    "-0.5",
    "1e30",
    "1e-300",
    "0x10",
    "1_000_000u64",
    "3i8",
];

/// A token in place of another one.
const STRANGE: &[&str] = &[
    "0",
    "1",
    "2",
    "7",
    "999",
    "1000000",
    "999999999999",
    "4611686018427387904",
    "18446744073709551615",
    "99999999999999999999999999",
    "1.5",
    "1e400",
    "-",
    "->",
    "..",
    ",",
    ";",
    ":",
    "::",
    "@",
    "/",
    "*",
    "=",
    "A",
    "self",
    "true",
    "'a'",
    "\"text\"",
    "[]",
    "()",
    "{}",
    "[..S]",
    "Linear",
    "Flatten",
    "Relu",
    "Softmax",
    "kernel",
    "u32",
    "fn",
    "let",
    "rosenbrock",
    "sum",
    "scan",
    "grad",
    "Block",
    "Block<3, 8>",
    "[Linear(8); 1000000]",
    "|a, b| (a, b)",
    "x",
    "T",
];

/// One mutation somewhere in the tokens, inside groups too.
fn mutate(tokens: TokenStream, random: &mut Random) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    let groups: Vec<usize> =
        (0..trees.len()).filter(|i| matches!(trees[*i], TokenTree::Group(_))).collect();
    if !groups.is_empty() && random.below(4) > 0 {
        let at = groups[random.below(groups.len())];
        if let TokenTree::Group(group) = &trees[at] {
            let delimiter = match random.below(40) {
                0 => [Delimiter::Brace, Delimiter::Bracket, Delimiter::None][random.below(3)],
                _ => group.delimiter(),
            };
            trees[at] = Group::new(delimiter, mutate(group.stream(), random)).into();
        }
        return trees.into_iter().collect();
    }
    let (i, j) = (random.below(trees.len()), random.below(trees.len()));
    let number = trees.get(i).is_some_and(|token| matches!(token, TokenTree::Literal(_)));
    let table = if number && random.below(4) > 0 { NUMBERS } else { STRANGE };
    let strange = table[random.below(table.len())].parse::<TokenStream>();
    let strange: Vec<TokenTree> = strange.into_iter().flatten().collect();
    match if number { 3 + random.below(2) * random.below(2) } else { random.below(5) } {
        _ if trees.is_empty() => trees.extend(strange),
        0 => drop(trees.remove(i)),
        1 => trees.insert(j, trees[i].clone()),
        2 => trees.swap(i, j),
        3 => drop(trees.splice(i..=i, strange)),
        _ => drop(trees.splice(i..i, strange)),
    }
    trees.into_iter().collect()
}

/// What is wrong with a declaration.
fn errors(declaration: crate::ast::Declaration) -> syn::Result<()> {
    compile(declaration).1
}

/// The code of a declaration, and what is wrong with it.
fn compile(mut declaration: crate::ast::Declaration) -> (TokenStream, syn::Result<()>) {
    let mut errors = std::mem::take(&mut declaration.errors);
    let printed = crate::compile(&declaration, &[], &mut errors);
    (printed, errors.propagate())
}

/// Parsed and compiled as by `network!`; the fallback too, where there is an error. What is printed is Rust.
fn expand(tokens: TokenStream) {
    let Ok(declaration) = crate::parse::declaration(tokens) else { return };
    let (names, beneath) =
        (crate::editor::names(&declaration), crate::fallback::beneath(&declaration));
    for printed in [names, beneath, compile(declaration).0] {
        if let Err(error) = syn::parse2::<syn::File>(printed) {
            panic!("what is printed is not Rust: {error}");
        }
    }
}

#[test]
fn what_is_mutated_is_valid() {
    for text in DECLARATIONS {
        let declaration = crate::parse::declaration(text.parse().expect("tokens"));
        let declaration = declaration.unwrap_or_else(|error| panic!("{error}: {text}"));
        if let Err(error) = errors(declaration) {
            let all: Vec<String> = error.into_iter().map(|error| error.to_string()).collect();
            panic!("{all:?}: {text}");
        }
    }
}

#[test]
fn mutated_declarations_give_code_or_errors() {
    let (mut random, begin) = (Random(0x9e37_79b9_7f4a_7c15), Instant::now());
    let parsed: Vec<TokenStream> =
        DECLARATIONS.iter().map(|text| text.parse().expect("tokens")).collect();
    let mut failures = vec![];
    for case in 0..CASES {
        let mut tokens = parsed[case % parsed.len()].clone();
        for _ in 0..=random.below(3) {
            tokens = mutate(tokens, &mut random);
        }
        let text = tokens.to_string();
        if catch_unwind(AssertUnwindSafe(|| expand(tokens))).is_err() {
            failures.push(format!("case {case}: {text}"));
        }
        assert!(begin.elapsed() < LIMIT, "{case} cases take too long, the last: {text}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn an_empty_list_of_outputs_is_an_error() {
    for text in ["N: [4] -> () { Relu }", "N: (x: [4]) -> () { x }", "fn f(x: [4]) -> () { x }"] {
        let declaration = crate::parse::declaration(text.parse().expect("tokens"));
        assert!(declaration.and_then(errors).is_err(), "{text}");
    }
}

#[test]
fn values_that_no_memory_holds_are_errors() {
    for text in [
        "N: (x: [1000000, 1, 1], y: [1, 1000000, 1], z: [1, 1, 1000000]) -> [] { sum(x + y + z) }",
        "N: (x: [9999999, 1], y: [1, 9999999]) -> [] { sum(x @ y) }",
        "N: [9999999] -> [9999999] { Linear(9999999) }",
        "N: (x: [4]) -> [] { sum(zeros([9999999, 9999999])) + sum(x) }",
        "N: [4] { Linear(999999999999 * 999999999999) }",
        "N: [1, 999999, 999999] { Upsample(99) }",
        "N: [9999999999999] { Relu }",
        "N: (i: u32[999999]) -> [] { sum(one_hot(i, 9999999)) }",
        "fn f(x: [9999999, 1], y: [1, 9999999]) -> [] { sum(x * y) }",
        "fn f(x: [9999999, 1], y: [1, 9999999]) -> [9999999, 9999999] { x * y }",
    ] {
        let declaration =
            crate::parse::declaration(text.parse().expect("tokens")).expect("a declaration");
        assert!(errors(declaration).is_err(), "{text}");
    }
}

#[test]
fn deep_and_recursive_declarations_are_errors() {
    let deep = format!("Deep: [{}1{}] {{ Linear(1) }}", "(".repeat(3000), ")".repeat(3000));
    let sum = format!("Wide: [{}1] {{ Linear(1) }}", "1 + ".repeat(3000));
    let recursive = "fn f(x: [2]) -> [] { f(x) }";
    let mutual = "fn f(x: [2]) -> [] { g(x) } fn g(x: [2]) -> [] { f(x) }";
    let circle = "A: [2] -> [2] { b: B } B: [2] -> [2] { c: [C; 2] } C: [2] -> [2] { a: A }";
    for text in [deep.as_str(), sum.as_str(), recursive, mutual, circle] {
        expand(text.parse().expect("tokens"));
    }
}

#[test]
fn what_unrolls_without_end_is_an_error() {
    // Each level is the one below a hundred times.
    let level = |i: usize| format!("L{i}: [2] -> [2] {{ [L{0}; 100] }} ", i - 1);
    let levels: String = (1..9).map(level).collect();
    let double = format!("L0: [2] -> [2] {{ Tanh }} {levels}");
    let loops = "N: (x: [2]) -> [2] { let y = x; for i in 0..999 { for j in 0..999 { for k in 0..999 { y = y; } } } y }";
    let repeat = "R: [2] -> [2] { [Linear(2); 999999999999] }";
    let parts = "P: (x: [999999999999]) -> [] { let y = x.unstack(0); y[0] }";
    let split = "S: (x: [999999999999]) -> [1] { let y = split(x, 999999999999); y[0] }";
    for text in [double.as_str(), loops, repeat, parts, split] {
        let started = Instant::now();
        let declaration =
            crate::parse::declaration(text.parse().expect("tokens")).expect("a declaration");
        assert!(errors(declaration).is_err(), "{text}");
        assert!(started.elapsed() < Duration::from_secs(20), "{text}");
    }
}
