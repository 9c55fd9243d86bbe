//! Runs in their order, within bounds, over a kill of the daemon.

use serde_json::json;

use super::stand::{Stand, stdout};

const ONE: &str = "[exec]\nworkers = 1\nqueue = 3\n";

#[test]
fn runs_start_in_the_order_in_which_they_were_asked_for_and_one_too_many_is_refused() {
    let stand = Stand::new(ONE);
    stand.gate("a");
    let _daemon = stand.serve_with(&[stand.waiter()]);
    let first = stand.waiting("a", "wait");
    let gate = stand.at_gate("a");
    let mut runs = vec![first];
    for name in ["b", "c", "d"] {
        runs.push(stand.waiting(name, "pass"));
    }
    let (status, refused) = stand.ask("waiter", &json!({ "name": "e", "how": "pass" }));
    assert_eq!(
        (status, &refused["error"]["code"]),
        (429, &json!("QUEUE_FULL"))
    );
    assert!(refused["error"]["retry_after_ms"].as_u64().unwrap() > 0);
    assert_eq!(stand.look(&runs[1])["state"], "queued");
    drop(gate);
    for (id, name) in runs.iter().zip(["a", "b", "c", "d"]) {
        let run = stand.ended(id);
        assert_eq!(run["state"], "ended", "{run}");
        assert_eq!(stdout(&run), format!("done {name}\n"));
    }
    assert_eq!(stand.written(), ["a", "b", "c", "d"]);
    // There is room again.
    stand.ended(&stand.waiting("e", "pass"));
}

#[test]
fn a_run_is_cancelled_while_it_waits_and_while_it_runs() {
    let stand = Stand::new(ONE);
    stand.gate("a");
    let _daemon = stand.serve_with(&[stand.waiter()]);
    let runs = stand.waiting("a", "wait");
    let gate = stand.at_gate("a");
    let waits = stand.waiting("b", "pass");
    let cancel = |id: &str| {
        let (status, run) = stand.send(&format!("/api/v1/exec/{id}/cancel"));
        assert_eq!(status, 200, "{run}");
        run
    };
    assert_eq!(cancel(&waits)["state"], "cancelled");
    cancel(&runs);
    let run = stand.ended(&runs);
    assert_eq!(run["state"], "cancelled", "{run}");
    assert_eq!(run["exit"]["how"], "cancelled");
    drop(gate);
    let last = stand.ended(&stand.waiting("c", "pass"));
    assert_eq!(last["state"], "ended");
    assert_eq!(stand.written(), ["a", "c"], "what was cancelled never ran");
    assert_eq!(
        cancel(&runs)["state"],
        "cancelled",
        "once more does nothing"
    );
}

#[test]
fn after_a_kill_what_ran_is_told_as_interrupted_and_what_waited_runs_in_its_order() {
    let stand = Stand::new(ONE);
    stand.gate("a");
    let mut daemon = stand.serve_with(&[stand.waiter()]);
    let ran = stand.waiting("a", "wait");
    let gate = stand.at_gate("a");
    let waited: Vec<String> = ["b", "c", "d"]
        .iter()
        .map(|name| stand.waiting(name, "pass"))
        .collect();
    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    drop(gate);
    let _daemon = stand.home.serve();
    let run = stand.ended(&ran);
    assert_eq!(run["state"], "interrupted", "{run}");
    assert!(
        run["reason"].as_str().unwrap().contains("may be done"),
        "{run}"
    );
    for (id, name) in waited.iter().zip(["b", "c", "d"]) {
        let run = stand.ended(id);
        assert_eq!(
            (&run["state"], stdout(&run)),
            (&json!("ended"), &*format!("done {name}\n"))
        );
    }
    assert_eq!(stand.written(), ["a", "b", "c", "d"], "each once");
    let (_, listed) = stand.get("/api/v1/exec?limit=200");
    assert_eq!(listed["items"].as_array().unwrap().len(), 4, "none is lost");
}

#[test]
fn what_is_not_recorded_in_the_queue_is_not_run_when_programs_are_off() {
    let stand = Stand::new("[exec]\nenabled = false\n");
    let _daemon = stand.serve_with(&[stand.waiter()]);
    let (status, refused) = stand.ask("waiter", &json!({ "name": "a", "how": "pass" }));
    assert_eq!(
        (status, &refused["error"]["code"]),
        (409, &json!("CONFLICT"))
    );
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("exec.enabled")
    );
    let (_, health) = stand.get("/api/v1/system/health");
    assert!(health.get("exec").is_none(), "{health}");
}

/// `cargo test --release -p skep-daemon --test it -- --ignored --nocapture a_thousand_runs`
#[test]
#[ignore = "a minute or more; its figures are in docs/exec.md"]
fn a_thousand_runs_keep_their_order_over_a_kill_and_none_is_lost() {
    const RUNS: usize = 1_000;
    let stand = Stand::new("[exec]\nworkers = 1\nqueue = 1000\n");
    let mut daemon = stand.serve_with(&[stand.waiter()]);
    let runs: Vec<String> = (0..RUNS)
        .map(|number| stand.waiting(&format!("n{number}"), "pass"))
        .collect();
    let begun = rss(daemon.0.id());
    stand.ended(&runs[RUNS / 2]);
    let half = rss(daemon.0.id());
    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    let daemon = stand.home.serve();
    let states: Vec<String> = runs
        .iter()
        .map(|id| stand.ended(id)["state"].as_str().unwrap().to_owned())
        .collect();
    let interrupted = states
        .iter()
        .filter(|state| *state == "interrupted")
        .count();
    let ended = states.iter().filter(|state| *state == "ended").count();
    println!(
        "{ended} ended, {interrupted} interrupted; resident: {begun} KiB with all of them waiting, {half} KiB after \
         half, {} KiB at the end of a second process",
        rss(daemon.0.id())
    );
    assert_eq!(ended + interrupted, RUNS);
    assert!(interrupted <= 1, "one worker had one");
    let wanted: Vec<String> = (0..RUNS).map(|number| format!("n{number}")).collect();
    let mut written = stand.written();
    // The one that was interrupted may have been about to write, or have written.
    written.dedup();
    let missing = wanted.iter().filter(|name| !written.contains(name)).count();
    assert!(missing <= interrupted);
    let order: Vec<&String> = wanted
        .iter()
        .filter(|name| written.contains(name))
        .collect();
    assert_eq!(written.iter().collect::<Vec<_>>(), order);
}

fn rss(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
