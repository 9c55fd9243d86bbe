//! How this daemon stands.

use axum::response::Response;
use skep_api::posture::{Posture, Weakness, fails, public, unaudited};
use skep_app::App;
use skep_authz::{Authorized, rights};
use skep_domain::RateClass;

use crate::call::{Call, ok};
use crate::error::ApiError;
use crate::mode::Mode;
use crate::mount::Edge;

pub(crate) async fn posture(
    authorized: Authorized<rights::DiagnosticsRead>,
    call: Call,
) -> Result<Response, ApiError> {
    call.app().status(authorized).await?;
    let site = &call.edge.site;
    ok(&Posture {
        mode: site.mode.as_str().into(),
        listeners: call.edge.listeners.get().cloned().unwrap_or_default(),
        public_url: site.public_url.clone(),
        key_provider: site.key_provider.clone(),
        store: site.store.clone(),
        credentials: credentials(call.app()),
        limits: limits(&call.edge),
        fails: fails(),
        unaudited: unaudited(),
        public: public(),
        weaknesses: weaknesses(&call.edge),
    })
}

fn credentials(app: &App) -> String {
    match app.asks_elsewhere() {
        None => "checked here".into(),
        Some((place, true)) => format!("asked of {place}"),
        Some((place, false)) => format!("asked of {place}, which does not answer"),
    }
}

fn limits(edge: &Edge) -> String {
    let Some(limits) = &edge.limits else {
        return "off".into();
    };
    match limits.limiter.state().shared {
        None => "counted by this node alone".into(),
        Some((address, true)) => format!("counted together at {address}"),
        Some((address, false)) => format!("counted by this node alone: {address} is away"),
    }
}

/// What an attacker would like about this daemon, the worst first.
fn weaknesses(edge: &Edge) -> Vec<Weakness> {
    let (site, mut found) = (&edge.site, Vec::new());
    let mut add = |is_so: bool, what: &str, do_this: &str| {
        if is_so {
            found.push(Weakness {
                what: what.into(),
                do_this: do_this.into(),
            });
        }
    };
    add(
        edge.limits.is_none(),
        "calls are not counted: passwords and codes may be guessed at any pace",
        "take limits.enabled = false out of the configuration",
    );
    let away = edge.limits.as_ref().is_some_and(|limits| {
        let state = limits.limiter.state();
        state.shared.is_some_and(|(_, up)| !up)
    });
    add(
        away,
        "the store that nodes share for rate limits is away: login and reset are refused",
        "start it, or take limits.redis out of the configuration of a single node",
    );
    let wide = edge.limits.as_ref().is_some_and(|limits| {
        let mut rules = RateClass::Login.rules().iter();
        rules.any(|rule| !limits.quotas.of(rule).within(rule.default))
    });
    add(
        wide,
        "more login attempts are allowed than by default",
        "lower limits.login_account and limits.login_address again",
    );
    add(
        site.is_public,
        "other machines reach this port, and what is spoken on it is plain HTTP",
        "let a firewall leave the port to the proxy that ends TLS",
    );
    add(
        site.is_public && site.proxies.is_empty(),
        "no proxy is named: everybody behind it counts as one address for login attempts",
        "name its address in server.proxies",
    );
    add(
        site.mode == Mode::Hybrid,
        "whoever reads the install token is trusted over loopback; a tunnel to this machine is loopback",
        "use team mode where other people have accounts on this machine",
    );
    add(
        site.stores_in_the_clear,
        "the link to the database is neither encrypted nor verified: whoever is in between reads and changes rows",
        "set store.tls = \"verify-full\", and take store.allow_unverified out of the configuration",
    );
    found.extend(place_of_root(&site.key_provider));
    found.extend(walls(&edge.app));
    found.extend(asking(edge));
    found
}

/// What the place of the root key cannot protect from.
fn place_of_root(provider: &str) -> Option<Weakness> {
    let (what, do_this) = match provider.split([' ', ',']).next() {
        Some("file") => (
            "the root key lies in a file beside the data it opens: a copy of the disk has both",
            "keep the key file on other storage (key.file), and encrypt the disk",
        ),
        Some("environment") => (
            "the root key comes in a variable: whoever starts the daemon has it, and so does whatever shows its \
             settings (systemctl show, docker inspect, a file of a unit); nothing seals it there",
            "hand it over as a credential of systemd, or let a program unwrap it: skepd key move --to credential",
        ),
        _ => return None,
    };
    Some(Weakness {
        what: what.into(),
        do_this: do_this.into(),
    })
}

/// What programs that get secrets are not walled in by here.
fn walls(app: &App) -> Option<Weakness> {
    let missing = app.exec_state()?.missing?;
    let told = missing
        .iter()
        .map(|(layer, reason)| format!("{layer} ({reason})"));
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| Weakness {
        what: format!(
            "programs that get secrets run without these walls: {}",
            told.join(", ")
        ),
        do_this:
            "see docs/exec.md for what each is for; let this user make user namespaces, or run no \
                  template that needs them"
                .into(),
    })
}

/// What is weak about how programs ask each other who somebody is.
fn asking(edge: &Edge) -> Vec<Weakness> {
    let elsewhere = edge.app.asks_elsewhere();
    let cases = [
        (
            edge.site.describes_itself,
            "the gRPC service describes itself, which is for development",
            "take auth.grpc.reflection = true out of the configuration",
        ),
        (
            elsewhere.is_some_and(|(_, answers)| !answers),
            "the daemon that checks credentials does not answer: nobody is let in",
            "start it, or see whether this node reaches it at auth.endpoint",
        ),
    ];
    let found = cases.into_iter().filter(|(is_so, ..)| *is_so);
    found
        .map(|(_, what, do_this)| Weakness {
            what: what.into(),
            do_this: do_this.into(),
        })
        .collect()
}
