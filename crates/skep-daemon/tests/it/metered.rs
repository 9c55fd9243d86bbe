//! Calls of models and `kill -9`: at whatever moment the daemon dies, each call that its provider heard is in the
//! ledger once, with what it cost or with the most that it may have cost, and never with less.
//!
//! A call's number says what it costs, so that an entry tells which call it is of: the provider says that it wrote as
//! many tokens as the number, and the caller allows [`MOST`] more.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::heard::body_of;
use crate::home::Home;

/// Tokens that a call may write beyond those that it does.
const MOST: u64 = 1_000_000;
/// Callers at a time.
const CALLERS: u64 = 4;
/// Calls in a daemon's life before the one that it dies in.
const BEFORE: u64 = 6;

/// Where in a call the daemon dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// The caller has sent it.
    Asked,
    /// The provider has heard it.
    Heard,
    /// The provider has said half of a stream.
    Half,
    /// The provider has said all.
    Said,
    /// The caller was told the first of it.
    Told,
    /// The caller was told all.
    Done,
}

const POINTS: [Point; 6] = [
    Point::Asked,
    Point::Heard,
    Point::Half,
    Point::Said,
    Point::Told,
    Point::Done,
];

/// What those outside the daemon share.
struct Around {
    /// The number of the last call.
    last: AtomicU64,
    /// Where the daemon is to die, and who waits to kill it.
    doom: Mutex<Option<(u64, Point, Sender<()>)>>,
    /// What the provider heard.
    heard: Mutex<BTreeSet<u64>>,
    /// What callers were told whole.
    told: Mutex<BTreeSet<u64>>,
}

impl Around {
    /// A call has come to a point. If it is the one, the daemon is gone when this returns.
    fn reach(&self, number: u64, point: Point) {
        let mut doom = self.doom.lock().unwrap();
        let is_it = doom
            .as_ref()
            .is_some_and(|(at, where_, _)| number >= *at && *where_ == point);
        if is_it && let Some((_, _, killer)) = doom.take() {
            let _ = killer.send(());
        }
    }
}

fn is_stream(number: u64) -> bool {
    number.is_multiple_of(2)
}

/// A provider that notes what it hears before it says a word.
fn provider(around: &Arc<Around>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let around = Arc::clone(around);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let around = Arc::clone(&around);
            thread::spawn(move || while answer(&stream, &around).is_some() {});
        }
    });
    address
}

fn answer(mut stream: &TcpStream, around: &Around) -> Option<()> {
    let body = body_of(stream)?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    let number = body["max_tokens"].as_u64()? - MOST;
    assert!(
        around.heard.lock().unwrap().insert(number),
        "{number} was sent twice"
    );
    around.reach(number, Point::Heard);
    let usage =
        json!({ "prompt_tokens": 1, "completion_tokens": number, "total_tokens": number + 1 });
    let (head, parts) = if is_stream(number) {
        let half =
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ahoy\"}}]}\n\n".to_owned();
        let rest = format!("data: {{\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n");
        ("text/event-stream", [half, rest])
    } else {
        let whole =
            json!({ "id": "x", "object": "chat.completion", "choices": [], "usage": usage });
        ("application/json", [whole.to_string(), String::new()])
    };
    let length: usize = parts.iter().map(String::len).sum();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {head}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all((head + &parts[0]).as_bytes()).ok()?;
    around.reach(number, Point::Half);
    stream.write_all(parts[1].as_bytes()).ok()?;
    around.reach(number, Point::Said);
    Some(())
}

/// Calls until the daemon is gone.
fn caller(socket: &Path, token: &str, around: &Around) {
    loop {
        let number = around.last.fetch_add(1, Ordering::SeqCst) + 1;
        if one(socket, token, around, number).is_none() {
            return;
        }
    }
}

fn one(socket: &Path, token: &str, around: &Around, number: u64) -> Option<()> {
    let body = json!({
        "model": "up/m", "max_tokens": MOST + number, "stream": is_stream(number),
        "messages": [{ "role": "user", "content": "x" }],
    });
    let body = body.to_string();
    let mut stream = UnixStream::connect(socket).ok()?;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    around.reach(number, Point::Asked);
    let mut told = vec![0; 1 << 12];
    let first = stream.read(&mut told).ok().filter(|read| *read > 0)?;
    around.reach(number, Point::Told);
    told.truncate(first);
    stream.read_to_end(&mut told).ok()?;
    let told = String::from_utf8_lossy(&told);
    assert!(told.starts_with("HTTP/1.1 200"), "{number}: {told}");
    let end = if is_stream(number) { "[DONE]" } else { "usage" };
    if !told.contains(end) {
        return None;
    }
    around.told.lock().unwrap().insert(number);
    around.reach(number, Point::Done);
    Some(())
}

