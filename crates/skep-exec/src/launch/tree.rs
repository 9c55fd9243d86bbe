//! Killing everything below a process, where no process namespace does it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

/// Rounds after which it is given up: what forks faster than it is killed has a bound of processes.
const ROUNDS: usize = 2_000;

/// Kills until nothing below this process is left. Orphans come to us, as we are their reaper, so
/// whoever detaches itself is still below.
pub(super) fn kill_descendants() {
    for _ in 0..ROUNDS {
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let below = descendants();
        if below.is_empty() {
            return;
        }
        // First nobody can fork any more, then nobody is there.
        for signal in [Signal::STOP, Signal::KILL] {
            for pid in &below {
                let _ = kill_process(*pid, signal);
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn descendants() -> Vec<Pid> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(parent) = parent(&stat) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = BTreeSet::new();
    let mut open = vec![getpid().as_raw_nonzero().get()];
    while let Some(parent) = open.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            found.insert(child);
            open.push(child);
        }
    }
    found.into_iter().filter_map(Pid::from_raw).collect()
}

/// The parent in a line of `/proc/PID/stat`. The name before it may hold anything, but it ends with
/// the last parenthesis. One that is dead already counts for nothing.
fn parent(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (state != "Z").then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::parent;

    #[test]
    fn a_name_cannot_pretend_to_be_fields() {
        assert_eq!(parent("7 (sh) S 3 7 7 0"), Some(3));
        assert_eq!(parent("7 (a) S 1 (b) R 4 7"), Some(4));
        assert_eq!(parent("7 (sh) Z 3 7"), None);
        assert_eq!(parent(""), None);
    }
}
