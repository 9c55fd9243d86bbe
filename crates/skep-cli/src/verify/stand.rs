//! The canary in the vault, and the templates that use it: planted, and taken away again.

use skep_api::template::{ApproveTemplateRequest, Template, TemplateQuery, TemplateText};
use skep_api::vault::{RemoveRecordRequest, SetSecretRequest};
use skep_client::Client;

use super::canary::Canary;
use super::report::Place;
use crate::context::Context;
use crate::failure::Failure;

/// What the canary is called. It is always the same, so that templates that were approved once are good again.
pub(super) const SECRET: &str = "skep-verify-canary";
/// Why a template is withdrawn.
const DONE: &str = "skep verify secrets is done";

/// A canary that is in the vault until [`Stand::clear`].
pub(super) struct Stand<'c> {
    context: &'c Context<'c>,
    client: Client,
    place: Place,
    canary: Canary,
    /// Those that were approved for this run alone.
    approved: Vec<String>,
}

impl<'c> Stand<'c> {
    pub(super) async fn plant(context: &'c Context<'c>) -> Result<Self, Failure> {
        let mut client = context.client().await?;
        let health = client.health().await?;
        let canary = Canary::draw()?;
        let request = SetSecretRequest {
            name: SECRET.to_owned(),
            value: Some(canary.value().clone()),
            ..SetSecretRequest::default()
        };
        client.set_secret(&request).await?;
        Ok(Self {
            context,
            place: Place {
                daemon: health.version,
                at: client.endpoint().to_string(),
                workspace: health.workspace.name,
            },
            client,
            canary,
            approved: Vec::new(),
        })
    }

    pub(super) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    pub(super) const fn canary(&self) -> &Canary {
        &self.canary
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    /// Sees to it that a template which says just this is in force; or why none can be.
    pub(super) async fn template(
        &mut self,
        text: &TemplateText,
    ) -> Result<Option<String>, Failure> {
        if self.found(text, "approved").await?.is_some() {
            return Ok(None);
        }
        let waiting = match self.found(text, "waiting").await? {
            Some(waiting) => waiting,
            None => self.client.draft_template(text).await?,
        };
        let request = ApproveTemplateRequest {
            digest: waiting.digest,
            ..ApproveTemplateRequest::default()
        };
        match self.client.approve_template(&waiting.id, &request).await {
            Ok(approved) => {
                self.approved.push(approved.id);
                Ok(None)
            }
            Err(error) => {
                let refused = Failure::from(error);
                Ok(Some(format!(
                    "{} waits for somebody who may approve it ({}): skep template approve {}; once that is done it \
                     is good for every later run",
                    text.name,
                    refused.code(),
                    text.name,
                )))
            }
        }
    }

    async fn found(
        &mut self,
        text: &TemplateText,
        state: &str,
    ) -> Result<Option<Template>, Failure> {
        let mut query = TemplateQuery {
            limit: Some(200),
            state: Some(state.to_owned()),
            ..TemplateQuery::default()
        };
        loop {
            let page = self.client.templates(&query).await?;
            if let Some(found) = page.items.into_iter().find(|one| one.text == *text) {
                return Ok(Some(found));
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(None),
            }
        }
    }

    /// Takes the canary out of the vault, and withdraws what nobody else approved.
    pub(super) async fn clear(&mut self) -> Result<(), Failure> {
        // What was interrupted may have left an answer on the way.
        let mut client = self.context.client().await?;
        for id in std::mem::take(&mut self.approved) {
            client.withdraw_template(&id, DONE.to_owned()).await?;
        }
        let request = RemoveRecordRequest {
            name: SECRET.to_owned(),
            ..RemoveRecordRequest::default()
        };
        client.remove_secret(&request).await?;
        Ok(())
    }
}
