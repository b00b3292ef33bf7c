//! Writing a file so that a crash, a full disk or a reader at the wrong moment meets the old file or the
//! new one, never half of one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};

/// Writes `bytes` as the file `path`, in place of the file that may be there.
///
/// The bytes go into a temporary file in the same folder, are brought to the disk, and then take the
/// name. Where something fails the temporary file is removed and the old file stays. What a process that was killed
/// has left in the folder more than an hour ago is removed, too.
///
/// # Errors
/// If the folder does not exist, or the file cannot be written.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let folder = folder(path)?;
    remove_abandoned(folder);
    let (temporary, mut file) = create_temporary(folder).map_err(|e| explain(path, folder, e))?;
    // The file stays locked until it has its name.
    let outcome = fill(&mut file, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(e) = outcome {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        return Err(explain(path, folder, e));
    }
    sync_folder(folder);
    Ok(())
}

/// The folder of a file: `.` for a bare name.
fn folder(path: &Path) -> Result<&Path> {
    match (path.file_name(), path.parent()) {
        (Some(_), Some(parent)) if parent.as_os_str().is_empty() => Ok(Path::new(".")),
        (Some(_), Some(parent)) => Ok(parent),
        _ => {
            let message = "this is not the name of a file that can be written";
            Err(Error::io(path, io::Error::new(ErrorKind::InvalidInput, message)))
        }
    }
}

/// What the names of temporary files begin and end with; the number of the process and a count are between.
const BEGIN: &str = ".netform-";
const END: &str = ".tmp";
/// Nobody writes a file for so long without a change to it; on a shared disk, locks may be known on one machine alone.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A new file in `folder`, under a name that no other thread or process uses. It is locked, which tells others that
/// somebody writes it.
fn create_temporary(folder: &Path) -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{BEGIN}{}-{count}{END}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            // Left by a process of the same number that was killed: take the next name.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            Ok(file) => {
                // Where the file system has no locks, nobody else gets one either, and nothing is removed.
                let _ = file.lock();
                // Before it was locked, another process may have taken it for abandoned and removed it.
                if path.try_exists()? {
                    return Ok((path, file));
                }
            }
        }
    }
}

/// Removes the temporary files that processes have left which were killed: those that nobody has written to for long, nor
/// has locked. A failure is none: the files are in nobody's way.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    // Opening anything but a file may wait without end.
    let is_old_file = |entry: &fs::DirEntry| {
        entry.file_type().is_ok_and(|kind| kind.is_file())
            && entry
                .metadata()
                .and_then(|it| it.modified())
                .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED))
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_str().is_some_and(is_temporary) || !is_old_file(&entry) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = OpenOptions::new().write(true).open(&path) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether this is a name that [`create_temporary`] gives.
fn is_temporary(name: &str) -> bool {
    let numbers = name.strip_prefix(BEGIN).and_then(|name| name.strip_suffix(END));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers
        .and_then(|numbers| numbers.split_once('-'))
        .is_some_and(|(process, count)| is_number(process) && is_number(count))
}

