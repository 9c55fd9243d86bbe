//! Whoever looks at processes while programs run, as the same user and as another: what there is to be found is
//! what docs/exec.md says.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;

use super::outside::Outside;
use super::stand::VALUE;
use crate::values;

/// What the program is given on a descriptor.
const ON_DESCRIPTOR: &str = "fd_7Yq4mB1xRk8sTn2wZc5v";
/// What stands in the program's arguments, and in nobody else's.
const MARK: &str = "sending-and-napping";
/// Looks at everything that the kernel shows, until its standard input ends, for what that named.
const LOOK: &str = "import os, select, sys
wanted = [line.strip().encode() for line in (sys.stdin.readline(), sys.stdin.readline(), sys.stdin.readline())]
own, rounds, found, seen = os.getpid(), 0, set(), False
def read(path):
    try:
        with open(path, 'rb') as file: return file.read()
    except OSError: return b''
while not select.select([sys.stdin], [], [], 0)[0]:
    rounds += 1
    for pid in os.listdir('/proc'):
        if not pid.isdigit() or int(pid) == own: continue
        line = read(f'/proc/{pid}/cmdline')
        seen = seen or b'MARK' in line
        for what, text in (('cmdline', line), ('environ', read(f'/proc/{pid}/environ'))):
            found.update((what, n) for n, one in enumerate(wanted) if one in text)
        try: open_ones = os.listdir(f'/proc/{pid}/fd')
        except OSError: continue
        for one in open_ones: found.add(('fd', one))
print(rounds, seen, sorted(found))";

/// What somebody has found, where, and in whose process.
type Found = BTreeSet<(&'static str, &'static str, String)>;

/// Everything that is looked for, by what it is.
const WANTED: [(&str, &str); 3] = [
    ("sent", values::VALUE),
    ("in a variable", VALUE),
    ("on a descriptor", ON_DESCRIPTOR),
];

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

/// The processes below one, as the kernel lists them.
fn below(pid: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let mut open = vec![pid];
    while let Some(pid) = open.pop() {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let children = bytes(&task.path().join("children"));
            let children = String::from_utf8_lossy(&children).into_owned();
            let children = children
                .split_whitespace()
                .map(|pid| pid.parse::<u32>().unwrap());
            open.extend(children.clone());
            all.extend(children);
        }
    }
    all
}

/// Looks at the daemon and all that it has started, again and again: arguments, environments, open files.
fn poll(daemon: u32, stop: &AtomicBool) -> (u64, Found) {
    let (mut rounds, mut found) = (0, Found::new());
    while !stop.load(Ordering::SeqCst) {
        rounds += 1;
        for pid in below(daemon).into_iter().chain([daemon]) {
            let folder = Path::new("/proc").join(pid.to_string());
            let line = bytes(&folder.join("cmdline"));
            let mut looked = vec![
                ("cmdline", line.clone()),
                ("environ", bytes(&folder.join("environ"))),
            ];
            for file in fs::read_dir(folder.join("fd"))
                .into_iter()
                .flatten()
                .flatten()
            {
                // To read from a pipe would take from the program what it is for.
                let leads = fs::read_link(file.path()).unwrap_or_default();
                if leads.to_string_lossy().starts_with("/memfd:") {
                    looked.push(("fd", bytes(&file.path())));
                }
            }
            // It may have become another program meanwhile.
            let after = bytes(&folder.join("cmdline"));
            for (place, text) in looked {
                for (what, _) in WANTED.iter().filter(|(_, value)| holds(&text, value)) {
                    let line = if after == line { line.as_slice() } else { b"?" };
                    let line = String::from_utf8_lossy(line).replace('\0', " ");
                    found.insert((what, place, line));
                }
            }
        }
    }
    (rounds, found)
}

/// The other user, where this one may become that.
fn stranger() -> Option<Child> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            // Nobody else is this: a server of another test is not what is looked for.
            "--reuid=64201",
            "--regid=64201",
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
        ])
        .arg(LOOK.replace("MARK", MARK))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut wanted = String::new();
    for (_, value) in WANTED {
        wanted.push_str(value);
        wanted.push('\n');
    }
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(wanted.as_bytes())
        .unwrap();
    Some(child)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how often it looked is measured")]
