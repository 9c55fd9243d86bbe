//! What a program that holds a placeholder could do to have the value.

use skep_api::lease::{BegunLease, LeaseRequest};
use skep_api::template::{TemplateBase, TemplateRequests, TemplateRule, TemplateText};
use skep_client::digest;

use super::door::{Doors, Way};
use super::report::{Attempt, Outcome, Tried};
use super::stand::{SECRET, Stand};
use crate::args::Mode;
use crate::failure::Failure;

/// What the template is called.
const NAME: &str = "skep-verify-wire";
/// The origin within the daemon that says back what it is sent.
const ORIGIN: &str = "trial.skep.invalid";
/// What the daemon calls the secret for a program.
const PLACEHOLDER: &str = "__skep_skep-verify-canary__";
const TUNNEL: Way = Way::Tunnel("trial.skep.invalid:443", "trial.skep.invalid");

/// How a writing is asked for.
const SHAPES: [&str; 6] = ["body", "letters", "long", "header", "error", "packed"];
/// Writings that answers are looked through for.
const LOOKED_FOR: [&str; 13] = [
    "plain",
    "twice",
    "quoted",
    "backwards",
    "base64",
    "base64-1",
    "base64-2",
    "base64url",
    "hex",
    "hex-capitals",
    "percent",
    "json",
    "html",
];
/// Those that an origin could use which wants to tell.
const NOT_LOOKED_FOR: [&str; 2] = ["rot13", "apart"];

