//! The real daemon on a real database: the way there from nothing, what it refuses to serve, and what
//! becomes of it when either side dies.

use std::fs;
use std::process::{Command, Output};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde_json::{Value, json};
use skep_test_programs::postgres::{Alone, Database, Server};

use crate::home::Home;

/// A home whose daemon uses a database of its own.
pub(crate) struct Place {
    pub(crate) home: Home,
    pub(crate) database: Database,
}

impl Place {
    /// An empty database.
    fn empty() -> Self {
        let home = Home::new();
        let database = block_on(Server::shared().database("of_nothing", |_, _| async {}));
        let socket = Server::shared().socket();
        home.put(
            "skep.toml",
            &settings(&socket.display().to_string(), database.name(), ""),
        );
        Self { home, database }
    }

    /// A database that is ready.
    pub(crate) fn migrated() -> Self {
        let place = Self::empty();
        let done = place.migrate(&[]);
        assert!(done.status.success(), "{}", said(&done));
        place
    }

    fn migrate(&self, more: &[&str]) -> Output {
        self.migration(more).output().unwrap()
    }

    fn migration(&self, more: &[&str]) -> Command {
        let (name, socket) = (self.database.name(), Server::shared().socket());
        let url = format!("postgres://postgres@/{name}?host={}", socket.display());
        let mut command = self.home.command("migrate");
        command.args(["--admin-url", &url]).args(more);
        command
    }

    fn refused(&self) -> String {
        self.home.refused(self.home.command("serve"))
    }
}

