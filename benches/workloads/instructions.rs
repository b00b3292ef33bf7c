//! The instructions of a step, counted and compared with what is kept in the repository: a guard of speed that
//! nothing else on the machine can disturb.
//!
//! Valgrind counts, and it knows no AVX-512: the counts are those of the kernels for AVX2, on one thread. A step's
//! count is the difference of two runs, which cancels the start.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

/// The workloads, with as many steps as tell enough.
const COUNTED: [(&str, u64); 3] = [("iris", 300), ("mlp_infer1", 100), ("lenet_infer1", 20)];
/// Steps of both runs: the first ones find memory.
const FIRST: u64 = 5;
/// How far a count may be from the one that is kept, either way: other versions of the C library copy memory with
/// other instructions.
const TOLERANCE: f64 = 0.03;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/workloads/instructions.txt");
const HEAD: &str = "\
# Instructions of a step on one thread with AVX2, as valgrind counts them. After a change that is meant:
# NETFORM_BLESS=1 cargo bench --bench workloads -- --instructions
";

/// Counts, and compares with what is kept or, where the environment has `NETFORM_BLESS=1`, keeps what was counted.
pub fn check() -> Result<(), String> {
    if !has_avx2() {
        return Err("the counts that are kept are of AVX2, which this processor lacks".to_owned());
    }
    let mut counts = vec![];
    for (workload, steps) in COUNTED {
        let all = executed(workload, FIRST + steps)?;
        counts.push((workload, all.saturating_sub(executed(workload, FIRST)?) / steps));
    }
    if std::env::var("NETFORM_BLESS").is_ok_and(|value| value == "1") {
        let lines = counts.iter().map(|(workload, count)| format!("{workload} {count}\n"));
        let text = HEAD.to_owned() + &lines.collect::<String>();
        return std::fs::write(KEPT, text).map_err(|error| format!("{KEPT}: {error}"));
    }
    let kept = std::fs::read_to_string(KEPT).map_err(|error| format!("{KEPT}: {error}"))?;
    compare(&counts, &parse(&kept)?)
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

/// The instructions of this program that sets a workload up and takes some steps of it.
fn executed(workload: &str, steps: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--only", workload, "--threads", "1", "--steps", &steps.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}; `apt-get install valgrind` has it"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // ==123== Collected : 4567
    let count = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    match count {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(format!("valgrind did not count {workload} ({}):\n{said}", output.status)),
    }
}

/// Lines of a workload and a count; others begin with `#`.
fn parse(text: &str) -> Result<BTreeMap<&str, u64>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let count = |line| {
        let (workload, count) = str::split_once(line, ' ')?;
        Some((workload, count.parse().ok()?))
    };
    lines
        .map(|line| count(line).ok_or_else(|| format!("{KEPT}: {line:?} is no workload and count")))
        .collect()
}

fn compare(counts: &[(&str, u64)], kept: &BTreeMap<&str, u64>) -> Result<(), String> {
    let (mut table, mut changed) = (String::new(), vec![]);
    for &(workload, count) in counts {
        let kept = kept.get(workload).copied().unwrap_or(0);
        let change = count as f64 / kept as f64 - 1.0;
        let within = change.abs() <= TOLERANCE;
        let percent = 100.0 * change;
        let _ = writeln!(table, "{workload:<14} {count:>9}, kept {kept:>9}: {percent:+.2} %");
        if !within {
            changed.push(workload);
        }
    }
    print!("instructions of a step on one thread with AVX2:\n{table}");
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} changed by more than {} % from what benches/workloads/instructions.txt keeps. If that is meant, keep the \
         new counts, fewer ones too: `NETFORM_BLESS=1 cargo bench --bench workloads -- --instructions`",
        changed.join(", "),
        100.0 * TOLERANCE,
    ))
}
