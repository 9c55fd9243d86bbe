//! Everything that this credential may read, and errors that it can cause.

use skep_api::{Method, ROUTES, RouteId};

use super::report::{Attempt, Tried};
use super::stand::{SECRET, Stand};
use crate::args::Mode;
use crate::failure::Failure;

/// What stands for an id where a path wants one.
const IDS: [&str; 2] = [SECRET, "0"];

/// Bodies that are refused, `VALUE` being the canary: what is wrong with them is said, and must not be quoted.
const WRONG: &[(&str, RouteId, &str)] = &[
    (
        "a secret with a field too many",
        RouteId::SecretSet,
        r#"{"name":"skep-verify-canary","value":"VALUE","more":"VALUE"}"#,
    ),
    (
        "a secret whose scope is the value",
        RouteId::SecretSet,
        r#"{"name":"skep-verify-canary","value":"VALUE","scope":"VALUE"}"#,
    ),
    (
        "a secret that is a number of things",
        RouteId::SecretSet,
        r#"{"name":"skep-verify-canary","value":["VALUE"]}"#,
    ),
    (
        "a secret that breaks off",
        RouteId::SecretSet,
        r#"{"name":"skep-verify-canary","value":"VALUE"#,
    ),
    (
        "a reference that is the value",
        RouteId::SecretSet,
        r#"{"name":"skep-verify-canary","reference":"op://VALUE"}"#,
    ),
    (
        "a run with an argument too many",
        RouteId::ExecAsk,
        r#"{"template":"skep-verify-programs","arguments":{"VALUE":"VALUE"}}"#,
    ),
    (
        "a setting with the secret's name, taken away",
        RouteId::SettingRemove,
        r#"{"name":"skep-verify-canary"}"#,
    ),
    (
        "a lease for a template that is the value",
        RouteId::LeaseBegin,
        r#"{"templates":["no such VALUE"]}"#,
    ),
];

pub(super) async fn attempt(stand: &mut Stand<'_>) -> Result<Tried, Failure> {
    let mut tried = Tried::of(Mode::Reading);
    let mut answers = 0;
    for route in ROUTES {
        if route.method != Method::Get || route.is_page() {
            continue;
        }
        let ids: &[&str] = if route.path.contains('{') {
            &IDS
        } else {
            &[""]
        };
        for id in ids {
            let name = format!("GET {}", filled(route.path, id));
            let (_, body) = stand
                .client()
                .probe(route.id, &filled(route.path, id), None)
                .await?;
            answers += 1;
            tried.attempts.push(judged(stand, &name, &body));
        }
    }
    for (name, route, body) in WRONG {
        let body = body.replace("VALUE", stand.canary().text());
        let path = route.row().path;
        let (status, answer) = stand
            .client()
            .probe(*route, path, Some(body.into_bytes()))
            .await?;
        answers += 1;
        if (200..300).contains(&status) && *route == RouteId::SecretSet {
            tried
                .attempts
                .push(Attempt::not_tried(name, "it was not refused"));
        } else {
            tried.attempts.push(judged(stand, name, &answer));
        }
    }
    tried.looked = Some(format!("{answers} answers of this credential's"));
    tried.cannot = vec![
        "who set a secret knows it, and whoever runs the daemon can read its memory".to_owned(),
    ];
    Ok(tried)
}

fn judged(stand: &Stand<'_>, name: &str, answer: &[u8]) -> Attempt {
    let mut attempt = Attempt::new(name, true);
    attempt.judge(stand.canary().recovered(answer));
    attempt
}

/// A path with this where braces stand.
fn filled(path: &str, id: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { id } else { part });
    parts.collect::<Vec<_>>().join("/")
}
