//! The planned steps of a network as text, and how its buffers share memory.
//!
//! After a change of the compiler that is meant to change plans, `NETFORM_BLESS=1 cargo test --test plan`
//! writes the new text, to be read in the difference.

use netform::module::Extent;
use netform::prelude::*;

network! {
    /// A LeNet-style classifier of 28x28 digits.
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(120), Relu, Dropout(0.25),
        fc2: Linear(10),
    }
}

network! {
    /// A block of a transformer, and the heads of its attention as in one product.
    pub Block: (x: [16, 32]) -> [16, 32] {
        let norm1 = LayerNorm;
        let qkv = Linear(3 * 32);
        let proj = Linear(32);
        let norm2 = LayerNorm;
        let up = Linear(4 * 32);
        let down = Linear(32);
        let heads = qkv(norm1(x)).reshape([16, 3, 4, 8]).permute([1, 2, 0, 3]);
        let [q, k, v] = heads.unstack(0);
        let scores = softmax(causal(q @ k.transpose() / sqrt(8)), axis = -1);
        let y = x + proj((scores @ v).permute([1, 0, 2]).reshape([16, 32]));
        y + down(gelu(up(norm2(y)), approximate = tanh))
    }

    /// The loss of a classifier, as a network: labels are an input.
    pub Loss: (logits: [10], label: u32[]) -> [] { cross_entropy(logits, label) }

    /// The same as a function, with its gradient: what a training step runs.
    pub fn classified(logits: [10], label: u32[]) -> [] { cross_entropy(logits, label) }
}

/// The plan of a network, and what a sample takes in f32, against the file.
fn snapshot<N: Module>(file: &str) {
    let len = |len: fn(Extent) -> usize| move |batch| len(Extent::of(batch));
    compare(
        file,
        N::PLAN,
        &[("a training step", &len(N::train_workspace)), ("inference", &len(N::infer_workspace))],
    );
}

