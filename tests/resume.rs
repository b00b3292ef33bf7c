//! Trainings that end before their end, by an error, a flag or a signal, and go on from their file bit for bit.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use netform::data::InMemory;
use netform::dim::D;
use netform::error::{Error, Result};
use netform::loss::CrossEntropy;
use netform::metric::{F1, TopK};
use netform::network;
use netform::optim::{Adam, AdamW, Optimizer, Sgd};
use netform::random::{Rng, Seed};
use netform::schedule::{Cosine, Warmup};
use netform::train::{
    BatchRecord, Callback, Checkpoint, EarlyStopping, EpochRecord, Flow, History, NetworkAccess,
    State, Trainer,
};
use netform::update::Rules;
use netform::weights::Weights;

network! {
    /// Random numbers, running statistics and a setting.
    pub Net(rate: f32): [4] -> [3] {
        fc1: Linear(8), norm: BatchNorm1d, Relu, Dropout(rate),
        fc2: Linear(3),
    }

    /// Another network.
    pub Other: [4] -> [3] { fc1: Linear(3) }
}

const BATCH: usize = 4;
const EPOCHS: usize = 5;

type Data = InMemory<(D<4>,)>;

fn data(samples: usize, phase: f32) -> Data {
    let inputs = (0..samples * 4).map(|i| (i as f32 * 0.7 + phase).sin()).collect();
    Data::new(inputs, (0..samples as u32).map(|i| i * 7 % 3).collect()).unwrap()
}

/// A new folder, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("netform-resume-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Counts batches, as a callback of one's own would, and ends training after so many of them.
#[derive(Default)]
struct Counting {
    batches: usize,
    fails_after: Option<usize>,
    stops: Option<(usize, Arc<AtomicBool>)>,
    prints: bool,
}

impl Callback for Counting {
    fn on_batch_end(&mut self, _: &BatchRecord) -> Result<()> {
        self.batches += 1;
        if self.prints {
            println!("batch {}", self.batches);
        }
        if let Some((after, flag)) = &self.stops
            && self.batches == *after
        {
            flag.store(true, Ordering::Relaxed);
        }
        match self.fails_after {
            Some(after) if self.batches == after => Err(Error::Invalid("no more".to_owned())),
            _ => Ok(()),
        }
    }

    fn state(&self) -> Option<State> {
        Some(State::new("Counting").set("batches", self.batches))
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        self.batches = state.get("batches")?;
        Ok(())
    }
}

/// The whole training, from wherever it is; the history and the weights at its end.
fn train(
    folder: &Folder,
    seed: u64,
    counting: &mut Counting,
    resume: bool,
) -> Result<(History, Vec<u8>)> {
    let mut net = Net::new(Seed(seed), 0.25);
    let (train, test) = (data(26, 0.0), data(9, 0.3));
    let flag = counting.stops.as_ref().map(|(_, flag)| flag.clone());
    let mut trainer = Trainer::new(CrossEntropy, AdamW::new(0.02))
        .epochs(EPOCHS)
        .batch(BATCH)
        .validate(&test)
        .clip_norm(1.0)
        .accumulate(2)
        .average(0.8)
        .schedule(Warmup::new(5).then(Cosine::new(30)))
        .metric("f1", F1::macro_average(3))
        .metric("top-2", TopK::new(2))
        .callback(EarlyStopping::patience(3))
        .callback(Checkpoint::best(folder.file("best.safetensors")))
        .callback(counting)
        .autosave_every(1, folder.file("run.safetensors"));
    if let Some(flag) = flag {
        trainer = trainer.stop_when(flag);
    }
    if resume {
        trainer = trainer.resume(folder.file("run.safetensors"));
    }
    let history = trainer.fit(&mut net, &train)?;
    drop(trainer);
    Ok((history, net.to_bytes()?))
}

/// The figures, but for the time.
fn figures(mut history: History) -> History {
    history.epochs.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
    history
}

