//! How a daemon stands: who is let in from where, what happens when a part of it is away, what is
//! weak about it and what to do about that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::route::{Gate, ROUTES, Route, RouteId};

/// `GET /api/v1/system/posture`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Posture {
    /// `local`, `team` or `hybrid`.
    pub mode: String,
    /// Where it listens.
    pub listeners: Vec<String>,
    /// The address that others reach it at, if one is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Where the root key comes from.
    pub key_provider: String,
    /// What the store is, and as whom it is used.
    pub store: String,
    /// Where credentials are checked.
    pub credentials: String,
    /// How calls are counted.
    pub limits: String,
    /// What happens when a part is away.
    pub fails: Vec<FailRow>,
    /// Routes that change something and have no audit action.
    pub unaudited: Vec<String>,
    /// Routes that anybody may call.
    pub public: Vec<String>,
    /// What is weak, and what to do.
    pub weaknesses: Vec<Weakness>,
}

/// One condition and its answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FailRow {
    /// When this is so.
    pub condition: String,
    /// This happens.
    pub answer: String,
    /// `open`, `closed` or `degraded`.
    pub fails: String,
    /// Whether tests hold the daemon to it.
    pub tested: bool,
}

/// Something weak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Weakness {
    /// What.
    pub what: String,
    /// What to do about it.
    pub do_this: String,
}

/// One row of the published table.
#[derive(Clone, Copy, Debug)]
pub struct Fail {
    /// When this is so.
    pub condition: &'static str,
    /// This happens.
    pub answer: &'static str,
    /// `open`, `closed` or `degraded`.
    pub fails: &'static str,
    /// The tests that hold it to that.
    pub tests: &'static [&'static str],
}

const fn row(
    condition: &'static str,
    answer: &'static str,
    fails: &'static str,
    tests: &'static [&'static str],
) -> Fail {
    Fail {
        condition,
        answer,
        fails,
        tests,
    }
}

/// Fail open, fail closed: what is published, and what tests hold the daemon to.
pub const FAILS: &[Fail] = &[
    row(
        "no workspace set in storage context",
        "zero rows or an error; never all",
        "closed",
        &[
            "t03_each_read_stays_in_its_own_workspace",
            "t01_a_walk_meets_every_row_of_its_own_workspace_once",
        ],
    ),
    row(
        "credential cannot be checked",
        "503 AUTH_UNAVAILABLE, Retry-After",
        "closed",
        &[
            "f02_a_credential_that_cannot_be_checked_is_no_bad_credential",
            "f02_when_the_daemon_that_knows_is_killed_nobody_is_let_in_until_it_is_back",
            "f02_when_the_daemon_that_knows_stands_still_answers_end_within_a_second",
            "f02_an_answer_after_the_deadline_lets_nobody_in_then_or_later",
        ],
    ),
    row(
        "database away",
        "503 STORAGE_UNAVAILABLE, or AUTH_UNAVAILABLE where a credential is looked up; goes on when it is back",
        "closed",
        &["f03_a_database_that_dies_is_a_503_and_the_daemon_goes_on_when_it_is_back"],
    ),
    row(
        "database does not keep workspaces apart, or has another schema",
        "the daemon does not start, and says all that is wrong",
        "closed",
        &[
            "t07_a_database_that_does_not_keep_workspaces_apart_is_refused_with_all_that_is_wrong",
            "f09_a_database_of_another_schema_is_refused_with_what_to_do",
        ],
    ),
    row(
        "database's certificate, name or login cannot be verified",
        "the daemon does not start; no password is sent",
        "closed",
        &[
            "n17_a_server_that_is_not_the_one_named_gets_no_login",
            "n17_a_server_that_asks_for_the_password_itself_or_for_nothing_is_refused",
        ],
    ),
    row(
        "permission ambiguous, policy malformed",
        "403",
        "closed",
        &[
            "l09_unknown_bits_refuse_the_whole_set",
            "a10_unknown_roles_bits_and_principals_are_no_credential",
        ],
    ),
    row(
        "replay store away or full",
        "503",
        "closed",
        &["a13_a_full_memory_refuses_and_forgets_nothing"],
    ),
    row(
        "audit cannot be written within 2 s",
        "changes 503 AUDIT_UNAVAILABLE; reads go on, of others' content 4,096 at most, or none with ledger.reads = \"deny\"",
        "closed",
        &[
            "l03_a_change_that_cannot_be_recorded_is_not_made",
            "l03_reads_that_cannot_be_recorded_are_bounded",
            "l03_no_read_goes_unrecorded_where_that_is_asked_for",
        ],
    ),
    row(
        "budget cannot be reserved",
        "model calls 503, distilling goes on by rules",
        "closed",
        &[
            "m08_a_cap_that_is_reached_amid_a_session_holds_until_midnight",
            "m08_cost_has_a_cap_of_its_own",
            "m08_two_daemons_at_once_stay_below_the_cap_and_keep_an_answer_once",
        ],
    ),
    row(
        "Redis away for ordinary limits",
        "each node counts alone, its part; one warning, a counter",
        "degraded",
        &[
            "f01_a_paused_server_costs_one_wait_and_then_nothing",
            "f01_http_goes_on_with_its_part_when_the_shared_store_is_paused",
        ],
    ),
    row(
        "Redis away for login, reset, setup, federation, export",
        "503 AUTH_UNAVAILABLE",
        "closed",
        &[
            "f01_closed_classes_are_refused_and_open_ones_counted_here",
            "f01_http_closes_the_doors_and_goes_on_elsewhere_when_the_shared_store_is_gone",
        ],
    ),
    row(
        "an organization's own key is withdrawn, refused, or not given for a minute",
        "423 KEY_WITHDRAWN for its workspaces, which are dropped from memory; others are served",
        "closed",
        &[
            "x09_a_key_that_is_withdrawn_here_is_closed_at_once_and_for_good",
            "x09_a_keeper_that_does_not_answer_is_waited_for_no_longer_than_a_minute",
            "x09_a_program_that_begins_to_refuse_closes_and_empties_memory_within_its_bound",
        ],
    ),
    row(
        "recall over its deadline",
        "nothing is injected, the session goes on",
        "open",
        &["m05_a_stalled_search_injects_nothing_within_the_budget"],
    ),
    row(
        "embedder away",
        "lexical only, degraded: true with the reason",
        "degraded",
        &["a_memory_is_found_by_a_draft_at_once_and_the_answer_says_it_is_degraded"],
    ),
    row(
        "hook cannot reach the daemon",
        "exit 0 within its deadline, event spooled",
        "open",
        &["x05_a_spool_is_its_owners_alone_and_keeps_order"],
    ),
];