/// A plan, and the elements that its passes take by the size of the batch, against the file.
fn compare(file: &str, plan: &str, passes: &[(&str, &dyn Fn(usize) -> usize)]) {
    let path = format!("{}/tests/snapshots/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut text = plan.to_owned();
    for (what, len) in passes {
        let [one, many] = [1, 64].map(|batch| 4 * len(batch));
        text +=
            &format!("bytes of the workspace of {what} in f32: {one} of 1 sample, {many} of 64\n");
    }
    if std::env::var_os("NETFORM_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let first = text.lines().zip(expected.lines()).find(|(found, line)| found != line);
    assert!(
        text == expected,
        "the plan differs from {path}, first in {first:?}; it is now\n{text}"
    );
}

#[test]
fn digits() {
    snapshot::<Digits>("digits_plan.txt");
}

#[test]
fn block() {
    snapshot::<Block>("block_plan.txt");
}

#[test]
fn loss() {
    snapshot::<Loss>("loss_plan.txt");
}

#[test]
fn loss_with_its_gradient() {
    compare(
        "loss_gradient_plan.txt",
        classified::PLAN,
        &[("value and gradient", &classified::gradient_workspace)],
    );
}

#[test]
fn cross_entropy_and_its_gradient_read_a_row_once() {
    let (_, steps) = classified::PLAN.split_once("steps\n").unwrap();
    let reading: Vec<&str> = steps.lines().filter(|line| line.contains("logits")).collect();
    assert_eq!(reading.len(), 1, "{steps}");
    assert!(reading[0].contains(": rows "), "{steps}");
    // Value and gradient: the losses of the samples, and the gradient as an argument.
    assert_eq!(steps.lines().filter(|line| line.contains("argument")).count(), 1, "{steps}");
    assert!(reading[0].contains("argument 2"), "{steps}");
}

/// A buffer of the workspace: its place for a batch of one, and the lines at which it is written and last read.
#[derive(Debug)]
struct Buffer {
    offset: usize,
    size: usize,
    born: usize,
    dies: usize,
}

/// The first number in `text`: `7904` of `7904 * batch]: max_pool2d %6`.
fn number(text: &str) -> usize {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// The buffers of the planned steps in `section`, for a batch of one.
fn buffers(section: &str) -> Vec<Buffer> {
    let lines: Vec<&str> = section.lines().collect();
    let reads = |line: &str, id: &str| {
        let (_, text) = line.split_once("]: ").unwrap_or(("", line));
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '%').any(|word| word == id)
    };
    let buffer = |(born, line): (usize, &&str)| {
        let (id, rest) = line.trim().split_once(": [")?;
        let (shape, place) = rest.split_once("] -> workspace[")?;
        let size = shape.split(", ").filter(|size| *size != "batch").map(number).product();
        let steps = lines.iter().map(|line| line.split_once(" -> ").map_or("", |(_, step)| step));
        let last =
            steps.enumerate().filter(|(_, step)| reads(step, id)).map(|(at, _)| at).next_back();
        Some(Buffer { offset: number(place), size, born, dies: last.unwrap_or(born) })
    };
    lines.iter().enumerate().filter_map(buffer).collect()
}

fn section<'a>(from: &str, to: &str) -> &'a str {
    let rest = &Digits::PLAN[Digits::PLAN.find(from).unwrap()..];
    &rest[..rest.find(to).unwrap()]
}

#[test]
fn buffers_share_memory_only_when_their_lifetimes_are_disjoint() {
    let inference = section("steps of inference", "workspace of inference");
    let training = section("forward steps", "workspace of a training step");
    for (section, count) in [(inference, 5), (training, 12)] {
        let buffers = buffers(section);
        assert!(buffers.len() >= count, "{buffers:?}");
        for (i, a) in buffers.iter().enumerate() {
            for b in &buffers[..i] {
                let together = a.born < b.dies && b.born < a.dies;
                let overlap = a.offset < b.offset + b.size && b.offset < a.offset + a.size;
                let in_place = (a.offset, a.size) == (b.offset, b.size) && a.born == b.dies;
                assert!(!(together && overlap), "{a:?} and {b:?}");
                assert!(!overlap || a.born != b.dies || in_place, "{a:?} written over {b:?}");
            }
        }
    }
}

#[test]
fn the_workspace_is_smaller_than_the_sum_of_its_buffers() {
    let sum = |section| buffers(section).iter().map(|buffer| buffer.size).sum::<usize>();
    let training = sum(section("forward steps", "workspace of a training step"));
    let inference = sum(section("steps of inference", "workspace of inference"));
    let workspace = <Digits as Module>::train_workspace(Extent::of(1));
    assert!(3 * workspace < 2 * training, "{workspace} elements for buffers of {training}");
    let workspace = <Digits as Module>::infer_workspace(Extent::of(1));
    assert!(4 * workspace < 3 * inference, "{workspace} elements for buffers of {inference}");
}

#[test]
fn a_workspace_grows_with_the_batch() {
    let [one, many] = [1, 64].map(|b| <Digits as Module>::train_workspace(Extent::of(b)));
    assert_eq!(many, 64 * one);
}

network! {
    /// A norm and a softmax.
    pub Normed: [32] -> [10] { Linear(24), LayerNorm, Linear(10), Softmax }
}

#[test]
fn a_row_is_read_once_by_norms_and_softmax() {
    let part = |from: &str, to: &str| {
        let rest = &Normed::PLAN[Normed::PLAN.find(from).unwrap()..];
        rest[..rest.find(to).unwrap()].to_owned()
    };
    let kinds = |part: String, kind: &str| part.matches(&format!("]: {kind} ")).count();
    let forward = part("forward steps", "backward steps");
    let backward = part("backward steps", "workspace of a training step");
    assert_eq!(kinds(forward.clone(), "rows"), 2, "{forward}");
    assert_eq!(kinds(forward.clone(), "matmul"), 2, "{forward}");
    assert_eq!(forward.matches("]: ").count(), 4, "{forward}");
    assert_eq!(kinds(backward.clone(), "rows"), 2, "{backward}");
}
