//! What the record says of tools: the same as of the routes that they go through.

use serde_json::{Value, json};
use skep_api::RouteId;
use skep_domain::{Permission, PermissionSet, Role};
use skep_test_support::{Newcomer, Request, TestDaemon};

use crate::mcp::{EITHER, call, send};

/// What an entry says of who did what to what; ids of requests and places in the record differ.
fn told(entry: &Value) -> Value {
    let mut told = entry.clone();
    for field in ["id", "seq", "at", "request"] {
        told.as_object_mut().unwrap().remove(field);
    }
    told
}

/// What a call over the interface, or of a tool, adds to the record.
async fn recorded(daemon: &TestDaemon, request: Request, token: &str) -> Vec<Value> {
    let owner = daemon.a.token("owner");
    let before = daemon.record_whole(&owner).await.len();
    let reply = send(daemon, request.bearer(token)).await;
    assert!(reply.status < 500, "{}", reply.text());
    let record = daemon.record_whole(&owner).await;
    // What is shown of others' is another entry: `reads.rs` has its tests.
    let added = record[..record.len() - before].iter();
    added
        .filter(|entry| entry["action"] != "content.read")
        .cloned()
        .collect()
}

fn by_tool(name: &str, arguments: &Value) -> Request {
    let profile = if name == "memory" { "files" } else { "full" };
    Request::new("POST", &format!("/mcp?profile={profile}"))
        .header("Accept", EITHER)
        .json(&call(name, arguments))
}