/// Whether anything but the method says that it only reads: these ask with a body.
fn only_reads(route: &Route) -> bool {
    // A model call changes nothing that is kept here.
    route.method.as_str() == "GET" || READING.contains(&route.path) || route.is_gateway()
}

/// Questions too private or too long for a URL; none of them changes anything.
const READING: &[&str] = &[
    "/api/v1/imports/cursor",
    "/api/v1/recall",
    "/api/v1/explain/budget",
    "/api/v1/explain/recall",
    "/api/v1/relations",
    "/api/v1/resolve",
    "/api/v1/tree/list",
    "/api/v1/tree/file",
    "/api/v1/tree/find",
    "/api/v1/tree/grep",
];

/// Whether whatever a request does here goes through other rows, each with its own gate and record.
fn carries(route: &Route) -> bool {
    route.id == RouteId::Mcp
}

/// Routes that may change something and have no audit action.
#[must_use]
pub fn unaudited() -> Vec<String> {
    let routes = ROUTES.iter();
    routes
        .filter(|route| !route.mutates() && !only_reads(route) && !carries(route))
        .map(named)
        .collect()
}

/// Routes that anybody may call.
#[must_use]
pub fn public() -> Vec<String> {
    let routes = ROUTES.iter();
    routes
        .filter(|route| route.gate == Gate::Public)
        .map(named)
        .collect()
}

fn named(route: &Route) -> String {
    format!("{} {}", route.method.as_str(), route.path)
}

/// The published table as it goes out.
#[must_use]
pub fn fails() -> Vec<FailRow> {
    let rows = FAILS.iter();
    rows.map(|row| FailRow {
        condition: row.condition.into(),
        answer: row.answer.into(),
        fails: row.fails.into(),
        tested: !row.tests.is_empty(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{FAILS, READING, unaudited};
    use crate::route::ROUTES;

    #[test]
    fn l04_every_route_that_may_change_something_has_an_audit_action() {
        // Endpoints of OAuth: what they decide is recorded with the human or the login it is about.
        let found = unaudited();
        let others = found
            .iter()
            .filter(|route| !route.starts_with("POST /oauth/"));
        assert_eq!(others.count(), 0, "{found:?}");
        for path in READING {
            let row = ROUTES.iter().find(|route| route.path == *path);
            assert!(row.is_some_and(|route| !route.mutates()), "{path}");
        }
    }

    #[test]
    fn each_row_of_what_fails_how_is_held_by_a_test_that_exists() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut text = String::new();
        read(&crates, &mut text);
        for row in FAILS {
            for test in row.tests {
                assert!(
                    ["(", "<"]
                        .iter()
                        .any(|end| text.contains(&format!("fn {test}{end}"))),
                    "{test}: {}",
                    row.condition
                );
            }
        }
        let untested = FAILS.iter().filter(|row| row.tests.is_empty());
        let untested: Vec<&str> = untested.map(|row| row.condition).collect();
        assert_eq!(untested, [""; 0]);
    }

    fn read(directory: &Path, text: &mut String) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, text);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
}