fn whole() -> (History, Vec<u8>, Vec<u8>) {
    let folder = Folder::new(&format!("whole-{:?}", std::thread::current().id()));
    let (history, weights) = train(&folder, 1, &mut Counting::default(), false).unwrap();
    let best = std::fs::read(folder.file("best.safetensors")).unwrap();
    (figures(history), weights, best)
}

#[test]
fn a_training_goes_on_bit_for_bit_from_any_batch() {
    let (history, weights, best) = whole();
    let all = history.epochs.len() * 26_usize.div_ceil(BATCH);
    let mut rng = Rng::new(Seed(7), 0);
    // In the middle, at the first and the last batch, and at an epoch's end and beginning.
    let mut ends: Vec<usize> = (0..4).map(|_| 2 + rng.below(all - 2)).collect();
    ends.extend([2, 7, 8, 14, all]);
    for end in ends {
        let folder = Folder::new("any");
        let mut counting = Counting { fails_after: Some(end), ..Counting::default() };
        train(&folder, 1, &mut counting, false).unwrap_err();
        // Another seed: what the file holds counts.
        let mut counting = Counting::default();
        let (found, bytes) = train(&folder, 99, &mut counting, true).unwrap();
        assert_eq!(figures(found), history, "stopped at batch {end}");
        assert!(bytes == weights, "stopped at batch {end}");
        assert!(std::fs::read(folder.file("best.safetensors")).unwrap() == best);
        assert_eq!(counting.batches, all);
    }
}

#[test]
fn a_flag_ends_training_cleanly() {
    let (history, weights, _) = whole();
    for after in [1, 6, 7, 10] {
        let folder = Folder::new("flag");
        let flag = Arc::new(AtomicBool::new(false));
        let stops = Some((after, flag));
        let mut counting = Counting { stops, ..Counting::default() };
        let (part, _) = train(&folder, 1, &mut counting, false).unwrap();
        assert!(part.interrupted && !part.stopped_early, "{part}");
        assert_eq!(counting.batches, after, "nothing is trained on after the flag");
        let (found, bytes) = train(&folder, 1, &mut Counting::default(), true).unwrap();
        assert_eq!(figures(found), history, "stopped after batch {after}");
        assert!(bytes == weights);
    }
}

#[test]
fn what_has_ended_has_nothing_left() {
    let folder = Folder::new("ended");
    let (history, weights) = train(&folder, 1, &mut Counting::default(), false).unwrap();
    let mut counting = Counting::default();
    let (again, bytes) = train(&folder, 1, &mut counting, true).unwrap();
    assert_eq!(again, history);
    assert!(bytes == weights);
    // The file is one of weights, too: those of the last epoch.
    let mut net = Net::new(Seed(5), 0.0);
    net.load(folder.file("run.safetensors")).unwrap();
}

/// Not a test: what the next one runs in a process of its own, with a folder.
#[test]
fn child() {
    let Some(path) = std::env::var_os("NETFORM_RESUME_FOLDER") else { return };
    // The parent's, which removes it.
    let folder = std::mem::ManuallyDrop::new(Folder(path.into()));
    let resume = folder.file("run.safetensors").exists();
    let mut counting = Counting { prints: true, ..Counting::default() };
    let (_, weights) = train(&folder, 1, &mut counting, resume).unwrap();
    std::fs::write(folder.file("weights"), weights).unwrap();
}

/// Runs the child and kills it a while after its `lines`th batch; the numbers of its first batch and of the last one
/// that was seen.
fn killed(folder: &Path, lines: usize, spins: usize) -> (usize, usize) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("NETFORM_RESUME_FOLDER", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (mut first, mut last, mut seen) = (0, 0, 0);
    for line in output.lines() {
        let line = line.unwrap();
        let Some((_, number)) = line.split_once("batch ") else { continue };
        last = number.trim().parse().unwrap();
        first = if first == 0 { last } else { first };
        seen += 1;
        if seen == lines {
            (0..spins).for_each(|_| std::hint::spin_loop());
            // SIGKILL: nothing of the process runs any more.
            let _ = child.kill();
            break;
        }
    }
    child.wait().unwrap();
    (first, last)
}

