//! What the record of decisions says of what was changed where that has a name of people's making: which one, by a
//! mark that its list shows as well, and never the name.

use serde_json::{Value, json};
use skep_test_support::TestDaemon;

use crate::gateway::{own, owner};

const SINK: &str = "qxsinkvzk";
const PROVIDER: &str = "qxprovidervzk";
const TEXT: &str = "Speak of the qxdirectivevzk only.";

/// The targets of an action, oldest first.
async fn targets(daemon: &TestDaemon, action: &str) -> Vec<String> {
    let entries = daemon.record_whole(&daemon.a.token("owner")).await;
    let of_action = entries.iter().filter(|entry| entry["action"] == action);
    let mut targets: Vec<String> = of_action
        .map(|entry| entry["target"].as_str().unwrap_or("none").to_owned())
        .collect();
    targets.reverse();
    targets
}

async fn marks(daemon: &TestDaemon, path: &str) -> Vec<String> {
    let list = own(daemon, ("GET", path), Value::Null).await.json();
    let items = list["items"].as_array().unwrap().iter();
    let marks = items.map(|one| one["mark"].as_str().unwrap_or("none").to_owned());
    marks.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_which_sink_provider_and_directive_and_no_name() {
    let daemon = TestDaemon::start_gateway(&[]).await;
    for name in [PROVIDER, "another"] {
        let provider = json!({ "name": name, "kind": "mock" });
        own(&daemon, ("POST", "providers"), provider).await;
    }
    for name in [SINK, "another"] {
        let url = "https://siem.example.com/in";
        let sink = json!({ "name": name, "url": url });
        own(&daemon, ("POST", "sinks"), sink).await;
    }
    let of_another = marks(&daemon, "providers").await.remove(0);
    let provider = marks(&daemon, "providers").await.remove(1);
    let sink = marks(&daemon, "sinks").await.remove(1);
    assert!(provider.starts_with("provider_") && sink.starts_with("sink_"));
    assert_ne!(of_another, provider);
    assert_eq!(
        targets(&daemon, "provider.set").await,
        [provider.clone(), of_another]
    );
    // Whatever comes of it: that it was allowed is written before.
    let name = json!({ "name": SINK });
    for path in ["test", "key", "resume", "remove"] {
        owner(&daemon, ("POST", &format!("sinks/{path}")), name.clone()).await;
        let action = format!("sink.{path}");
        assert_eq!(
            targets(&daemon, &action).await,
            std::slice::from_ref(&sink),
            "{path}"
        );
    }
    assert_eq!(targets(&daemon, "sink.set").await[0], sink);
    let name = json!({ "name": PROVIDER });
    own(&daemon, ("POST", "providers/remove"), name).await;
    assert_eq!(targets(&daemon, "provider.remove").await, [provider]);

    own(&daemon, ("POST", "directives"), json!({ "text": TEXT })).await;
    let drafted = targets(&daemon, "directive.draft").await;
    assert_eq!(drafted, marks(&daemon, "directives").await);
    assert!(drafted[0].starts_with("directive_"));
    for (of, version) in [("workspace", 1), ("organization", 0)] {
        let promoted = json!({ "of": of, "version": version });
        owner(&daemon, ("POST", "directives/promote"), promoted).await;
    }
    assert_eq!(
        targets(&daemon, "directive.promote").await,
        ["workspace_1", "organization_0"]
    );
    // Of somebody else the same name is another mark.
    let theirs = skep_test_support::Request::new("POST", "/api/v1/sinks/remove");
    let theirs = theirs.bearer(&daemon.b.token("owner"));
    let theirs = theirs.json(&json!({ "name": SINK }));
    theirs.send(daemon.address).await.unwrap();
    let entries = daemon.record_whole(&daemon.b.token("owner")).await;
    let removed = entries
        .iter()
        .find(|entry| entry["action"] == "sink.remove");
    let target = removed.unwrap()["target"].as_str().unwrap();
    assert!(target.starts_with("sink_") && target != sink);

    let whole = daemon.record_whole(&daemon.a.token("owner")).await;
    let whole = format!("{whole:?}{entries:?}");
    for name in [SINK, PROVIDER, "qxdirectivevzk"] {
        assert!(!whole.contains(name), "{name}");
    }
}
