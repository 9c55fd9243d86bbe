//! The router, built from the route table, and what a request passes on its way to a handler.

mod table;
mod within;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use skep_api::{ErrorCode, Method, ROUTES, Route};
use skep_app::App;
use skep_authz::Caller;
use skep_limit::Limits;

use crate::call::Call;
use crate::dialect;
use crate::error::ApiError;
use crate::gate;
use crate::handlers::oauth;
use crate::limits::Told;
use crate::record;
use crate::request_id::RequestId;
use crate::site::Site;
use crate::visit::Visit;

use table::handler;

pub(crate) use within::within;

/// What every handler can reach.
pub struct Edge {
    /// The use cases.
    pub app: Arc<App>,
    /// Version to report.
    pub version: &'static str,
    /// How calls are counted; not at all if absent.
    pub limits: Option<Limits>,
    /// Where this daemon stands.
    pub site: Site,
    /// Where we listen, for the health report.
    pub listeners: OnceLock<Vec<String>>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// What stands behind a row.
#[derive(Clone, Copy)]
enum Handler {
    Public(fn(Visit) -> Answer),
    Known(fn(Call) -> Answer),
}

/// The whole router.
pub fn router(edge: &Arc<Edge>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let edge = Arc::clone(edge);
        let handler = handler(route.id);
        let filter = match route.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Patch => MethodFilter::PATCH,
            Method::Put => MethodFilter::PUT,
            Method::Delete => MethodFilter::DELETE,
        };
        let serve = move |params: RawPathParams, request: Request| {
            serve(Arc::clone(&edge), route, handler, params, request)
        };
        router = router.route(route.path, on(filter, serve));
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_route)
}

/// Gate, body, handler; each decision on the way is recorded.
async fn answer(
    edge: Arc<Edge>,
    route: &'static Route,
    handler: Handler,
    params: RawPathParams,
    (parts, body): (Parts, Body),
    told: Arc<Told>,
) -> Result<Response, ApiError> {
    let uri = parts.uri.clone();
    let path = uri.path();
    told.count_address(&edge, route, &parts).await?;
    let verdict = gate::admit(&edge.app, route, &parts).await;
    let caller = record::refusal(&edge, route, path, None, verdict)?;
    if let Some(caller) = &caller {
        pass((&edge, &told), route, &parts, caller).await?;
    }
    let body = gate::read_body(route, &parts, body).await?;
    record::allowance(&edge, route, path, (caller.as_ref(), &body)).await?;
    match (handler, caller) {
        (Handler::Public(handler), _) => {
            handler(Visit {
                edge,
                parts,
                body,
                class: route.rate,
                told,
            })
            .await
        }
        (Handler::Known(handler), Some(caller)) => {
            let path_id = params.iter().find(|(name, _)| *name == "id");
            let answer = handler(Call {
                edge: Arc::clone(&edge),
                caller: caller.clone(),
                path_id: path_id.map(|(_, value)| value.to_owned()),
                parts,
                body,
                told,
            });
            let answer = record::shown(&edge, (route, ""), path, &caller, answer);
            record::refusal(&edge, route, path, Some(&caller), answer.await)
        }
        // A row that became public while its handler wants a caller: closed, not open.
        (Handler::Known(_), None) => Err(skep_authz::Denied::MissingCredential.into()),
    }
}

/// What stands between a caller who is known and a route: how often, and whether they may.
async fn pass(
    (edge, told): (&Edge, &Told),
    route: &Route,
    parts: &Parts,
    caller: &Caller,
) -> Result<(), ApiError> {
    told.count_caller(edge, route, caller).await?;
    let verdict = gate::allow(&edge.app, route, parts, caller);
    record::refusal(edge, route, parts.uri.path(), Some(caller), verdict)?;
    Ok(())
}

async fn serve(
    edge: Arc<Edge>,
    route: &'static Route,
    handler: Handler,
    params: RawPathParams,
    request: Request,
) -> Response {
    let (parts, body) = gate::split(request);
    let id = request_id(&parts.extensions);
    let proves = parts.headers.contains_key(oauth::DPOP);
    let told = Arc::new(Told::default());
    let call = (Arc::clone(&edge), Arc::clone(&told));
    let asked = record::asked(&parts);
    let dialect = dialect::of(parts.uri.path(), &parts.headers);
    let answer = answer(call.0, route, handler, params, (parts, body), call.1);
    let answer = skep_app::answering(asked, answer).await;
    let mut response = answer.unwrap_or_else(|error| error.respond_in(dialect, &id));
    told.write(response.headers_mut(), edge.app.now(), dialect);
    oauth::advise(&edge.app, (route.id, proves), &mut response);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(crate) fn request_id(extensions: &axum::http::Extensions) -> RequestId {
    extensions
        .get::<RequestId>()
        .cloned()
        .unwrap_or_else(|| RequestId(String::new()))
}

async fn wrong_method(request: axum::http::Request<Body>) -> Response {
    let id = request_id(request.extensions());
    ApiError::new(
        ErrorCode::MethodNotAllowed,
        "This path does not take this method.",
    )
    .respond_in(dialect::of(request.uri().path(), request.headers()), &id)
}

async fn no_route(request: axum::http::Request<Body>) -> Response {
    let id = request_id(request.extensions());
    ApiError::new(ErrorCode::NotFound, "There is no such path.")
        .respond_in(dialect::of(request.uri().path(), request.headers()), &id)
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
