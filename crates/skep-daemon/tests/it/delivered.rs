//! Sinks and `kill -9`: at whatever moment the daemon dies, each entry of the ledger arrives outside, and what arrives
//! twice has the same id. The receiver keeps entries by their id, as a receiver has to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::heard::body_of;
use crate::home::Home;

/// Where in a delivery the daemon dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// Entries are recorded, and nobody was asked yet.
    Recorded,
    /// The receiver was called.
    Called,
    /// It has heard the message and not answered.
    Heard,
    /// It has answered that it took it.
    Answered,
}

const POINTS: [Point; 4] = [
    Point::Recorded,
    Point::Called,
    Point::Heard,
    Point::Answered,
];

/// Entries of a daemon's life before the one that it dies in.
const BEFORE: usize = 8;

#[derive(Default)]
struct Around {
    /// What was taken: entries by their id.
    taken: Mutex<BTreeMap<String, String>>,
    changed: Condvar,
    /// Messages that were heard, and entries in messages that were answered.
    counts: Mutex<(u64, u64)>,
    /// Where the daemon is to die, and who waits to kill it.
    doom: Mutex<Option<(Point, Sender<()>)>>,
}

impl Around {
    /// A delivery has come to a point. If it is the one, the daemon is as good as gone.
    fn reach(&self, point: Point) {
        let mut doom = self.doom.lock().unwrap();
        if doom.as_ref().is_some_and(|(at, _)| *at == point)
            && let Some((_, killer)) = doom.take()
        {
            let _ = killer.send(());
        }
    }

    fn hear(&self, stream: &mut TcpStream) -> Option<()> {
        self.reach(Point::Called);
        let body = body_of(stream)?;
        self.counts.lock().unwrap().0 += 1;
        self.reach(Point::Heard);
        // It is taken before it is answered: whoever dies in between is sent it again.
        let body: Value = serde_json::from_slice(&body).ok()?;
        let entries = body["entries"].as_array()?;
        let mut taken = self.taken.lock().unwrap();
        for entry in entries {
            let id = entry["entry"]["id"].as_str()?.to_owned();
            let line = entry.to_string();
            let known = taken.insert(id, line.clone());
            assert!(
                known.is_none_or(|known| known == line),
                "an id has two entries"
            );
        }
        self.counts.lock().unwrap().1 += entries.len() as u64;
        drop(taken);
        self.changed.notify_all();
        let answer = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).ok()?;
        self.reach(Point::Answered);
        Some(())
    }
}

fn receiver(around: &Arc<Around>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let around = Arc::clone(around);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let around = Arc::clone(&around);
            thread::spawn(move || around.hear(&mut stream));
        }
    });
    address
}

fn set(home: &Home, path: &str, body: &Value) -> Value {
    let answer = home.post(path, &body.to_string()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// One life of the daemon, from its start to its death at this point of a delivery.
fn live(home: &Home, around: &Arc<Around>, point: Point) {
    let mut daemon = home.serve();
    let (killer, doomed): (Sender<()>, Receiver<()>) = channel();
    for number in 0..BEFORE {
        remember(home, number).unwrap();
    }
    *around.doom.lock().unwrap() = Some((point, killer));
    let daemon = &mut daemon;
    thread::scope(|scope| {
        scope.spawn(move || {
            let died = doomed.recv_timeout(Duration::from_mins(1));
            daemon.0.kill().unwrap();
            daemon.0.wait().unwrap();
            died.unwrap_or_else(|_| panic!("{point:?} never came"));
        });
        for number in 0..BEFORE {
            // It may be dead by now.
            let _ = remember(home, number);
        }
        around.reach(Point::Recorded);
    });
}

/// Something that is recorded.
fn remember(home: &Home, number: usize) -> Option<()> {
    let body = json!({ "text": format!("The lamp of berth {number} is green.") });
    let answer = home.post("/api/v1/memories", &body.to_string())?;
    let status = answer.lines().next()?;
    assert!(status.starts_with("HTTP/1.1 2"), "{answer}");
    Some(())
}

/// The ids of the record's entries, from the first that a sink is given.
fn recorded(home: &Home) -> BTreeSet<String> {
    let export = home.get_for_bytes("/api/v1/audit/export").unwrap();
    let text = String::from_utf8(export).unwrap();
    let records = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ids = records.filter_map(|record| Some(record["entry"]["id"].as_str()?.to_owned()));
    ids.collect()
}

/// The ids of entries in the files of a folder.
fn written(folder: &Path) -> Vec<String> {
    let mut ids = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let records = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let audit = records.filter(|record| record["entry"]["log"] == "audit");
        let own = audit.filter(|record| {
            let nobody = "00000000-0000-0000-0000-000000000000";
            record["entry"]["organization"] != nobody
        });
        ids.extend(own.map(|record| record["entry"]["id"].as_str().unwrap().to_owned()));
    }
    ids
}

fn kills(times: usize) {
    let around = Arc::new(Around::default());
    let address = receiver(&around);
    let home = Home::new();
    home.put(
        "skep.toml",
        &format!(
            "[limits]\nenabled = false\n[sinks]\nprivate_origins = [\"http://{address}\"]\n\
             [[sinks.file]]\nname = \"archive\"\nfolder = \"out\"\n"
        ),
    );
    let daemon = home.serve();
    let sink = json!({ "name": "siem", "url": format!("http://{address}/"), "logs": ["audit"], "from": "start" });
    let made = set(&home, "/api/v1/sinks", &sink);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert!(daemon.stop().success());
    for life in 0..times {
        live(&home, &around, POINTS[life % POINTS.len()]);
    }
    let daemon = home.serve();
    let wanted = recorded(&home);
    let taken = around.taken.lock().unwrap();
    let waits =
        |taken: &mut BTreeMap<String, String>| !wanted.iter().all(|id| taken.contains_key(id));
    let minute = Duration::from_mins(1);
    let (taken, late) = around
        .changed
        .wait_timeout_while(taken, minute, waits)
        .unwrap();
    assert!(
        !late.timed_out(),
        "{} of {} arrived",
        taken.len(),
        wanted.len()
    );
    assert!(wanted.len() >= times * BEFORE);
    let arrived = taken.len();
    drop(taken);
    let folder = home.path().join("out");
    let in_files = loop {
        let ids = written(&folder);
        let once: BTreeSet<&String> = ids.iter().collect();
        if wanted.iter().all(|id| once.contains(id)) {
            break ids.len();
        }
        // Until nextest gives up.
        thread::yield_now();
    };
    let (heard, entries) = *around.counts.lock().unwrap();
    println!(
        "{times} kills: {} entries recorded, {arrived} arrived in {heard} messages, {} of them more than once; {in_files} \
         lines in files",
        wanted.len(),
        entries - arrived as u64
    );
    assert!(daemon.stop().success());
}

#[test]
fn l06_a_daemon_that_is_killed_in_a_delivery_loses_no_entry() {
    kills(8);
}

#[test]
#[ignore = "minutes: run before a release"]
fn l06_a_thousand_kills() {
    kills(1_000);
}
