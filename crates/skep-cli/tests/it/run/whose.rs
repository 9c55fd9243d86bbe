//! Whose a lease is, and who gets none.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::process::Command;

use super::world::{CALL, Running, World, command, said, template};
use crate::values::assert_no_value;

/// An agent of the first tenant, with its key in a file.
struct Agent {
    id: String,
    key: String,
    token: String,
    home: PathBuf,
}

impl World {
    /// With the secrets and an approved template in the first tenant, where agents are.
    async fn with_agents() -> Self {
        let world = Self::bare(None).await;
        world.daemon.own(&world.daemon.a).await;
        let owner = world.daemon.a.token("owner");
        world.set_up(&owner).await;
        world.approved(&world.daemon.a, template("api")).await;
        world
    }

    async fn agent(&self, name: &str) -> Agent {
        let owner = self.daemon.a.token("owner");
        let made = self
            .done(&owner, "POST", "agents", json!({ "name": name }))
            .await;
        let id = made["id"].as_str().unwrap().to_owned();
        let asked = json!({ "label": "of a test", "agent": id });
        let made = self.done(&owner, "POST", "keys", asked).await;
        let home = self.home.join(name);
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
        let token = made["secret"].as_str().unwrap().to_owned();
        std::fs::write(home.join("key"), &token).unwrap();
        std::fs::set_permissions(home.join("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
        let key = made["key"]["id"].as_str().unwrap().to_owned();
        Agent {
            id,
            key,
            token,
            home,
        }
    }

    fn command_of(&self, agent: &Agent, arguments: &[&str]) -> Command {
        let mut command = command(&agent.home, arguments);
        command
            .env("SKEP_URL", format!("http://{}", self.daemon.address))
            .env("SKEP_TOKEN_FILE", agent.home.join("key"));
        command
    }

    async fn skep_of(&self, agent: &Agent, arguments: &[&str]) -> std::process::Output {
        let output = self.command_of(agent, arguments).output().await.unwrap();
        assert_no_value("what an agent sees", &said(&output));
        output
    }

    async fn calling_as(&self, agent: &Agent) -> Running {
        let script =
            format!("echo ready; while read go; do {CALL}; code=$?; echo; echo done $code; done");
        let command = self.command_of(agent, &["run", "--with", "api", "--", "sh", "-c", &script]);
        self.begun(command).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_an_agent_without_a_grant_runs_nothing_and_is_told_how_to_ask() {
    let world = World::with_agents().await;
    let agent = world.agent("rudder").await;
    for with in [
        &["run", "--", "true"][..],
        &["run", "--with", "api", "--", "true"],
    ] {
        let ran = world.skep_of(&agent, with).await;
        let said = said(&ran);
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(said.contains("skep access ask"), "{said}");
    }
    world.grant(Some(&agent.id), None).await;
    let mut running = world.calling_as(&agent).await;
    assert!(
        running
            .call()
            .await
            .contains("authorization: Bearer __skep_key__")
    );
    // Another agent has none of it.
    let other = world.agent("keel").await;
    assert_eq!(
        world
            .skep_of(&other, &["run", "--", "true"])
            .await
            .status
            .code(),
        Some(1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_another_agents_lease_is_no_lease_and_another_workspaces_is_foreign() {
    let world = World::with_agents().await;
    let owner = world.daemon.a.token("owner");
    world.grant(None, None).await;
    let (first, second) = (world.agent("rudder").await, world.agent("keel").await);
    let begun = world.done(&first.token, "POST", "leases", json!({})).await;
    let id = begun["id"].as_str().unwrap();
    for verb in ["renew", "end"] {
        let path = format!("leases/{id}/{verb}");
        for (token, status) in [
            (&second.token, 404),
            (&owner, 404),
            (&world.daemon.b.token("owner"), 403),
            (&world.daemon.a.token("reader"), 403),
        ] {
            let (got, answer) = world.ask(token, "POST", &path, Value::Null).await;
            assert_eq!(got, status, "{verb} {answer}");
        }
    }
    let listed = world
        .done(&second.token, "GET", "leases", Value::Null)
        .await;
    assert_eq!(listed["items"], json!([]));
    let listed = world.done(&first.token, "GET", "leases", Value::Null).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains("http://"), "{listed}");
    // Another key of the same agent is another credential.
    let asked = json!({ "label": "another", "agent": first.id });
    let another = world.done(&owner, "POST", "keys", asked).await;
    let another = another["secret"].as_str().unwrap();
    let (status, _) = world
        .ask(another, "POST", &format!("leases/{id}/end"), Value::Null)
        .await;
    assert_eq!(status, 404);
    let ended = world
        .done(
            &first.token,
            "POST",
            &format!("leases/{id}/end"),
            Value::Null,
        )
        .await;
    assert_eq!(ended["ended"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_key_that_is_revoked_ends_its_leases_at_once() {
    let world = World::with_agents().await;
    let owner = world.daemon.a.token("owner");
    world.grant(None, None).await;
    let agent = world.agent("rudder").await;
    let mut running = world.calling_as(&agent).await;
    assert!(running.call().await.contains("__skep_key__"));
    world
        .done(
            &owner,
            "POST",
            &format!("keys/{}/revoke", agent.key),
            Value::Null,
        )
        .await;
    let said = running.call().await;
    let is_over = said.contains("\"reason\":\"withheld\"")
        || said.contains("done 7")
        || said.contains("done 56");
    assert!(is_over, "{said}");
    assert_eq!(world.origin.got().len(), 1);
    // Nobody looked but the daemon itself, which heard of it.
    while !running.call().await.contains("done 7") {}
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_an_agent_that_is_suspended_uses_nothing_and_begins_nothing() {
    let world = World::with_agents().await;
    let owner = world.daemon.a.token("owner");
    world.grant(None, None).await;
    let agent = world.agent("rudder").await;
    let mut running = world.calling_as(&agent).await;
    assert!(running.call().await.contains("__skep_key__"));
    let path = format!("agents/{}", agent.id);
    world
        .done(&owner, "PATCH", &path, json!({ "standing": "suspended" }))
        .await;
    let said = running.call().await;
    assert!(!said.contains("Bearer __skep_key__"), "{said}");
    assert_eq!(world.origin.got().len(), 1);
    let (status, _) = world.ask(&agent.token, "POST", "leases", json!({})).await;
    assert_eq!(status, 403);
    world.daemon.app.sweep_leases().await;
    world
        .done(&owner, "PATCH", &path, json!({ "standing": "active" }))
        .await;
    // What ended stays so; a new one works.
    assert!(running.call().await.contains("done 7"));
    let mut running = world.calling_as(&agent).await;
    assert!(running.call().await.contains("__skep_key__"));
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_grant_that_is_taken_back_or_over_is_used_no_more() {
    let world = World::with_agents().await;
    let agent = world.agent("rudder").await;
    let grant = world.grant(Some(&agent.id), None).await;
    let mut running = world.calling_as(&agent).await;
    assert!(running.call().await.contains("__skep_key__"));
    world.revoke_grant(grant).await;
    let said = running.call().await;
    assert!(said.contains("\"reason\":\"withheld\""), "{said}");
    assert_eq!(world.origin.got().len(), 1);
    // One that has an end ends a lease with it.
    world.grant(Some(&agent.id), Some(100)).await;
    let begun = world.done(&agent.token, "POST", "leases", json!({})).await;
    let mut running = world.calling_as(&agent).await;
    assert!(running.call().await.contains("__skep_key__"));
    world.daemon.clock.advance_seconds(101);
    let said = running.call().await;
    assert!(said.contains("\"reason\":\"withheld\""), "{said} {begun}");
    assert_eq!(world.origin.got().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_leases_are_bounded_for_each_credential_and_together() {
    let world = World::bare(Some((3, 2))).await;
    world.daemon.own(&world.daemon.a).await;
    let owner = world.daemon.a.token("owner");
    world.set_up(&owner).await;
    world.approved(&world.daemon.a, template("api")).await;
    world.grant(None, None).await;
    let (first, second) = (world.agent("rudder").await, world.agent("keel").await);
    let begin = async |token: &str| world.ask(token, "POST", "leases", json!({})).await;
    let one = begin(&first.token).await;
    assert_eq!((one.0, begin(&first.token).await.0), (200, 200));
    let (status, answer) = begin(&first.token).await;
    assert_eq!(status, 503, "{answer}");
    assert!(answer.to_string().contains("leases of yours"), "{answer}");
    assert_eq!(
        (begin(&second.token).await.0, begin(&second.token).await.0),
        (200, 503)
    );
    let path = format!("leases/{}/end", one.1["id"].as_str().unwrap());
    world.done(&first.token, "POST", &path, Value::Null).await;
    assert_eq!(begin(&second.token).await.0, 200);
}