#[test]
fn a_killed_process_loses_the_batches_since_and_nothing_else() {
    let (_, weights, _) = whole();
    let folder = Folder::new("killed");
    let mut rng = Rng::new(Seed(3), 0);
    let mut before = 0;
    let mut kills = 0;
    while !folder.file("weights").exists() {
        let (first, last) = killed(&folder.0, 1 + rng.below(6), rng.below(400_000));
        // It saves after every batch, which is over when the next one has been seen.
        assert!(first == 0 || first >= before, "{first} after {before}");
        before = last.max(before);
        kills += 1;
        assert!(kills < 200, "training does not come to its end");
    }
    assert!(kills > 3, "{kills}");
    assert!(std::fs::read(folder.file("weights")).unwrap() == weights);
}

fn resumed<O: Optimizer>(path: &Path, optimizer: O, batch: usize) -> String {
    let mut net = Net::new(Seed(1), 0.25);
    let before = net.to_bytes().unwrap();
    let mut trainer = Trainer::new(CrossEntropy, optimizer).batch(batch).resume(path);
    let error = trainer.fit(&mut net, &data(26, 0.0)).unwrap_err().to_string();
    assert!(net.to_bytes().unwrap() == before, "the network is as it was: {error}");
    // The next call does not begin another training instead.
    let again = trainer.fit(&mut net, &data(26, 0.0)).unwrap_err().to_string();
    assert_eq!(again, error);
    error
}

#[test]
fn other_files_are_refused_by_name() {
    let folder = Folder::new("refused");
    let path = folder.file("run.safetensors");
    let mut net = Net::new(Seed(1), 0.25);
    let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).batch(BATCH).autosave(&path);
    trainer.fit(&mut net, &data(26, 0.0)).unwrap();
    let says = |found: String, expected: &str| assert!(found.contains(expected), "{found}");

    says(resumed(&folder.file("none"), Adam::new(0.01), BATCH), "none: ");
    let found = resumed(&path, Sgd::new(0.1), BATCH);
    says(found.clone(), "run.safetensors: `optimizer`: the training that was saved has `Adam");
    says(found, ", this one `Sgd");
    let found = resumed(&path, Adam::new(0.02), BATCH);
    assert!(found.contains("rate: 0.01") && found.contains("rate: 0.02"), "{found}");
    says(
        resumed(&path, Adam::new(0.01), 5),
        "`batch`: the training that was saved has `4`, this one `5`",
    );
    let error = Trainer::new(CrossEntropy, Adam::new(0.01))
        .batch(BATCH)
        .resume(&path)
        .fit(&mut Other::new(Seed(1)), &data(26, 0.0))
        .unwrap_err();
    says(error.to_string(), "`network`: the training that was saved has `Net`, this one `Other`");
    let error = Trainer::new(CrossEntropy, Adam::new(0.01))
        .batch(BATCH)
        .callback(EarlyStopping::patience(1))
        .resume(&path)
        .fit(&mut net, &data(26, 0.0))
        .unwrap_err();
    says(error.to_string(), "expected none, found EarlyStopping");

    let weights = folder.file("weights.safetensors");
    net.save(&weights).unwrap();
    says(resumed(&weights, Adam::new(0.01), BATCH), "these are weights alone");
    // Of a later version: one more digit in the header, which stays as long as it was.
    let bytes = std::fs::read(&path).unwrap();
    let text = br#""netform.training":"3""#;
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    let mut later = bytes.clone();
    later[at + text.len() - 2] = b'7';
    std::fs::write(&weights, later).unwrap();
    says(resumed(&weights, Adam::new(0.01), BATCH), "format 7, and this version of netform reads");
    // Cut anywhere, it is an error and no panic.
    for len in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&weights, &bytes[..len]).unwrap();
        says(resumed(&weights, Adam::new(0.01), BATCH), "weights.safetensors");
    }
}

