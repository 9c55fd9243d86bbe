//! The service describing itself, where that is switched on: in both versions that clients ask in.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic_reflection::server::Builder;
use tower::ServiceExt;

use crate::wire::DESCRIPTOR;

const V1: &str = "grpc.reflection.v1.ServerReflection";
const V1_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";

type Answer = BoxFuture<'static, Response<Body>>;

/// Answers what there is to ask.
#[derive(Clone)]
pub(crate) struct Reflection(Arc<dyn Fn(Request<Incoming>) -> Answer + Send + Sync>);

impl Reflection {
    pub(crate) fn new() -> Self {
        let of = || Builder::configure().register_encoded_file_descriptor_set(DESCRIPTOR);
        let (v1, alpha) = (of().build_v1().ok(), of().build_v1alpha().ok());
        Self(Arc::new(move |request| {
            let (v1, alpha) = (v1.clone(), alpha.clone());
            async move {
                let old = request.uri().path().contains(".v1alpha.");
                let answer = match (old, v1, alpha) {
                    (false, Some(v1), _) => v1.oneshot(request).await,
                    (true, _, Some(alpha)) => alpha.oneshot(request).await,
                    _ => Ok(Status::internal("The description cannot be read.").into_http()),
                };
                match answer {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            .boxed()
        }))
    }

    pub(crate) fn is(service: &str) -> bool {
        [V1, V1_ALPHA].contains(&service)
    }

    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.0(request).await
    }
}