pub(crate) fn settings(host: &str, database: &str, more: &str) -> String {
    format!(
        "[server]\nmode = \"local\"\n[store]\nbackend = \"postgres\"\nhost = \"{host}\"\n\
         database = \"{database}\"\n{more}"
    )
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

/// Has it remember a text; the answer's head says whether it did.
pub(crate) fn remember(home: &Home, text: &str) -> Option<String> {
    home.post("/api/v1/memories", &json!({ "text": text }).to_string())
}

pub(crate) fn recall(home: &Home, query: &str) -> String {
    // A busy machine takes its time.
    let body = json!({ "query": query, "deadline_ms": 30_000 }).to_string();
    home.post("/api/v1/recall", &body).unwrap_or_default()
}

pub(crate) fn is_kept(answer: Option<&String>) -> bool {
    answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

pub(crate) fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    serde_json::from_str(body).unwrap_or_default()
}

#[test]
fn a_database_is_made_ready_served_and_holds_what_is_remembered() {
    let place = Place::empty();
    let done = place.migrate(&[]);
    assert!(
        printed(&done).contains("applied: V1__installation"),
        "{}",
        printed(&done)
    );
    let again = place.migrate(&[]);
    assert!(
        printed(&again).starts_with("nothing to do\n"),
        "{}",
        printed(&again)
    );
    let again = place.migrate(&["--json"]);
    let report: Value = serde_json::from_str(&printed(&again)).unwrap();
    assert_eq!(report["applied"], json!([]));
    assert_eq!(
        (&report["roles"], &report["password"]),
        (&json!([]), &json!(false))
    );
    let text = "The tide gauge is read at noon.";
    let daemon = place.home.serve();
    assert!(is_kept(remember(&place.home, text).as_ref()));
    let found = recall(&place.home, "when is the tide gauge read");
    assert!(found.contains(text), "{found}");
    let posture = body(&place.home.get("/api/v1/system/posture").unwrap());
    let store = posture["store"].as_str().unwrap();
    assert!(
        store.starts_with("postgres 1") && store.contains("role skep_app"),
        "{store}"
    );
    assert!(store.contains("Unix socket"), "{store}");
    assert!(daemon.stop().success());
    assert!(
        !place.home.path().join("data").exists(),
        "no files beside the database"
    );
    let _daemon = place.home.serve();
    let found = recall(&place.home, "when is the tide gauge read");
    assert!(found.contains(text), "{found}");
}

#[test]
fn x06_another_root_key_opens_no_database_and_changes_nothing() {
    let place = Place::migrated();
    assert!(place.home.serve().stop().success());
    let (config, other) = (
        fs::read_to_string(place.home.path().join("skep.toml")),
        Home::new(),
    );
    other.put("skep.toml", &config.unwrap());
    let lost = other.run("serve");
    assert!(
        said(&lost).contains("the root key is missing"),
        "{}",
        said(&lost)
    );
    let stranger = Home::new();
    assert!(stranger.serve().stop().success());
    fs::copy(
        stranger.path().join("root.key"),
        other.path().join("root.key"),
    )
    .unwrap();
    let refused = other.run("serve");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("all nodes of a database have the same one"),
        "{}",
        said(&refused)
    );
    // With the right one it is another node, and the first one's token stays good.
    fs::copy(
        place.home.path().join("root.key"),
        other.path().join("root.key"),
    )
    .unwrap();
    assert!(other.serve().stop().success());
    let token = fs::read_to_string(place.home.path().join("install-token")).unwrap();
    let _daemon = place.home.serve();
    let answer = place.home.get_as("/api/v1/memories", token.trim()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn f09_a_database_of_another_schema_is_refused_with_what_to_do() {
    let place = Place::empty();
    let refused = place.refused();
    assert!(refused.contains("skepd migrate --admin-url"), "{refused}");
    let refused = place.home.run("migrate");
    assert!(
        said(&refused).contains("use --admin-url postgres://"),
        "{}",
        said(&refused)
    );
    assert!(place.migrate(&[]).status.success());
    place.database.run(
        "INSERT INTO skep.refinery_schema_history (version, name, applied_on, checksum)
         VALUES (99, 'of_the_future', '2026-01-01T00:00:00Z', '1')",
    );
    let refused = place.refused();
    assert!(refused.contains("later version"), "{refused}");
    let before = place
        .database
        .query("SELECT count(*) FROM skep.refinery_schema_history");
    let refused = place.migrate(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("another version of this program"),
        "{}",
        said(&refused)
    );
    let after = place
        .database
        .query("SELECT count(*) FROM skep.refinery_schema_history");
    assert_eq!(before, after);
}

#[test]
fn f09_a_migration_that_is_killed_half_way_leaves_nothing_and_is_done_again() {
    let place = Place::migrated();
    place.database.run("DROP SCHEMA skep CASCADE");
    place
        .database
        .run("CREATE SCHEMA skep AUTHORIZATION skep_owner");
    let (server, name) = (Server::shared(), place.database.name().to_owned());
    thread::scope(|scope| {
        // Somebody is in the way of one table in the middle, for as long as it takes.
        let blocker = "BEGIN; CREATE TABLE skep.memory (a int); SELECT pg_sleep(600)";
        let held = scope.spawn(|| server.ask(&name, blocker));
        let waits = |what: &str| {
            let held_up = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND {what}"
            );
            while server.query("postgres", &held_up) == "0" {
                thread::yield_now();
            }
        };
        waits("wait_event = 'PgSleep'");
        let mut migration = place.migration(&[]).spawn().unwrap();
        waits("wait_event_type = 'Lock' AND wait_event <> 'advisory'");
        migration.kill().unwrap();
        migration.wait().unwrap();
        let end = format!(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        server.run("postgres", &end);
        assert!(held.join().unwrap().is_err());
    });
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'skep'";
    let history = "AND tablename <> 'refinery_schema_history'";
    assert_eq!(place.database.query(&format!("{tables} {history}")), "0");
    assert!(place.refused().contains("skepd migrate"));
    let done = place.migrate(&[]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(place.home.serve().stop().success());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a line for each weakness")]
fn t07_a_database_that_does_not_keep_workspaces_apart_is_refused_with_all_that_is_wrong() {
    let place = Place::migrated();
    for (weaken, shown) in [
        (
            "ALTER TABLE skep.memory NO FORCE ROW LEVEL SECURITY",
            "skep.memory lets its owner past",
        ),
        (
            "ALTER TABLE skep.turn DISABLE ROW LEVEL SECURITY",
            "skep.turn is without row-level security",
        ),
        (
            "DROP POLICY own_workspace ON skep.session",
            "skep.session has not exactly one policy",
        ),
        (
            "GRANT TRUNCATE ON skep.project TO skep_app",
            "may TRUNCATE skep.project",
        ),
        (
            "GRANT UPDATE ON skep.audit TO skep_app",
            "may UPDATE skep.audit",
        ),
        (
            "GRANT CREATE ON SCHEMA public TO skep_app",
            "may make tables in the schema public",
        ),
        (
            "CREATE VIEW public.peek AS SELECT * FROM skep.memory; GRANT SELECT ON public.peek TO skep_app",
            "the view public.peek reads as its owner",
        ),
        (
            "CREATE FUNCTION public.peer() RETURNS int SECURITY DEFINER LANGUAGE sql RETURN 1",
            "the function public.peer() acts as its owner",
        ),
    ] {
        place.database.run(weaken);
        let refused = place.refused();
        assert!(
            refused.contains("does not keep workspaces apart"),
            "{refused}"
        );
        // Names are shown with the schema only where it is not the first one looked in.
        let short = shown.replace("skep.", "");
        assert!(refused.contains(&short), "{weaken}: {refused}");
    }
    let all = place.refused();
    assert_eq!(all.matches("\n  - ").count(), 8, "{all}");
    for name in [
        "memory",
        "turn",
        "session",
        "project",
        "audit",
        "public.peek",
        "public.peer()",
    ] {
        assert!(all.contains(name), "{name}: {all}");
    }
    assert!(
        !place.home.path().join("root.key").exists(),
        "nothing was begun"
    );
}

#[test]
fn t07_a_role_that_lacks_a_right_is_refused_and_mended_by_a_migration() {
    let place = Place::migrated();
    let lose = "REVOKE SELECT, INSERT, UPDATE, DELETE ON skep.memory FROM skep_app";
    place.database.run(lose);
    let refused = place.refused();
    for said in [
        "skep_app may not SELECT, INSERT, UPDATE, DELETE skep.memory",
        "does not let this node",
    ] {
        assert!(refused.contains(said), "{refused}");
    }
    let done = place.migrate(&[]);
    let given = "given back to skep_app: SELECT, INSERT, UPDATE, DELETE on skep.memory";
    assert!(printed(&done).contains(given), "{}", printed(&done));
    let daemon = place.home.serve();
    becomes(&place.home, "200");
    place.database.run(lose);
    let unready = becomes(&place.home, "503");
    assert!(
        unready.contains("does not let this daemon do its work"),
        "{unready}"
    );
    assert!(!unready.contains("memory"), "{unready}");
    assert!(place.migrate(&[]).status.success());
    becomes(&place.home, "200");
    assert!(is_kept(
        remember(&place.home, "The sluice is open again.").as_ref()
    ));
    assert!(daemon.stop().success());
}

#[test]
fn a_file_that_is_not_there_is_named_whole_with_where_it_was_looked_for() {
    let place = Place::empty();
    let refused = said(&place.migrate(&["--admin-password-file", "no-such.key"]));
    let here = std::env::current_dir().unwrap().join("no-such.key");
    for shown in [
        here.to_str().unwrap(),
        "--admin-password-file",
        "the working directory",
    ] {
        assert!(refused.contains(shown), "{refused}");
    }
    let socket = Server::shared().socket().display().to_string();
    let text = settings(
        &socket,
        place.database.name(),
        "password_file = \"no-such.key\"",
    );
    place.home.put("skep.toml", &text);
    let there = place.home.path().join("no-such.key");
    for refused in [place.refused(), said(&place.migrate(&[]))] {
        for shown in [
            there.to_str().unwrap(),
            "store.password_file",
            "the data directory",
        ] {
            assert!(refused.contains(shown), "{refused}");
        }
    }
}

#[test]
fn t07_a_node_that_logs_in_as_the_administrator_is_refused() {
    let place = Place::migrated();
    let socket = Server::shared().socket();
    let more = "user = \"postgres\"";
    let text = settings(&socket.display().to_string(), place.database.name(), more);
    place.home.put("skep.toml", &text);
    let refused = place.refused();
    assert!(
        refused.contains("the role postgres is a superuser"),
        "{refused}"
    );
    assert!(refused.contains("bypasses row-level security"), "{refused}");
}

#[test]
fn f03_a_database_that_dies_is_a_503_and_the_daemon_goes_on_when_it_is_back() {
    let (server, home) = (Alone::start(None, ""), Home::new());
    server.run("postgres", "CREATE DATABASE skep");
    let socket = server.socket().display().to_string();
    let more = format!("port = {}\npatience_ms = 2000", server.port());
    home.put("skep.toml", &settings(&socket, "skep", &more));
    let url = format!("postgres://postgres@:{}/skep?host={socket}", server.port());
    let done = home
        .command("migrate")
        .args(["--admin-url", &url])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let mut daemon = home.serve();
    assert!(is_kept(
        remember(&home, "Before the flood, the mill stood here.").as_ref()
    ));
    server.crash();
    for _ in 0..20 {
        let answer = remember(&home, "While it was away.").unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        // Who asks is looked up in the same database: mostly that is what fails first.
        let code = body(&answer)["error"]["code"].clone();
        assert!(
            code == "STORAGE_UNAVAILABLE" || code == "AUTH_UNAVAILABLE",
            "{answer}"
        );
    }
    assert!(home.get("/healthz").unwrap().starts_with("HTTP/1.1 200"));
    // What was seen of it a second ago may still count.
    let unready = becomes(&home, "503");
    assert!(
        unready.contains("The database does not answer."),
        "{unready}"
    );
    assert!(
        !unready.contains(&socket) && !unready.contains(&server.port().to_string()),
        "{unready}"
    );
    assert!(
        unready.to_lowercase().contains("\r\nretry-after: 1\r\n"),
        "{unready}"
    );
    assert!(daemon.0.try_wait().unwrap().is_none(), "it goes on");
    server.resume();
    becomes(&home, "200");
    // By itself: nobody starts it again, and the first connection may be one that died.
    let found = (0..5).find_map(|_| {
        let answer = recall(&home, "where did the mill stand");
        answer.contains("Before the flood").then_some(answer)
    });
    let found = found.expect("what was acknowledged");
    assert!(!found.contains("While it was away"), "{found}");
    assert!(is_kept(
        remember(&home, "After the flood, it was built again.").as_ref()
    ));
    assert!(daemon.stop().success());
}

/// Asks whether it is ready until the status is this one; somebody's test ends if it never is.
fn becomes(home: &Home, status: &str) -> String {
    loop {
        let answer = home.get("/readyz").unwrap();
        if answer.starts_with(&format!("HTTP/1.1 {status}")) {
            return answer;
        }
    }
}

/// Writes until nobody answers, and tells which memories were acknowledged.
fn write(home: &Home, name: &str, kept: &Sender<String>) {
    for n in 0_usize.. {
        let text = format!("Barrel {name}-{n} is full of salted herring.");
        let Some(answer) = remember(home, &text).filter(|answer| is_kept(Some(answer))) else {
            return;
        };
        let id = body(&answer)["memory"]["id"].as_str().map(str::to_owned);
        kept.send(id.unwrap_or_default()).unwrap();
    }
}

#[test]
fn f05_a_daemon_that_is_killed_amid_writes_has_kept_all_that_it_acknowledged() {
    let place = Place::migrated();
    for round in 0..2 {
        let mut daemon = place.home.serve();
        let (kept, acknowledged) = channel();
        let mut ids: Vec<String> = thread::scope(|scope| {
            for writer in 0..4 {
                let (home, kept) = (&place.home, kept.clone());
                scope.spawn(move || write(home, &format!("{round}-{writer}"), &kept));
            }
            drop(kept);
            let some = acknowledged.iter().take(12).collect();
            daemon.0.kill().unwrap();
            some
        });
        ids.extend(acknowledged);
        daemon.0.wait().unwrap();
        assert!(ids.len() >= 12, "{}", ids.len());
        let daemon = place.home.serve();
        for id in &ids {
            let answer = place.home.get(&format!("/api/v1/memories/{id}")).unwrap();
            assert!(is_kept(Some(&answer)), "acknowledged and gone: {answer}");
        }
        assert!(daemon.stop().success());
    }
}
