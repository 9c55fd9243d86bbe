//! The deletion of a workspace by a daemon that is killed again and again while it erases.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::database::{Place, body, is_kept, recall, remember};
use crate::home::{Daemon, Home};
use crate::nodes::until;
use crate::rows::{self, Counts};

/// So often each row of the workspace that stays is in the one that goes, under other ids but once.
const TIMES: u32 = 40;

/// A transaction that counts waits for ever, but for the first one since `begun` was set to 1: so each daemon
/// does one step, the first one none, and of the next one it has deleted the rows and not yet said how many.
/// The server looks whether the one who asked is still there.
const GATE: &str = "
    CREATE SEQUENCE public.begun START 2;
    CREATE FUNCTION public.may_pass() RETURNS boolean LANGUAGE plpgsql AS $$
    DECLARE first bigint := (SELECT last_value FROM public.begun);
    BEGIN
        IF first = 1 THEN
            PERFORM setval('public.begun', txid_current()::bigint);
        ELSIF first <> txid_current()::bigint THEN
            PERFORM pg_sleep(600);
        END IF;
        RETURN true;
    END $$;
    GRANT SELECT, UPDATE ON SEQUENCE public.begun TO skep_app;
    ALTER TABLE skep.job_count ADD CONSTRAINT may_pass CHECK (public.may_pass());
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET client_connection_check_interval = 50', current_database());
    END $$";

/// A daemon with a workspace that goes and one that stays.
struct World {
    place: Place,
    daemon: Option<Daemon>,
    stays: String,
    gone: String,
}

fn post(home: &Home, path: &str, order: &Value) -> Value {
    let answer = home.post(path, &order.to_string()).unwrap();
    assert!(is_kept(Some(&answer)), "{path}: {answer}");
    body(&answer)
}

impl World {
    fn new() -> (Self, String) {
        let place = Place::migrated();
        let home = &place.home;
        let daemon = home.serve();
        for n in 0..12 {
            let text = format!("Lock {n} of the canal is {n} metres above the sea.");
            assert!(is_kept(remember(home, &text).as_ref()));
        }
        let turns = (0..12).map(|n| {
            json!({ "client_event_id": format!("e-{n}"), "role": "user", "at": "2026-01-01T00:00:00Z",
                    "text": format!("Is lock {n} open on Sundays?") })
        });
        let turns: Vec<Value> = turns.collect();
        let session = json!({ "harness": "cli", "external_id": "canal" });
        let order = json!({ "session": session, "turns": turns, "origin": "import" });
        let captured = post(home, "/api/v1/capture", &order);
        let session = captured["session"].as_str().unwrap();
        let ended = home.post(&format!("/api/v1/sessions/{session}/end"), "");
        assert!(ended.unwrap().starts_with("HTTP/1.1 2"));
        until("there is no upkeep left to do", || {
            let health = body(&home.get("/api/v1/system/health")?);
            let waits = |what: &str| health["workspace"][what] != 0;
            (!waits("awaiting_distil") && !waits("awaiting_vector")).then_some(())
        });
        let stays = rows::workspace(&place.database, "true");
        let made = post(home, "/api/v1/workspaces", &json!({ "name": "drydock" }));
        let gone = rows::workspace(&place.database, &format!("id <> '{stays}'"));
        assert!(daemon.stop().success());
        rows::copy(&place.database, (&stays, &gone), TIMES);
        place.database.run(GATE);
        let world = Self {
            place,
            daemon: None,
            stays,
            gone,
        };
        (world, made["id"].as_str().unwrap().to_owned())
    }

    fn rows(&self) -> Counts {
        rows::of(&self.place.database, &self.gone)
    }

    fn other(&self) -> BTreeSet<String> {
        rows::contents(&self.place.database, &self.stays)
    }

    fn start(&mut self) {
        self.daemon = Some(self.place.home.serve());
    }

    /// Whether the job is over; if not, it is in the middle of a step.
    fn comes_to_a_step_or_its_end(&self) -> bool {
        let asked = "SELECT (SELECT count(*) FROM skep.job WHERE state = 2) || ' '
            || (SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event = 'PgSleep')";
        until("a step", || {
            match self.place.database.query(asked).as_str() {
                "1 0" => Some(true),
                "0 1" => Some(false),
                _ => None,
            }
        })
    }

    /// `kill -9`, until the server has noticed; then as if the lease had run out.
    fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.0.kill().unwrap();
        daemon.0.wait().unwrap();
        let database = &self.place.database;
        let there = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'skep_app'";
        until("its connections end", || {
            (database.query(there) == "0").then_some(())
        });
        database.run("UPDATE skep.job SET lease_until = 1 WHERE state = 1");
        database.run("SELECT setval('public.begun', 1)");
    }
}

/// What is left, and what was said to be gone.
fn accounted(world: &World) -> Counts {
    let mut sum = world.rows();
    for (name, count) in rows::counted(&world.place.database) {
        *sum.entry(name).or_default() += count;
    }
    sum
}

#[test]
fn t18_an_erasure_by_daemons_that_are_killed_in_each_step_counts_every_row_once() {
    let (mut world, id) = World::new();
    let (other, mut there) = (world.other(), world.rows());
    assert!(there.values().sum::<u64>() > 4_000, "{there:?}");
    assert_eq!(there.remove("workspace_state"), Some(1), "goes at once");
    world.start();
    let deleted = world.place.home.delete(&format!("/api/v1/workspaces/{id}"));
    let accepted = body(&deleted.unwrap());
    let job = accepted["job"].as_str().unwrap().to_owned();
    let mut kills = 0;
    while !world.comes_to_a_step_or_its_end() {
        world.kill();
        assert_eq!(accounted(&world), there, "{kills}");
        kills += 1;
        world.start();
    }
    assert!(kills > 4, "{kills}");
    let answer = world.place.home.get(&format!("/api/v1/jobs/{job}"));
    let receipt = body(&answer.unwrap());
    assert_eq!(receipt["state"], "done", "{receipt}");
    assert_eq!(receipt["rows"], json!(there));
    assert_eq!(world.rows(), Counts::new());
    let receipts = ["audit", "job"].map(str::to_owned);
    let mentions = rows::mentions(&world.place.database, &world.gone);
    assert_eq!(mentions, BTreeSet::from(receipts));
    let now = world.other();
    let changed: Vec<_> = now.symmetric_difference(&other).collect();
    assert!(changed.is_empty(), "{changed:?}");
    let found = recall(&world.place.home, "how far above the sea is lock 7");
    assert!(found.contains("Lock 7 of the canal"), "{found}");
}
