//! Files that are not written to their end: by a process that is killed, and where there is no room. The old file is
//! there as it was, and nothing else.
#![cfg(unix)]

extern crate netform_core as netform;

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use common::Folder;
use netform_core::io::write_atomically;

/// More than the shell's limit of the test below: 64 blocks of 512 or 1024 bytes.
const LONG: usize = 1 << 20;

/// Not a test: what the others run in processes of their own. It writes long files without end, or one, and prints what
/// came of it.
#[test]
fn child() {
    let Some(path) = std::env::var_os("NETFORM_ATOMIC_FILE") else { return };
    let endless = std::env::var_os("NETFORM_ATOMIC_ENDLESS").is_some();
    loop {
        match write_atomically(Path::new(&path), &vec![b'n'; LONG]) {
            Ok(()) => println!("written"),
            Err(error) => println!("error: {error}"),
        }
        if !endless {
            return;
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

const ARGUMENTS: [&str; 4] = ["--exact", "child", "--nocapture", "--test-threads=1"];

#[test]
fn no_room_leaves_the_old_file() {
    let folder = Folder::new("atomic-room");
    let path = folder.file("weights", b"old");
    // The system lets this process write short files only, and does not kill it where one gets too long.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(ARGUMENTS)
        .env("NETFORM_ATOMIC_FILE", &path)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.lines().find(|line| line.contains("error: ")).unwrap_or(&text);
    assert!(said.contains("weights: ") && said.contains("nothing was changed"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(&folder.0), ["weights"]);
}

#[test]
fn what_a_killed_process_left_is_removed_by_the_next_file() {
    let folder = Folder::new("atomic-killed");
    let path = folder.file("weights", b"old");
    let mut left = 0;
    // A kill that falls between two files leaves nothing.
    for _ in 0..200 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(ARGUMENTS)
            .env("NETFORM_ATOMIC_FILE", &path)
            .env("NETFORM_ATOMIC_ENDLESS", "")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.find(|line| line.as_ref().unwrap().contains("written")).unwrap().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(fs::read(&path).unwrap() == vec![b'n'; LONG], "a whole file");
        left = names(&folder.0).len() - 1;
        if left > 0 {
            break;
        }
    }
    let is_left = |name: &String| name != "weights";
    for name in names(&folder.0).into_iter().filter(is_left) {
        // As if time had passed.
        let file = fs::OpenOptions::new().write(true).open(folder.0.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(2 * 60 * 60)).unwrap();
    }
    assert!(left > 0, "no kill fell into a file");
    write_atomically(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(&folder.0), ["weights"]);
}
