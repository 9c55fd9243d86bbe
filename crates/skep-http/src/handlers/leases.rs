//! Leases of programs that use secrets without holding them.

use std::time::Duration;

use axum::response::Response;
use skep_api::lease::{
    BaseUrl, BegunLease, EndedLease, Goes, Lease, LeaseRequest, LeaseVariable, Leases, Placeholder,
    RenewedLease,
};
use skep_api::vault::Confidential;
use skep_api::{ErrorCode, Instant};
use skep_app::{BeginLease, LeasedSecret};
use skep_authz::{Authorized, rights};

use crate::call::{Call, ok};
use crate::error::ApiError;
use crate::peer::Peer;

/// What this way of using secrets cannot promise, for whoever is about to use it.
const CANNOT: [&str; 5] = [
    "A host that a rule names is trusted with the secret: one that helps the program can say it in a code that \
     nobody looks for.",
    "What a host gives in exchange, such as a cookie or a token, belongs to the program.",
    "Who can read the program's environment, as every process of the same user can, may send requests by its \
     lease until it ends; nobody gets a value so.",
    "A program that pins certificates, or trusts none but its own store, needs a base URL.",
    "Requests that are signed with the secret cannot be made: the program would have to hold it.",
];

pub(crate) async fn begin(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: LeaseRequest = call.body()?;
    // Its program has to be where the proxy is.
    if let Some(Peer::Tcp(address)) = call.parts.extensions.get::<Peer>()
        && !address.ip().to_canonical().is_loopback()
    {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "The proxy is for programs on the daemon's own machine: run a daemon on yours.",
        ));
    }
    let wanted = BeginLease {
        templates: request.templates,
        seconds: request.seconds,
        unattended: request.unattended,
    };
    let asking = (authorized, call.caller.expires_at());
    let text = |id| call.text(id);
    let begun = call.edge.app.begin_lease(asking, wanted, &text).await?;
    let certificates = if request.certificates {
        Some(bundle(&begun.bundle).await?)
    } else {
        None
    };
    let environment = begun.environment.iter().map(|(name, value)| LeaseVariable {
        name: (*name).into(),
        value: Confidential::new(value.expose().clone()),
    });
    let bases = begun.bases.iter().map(|(name, origin, url)| BaseUrl {
        name: name.clone(),
        origin: origin.clone(),
        url: Confidential::new(url.expose().clone()),
    });
    ok(&BegunLease {
        id: call.text(begun.id),
        environment: environment.collect(),
        proxy: Confidential::new(begun.proxy.expose().clone()),
        bundle: begun.bundle.display().to_string(),
        certificates,
        placeholders: begun.placeholders.into_iter().map(placeholder).collect(),
        bases: bases.collect(),
        hosts: begun.hosts,
        templates: begun.templates,
        ends_at: Instant(begun.ends_at),
        renew_within_seconds: begun.renewed.map(seconds),
        cannot: CANNOT.map(String::from).into(),
    })
}

pub(crate) async fn list(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let items = call.app().list_leases(&authorized)?.into_iter();
    ok(&Leases {
        items: items
            .map(|view| Lease {
                id: call.text(view.id),
                templates: view.templates,
                began_at: Instant(view.began_at),
                ends_at: Instant(view.ends_at),
                unattended: view.unattended,
                uses: view.uses,
                refused: view.refused,
            })
            .collect(),
    })
}

pub(crate) async fn renew(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let (ends_at, renewed) = call.app().renew_lease(authorized, call.path_id()?).await?;
    ok(&RenewedLease {
        ends_at: Instant(ends_at),
        renew_within_seconds: renewed.map(seconds),
    })
}

pub(crate) async fn end(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    call.app().end_lease(&authorized, call.path_id()?)?;
    ok(&EndedLease { ended: true })
}

async fn bundle(path: &std::path::Path) -> Result<String, ApiError> {
    let read = tokio::fs::read_to_string(path).await;
    read.map_err(|error| {
        tracing::error!(%error, "the file of certificates cannot be read");
        ApiError::internal()
    })
}

fn placeholder(secret: LeasedSecret) -> Placeholder {
    let variable = secret.variable();
    let goes = secret.rules.into_iter().map(|(template, rule)| Goes {
        template,
        hosts: rule.hosts,
        headers: rule.headers,
        methods: rule.methods,
        paths: rule.paths,
        body: rule.body.as_str().into(),
    });
    Placeholder {
        variable,
        placeholder: secret.placeholder,
        owner: secret.owner.as_str().into(),
        goes: goes.collect(),
        secret: secret.secret,
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
