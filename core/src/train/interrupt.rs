//! Ctrl-C during training: the first one ends it after the batch under way, the next one ends the program.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::error::{Error, Result};

/// What a shell gives a program that Ctrl-C has ended: 128 and the number of the signal.
const EXIT_CODE: i32 = 130;

/// Whether Ctrl-C was pressed. It stays set: what comes after the training is to end as well.
static PRESSED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// How many trainings are under way that the flag ends.
static TRAININGS: AtomicUsize = AtomicUsize::new(0);

/// The flag that Ctrl-C sets from now on, in place of ending the program.
pub(super) fn flag() -> Result<Arc<AtomicBool>> {
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*installed && !is_ignored() {
        ctrlc::try_set_handler(pressed).map_err(|error| {
            Error::Invalid(format!(
                "Ctrl-C cannot be listened to: {error}; where the program has a handler of its own, let it set a flag and give that to Trainer::stop_when; where it was started with Ctrl-C ignored, as by `program &` in a script, do not call this"
            ))
        })?;
        *installed = true;
    }
    Ok(PRESSED.clone())
}

/// Whether the program was started with Ctrl-C ignored, as by `program &` in a script, and so is not to listen to it;
/// only Linux says so: in the mask of ignored signals of proc(5), where bit n - 1 is signal n and SIGINT is 2.
fn is_ignored() -> bool {
    let status = match cfg!(target_os = "linux") {
        true => std::fs::read_to_string("/proc/self/status").unwrap_or_default(),
        false => return false,
    };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 2 != 0)
}

/// What Ctrl-C does; on a thread of its own.
fn pressed() {
    let again = PRESSED.swap(true, Ordering::SeqCst);
    if again || TRAININGS.load(Ordering::SeqCst) == 0 {
        std::process::exit(EXIT_CODE);
    }
    // Nobody may be there to read it.
    let _ = writeln!(
        std::io::stderr(),
        "\nCtrl-C: training ends after this batch; once more ends the program at once"
    );
}

/// A training that Ctrl-C ends, as long as this lives.
pub(super) struct Training(());

impl Training {
    /// Where the flag is among those that end the training.
    pub fn begin(stops: &[Arc<AtomicBool>]) -> Option<Self> {
        stops.iter().any(|stop| Arc::ptr_eq(stop, &PRESSED)).then(|| {
            TRAININGS.fetch_add(1, Ordering::SeqCst);
            Training(())
        })
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        TRAININGS.fetch_sub(1, Ordering::SeqCst);
    }
}
