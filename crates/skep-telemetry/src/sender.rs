//! What takes reports to the collector: exporters have threads of their own, and calls leave by the one way out,
//! which has a runtime. So they hand them over.

use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use skep_egress::{Egress, Reach, Target};
use tokio::sync::{mpsc, oneshot};

/// Reports that wait. There are two that report, each waits for its answer.
const WAITING: usize = 4;
/// Bytes of an answer.
const ANSWER: usize = 64 << 10;

/// A report, and who waits for what comes of it.
struct Report {
    request: Request<Bytes>,
    told: oneshot::Sender<Result<Response<Bytes>, HttpError>>,
}

/// Where exporters put their reports.
#[derive(Clone, Debug)]
pub(crate) struct Outbox(mpsc::Sender<Report>);

/// Sends reports, to be run by whoever owns the daemon's tasks.
pub struct Sender {
    reports: mpsc::Receiver<Report>,
    collector: Target,
    egress: Arc<Egress>,
}

pub(crate) fn pair(collector: &Target) -> (Outbox, Sender) {
    let (put, reports) = mpsc::channel(WAITING);
    let sender = Sender {
        reports,
        collector: collector.clone(),
        // The operator said where, so it may be inside.
        egress: Arc::new(Egress::new(Reach::PublicAnd(vec![
            collector.origin().clone(),
        ]))),
    };
    (Outbox(put), sender)
}

#[async_trait]
impl HttpClient for Outbox {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (told, came) = oneshot::channel();
        self.0.send(Report { request, told }).await?;
        came.await?
    }
}

impl Sender {
    /// Sends what comes, until nobody is left who could report, or it is dropped.
    pub async fn run(mut self) {
        while let Some(Report { request, told }) = self.reports.recv().await {
            let sent = self.send(&request).await;
            if let Err(error) = &sent {
                tracing::warn!(%error, "the collector was not reached");
            }
            let _ = told.send(sent);
        }
    }

    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let target = self.collector.with_path(request.uri().path())?;
        let body = request.body().clone();
        let report = skep_egress::Request::post(target, body)?
            .header("content-type", "application/x-protobuf")?
            .at_most(ANSWER);
        let answer = self.egress.send(&report).await?;
        let response = Response::builder().status(answer.status());
        Ok(response.body(answer.body().clone())?)
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}
