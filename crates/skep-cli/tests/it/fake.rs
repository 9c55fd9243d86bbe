//! A daemon that keeps turns and cursors in memory, by the rules of the real one.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use skep_api::capture::{CaptureRequest, SessionRef, TurnInput};

use crate::scripted::{Received, Reply, serve_unix};

/// One session as it was captured.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) as_sent: SessionRef,
    pub(crate) turns: Vec<TurnInput>,
    known: HashSet<String>,
    pub(crate) ended: u32,
}

/// What the daemon holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By harness and external id.
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) cursors: BTreeMap<String, String>,
    /// Turns of each batch, in order of arrival.
    pub(crate) batches: Vec<usize>,
    /// Bytes of the largest body.
    pub(crate) largest: usize,
    /// Answers given before the daemon does as it otherwise would.
    pub(crate) first: Vec<Reply>,
    /// Captures after which it dies without an answer.
    pub(crate) dies_after: Option<usize>,
    /// It takes captures and dies before it says so.
    pub(crate) is_silent: bool,
    /// The paths of all requests, in order.
    pub(crate) asked: Vec<String>,
}

/// The running daemon.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<State>>);

impl Fake {
    /// Serves on the socket of a home.
    pub(crate) fn start(home: &Path) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let script = Arc::new(move |received: &Received| shared.lock().unwrap().answer(received));
        serve_unix(&home.join("skepd.sock"), script);
        Self(state)
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// Every turn of every session, as text.
    pub(crate) fn dump(&self) -> String {
        self.with(|state| {
            let mut text = String::new();
            for (key, session) in &state.sessions {
                let sent = &session.as_sent;
                writeln!(text, "== {key}").unwrap();
                writeln!(
                    text,
                    "   title {:?} project {:?} ended {}",
                    sent.title, sent.project, session.ended
                )
                .unwrap();
                for turn in &session.turns {
                    describe(&mut text, turn);
                }
            }
            text
        })
    }

    pub(crate) fn turns(&self) -> usize {
        self.with(|state| {
            state
                .sessions
                .values()
                .map(|session| session.turns.len())
                .sum()
        })
    }
}

fn describe(text: &mut String, turn: &TurnInput) {
    let tool = turn.tool.as_deref().unwrap_or("-");
    let error = if turn.is_error { " ERROR" } else { "" };
    let (at, id) = (turn.at, &turn.client_event_id);
    writeln!(
        text,
        "{} {:?} {tool}{error} {at} {id} {:?}",
        turn.role, turn.branch, turn.paths
    )
    .unwrap();
    for line in turn.text.lines() {
        writeln!(text, "    {line}").unwrap();
    }
}

impl State {
    fn answer(&mut self, received: &Received) -> Reply {
        let path = received.target.split('?').next().unwrap_or_default();
        self.asked.push(path.to_owned());
        match path {
            "/readyz" => reply(&json!({ "status": "ok" })),
            "/api/v1/system/health" => reply(&self.health()),
            "/api/v1/imports/cursor" => self.cursor(&received.body),
            "/api/v1/capture" if !self.first.is_empty() => self.first.remove(0),
            "/api/v1/capture" => self.capture(&received.body),
            _ if path.ends_with("/end") => self.end(path),
            _ => self
                .first
                .pop()
                .unwrap_or_else(|| refuse(404, "NOT_FOUND", &json!([]))),
        }
    }

    fn health(&self) -> Value {
        let ended: u32 = self.sessions.values().map(|session| session.ended).sum();
        json!({
            "version": env!("CARGO_PKG_VERSION"), "mode": "local", "status": "ok",
            "started_at": "2026-05-22T08:00:00Z", "pid": 1, "listeners": ["unix:skepd.sock"],
            "store": "memory", "embedder": "none",
            "workspace": { "name": "default", "sessions": self.sessions.len(), "turns": 0,
                "memories": ended * 3, "awaiting_vector": 0, "awaiting_distil": 0, "seq": 1 },
            "index": { "workspaces": 1, "bytes": 10, "budget": 20 },
        })
    }

    fn cursor(&self, body: &[u8]) -> Reply {
        let request: Value = serde_json::from_slice(body).unwrap();
        let position = self.cursors.get(request["source"].as_str().unwrap());
        reply(&json!({ "position": position }))
    }

    fn capture(&mut self, body: &[u8]) -> Reply {
        if self
            .dies_after
            .is_some_and(|captures| self.batches.len() >= captures)
        {
            return Reply::Raw(Vec::new());
        }
        let batch: CaptureRequest = serde_json::from_slice(body).unwrap();
        self.largest = self.largest.max(body.len());
        self.batches.push(batch.turns.len());
        let key = format!("{} {}", batch.session.harness, batch.session.external_id);
        let session = self.sessions.entry(key.clone()).or_insert_with(|| Session {
            as_sent: batch.session,
            turns: Vec::new(),
            known: HashSet::new(),
            ended: 0,
        });
        let sent = batch.turns.len();
        let mut stored = 0;
        for turn in batch.turns {
            if session.known.insert(turn.client_event_id.clone()) {
                session.turns.push(turn);
                stored += 1;
            }
        }
        if let Some(cursor) = batch.cursor {
            self.cursors.insert(cursor.source, cursor.position);
        }
        if self.is_silent {
            return Reply::Raw(Vec::new());
        }
        reply(&json!({
            "session": key.replace(' ', "_"), "stored": stored, "duplicates": sent - stored,
            "redacted": 0, "cut": 0,
        }))
    }

    fn end(&mut self, path: &str) -> Reply {
        let id = path
            .trim_start_matches("/api/v1/sessions/")
            .trim_end_matches("/end");
        let id = id.replace("%2F", "/").replace("%23", "#");
        let (key, session) = self
            .sessions
            .iter_mut()
            .find(|(key, _)| key.replace(' ', "_") == id)
            .unwrap();
        session.ended += 1;
        reply(&json!({
            "session": { "id": key, "harness": "x", "state": "ended", "turns": session.turns.len(),
                "memories": 3, "started_at": "2026-05-22T08:00:00Z", "last_at": "2026-05-22T08:00:00Z" },
            "memories": 3, "known": 0,
        }))
    }
}

fn reply(answer: &Value) -> Reply {
    Reply::Json(200, answer.to_string())
}

/// A refusal in the daemon's form.
pub(crate) fn refuse(status: u16, code: &str, details: &Value) -> Reply {
    let envelope = json!({ "error": {
        "code": code, "message": "refused for the test", "request_id": "r-7", "details": details,
    } });
    Reply::Json(status, envelope.to_string())
}