#[test]
fn other_callbacks_and_metrics_leave_the_network_as_it_was() {
    let folder = Folder::new("others");
    let path = folder.file("run.safetensors");
    let fit = |metric: F1, stopping: EarlyStopping, resume: bool| {
        let mut net = Net::new(Seed(if resume { 2 } else { 1 }), 0.25);
        let before = net.to_bytes().unwrap();
        let trainer = Trainer::new(CrossEntropy, Adam::new(0.01))
            .batch(BATCH)
            .metric("f1", metric)
            .callback(stopping)
            .autosave(&path);
        let mut trainer = if resume { trainer.resume(&path) } else { trainer };
        let outcome = trainer.fit(&mut net, &data(26, 0.0)).map_err(|error| error.to_string());
        (outcome.map(drop), net.to_bytes().unwrap() == before)
    };
    let watching = || EarlyStopping::patience(1).monitor("f1");
    assert_eq!(fit(F1::macro_average(3), watching(), false), (Ok(()), false));
    for (metric, stopping, expected) in [
        (
            F1::binary(0.0),
            watching(),
            "metric `f1` of a resumed training: it adds up 4 numbers, and 9 were saved",
        ),
        (
            F1::macro_average(3),
            EarlyStopping::patience(1),
            "expected EarlyStopping of `f1`, found EarlyStopping",
        ),
        (
            F1::macro_average(3),
            EarlyStopping::patience(1).monitor("accuracy"),
            "expected EarlyStopping of `f1`, found EarlyStopping of `accuracy`",
        ),
    ] {
        let (outcome, is_same) = fit(metric, stopping, true);
        let error = outcome.unwrap_err();
        assert!(error.contains(expected) && is_same, "{error}");
    }
    assert_eq!(fit(F1::macro_average(3), watching(), true), (Ok(()), false));
}

#[test]
fn a_training_goes_on_by_the_rules_that_it_began_with() {
    let folder = Folder::new("rules");
    let path = folder.file("run.safetensors");
    let rules = || {
        Rules::new()
            .clip_norm(1.0)
            .freeze("norm")
            .schedule(Warmup::new(5).then(Cosine::new(30)))
            .average(0.8)
    };
    let fit = |rules: Rules, resume: bool| {
        let trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).rules(rules).autosave(&path);
        let mut trainer = if resume { trainer.resume(&path) } else { trainer };
        trainer.fit(&mut Net::new(Seed(1), 0.25), &data(26, 0.0)).map_err(|e| e.to_string())
    };
    fit(rules(), false).unwrap();
    for (other, expected) in [
        (
            rules().clip_norm(0.5),
            "`clip_norm`: the training that was saved has `1`, this one `0.5`",
        ),
        (
            rules().clip_value(2.0),
            "`clip_value`: the training that was saved has `none`, this one `2`",
        ),
        (rules().freeze("fc1"), r#"has `["norm"]`, this one `["norm", "fc1"]`"#),
        (
            rules().rate_factor("fc1", 0.1),
            r#"`rate_factor`: the training that was saved has `none`"#,
        ),
        (
            rules().accumulate(2),
            "`accumulate`: the training that was saved has `none`, this one `2`",
        ),
        (rules().average(0.9), "`average`: the training that was saved has `0.8`, this one `0.9`"),
        (rules().schedule(Cosine::new(30)), "`schedule`: the training that was saved has `"),
    ] {
        let error = fit(other, true).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    // What is only looked at may differ.
    assert!(fit(rules().gradient_norms(), true).is_ok());
}

/// Removes the folder that the training is saved in.
struct Removing(PathBuf);

impl Callback for Removing {
    fn on_epoch_end(&mut self, _: &EpochRecord, _: &mut dyn NetworkAccess) -> Result<Flow> {
        std::fs::remove_dir_all(&self.0).unwrap();
        Ok(Flow::Continue)
    }
}

#[test]
fn a_file_that_cannot_be_written_ends_training_with_its_name() {
    let folder = Folder::new("gone");
    let error = Trainer::new(CrossEntropy, Adam::new(0.01))
        .autosave(folder.file("run.safetensors"))
        .callback(Removing(folder.0.clone()))
        .fit(&mut Net::new(Seed(1), 0.25), &data(26, 0.0))
        .unwrap_err()
        .to_string();
    assert!(error.contains("run.safetensors") && error.contains("create it first"), "{error}");
}
