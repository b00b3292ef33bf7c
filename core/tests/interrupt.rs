//! Ctrl-C in programs that train: processes of their own, which get the signal.
#![cfg(all(unix, feature = "ctrlc"))]

extern crate netform_core as netform;

mod common;

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::Folder;
use netform_core::data::InMemory;
use netform_core::dim::D;
use netform_core::error::Result;
use netform_core::loss::CrossEntropy;
use netform_core::optim::Adam;
use netform_core::random::Seed;
use netform_core::train::{
    BatchRecord, Callback, EpochRecord, Flow, NetworkAccess, State, Trainer,
};
use netform_core::weights::Weights;
use netform_macros::network;

network! {
    pub Net: [4] -> [3] { fc1: Linear(8), Relu, fc2: Linear(3) }
}

/// Counts batches aloud, and does not come back from one of them where that is wanted.
#[derive(Default)]
struct Counting {
    batches: usize,
    stuck_at: Option<usize>,
    /// What the file of a resumed training said.
    restored: usize,
}

impl Callback for Counting {
    fn on_batch_end(&mut self, _: &BatchRecord) -> Result<()> {
        self.batches += 1;
        println!("batch {}", self.batches);
        while self.stuck_at == Some(self.batches) {
            std::thread::park();
        }
        Ok(())
    }

    fn state(&self) -> Option<State> {
        Some(State::new("Counting").set("batches", self.batches))
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        self.restored = state.get("batches")?;
        Ok(())
    }
}

fn data() -> InMemory<(D<4>,)> {
    let inputs = (0..80).map(|i| (i as f32 * 0.7).sin()).collect();
    InMemory::new(inputs, (0..20).map(|i| i * 7 % 3).collect()).unwrap()
}

/// Not a test: what the others run. It trains until it is told not to, in a way that the environment names.
#[test]
fn child() {
    let Some(file) = std::env::var_os("NETFORM_INTERRUPT_FILE") else { return };
    let way = std::env::var("NETFORM_INTERRUPT_WAY").unwrap();
    let stuck_at = (way == "stuck").then_some(3);
    let mut counting = Counting { stuck_at, ..Counting::default() };
    let mut net = Net::new(Seed(1));
    let epochs = if way == "ignored" { 2 } else { 1_000_000_000 };
    let trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).epochs(epochs).batch(3);
    let trainer = trainer.autosave(&file).callback(&mut counting);
    let mut trainer = trainer.stop_on_ctrl_c().unwrap();
    if way == "before" {
        println!("batch 0");
        loop {
            std::thread::park();
        }
    }
    let history = trainer.fit(&mut net, &data()).unwrap();
    if way == "ignored" {
        assert!(!history.interrupted);
        println!("ended with epoch {}", history.epochs.len());
        return;
    }
    assert!(history.interrupted);
    drop(trainer);
    // A further training does not begin, in a program that makes several.
    let further = Trainer::new(CrossEntropy, Adam::new(0.01)).stop_on_ctrl_c().unwrap();
    let before = net.to_bytes().unwrap();
    assert!({ further }.fit(&mut net, &data()).unwrap().interrupted);
    assert_eq!(net.to_bytes().unwrap(), before);
    println!("ended after {}", counting.batches);
}

struct Program {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Program {
    fn start(file: &Path, way: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        Self::start_as(Command::new(program), file, way)
    }

    fn start_as(mut program: Command, file: &Path, way: &str) -> Self {
        let mut child = program
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env("NETFORM_INTERRUPT_FILE", file)
            .env("NETFORM_INTERRUPT_WAY", way)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        Program { child, output, errors }
    }

    /// Reads on up to a line that has `text`; what comes after it there.
    fn wait_for(lines: &mut impl Iterator<Item = std::io::Result<String>>, text: &str) -> String {
        let found = lines.find_map(|line| {
            line.unwrap().split_once(text).map(|(_, after)| after.trim().to_owned())
        });
        found.unwrap_or_else(|| panic!("the program ended without `{text}`"))
    }

    fn ctrl_c(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Reads the output to its end.
    fn end(mut self) -> ExitStatus {
        self.output.by_ref().for_each(drop);
        self.child.wait().unwrap()
    }
}

#[test]
fn ctrl_c_ends_training_after_a_batch_and_saves_it() {
    let folder = Folder::new("interrupt-clean");
    let file = folder.0.join("run.safetensors");
    let mut program = Program::start(&file, "clean");
    Program::wait_for(&mut program.output, "batch 10");
    program.ctrl_c();
    let batches: usize = Program::wait_for(&mut program.output, "ended after ").parse().unwrap();
    assert!(program.end().success());

    // What was saved is at this very batch; the epoch under way has seven.
    let mut counting = Counting::default();
    let trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).epochs(batches.div_ceil(7)).batch(3);
    let mut trainer = trainer.resume(&file).callback(&mut counting);
    trainer.fit(&mut Net::new(Seed(9)), &data()).unwrap();
    drop(trainer);
    assert_eq!(counting.restored, batches);
    assert_eq!(counting.batches, batches.next_multiple_of(7) - batches);
}

/// As where a script has `program &`: the shell ignores Ctrl-C for it. Linux says so.
#[cfg(target_os = "linux")]
#[test]
fn a_program_for_which_ctrl_c_is_ignored_trains_to_its_end() {
    let folder = Folder::new("interrupt-ignored");
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    let mut program = Program::start_as(shell, &folder.0.join("run"), "ignored");
    Program::wait_for(&mut program.output, "batch 3");
    program.ctrl_c();
    assert_eq!(Program::wait_for(&mut program.output, "ended with epoch "), "2");
    assert!(program.end().success());
}

/// Raises a flag after each epoch.
struct Raising(Arc<AtomicBool>);

impl Callback for Raising {
    fn on_epoch_end(&mut self, _: &EpochRecord, _: &mut dyn NetworkAccess) -> Result<Flow> {
        self.0.store(true, Ordering::Relaxed);
        Ok(Flow::Continue)
    }
}

#[test]
fn a_flag_that_is_raised_after_the_last_batch_is_seen() {
    let flag = Arc::new(AtomicBool::new(false));
    let trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).stop_when(flag.clone());
    let history = { trainer.callback(Raising(flag)) }.fit(&mut Net::new(Seed(1)), &data()).unwrap();
    assert_eq!((history.epochs.len(), history.interrupted), (1, true));
}

#[test]
fn once_more_ends_the_program_at_once() {
    let folder = Folder::new("interrupt-stuck");
    let mut program = Program::start(&folder.0.join("run"), "stuck");
    Program::wait_for(&mut program.output, "batch 3");
    program.ctrl_c();
    Program::wait_for(&mut program.errors, "once more ends the program at once");
    program.ctrl_c();
    assert_eq!(program.end().code(), Some(130));
}

#[test]
fn a_program_that_does_not_train_is_ended() {
    let folder = Folder::new("interrupt-before");
    let mut program = Program::start(&folder.0.join("run"), "before");
    Program::wait_for(&mut program.output, "batch 0");
    program.ctrl_c();
    assert_eq!(program.end().code(), Some(130));
}
