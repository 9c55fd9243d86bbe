//! Two daemons on one database: what one does, the other knows.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use skep_grpc::protocol::WatchRevocationsRequest;
use skep_grpc::protocol::auth_service_client::AuthServiceClient;
use skep_grpc::protocol::revocation::What;
use skep_grpc::{Destination, ask};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::database::{Place, body, is_kept, recall, remember, said};
use crate::home::{Daemon, Home};

/// Others tell us in this time, or not at all.
const SOON: Duration = Duration::from_secs(20);

/// What every node of these tests has besides a database: they are asked more often than anybody would.
const MORE: &str = "\n[auth.grpc]\nlisten = \"unix:auth.sock\"\n[limits]\nenabled = false\n";

/// Two nodes.
struct Pair {
    place: Place,
    other: Home,
    daemons: [Daemon; 2],
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long somebody waits is wall time"
)]
fn now() -> Instant {
    Instant::now()
}

/// Asks until it is so, which must be soon.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < SOON, "not in time: {what}");
        thread::yield_now();
    }
}

/// A home with the same settings, and the same root key if there is one.
fn another(home: &Home) -> Home {
    let other = Home::new();
    for name in ["skep.toml", "root.key"] {
        if let Ok(text) = fs::read(home.path().join(name)) {
            other.put(name, &String::from_utf8(text).unwrap());
        }
    }
    other
}

impl Pair {
    fn start() -> Self {
        let place = Place::migrated();
        let path = place.home.path().join("skep.toml");
        let settings = fs::read_to_string(path).unwrap();
        place.home.put("skep.toml", &(settings + MORE));
        let first = place.home.serve();
        let other = another(&place.home);
        let second = other.serve();
        Self {
            place,
            other,
            daemons: [first, second],
        }
    }

    fn homes(&self) -> [&Home; 2] {
        [&self.place.home, &self.other]
    }
}

#[test]
fn f05_what_one_node_acknowledged_the_other_recalls_in_its_next_request() {
    let pair = Pair::start();
    for trial in 0..200 {
        let mut homes = pair.homes();
        homes.rotate_left(trial % 2);
        let text = format!("Locker {trial} of the boathouse holds the oars of crew {trial}.");
        let kept = remember(homes[0], &text);
        assert!(is_kept(kept.as_ref()), "{kept:?}");
        let found = recall(
            homes[1],
            &format!("what does locker {trial} of the boathouse hold"),
        );
        assert!(found.contains(&text), "{trial}: {found}");
    }
}

/// Makes a key, which another node lets in.
fn key(home: &Home) -> (String, String) {
    let made = home.post("/api/v1/keys", r#"{"label":"for a while"}"#);
    let made = body(&made.unwrap());
    let text = |at: &Value| at.as_str().unwrap().to_owned();
    (text(&made["key"]["id"]), text(&made["secret"]))
}

/// What a node tells whoever watches it, from the first beat on.
fn watch(home: &Home) -> (thread::JoinHandle<()>, UnboundedReceiver<What>) {
    let (tell, mut told) = unbounded_channel();
    let destination = Destination::Unix(home.path().join("auth.sock"));
    let watching = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async move {
            let mut client = AuthServiceClient::new(ask(&destination).unwrap());
            let stream = client.watch_revocations(WatchRevocationsRequest {}).await;
            let mut stream = stream.unwrap().into_inner();
            while let Ok(Some(news)) = stream.message().await {
                if tell.send(news.what()).is_err() {
                    return;
                }
            }
        });
    });
    assert_eq!(told.blocking_recv(), Some(What::Beat));
    (watching, told)
}

/// The next that is no beat.
fn news(told: &mut UnboundedReceiver<What>) -> What {
    until("news", || {
        let what = told.blocking_recv().unwrap();
        (what != What::Beat).then_some(what)
    })
}

#[test]
fn a11_a_key_revoked_on_one_node_is_refused_by_the_other_at_once_and_its_watchers_are_told() {
    let pair = Pair::start();
    for trial in 0..12 {
        let mut homes = pair.homes();
        homes.rotate_left(trial % 2);
        let (id, secret) = key(homes[0]);
        let (_watching, mut told) = watch(homes[1]);
        let let_in = homes[1].get_as("/api/v1/whoami", &secret).unwrap();
        assert!(is_kept(Some(&let_in)), "{let_in}");
        let revoked = homes[0]
            .post(&format!("/api/v1/keys/{id}/revoke"), "")
            .unwrap();
        assert!(revoked.starts_with("HTTP/1.1 2"), "{revoked}");
        let refused = homes[1].get_as("/api/v1/whoami", &secret).unwrap();
        assert!(refused.starts_with("HTTP/1.1 401"), "{trial}: {refused}");
        assert_eq!(news(&mut told), What::Credential);
    }
}