async fn remembered(daemon: &TestDaemon, token: &str, body: Value) -> String {
    let request = Request::new("POST", "/api/v1/memories").bearer(token);
    let kept = send(daemon, request.json(&body)).await.json();
    let id = kept["memory"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{kept}")).to_owned()
}

/// One thing that a tool changes: with what, and as which route of the table.
struct Deed {
    tool: &'static str,
    arguments: Value,
    route: RouteId,
    /// The `{id}` of the route's path.
    id: Option<String>,
    body: Value,
}

async fn deeds(daemon: &TestDaemon, token: &str, round: &str) -> Vec<Deed> {
    let statement = async |text: &str| {
        let body = json!({ "text": format!("{text} {round}."), "said_by": "agent" });
        remembered(daemon, token, body).await
    };
    let file = async |name: &str| {
        let path = format!("/memories/{round}/{name}");
        let body = json!({ "text": "one", "path": path, "said_by": "agent" });
        (path, remembered(daemon, token, body).await)
    };
    let edited = statement("The sluice opens on demand for").await;
    let forgotten = statement("The lamp is lit at dusk on").await;
    let (replaced, replaced_id) = file("replaced").await;
    let (extended, extended_id) = file("extended").await;
    let (deleted, deleted_id) = file("deleted").await;
    let (moved, moved_id) = file("moved").await;
    let made = format!("/memories/{round}/made");
    vec![
        Deed {
            tool: "memory_store",
            arguments: json!({ "text": format!("Berth {round} is dredged.") }),
            route: RouteId::MemoryCreate,
            id: None,
            body: json!({ "text": format!("Berth {round} is swept.") }),
        },
        Deed {
            tool: "memory_update",
            arguments: json!({ "id": edited, "text": format!("The sluice of {round} stays shut."), "reason": "x" }),
            route: RouteId::MemoryEdit,
            id: Some(edited),
            body: json!({ "text": format!("The sluice of {round} is gone."), "said_by": "agent" }),
        },
        Deed {
            tool: "memory_forget",
            arguments: json!({ "id": forgotten, "reason": "x" }),
            route: RouteId::MemoryForget,
            id: Some(forgotten),
            body: json!({ "reason": "x" }),
        },
        Deed {
            tool: "memory",
            arguments: json!({ "command": "create", "path": made, "file_text": "one" }),
            route: RouteId::MemoryCreate,
            id: None,
            body: json!({ "text": "one", "path": format!("{made}-too") }),
        },
        Deed {
            tool: "memory",
            arguments: json!({ "command": "str_replace", "path": replaced, "old_str": "one", "new_str": "two" }),
            route: RouteId::MemoryEdit,
            id: Some(replaced_id),
            body: json!({ "text": "three" }),
        },
        Deed {
            tool: "memory",
            arguments: json!({ "command": "insert", "path": extended, "insert_line": 1, "insert_text": "two" }),
            route: RouteId::MemoryEdit,
            id: Some(extended_id),
            body: json!({ "text": "three" }),
        },
        Deed {
            tool: "memory",
            arguments: json!({ "command": "delete", "path": deleted }),
            route: RouteId::MemoryForget,
            id: Some(deleted_id),
            body: json!({ "reason": "x" }),
        },
        Deed {
            tool: "memory",
            arguments: json!({ "command": "rename", "old_path": moved, "new_path": format!("{moved}-away") }),
            route: RouteId::MemoryEdit,
            id: Some(moved_id),
            body: json!({ "path": format!("{moved}-too") }),
        },
    ]
}

/// A tool call that changes something leaves the entry that the route leaves which it goes through: the
/// row's action, the caller, the target. A refused one leaves the denial.
#[tokio::test(flavor = "multi_thread")]
async fn l04_a_tool_leaves_the_record_of_the_route_it_goes_through() {
    let daemon = TestDaemon::start_quiet().await;
    let own = (daemon.a.organization, daemon.a.workspace);
    let owner = daemon.a.token("owner");
    let reader = Newcomer {
        permissions: Some(PermissionSet::of(&[Permission::MemoryRead])),
        ..Newcomer::with(Role::Admin)
    };
    let reader = daemon.admit(own, reader).await.token;
    let agent = daemon.admit(own, Newcomer::with(Role::Agent)).await.token;
    for (round, token, fails) in [
        ("owner", &owner, [false; 3]),
        ("agent", &agent, [false, false, true]),
        ("reader", &reader, [true; 3]),
    ] {
        // What a reader may not change, somebody else has made; files are nobody else's.
        let maker = if round == "reader" { &owner } else { token };
        for deed in deeds(&daemon, maker, round).await {
            let row = deed.route.row();
            let fails = match deed.route {
                RouteId::MemoryCreate => fails[0],
                RouteId::MemoryEdit => fails[1],
                _ => fails[2],
            };
            let by_tool = recorded(&daemon, by_tool(deed.tool, &deed.arguments), token).await;
            let what = format!("{round}: {} {}", deed.tool, deed.arguments);
            if round == "reader" && deed.tool == "memory" && deed.id.is_some() {
                // There is no such file for them, so nothing was asked that could be refused.
                assert_eq!(by_tool, Vec::<Value>::new(), "{what}");
                continue;
            }
            let path = row
                .path
                .replace("{id}", deed.id.as_deref().unwrap_or_default());
            let request = Request::new(row.method.as_str(), &path).json(&deed.body);
            let by_route = recorded(&daemon, request, token).await;
            assert_eq!(by_route.len(), 1, "{what}: {by_route:?}");
            assert_eq!(by_tool.len(), 1, "{what}: {by_tool:?}");
            let (by_tool, by_route) = (told(&by_tool[0]), told(&by_route[0]));
            assert_eq!(by_tool, by_route, "{what}");
            let outcome = if fails { "denied" } else { "allowed" };
            assert_eq!(by_tool["outcome"], outcome, "{what}");
            assert_eq!(by_tool["action"], row.audit.unwrap(), "{what}");
            let target = by_tool["target"].as_str().unwrap_or_default();
            assert_eq!(target, deed.id.as_deref().unwrap_or_default(), "{what}");
            assert!(by_tool["principal"].is_string(), "{what}: {by_tool}");
        }
    }
    // What only reads is not recorded, by whichever way it is asked.
    for (tool, arguments) in [
        ("memory_search", json!({ "query": "berth" })),
        ("memory", json!({ "command": "view", "path": "/memories" })),
    ] {
        let seen = recorded(&daemon, by_tool(tool, &arguments), &owner).await;
        assert_eq!(seen, Vec::<Value>::new(), "{tool}");
    }
}