fn fill(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Brings the new name to the disk. Not every system lets a folder be opened, and the file is whole
/// either way, so that a failure is none.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// The error about a temporary file as one about `path`, with the way out where there is one.
fn explain(path: &Path, folder: &Path, error: io::Error) -> Error {
    let message = match error.kind() {
        ErrorKind::NotFound if !folder.exists() => {
            format!("the folder {} does not exist; create it first", folder.display())
        }
        _ => match way_out(error.kind(), folder) {
            Some(way) => format!("{error}; nothing was changed: {way}"),
            None => return Error::io(path, error),
        },
    };
    Error::io(path, io::Error::new(error.kind(), message))
}

/// The error about a file that grows in `folder`, with the way out where there is one.
pub(crate) fn explain_growing(path: &Path, folder: &Path, error: io::Error) -> Error {
    match way_out(error.kind(), folder) {
        Some(way) => Error::io(path, io::Error::new(error.kind(), format!("{error}: {way}"))),
        None => Error::io(path, error),
    }
}

/// What to do where nothing can be written into a folder.
fn way_out(kind: ErrorKind, folder: &Path) -> Option<String> {
    let folder = folder.display();
    Some(match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("make room on the disk of {folder}, or write to another one")
        }
        ErrorKind::NotADirectory => {
            format!("{folder} is a file, not a folder, or lies in one; write to a folder")
        }
        ErrorKind::FileTooLarge => {
            format!("the system does not let this program write so long a file in {folder}")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            format!("no file can be created in {folder}, write to a folder where one can")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    /// A new, empty folder.
    fn empty_folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("netform-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = empty_folder("replace");
        let path = folder.join("weights");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(&folder), ["weights"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_failure_leaves_no_temporary_file() {
        let folder = empty_folder("failure");
        let taken = folder.join("taken");
        // A file cannot take the place of a folder: the last step fails.
        fs::create_dir(&taken).unwrap();
        let error = write_atomically(&taken, b"bytes").unwrap_err().to_string();
        assert!(error.contains("taken"), "{error}");
        assert_eq!(names(&folder), ["taken"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_bad_path_is_named() {
        let folder = empty_folder("path");
        let error = write_atomically(folder.join("no/weights"), b"").unwrap_err().to_string();
        assert!(error.contains("no/weights") && error.contains("create it first"), "{error}");
        for path in ["", "/", ".."] {
            let error = write_atomically(path, b"").unwrap_err();
            assert!(matches!(error, Error::Io { .. }), "{error}");
        }
        assert!(names(&folder).is_empty());
        // A file where a folder should be.
        fs::write(folder.join("file"), b"old").unwrap();
        let error = write_atomically(folder.join("file/weights"), b"").unwrap_err().to_string();
        assert!(error.contains("file/weights: ") && error.contains("not a folder"), "{error}");
        assert_eq!(fs::read(folder.join("file")).unwrap(), b"old");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_nobody_writes_is_removed_and_nothing_else() {
        let folder = empty_folder("abandoned");
        // Left by a process that is gone, and written by others right now, as its lock or its time says.
        let old = SystemTime::now() - 2 * ABANDONED;
        let create = |name: &str| File::create(folder.join(name)).unwrap();
        create(".netform-12-3.tmp").set_modified(old).unwrap();
        let written = create(".netform-12-4.tmp");
        written.set_modified(old).unwrap();
        written.lock().unwrap();
        create(".netform-12-5.tmp");
        fs::create_dir(folder.join(".netform-12-6.tmp")).unwrap();
        let others =
            [".netform-12.tmp", ".netform-a-1.tmp", "netform-12-3.tmp", ".netform-1-2.tmpx"];
        others.iter().for_each(|name| fs::write(folder.join(name), b"").unwrap());
        write_atomically(folder.join("weights"), b"new").unwrap();
        let mut expected = others.to_vec();
        let kept = [".netform-12-4.tmp", ".netform-12-5.tmp", ".netform-12-6.tmp", "weights"];
        expected.extend(kept);
        expected.sort_unstable();
        let mut found = names(&folder);
        found.sort_unstable();
        assert_eq!(found, expected);
        drop(written);
        write_atomically(folder.join("weights"), b"new").unwrap();
        assert!(!folder.join(".netform-12-4.tmp").exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn threads_do_not_remove_each_others_files() {
        let folder = empty_folder("threads");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let folder = &folder;
                scope.spawn(move || {
                    for _ in 0..50 {
                        let path = folder.join(format!("weights{thread}"));
                        write_atomically(path, &[thread; 100]).unwrap();
                    }
                });
            }
        });
        assert_eq!(names(&folder).len(), 4);
        fs::remove_dir_all(folder).unwrap();
    }

    /// Linux has a file that is always full.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_by_the_system() {
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = fill(&mut full, b"bytes").unwrap_err();
        let message = explain(Path::new("out/run"), Path::new("out"), error).to_string();
        assert!(message.contains("nothing was changed: make room on the disk of out"), "{message}");
    }

    /// Linux has a folder in which not even the superuser creates files.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_closed_folder_is_told_by_the_system() {
        let message = write_atomically("/sys/kernel/weights", b"").unwrap_err().to_string();
        assert!(message.contains("no file can be created in /sys/kernel"), "{message}");
    }

    #[test]
    fn a_full_disk_and_a_closed_folder_have_a_way_out() {
        for (kind, way) in [
            (ErrorKind::StorageFull, "make room on the disk of out"),
            (ErrorKind::ReadOnlyFilesystem, "no file can be created in out"),
            (ErrorKind::PermissionDenied, "write to a folder where one can"),
        ] {
            let error = explain(Path::new("out/run"), Path::new("out"), kind.into()).to_string();
            assert!(error.starts_with("out/run: ") && error.contains(way), "{error}");
        }
    }

    #[test]
    fn a_bare_name_lies_in_this_folder() {
        assert_eq!(folder(Path::new("weights")).unwrap(), Path::new("."));
        assert_eq!(folder(Path::new("a/weights")).unwrap(), Path::new("a"));
    }
}
