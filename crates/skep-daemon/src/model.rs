//! The way to the model's endpoint: its address, its key, and bounds on how long and how much.

use std::path::Path;

use async_trait::async_trait;
use skep_app::{ModelPort, NoAnswer};
use skep_crypto::Plain;
use skep_egress::{Egress, EgressError, Patience, Reach, Secret, Stage};
use skep_llm::{Request, Response};

use crate::config::model::Model;
use crate::files;

/// Bytes of an answer: many times what was asked for.
const ANSWER: usize = 256 << 10;

/// The endpoint that the operator named. Nothing else is ever called, and no redirect followed.
pub(crate) struct Endpoint {
    egress: Egress,
    settings: Model,
    key: Option<Plain<String>>,
}

impl Endpoint {
    /// Reads the key's file.
    pub(crate) fn open(home: &Path, settings: &Model) -> anyhow::Result<Self> {
        let origin = settings.address("/")?.origin().clone();
        let key = settings.key_file(home);
        let whole = settings.timeout();
        Ok(Self {
            egress: Egress::new(Reach::Listed(vec![origin])).with_patience(Patience {
                first_byte: whole,
                whole,
                ..Patience::default()
            }),
            settings: settings.clone(),
            key: key.map(|path| files::read_key(&path)).transpose()?,
        })
    }

    fn request(&self, request: &Request) -> Result<skep_egress::Request, EgressError> {
        let target = self
            .settings
            .address(request.path)
            .map_err(|_| EgressError::Url("model.base_url"))?;
        let mut call = skep_egress::Request::post(target, request.body.clone())?.at_most(ANSWER);
        for (name, value) in &request.headers {
            call = call.header(name, value)?;
        }
        if let Some(key) = &self.key {
            let value = Secret::new(format!("{}{}", request.key.prefix, key.expose()));
            call = call.secret(request.key.name, &value)?;
        }
        Ok(call)
    }
}

#[async_trait]
impl ModelPort for Endpoint {
    async fn send(&self, request: Request) -> Result<Response, NoAnswer> {
        let call = self
            .request(&request)
            .map_err(|error| NoAnswer::NotSent(error.to_string()))?;
        let answer = self.egress.send(&call).await.map_err(no_answer)?;
        Ok(Response {
            status: answer.status(),
            retry_after: answer.header("retry-after").and_then(skep_llm::retry_after),
            body: answer.body().to_vec(),
        })
    }
}

/// What may have reached the endpoint may have to be paid for.
fn no_answer(error: EgressError) -> NoAnswer {
    let text = error.to_string();
    match error {
        EgressError::Url(_)
        | EgressError::Forbidden { .. }
        | EgressError::Redirect(_)
        | EgressError::Request(_)
        | EgressError::Tls { .. }
        | EgressError::Busy
        | EgressError::Late {
            stage: Stage::Connect,
            ..
        } => NoAnswer::NotSent(text),
        // What breaks on the way there has a kind; what breaks later is wrapped.
        EgressError::Unreachable { source, .. } if source.kind() != std::io::ErrorKind::Other => {
            NoAnswer::NotSent(text)
        }
        EgressError::Unreachable { .. }
        | EgressError::Late { .. }
        | EgressError::TooLarge { .. }
        | EgressError::Answer(_) => NoAnswer::Lost(text),
    }
}

#[cfg(test)]
mod tests;
