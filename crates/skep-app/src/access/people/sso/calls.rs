//! How issuers are asked: over https where everybody can reach, or where the operator allowed it.

use std::sync::Arc;

use skep_egress::{Egress, Origin, Request, Response, Scheme, Target};

use crate::AppError;

/// Bytes of an answer that are taken: the documents of large providers have a few thousand.
const ANSWER: usize = 128 << 10;

/// The ways to issuers.
#[derive(Clone, Default)]
pub struct IssuerCalls {
    public: Option<Arc<Egress>>,
    listed: Option<(Vec<Origin>, Arc<Egress>)>,
}

impl IssuerCalls {
    /// Also to whatever everybody can reach.
    #[must_use]
    pub fn with_public(mut self, egress: Egress) -> Self {
        self.public = Some(Arc::new(egress));
        self
    }

    /// Also to these, which may be inside. An issuer outside cannot lead there.
    #[must_use]
    pub fn with_listed(mut self, origins: Vec<Origin>, egress: Egress) -> Self {
        self.listed = Some((origins, Arc::new(egress)));
        self
    }

    pub(super) fn is_listed(&self, target: &Target) -> bool {
        let listed = self.listed.as_ref();
        listed.is_some_and(|(origins, _)| origins.contains(target.origin()))
    }

    /// A URL that may be gone to for an issuer: where the operator allowed the issuer itself, among
    /// what is allowed; else over https.
    pub(super) fn target(&self, url: &str, from_listed: bool) -> Result<Target, AppError> {
        let target = Target::parse(url).map_err(|error| unfit(&error.to_string()))?;
        if url.contains('#') {
            return Err(unfit("a URL of the issuer has a fragment"));
        }
        if from_listed && self.is_listed(&target) {
            return Ok(target);
        }
        if target.origin().scheme != Scheme::Https {
            return Err(unfit("a URL of the issuer is not https"));
        }
        Ok(target)
    }

    /// Asks, and takes no other place's word for it: no redirect is believed.
    pub(super) async fn send(
        &self,
        target: &Target,
        request: Request,
    ) -> Result<Response, AppError> {
        let way = match &self.listed {
            Some((_, egress)) if self.is_listed(target) => Some(egress),
            _ => self.public.as_ref(),
        };
        let way = way.ok_or_else(|| unfit("issuers are not asked here: auth.sso is off"))?;
        let request = request
            .header("accept", "application/json")?
            .at_most(ANSWER);
        let response = way.send(&request).await?;
        if response.target() != target {
            return Err(unfit("the issuer answers from another place than asked"));
        }
        Ok(response)
    }

    /// A document, which has to be there.
    pub(super) async fn get(&self, target: &Target) -> Result<Response, AppError> {
        let response = self.send(target, Request::get(target.clone())).await?;
        match response.status() {
            200 => Ok(response),
            status => Err(AppError::Upstream { status }),
        }
    }
}

pub(super) fn unfit(why: &str) -> AppError {
    AppError::Unfit(why.to_owned())
}

impl std::fmt::Debug for IssuerCalls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuerCalls")
    }
}
