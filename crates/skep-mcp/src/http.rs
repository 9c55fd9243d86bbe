//! The protocol over streamable HTTP, without sessions: each request says whose it is, so nothing that was
//! allowed once outlives a revocation.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::{Daemon, Profile, Server};

/// Headers that the transport looks at; it sees no others, and no credential. Without a `Host` it answers
/// nobody, whatever that says.
const LOOKED_AT: [&str; 6] = [
    "accept",
    "content-type",
    "host",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
];
/// Arguments of a call that a client repeats as headers.
const PARAMETERS: &str = "mcp-param-";

/// Answers one POST, whose caller is known and whose `Host` and `Origin` were judged.
pub async fn answer<D: Daemon>(
    daemon: Arc<D>,
    (profile, version): (Profile, &'static str),
    headers: &HeaderMap,
    body: Bytes,
) -> Response<BoxBody<Bytes, Infallible>> {
    let make = move || Server::new(Arc::clone(&daemon), profile, version);
    answer_by(make, headers, body).await
}

/// The same with any server of the protocol.
pub async fn answer_by<S: ServerHandler>(
    make: impl Fn() -> S + Send + Sync + 'static,
    headers: &HeaderMap,
    body: Bytes,
) -> Response<BoxBody<Bytes, Infallible>> {
    let limit = body.len();
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    for (name, value) in headers {
        if LOOKED_AT.contains(&name.as_str()) || name.as_str().starts_with(PARAMETERS) {
            request.headers_mut().append(name, value.clone());
        }
    }
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(limit)
        // The edge knows which names and origins are ours, and has judged them.
        .disable_allowed_hosts()
        .disable_allowed_origins();
    let service = StreamableHttpService::new(
        move || Ok(make()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    service.handle(request).await.map(BodyExt::boxed)
}