#[test]
fn f03_what_was_announced_while_nobody_could_listen_is_told_as_something() {
    let pair = Pair::start();
    let [here, there] = pair.homes();
    let (name, database) = (pair.place.database.name(), &pair.place.database);
    // Connections that are there already go on; there are enough of them.
    thread::scope(|scope| {
        for home in [here, there].into_iter().cycle().take(12) {
            scope.spawn(|| recall(home, "anything at all"));
        }
    });
    let (id, _) = key(here);
    let (_watching, mut told) = watch(there);
    database.run(&format!("ALTER DATABASE {name} CONNECTION LIMIT 0"));
    let own = format!(
        "SELECT count(pg_terminate_backend(pid, 20000)) FROM pg_stat_activity
         WHERE datname = '{name}' AND application_name = 'skepd node'"
    );
    assert_eq!(
        database.query(&own),
        "2",
        "each has a connection of its own"
    );
    until("a revocation", || {
        let revoked = here.post(&format!("/api/v1/keys/{id}/revoke"), "").unwrap();
        revoked.starts_with("HTTP/1.1 2").then_some(())
    });
    assert_eq!(news(&mut told), What::Anything);
    assert_eq!(database.query(&own), "0", "and nobody listens");
    database.run(&format!("ALTER DATABASE {name} CONNECTION LIMIT -1"));
    let listens = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = '{name}' AND application_name = 'skepd node' AND query <> ''"
    );
    until("listening again", || {
        (database.query(&listens) == "2").then_some(())
    });
    let (id, _) = key(here);
    assert!(
        here.post(&format!("/api/v1/keys/{id}/revoke"), "")
            .is_some()
    );
    until("a word of its kind", || {
        (news(&mut told) == What::Credential).then_some(())
    });
}

/// One that some daemon made for itself.
fn root_key() -> String {
    let home = Home::new();
    assert!(home.serve().stop().success());
    fs::read_to_string(home.path().join("root.key")).unwrap()
}

#[test]
fn two_nodes_that_begin_at_once_make_one_installation_and_both_serve() {
    let key = root_key();
    for round in 0..3 {
        let place = Place::migrated();
        place.home.put("root.key", &key);
        let other = another(&place.home);
        let homes = [&place.home, &other];
        let daemons = thread::scope(|scope| {
            homes
                .map(|home| scope.spawn(|| home.serve()))
                .map(|start| start.join().unwrap())
        });
        for table in ["instance", "organization", "workspace"] {
            let count = format!("SELECT count(*) FROM skep.{table}");
            assert_eq!(place.database.query(&count), "1", "{round}: {table}");
        }
        let tokens = homes.map(|home| home.path().join("install-token").exists());
        assert_eq!(tokens.iter().filter(|has| **has).count(), 1, "{tokens:?}");
        let text = "The ferry bell is rung twice.";
        assert!(is_kept(remember(homes[0], text).as_ref()));
        let found = recall(homes[1], "how often is the ferry bell rung");
        assert!(found.contains(text), "{found}");
        drop(daemons);
    }
}

#[test]
fn x06_of_two_nodes_that_begin_at_once_with_other_keys_one_serves() {
    let place = Place::migrated();
    let other = another(&place.home);
    for home in [&place.home, &other] {
        home.put("root.key", &root_key());
    }
    let ends = thread::scope(|scope| {
        [&place.home, &other]
            .map(|home| {
                scope.spawn(|| {
                    let mut child = home.command("serve");
                    let mut child = child.stderr(std::process::Stdio::piped()).spawn().unwrap();
                    until("serves or ends", || {
                        let ended = child.try_wait().unwrap().is_some();
                        (ended || home.get("/readyz").is_some()).then_some(())
                    });
                    // One that serves has nothing more to say.
                    let _ = child.kill();
                    child.wait_with_output().unwrap()
                })
            })
            .map(|run| run.join().unwrap())
    });
    let refused: Vec<_> = ends
        .iter()
        .filter(|end| end.status.code() == Some(1))
        .collect();
    assert_eq!(refused.len(), 1, "{:?}", ends.each_ref().map(said));
    let said = said(refused[0]);
    assert!(
        said.contains("all nodes of a database have the same one"),
        "{said}"
    );
    assert_eq!(
        place.database.query("SELECT count(*) FROM skep.workspace"),
        "1"
    );
}

