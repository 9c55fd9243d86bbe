//! The canary in the vault, and the templates that use it: planted, and taken away again.

use skep_api::ErrorCode;
use skep_api::template::{ApproveTemplateRequest, Template, TemplateQuery, TemplateText};
use skep_api::vault::{RecordQuery, RemoveRecordRequest, Secret, SetSecretRequest};
use skep_client::{Client, ClientError};

use super::canary::Canary;
use super::journal::Journal;
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
    /// What the journal calls this place.
    key: String,
    journal: Journal,
    /// Those that were approved for this run alone.
    approved: Vec<String>,
}

impl<'c> Stand<'c> {
    pub(super) async fn plant(context: &'c Context<'c>) -> Result<Self, Failure> {
        let mut journal = Journal::open(context.home.path())?;
        let mut client = context.client().await?;
        let health = client.health().await?;
        let at = client.endpoint().to_string();
        let workspace = health.workspace;
        let key = format!("{at} {}", workspace.name);
        if let Some(left) = journal.left(&key) {
            take_away(&mut client, &left).await?;
            journal.forget(&key)?;
        }
        is_free(&mut client).await?;
        let canary = Canary::draw()?;
        let request = SetSecretRequest {
            name: SECRET.to_owned(),
            value: Some(canary.value().clone()),
            ..SetSecretRequest::default()
        };
        journal.note(&key, &[])?;
        if let Err(error) = client.set_secret(&request).await {
            journal.forget(&key)?;
            return Err(error.into());
        }
        Ok(Self {
            context,
            place: Place {
                daemon: health.version,
                at,
                workspace: workspace.name,
            },
            client,
            canary,
            key,
            journal,
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
        self.approved.push(waiting.id.clone());
        self.journal.note(&self.key, &self.approved)?;
        match self.client.approve_template(&waiting.id, &request).await {
            Ok(_) => Ok(None),
            Err(error) => {
                self.approved.pop();
                self.journal.note(&self.key, &self.approved)?;
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
        take_away(&mut client, &self.approved).await?;
        self.approved.clear();
        self.journal.forget(&self.key)
    }
}

/// All of it, whatever of it is there any more.
async fn take_away(client: &mut Client, approved: &[String]) -> Result<(), Failure> {
    let request = RemoveRecordRequest {
        name: SECRET.to_owned(),
        ..RemoveRecordRequest::default()
    };
    let mut failed = client.remove_secret(&request).await.map(drop).err();
    for id in approved {
        match client.withdraw_template(id, DONE.to_owned()).await {
            Ok(_) => {}
            // Whoever withdrew it was faster, or it was never approved.
            Err(ClientError::Refused(refused)) if is_gone(refused.error.code) => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

const fn is_gone(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::NotFound | ErrorCode::Conflict)
}

/// Whatever is there under the canary's name is not ours to write over, or to remove.
async fn is_free(client: &mut Client) -> Result<(), Failure> {
    let held = client.secrets(&RecordQuery::default()).await?;
    let is_it =
        |secret: &Secret| secret.scope == "workspace" && secret.name.eq_ignore_ascii_case(SECRET);
    if !held.items.iter().any(is_it) {
        return Ok(());
    }
    let message = format!(
        "this workspace has a secret {SECRET} already, and no run of this home has left it: nothing was tried"
    );
    Err(Failure::new("NAME_TAKEN", message).hint(format!(
        "is somebody else trying just now? Wait until they are done; if nobody needs it: skep secret rm {SECRET}"
    )))
}