fn set(home: &Home, path: &str, body: &Value) -> Value {
    let answer = home.post(path, &body.to_string()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// A home whose model costs a millionth for each token it writes, and the key of whoever calls it.
fn priced(upstream: SocketAddr) -> (Home, String) {
    let home = Home::new();
    let settings = format!(
        "[limits]\nenabled = false\n[gateway]\nprivate_origins = [\"http://{upstream}\"]\n"
    );
    home.put("skep.toml", &settings);
    let daemon = home.serve();
    let url = format!("http://{upstream}/v1");
    let up = json!({ "name": "up", "kind": "compatible", "base_url": url });
    set(&home, "/api/v1/providers", &up);
    let card = json!({ "models": "up/*", "input": "0", "output": "1" });
    set(&home, "/api/v1/rate-cards", &card);
    let budget =
        json!({ "scope": "organization", "period": "total", "kind": "hard", "limit": "1000000" });
    set(&home, "/api/v1/budgets", &budget);
    let key = json!({ "label": "caller", "permissions": ["gateway:use"] });
    let key = set(&home, "/api/v1/keys", &key);
    let token = key["secret"].as_str().unwrap().to_owned();
    assert!(daemon.stop().success());
    (home, token)
}

/// One life of the daemon, from its start to its death at this point of a call.
fn live(home: &Home, token: &str, around: &Arc<Around>, point: Point) {
    let mut daemon = home.serve();
    let (killer, doomed): (Sender<()>, Receiver<()>) = channel();
    let mut at = around.last.load(Ordering::SeqCst) + BEFORE;
    // Only a stream has a half.
    at += u64::from(point == Point::Half && !is_stream(at));
    *around.doom.lock().unwrap() = Some((at, point, killer));
    let socket: PathBuf = home.path().join("skepd.sock");
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| caller(&socket, token, around));
        }
        doomed.recv().unwrap();
        daemon.0.kill().unwrap();
        daemon.0.wait().unwrap();
    });
}

/// The calls of the ledger: of each its entries' outcome and how many tokens it is said to have written.
fn recorded(home: &Home) -> (BTreeMap<u64, Vec<String>>, u64) {
    let export = home
        .get_for_bytes("/api/v1/audit/export?log=usage")
        .unwrap();
    let held = skep_ledger::verify(&mut export.as_slice(), None, None).unwrap();
    let text = String::from_utf8(export).unwrap();
    let (mut calls, mut sum): (BTreeMap<u64, Vec<String>>, u64) = Default::default();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let usage = &line["entry"]["usage"];
        let Some(output) = usage["output"].as_u64() else {
            continue;
        };
        sum += usage["cost"].as_u64().unwrap();
        if usage["outcome"] == "not_sent" {
            continue;
        }
        let number = if output > MOST { output - MOST } else { output };
        let outcome = usage["outcome"].as_str().unwrap().to_owned();
        calls.entry(number).or_default().push(outcome);
    }
    assert!(held.header.size > 0);
    (calls, sum)
}

fn kills(times: usize) {
    let around = Arc::new(Around {
        last: AtomicU64::new(0),
        doom: Mutex::default(),
        heard: Mutex::default(),
        told: Mutex::default(),
    });
    let upstream = provider(&around);
    let (home, token) = priced(upstream);
    for life in 0..times {
        live(&home, &token, &around, POINTS[life % POINTS.len()]);
    }
    let daemon = home.serve();
    let (calls, sum) = recorded(&home);
    let heard = around.heard.lock().unwrap();
    let (mut exact, mut most, mut unheard) = (0, 0, 0);
    for (number, entries) in &calls {
        assert_eq!(entries.len(), 1, "{number} is recorded as {entries:?}");
        match entries[0].as_str() {
            "finished" => {
                assert!(heard.contains(number), "{number} was never heard");
                exact += 1;
            }
            "lost" | "failed" => {
                most += 1;
                unheard += u64::from(!heard.contains(number));
            }
            other => panic!("{number}: {other}"),
        }
    }
    for number in heard.iter() {
        assert!(
            calls.contains_key(number),
            "{number} was heard and is not recorded"
        );
    }
    for number in around.told.lock().unwrap().iter() {
        assert!(heard.contains(number), "{number}");
    }
    // What the ledger has beyond the provider's truth is the bounds of those that nobody knows the end of.
    let truth: u64 = heard.iter().sum();
    let never: u64 = calls.keys().filter(|number| !heard.contains(number)).sum();
    assert_eq!(
        sum,
        truth + never + most * MOST,
        "{most} of {}",
        calls.len()
    );
    let budgets = home.get("/api/v1/budgets").unwrap();
    let budgets: Value = serde_json::from_str(budgets.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(budgets["items"][0]["reserved"], "0.00");
    let spent = format!("{}.{:06}", sum / 1_000_000, sum % 1_000_000);
    let shown = budgets["items"][0]["spent"].as_str().unwrap();
    assert_eq!(spent.trim_end_matches('0'), shown.trim_end_matches('0'));
    println!(
        "{times} kills: {} calls heard, {exact} recorded as they ended, {most} with the most they may have cost, \
         {unheard} of those never heard",
        heard.len()
    );
    assert!(daemon.stop().success());
}

#[test]
fn l06_a_daemon_that_is_killed_in_a_call_loses_none_and_counts_none_twice() {
    kills(18);
}

#[test]
#[ignore = "minutes: run before a release"]
fn l06_a_thousand_kills() {
    kills(1_000);
}