fn waits_for_vectors(home: &Home) -> Option<u64> {
    let health = body(&home.get("/api/v1/system/health")?);
    health["workspace"]["awaiting_vector"].as_u64()
}

#[test]
fn f05_what_a_killed_node_left_of_upkeep_another_takes_over() {
    let mut pair = Pair::start();
    for n in 0..40 {
        let text = format!("Net {n} was mended with {n} knots in the winter of year {n}.");
        assert!(is_kept(remember(&pair.place.home, &text).as_ref()));
    }
    pair.daemons[0].0.kill().unwrap();
    pair.daemons[0].0.wait().unwrap();
    // Nothing is asked of the other one that would make it look at the workspace by itself.
    assert_ne!(
        waits_for_vectors(&pair.other),
        Some(0),
        "there is something left to do"
    );
    until("all is embedded", || {
        (waits_for_vectors(&pair.other) == Some(0)).then_some(())
    });
}

/// Keeps a text for certain: asks one node and the other until one says that it is kept.
fn remember_somewhere(homes: [&Home; 2], from: usize, text: &str) -> String {
    let begun = now();
    for turn in from.. {
        if let Some(answer) = remember(homes[turn % 2], text).filter(|kept| is_kept(Some(kept))) {
            return body(&answer)["memory"]["id"].as_str().unwrap().to_owned();
        }
        assert!(begun.elapsed() < 3 * SOON, "no node keeps it: {text}");
        thread::yield_now();
    }
    unreachable!("there is a next turn")
}

#[test]
fn f05_nodes_that_are_restarted_in_turn_under_load_lose_nothing_and_keep_nothing_twice() {
    let mut pair = Pair::start();
    let (over, kept) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let Pair {
        place,
        other,
        daemons,
    } = &mut pair;
    let homes = [&place.home, &*other];
    thread::scope(|scope| {
        for writer in 0..4 {
            let (over, kept) = (&over, &kept);
            scope.spawn(move || {
                for n in 0_usize.. {
                    let text = format!("Cask {writer}-{n} in the cellar is sealed with wax {n}.");
                    let id = remember_somewhere(homes, writer + n, &text);
                    kept.lock().unwrap().push(id);
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        for (turn, signal) in [Signal::TERM, Signal::KILL, Signal::KILL, Signal::TERM]
            .into_iter()
            .enumerate()
        {
            let before = kept.lock().unwrap().len();
            until("some are kept", || {
                (kept.lock().unwrap().len() > before + 8).then_some(())
            });
            let daemon = &mut daemons[turn % 2];
            kill_process(Pid::from_child(&daemon.0), signal).unwrap();
            let ended = daemon.0.wait().unwrap();
            assert_eq!(ended.success(), signal == Signal::TERM, "{ended}");
            *daemon = homes[turn % 2].serve();
        }
        over.store(true, Ordering::Relaxed);
    });
    let kept = kept.into_inner().unwrap();
    let ids: BTreeSet<&String> = kept.iter().collect();
    assert_eq!(ids.len(), kept.len(), "each has an id of its own");
    let rows = place.database.query("SELECT count(*) FROM skep.memory");
    assert_eq!(rows, kept.len().to_string(), "none is there twice");
    for id in ids {
        let answer = homes[0].get(&format!("/api/v1/memories/{id}")).unwrap();
        assert!(is_kept(Some(&answer)), "acknowledged and gone: {answer}");
    }
}

#[test]
fn a_node_that_is_told_to_stop_says_so_before_it_takes_nothing_more() {
    let home = Home::new();
    home.put("skep.toml", "[server]\ndrain_ms = 60000\n");
    let mut daemon = home.serve();
    let pid = Pid::from_child(&daemon.0);
    kill_process(pid, Signal::TERM).unwrap();
    let answer = until("it says that it stops", || {
        let answer = home.get("/readyz").unwrap();
        answer.starts_with("HTTP/1.1 503").then_some(answer)
    });
    assert!(answer.contains("about to stop"), "{answer}");
    assert!(
        answer.to_lowercase().contains("\r\nretry-after: 1\r\n"),
        "{answer}"
    );
    assert!(home.get("/healthz").unwrap().starts_with("HTTP/1.1 200"));
    let text = "The last passenger has a ticket.";
    assert!(
        is_kept(remember(&home, text).as_ref()),
        "what comes is still answered"
    );
    // Asked again, it goes at once.
    kill_process(pid, Signal::TERM).unwrap();
    assert!(daemon.0.wait().unwrap().success());
}