fn x04_who_polls_proc_finds_what_the_documents_say_and_nothing_else() {
    let outside = Outside::new("");
    let call = outside.curl("/echo");
    let script = format!(": {MARK}; for n in 1 2 3; do {call} > out; sleep 0.2; done; cat out");
    let mut template = outside.sender("naps", &script);
    template["program"]["secrets"] = json!([
        { "name": "TOKEN", "variable": "TOKEN" },
        { "name": "MORE", "descriptor": 3 },
    ]);
    let daemon = outside.serve_with(&[]);
    outside.stand.set("MORE", ON_DESCRIPTOR);
    outside.stand.approve(&template);
    let stop = AtomicBool::new(false);
    let mut stranger = stranger();
    let pid = daemon.0.id();
    let begun = Instant::now();
    let (rounds, found) = std::thread::scope(|scope| {
        let polling = scope.spawn(|| poll(pid, &stop));
        for _ in 0..2 {
            let run = outside.stand.run("naps", &json!({}));
            assert_eq!(run["exit"]["number"], 0, "{run}");
        }
        stop.store(true, Ordering::SeqCst);
        polling.join().unwrap()
    });
    println!(
        "{:.0} rounds a second",
        rounds as f64 / begun.elapsed().as_secs_f64()
    );
    assert_eq!(outside.origin.got().len(), 6);
    for (what, place, line) in &found {
        // The program and what it starts, under whatever name it is shown while it starts.
        let is_own = line.contains(MARK)
            || ["curl ", "sleep ", "cat ", "?"]
                .iter()
                .any(|own| line.starts_with(own));
        let is_launcher = line.starts_with("skep-exec ");
        let fits = match (*what, *place) {
            ("in a variable", "environ") => is_own,
            // The same user may look into the launcher too, as the owner of its namespace. What is about to
            // be gone has no arguments any more.
            ("on a descriptor", "fd") => is_own || is_launcher || line.is_empty(),
            _ => false,
        };
        assert!(fits, "{what} in {place} of {line}");
    }
    // A poller that is blind proves nothing.
    for seen in [("in a variable", "environ"), ("on a descriptor", "fd")] {
        assert!(
            found.iter().any(|(what, place, _)| (*what, *place) == seen),
            "{seen:?}: {found:?}"
        );
    }
    if let Some(mut stranger) = stranger.take() {
        drop(stranger.stdin.take());
        let said = stranger.wait_with_output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        println!("another user: {said}");
        assert!(said.ends_with(" True []\n"), "another user: {said}");
    } else {
        println!("this is not root: nobody else looked");
    }
}

/// Whether a process has this in its memory.
fn remembers(pid: u32, text: &str) -> bool {
    let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else {
        return false;
    };
    let Ok(mut memory) = fs::File::open(format!("/proc/{pid}/mem")) else {
        return false;
    };
    maps.lines().any(|line| {
        let mut parts = line.split_whitespace();
        let (range, rights) = (parts.next().unwrap(), parts.next().unwrap());
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut part = vec![0; (to - from) as usize];
        let is_read = rights.starts_with("rw")
            && memory.seek(SeekFrom::Start(from)).is_ok()
            && memory.read_exact(&mut part).is_ok();
        is_read && holds(&part, text)
    })
}

#[test]
fn x04_a_program_that_sent_a_secret_has_nothing_of_it_in_its_memory() {
    let outside = Outside::new("");
    let script = "import os, urllib.request as r
q = r.Request('https://API/echo', headers={'Authorization': 'Bearer ' + os.environ['KEY']})
said = r.urlopen(q).read()
open('gate').read()
print('over')";
    fs::write(
        outside.stand.path("send.py"),
        script.replace("API", &outside.api()),
    )
    .unwrap();
    let template = outside.sender("sends", "exec python3 send.py");
    let daemon = outside.serve_with(&[template]);
    outside.stand.gate("gate");
    let id = outside.stand.asked("sends", &json!({}));
    let gate = outside.stand.at_gate("gate");
    assert_eq!(outside.origin.got().len(), 1);
    let all = below(daemon.0.id());
    let has = |text: &str| all.iter().filter(|pid| remembers(**pid, text)).count();
    assert!(
        has("__skep_key__") >= 1 && has(VALUE) >= 1,
        "who sees nothing proves nothing"
    );
    // Neither the program, nor the launcher that stands between it and its proxy.
    assert_eq!(has(values::VALUE), 0);
    drop(gate);
    outside.stand.ended(&id);
}