/// Requests with the placeholder where it may not stand, to whom it may not go, or past the lease: `KEY` is the
/// placeholder.
const ELSEWHERE: &[(&str, Way, &str)] = &[
    (
        "in the query",
        TUNNEL,
        "GET /say/plain/body?k=KEY HTTP/1.1\r\nHost: trial.skep.invalid\r\nConnection: close\r\n\r\n",
    ),
    (
        "in the path",
        TUNNEL,
        "GET /say/KEY/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nConnection: close\r\n\r\n",
    ),
    (
        "in a cookie",
        TUNNEL,
        "GET /say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nCookie: a=KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "in another header",
        TUNNEL,
        "GET /say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nX-Other: KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "as the name of a header",
        TUNNEL,
        "GET /say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nKEY: 1\r\nConnection: close\r\n\r\n",
    ),
    (
        "in a body",
        TUNNEL,
        "POST /say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nContent-Length: 27\r\nConnection: close\r\n\r\nKEY",
    ),
    (
        "in a body in chunks",
        TUNNEL,
        "POST /say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1b\r\nKEY\r\n0\r\n\r\n",
    ),
    (
        "in another path of the host",
        TUNNEL,
        "GET /elsewhere HTTP/1.1\r\nHost: trial.skep.invalid\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "with another method",
        TUNNEL,
        "DELETE /say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "traced",
        TUNNEL,
        "TRACE /say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "for another host in the tunnel",
        TUNNEL,
        "GET /say/plain/body HTTP/1.1\r\nHost: other.skep.invalid\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "with two lengths",
        TUNNEL,
        "POST /say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nAuthorization: Bearer KEY\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    ),
    (
        "to another host",
        Way::Tunnel("other.skep.invalid:443", "other.skep.invalid"),
        "GET / HTTP/1.1\r\nHost: other.skep.invalid\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "to another port",
        Way::Tunnel("trial.skep.invalid:8443", "trial.skep.invalid"),
        "GET / HTTP/1.1\r\nHost: trial.skep.invalid:8443\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "to this machine",
        Way::Tunnel("127.0.0.1:443", "127.0.0.1"),
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "to where clouds keep credentials",
        Way::Tunnel("169.254.169.254:443", "169.254.169.254"),
        "GET /latest HTTP/1.1\r\nHost: 169.254.169.254\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "in clear",
        Way::Clear,
        "GET http://trial.skep.invalid/say/plain/body HTTP/1.1\r\nHost: trial.skep.invalid\r\nProxy-Authorization: Basic {login}\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "without the lease's password",
        Way::Clear,
        "CONNECT trial.skep.invalid:443 HTTP/1.1\r\nHost: trial.skep.invalid:443\r\n\r\n",
    ),
    (
        "with another password",
        Way::Clear,
        "CONNECT trial.skep.invalid:443 HTTP/1.1\r\nHost: trial.skep.invalid:443\r\nProxy-Authorization: Basic c2tlcDpub25l\r\n\r\n",
    ),
    (
        "by the base URL, to another host",
        Way::Base,
        "GET /{base}/say/plain/body HTTP/1.1\r\nHost: rebound.skep.invalid\r\nConnection: close\r\n\r\n",
    ),
    (
        "by the base URL, with a cookie",
        Way::Base,
        "GET /{base}/say/plain/body HTTP/1.1\r\nHost: {address}\r\nCookie: KEY\r\nConnection: close\r\n\r\n",
    ),
    (
        "by another base URL",
        Way::Base,
        "GET /0123456789abcdef/trial/say/plain/body HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n",
    ),
];

pub(super) async fn attempt(stand: &mut Stand<'_>) -> Result<Tried, Failure> {
    let mut tried = Tried::of(Mode::Wire);
    if let Some(why) = stand.template(&template()).await? {
        tried.skipped = Some(why);
        return Ok(tried);
    }
    let request = LeaseRequest {
        templates: vec![NAME.to_owned()],
        seconds: Some(600),
        unattended: true,
        certificates: true,
    };
    let begun = match stand.client().begin_lease(&request).await {
        Ok(begun) => begun,
        Err(error) => {
            tried.skipped = Some(format!(
                "no lease is begun here: {}",
                Failure::from(error).message()
            ));
            return Ok(tried);
        }
    };
    let doors = Doors::of(&begun);
    if let Ok(doors) = &doors {
        tried.attempts = tries(stand, doors, &begun).await;
    }
    tried.cannot.clone_from(&begun.cannot);
    stand.client().end_lease(&begun.id).await?;
    let after = doors?.say(Way::Base, &of_base("/say/plain/body")).await;
    tried
        .attempts
        .push(judged(stand, "after the lease has ended", true, &after));
    Ok(tried)
}

async fn tries(stand: &Stand<'_>, doors: &Doors, begun: &BegunLease) -> Vec<Attempt> {
    let known = serde_json::to_vec(begun).unwrap_or_default();
    let mut all = vec![judged(stand, "all that the program is told", true, &known)];
    all.extend(arrivals(stand, doors).await);
    all.extend(echoes(stand, doors).await);
    for (name, way, request) in ELSEWHERE {
        let request = request.replace("KEY", PLACEHOLDER);
        let heard = doors.say(*way, &request).await;
        all.push(judged(stand, name, true, &heard));
    }
    for writing in NOT_LOOKED_FOR {
        let heard = doors
            .say(Way::Base, &of_base(&format!("/say/{writing}/body")))
            .await;
        let name = format!("an origin that writes {writing}");
        all.push(judged(stand, &name, false, &heard));
    }
    all
}

/// What never arrives cannot come back: then every other line would say nothing.
async fn arrivals(stand: &Stand<'_>, doors: &Doors) -> Vec<Attempt> {
    let mut all = Vec::new();
    let wanted = digest(stand.canary().text());
    for (way, name) in [
        (Way::Base, "by its base URL"),
        (TUNNEL, "through the proxy"),
    ] {
        let heard = doors.say(way, &asked(way, "/digest")).await;
        let text = String::from_utf8_lossy(&heard);
        let name = format!("the value arrives where it should, {name}");
        all.push(if text.contains(&wanted) {
            judged(stand, &name, true, &heard)
        } else {
            Attempt::not_tried(&name, text.lines().next().unwrap_or("no answer"))
        });
    }
    all
}

async fn echoes(stand: &Stand<'_>, doors: &Doors) -> Vec<Attempt> {
    let mut all = Vec::new();
    for writing in LOOKED_FOR {
        for shape in SHAPES {
            let heard = doors
                .say(Way::Base, &of_base(&format!("/say/{writing}/{shape}")))
                .await;
            all.push(judged(
                stand,
                &format!("said back: {writing}, {shape}"),
                true,
                &heard,
            ));
        }
        let path = format!("/say/{writing}/body");
        let heard = doors.say(TUNNEL, &asked(TUNNEL, &path)).await;
        let name = format!("said back through the proxy: {writing}");
        all.push(judged(stand, &name, true, &heard));
    }
    // Two requests on one connection; the second holds no placeholder.
    let both = format!(
        "GET /digest HTTP/1.1\r\nHost: {ORIGIN}\r\nAuthorization: Bearer {PLACEHOLDER}\r\n\r\n\
         GET /again/plain/body HTTP/1.1\r\nHost: {ORIGIN}\r\nConnection: close\r\n\r\n"
    );
    let heard = doors.say(TUNNEL, &both).await;
    all.push(judged(stand, "said back later, unasked", true, &heard));
    all
}

fn judged(stand: &Stand<'_>, name: &str, promised: bool, heard: &[u8]) -> Attempt {
    let mut attempt = Attempt::new(name, promised);
    attempt.judge(stand.canary().recovered(heard));
    if !promised && attempt.outcome == Outcome::Hidden {
        attempt.note = Some("it was not read back here".to_owned());
    }
    attempt
}

fn of_base(path: &str) -> String {
    asked(Way::Base, path)
}

/// A request for a path with the placeholder where it may stand; by the base URL the daemon puts it there.
fn asked(way: Way, path: &str) -> String {
    match way {
        Way::Base => format!(
            "GET /{{base}}{path} HTTP/1.1\r\nHost: {{address}}\r\nConnection: close\r\n\r\n"
        ),
        Way::Tunnel(..) | Way::Clear => format!(
            "GET {path} HTTP/1.1\r\nHost: {ORIGIN}\r\nAuthorization: Bearer {PLACEHOLDER}\r\n\
             Connection: close\r\n\r\n"
        ),
    }
}

fn template() -> TemplateText {
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    TemplateText {
        name: NAME.to_owned(),
        purpose:
            "skep verify secrets: tries to have a canary back that the daemon puts into requests."
                .to_owned(),
        program: None,
        requests: Some(TemplateRequests {
            rules: vec![TemplateRule {
                secret: SECRET.to_owned(),
                owner: None,
                hosts: texts(&[ORIGIN]),
                headers: texts(&["authorization"]),
                methods: texts(&["GET", "POST"]),
                paths: texts(&["/digest", "/say/", "/again/"]),
                body: None,
            }],
            bases: vec![TemplateBase {
                name: "trial".to_owned(),
                origin: format!("https://{ORIGIN}"),
                header: "authorization".to_owned(),
                value: format!("Bearer {PLACEHOLDER}"),
            }],
            hosts: Vec::new(),
            seconds: 600,
        }),
    }
}
