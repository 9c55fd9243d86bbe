//! Runs of programs with secrets: whoever asks sees their own, whoever approves sees all, and the daemon
//! takes them from one state to the next.

use skep_authz::rights::{SecretApprove, SecretList, SecretUse};
use skep_authz::{Authorized, CanRead, Maintain, Right};
use skep_domain::{ExecId, ExecState, Id, Limits, Principal, Timestamp};

use super::Tx;
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::{BodyReader, BodyWriter};
use crate::keys::{WorkspaceKeys, column};
use crate::row::{ExecChange, ExecRow};
use crate::value::{ExecJob, ExecOutcome, NewExec};

const DAMAGED: StoreError = StoreError::Damaged("a run is not in the form it was written in");

/// The end of a run.
#[derive(Clone, Debug)]
pub struct ExecEnd<'a> {
    /// The state before.
    pub from: ExecState,
    /// The state after.
    pub to: ExecState,
    /// When.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: &'a ExecOutcome,
}

impl Tx<SecretUse> {
    /// Keeps a run that waits for its turn.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_exec(&mut self, new: &NewExec) -> Result<(), StoreError> {
        let texts: Vec<&str> = new
            .arguments
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.as_str()])
            .collect();
        let body = BodyWriter::default()
            .text(&new.label)
            .text(&new.name)
            .bytes(&new.digest)
            .texts(&texts)
            .finish();
        let row = ExecRow {
            id: new.id,
            host: new.host,
            turn: new.turn,
            state: ExecState::Queued,
            asker: self.owner()?,
            credential: new.credential,
            template: new.template,
            created_at: new.at,
            started_at: None,
            ended_at: None,
            is_cancelled: false,
            body: self.keys.seal(column::EXEC_BODY, new.id.to_bytes(), &body),
        };
        self.backend.put_exec(&self.scope, row).await
    }

    /// Wants a run to end. One that waits is over at once; one whose program runs is noted, and its host
    /// ends it. `None` when there is none that the caller sees.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cancel_exec(
        &mut self,
        id: ExecId,
        all: Option<&Authorized<SecretApprove>>,
        at: Timestamp,
    ) -> Result<Option<ExecJob>, StoreError> {
        if self.seen(id, all).await?.is_none() {
            return Ok(None);
        }
        let change = ExecChange {
            id,
            from: ExecState::Queued,
            to: ExecState::Cancelled,
            at,
            outcome: None,
        };
        if !self.backend.change_exec(&self.scope, change).await? {
            self.backend.cancel_exec(&self.scope, id).await?;
        }
        self.seen(id, all).await
    }
}

impl Tx<SecretList> {
    /// A run of the caller's; anybody's for who may approve what is run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_exec(
        &mut self,
        id: ExecId,
        all: Option<&Authorized<SecretApprove>>,
    ) -> Result<Option<(ExecJob, Option<ExecOutcome>)>, StoreError> {
        let Some(job) = self.seen(id, all).await? else {
            return Ok(None);
        };
        let sealed = self.backend.exec_outcome(&self.scope, id).await?;
        let outcome = sealed.map(|sealed| {
            let opened = self
                .keys
                .open(column::EXEC_OUTCOME, id.to_bytes(), &sealed)?;
            read_outcome(opened.expose())
        });
        Ok(Some((job, outcome.transpose()?)))
    }

    /// The caller's runs, or everybody's for who may approve what is run; newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_execs(
        &mut self,
        all: Option<&Authorized<SecretApprove>>,
        page: PageOf<ExecId>,
    ) -> Result<Vec<ExecJob>, StoreError> {
        let of = if self.may_see(all) {
            None
        } else {
            Some(self.whose()?)
        };
        let rows = self.backend.execs(&self.scope, of, page).await?;
        rows.iter().map(|row| open_exec(&self.keys, row)).collect()
    }
}

impl<P: Right + CanRead> Tx<P> {
    async fn seen(
        &mut self,
        id: ExecId,
        all: Option<&Authorized<SecretApprove>>,
    ) -> Result<Option<ExecJob>, StoreError> {
        let row = self.backend.exec(&self.scope, id).await?;
        let (owner, sees_all) = (self.whose()?, self.may_see(all));
        let own = row.filter(|row| sees_all || row.asker == owner);
        own.map(|row| open_exec(&self.keys, &row)).transpose()
    }

    fn whose(&self) -> Result<Principal, StoreError> {
        self.principal
            .ok_or_else(|| StoreError::Refused("upkeep asks for no runs".into()))
    }

    fn may_see(&self, all: Option<&Authorized<SecretApprove>>) -> bool {
        all.is_some_and(|all| {
            all.workspace() == self.scope.workspace() && all.principal() == self.principal
        })
    }
}

impl Tx<Maintain> {
    /// The runs of a host that have not ended, in the order of their turns.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_open_execs(&mut self, host: [u8; 16]) -> Result<Vec<ExecJob>, StoreError> {
        let rows = self.backend.open_execs(&self.scope, host).await?;
        rows.iter().map(|row| open_exec(&self.keys, row)).collect()
    }

    /// One run, whoever asked for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_open_exec(&mut self, id: ExecId) -> Result<Option<ExecJob>, StoreError> {
        let row = self.backend.exec(&self.scope, id).await?;
        let open = row.filter(|row| !row.state.is_final());
        open.map(|row| open_exec(&self.keys, &row)).transpose()
    }

    /// Notes that the program of a run starts; `false` when the run does not wait any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn start_exec(&mut self, id: ExecId, at: Timestamp) -> Result<bool, StoreError> {
        let change = ExecChange {
            id,
            from: ExecState::Queued,
            to: ExecState::Running,
            at,
            outcome: None,
        };
        self.backend.change_exec(&self.scope, change).await
    }

    /// Notes how a run ended; `false` when it was not in the state before. Of those that ended earlier, the
    /// oldest go beyond what one workspace keeps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_exec(&mut self, id: ExecId, end: ExecEnd<'_>) -> Result<bool, StoreError> {
        let body = write_outcome(end.outcome);
        let change = ExecChange {
            id,
            from: end.from,
            to: end.to,
            at: end.at,
            outcome: Some(self.keys.seal(column::EXEC_OUTCOME, id.to_bytes(), &body)),
        };
        let ended = self.backend.change_exec(&self.scope, change).await?;
        self.prune_execs(Timestamp::from_micros(i64::MIN)).await?;
        Ok(ended)
    }

    /// Ends runs that were asked for before a moment and that their host never came back to, and removes
    /// those that ended before it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_execs(
        &mut self,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let scope = &self.scope;
        let expired = self.backend.expire_execs(scope, before, now).await?;
        Ok(expired + self.prune_execs(before).await?)
    }

    async fn prune_execs(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let most = (Limits::EXECS_KEPT, Limits::EXECS_BYTES);
        self.backend.prune_execs(&self.scope, before, most).await
    }
}

fn open_exec(keys: &WorkspaceKeys, row: &ExecRow) -> Result<ExecJob, StoreError> {
    let opened = keys.open(column::EXEC_BODY, row.id.to_bytes(), &row.body)?;
    let mut reader = BodyReader(opened.expose());
    let (label, name) = (reader.text()?, reader.text()?);
    let (digest, texts) = (reader.bytes()?, reader.texts()?);
    reader.end()?;
    let (pairs, rest) = texts.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(DAMAGED);
    }
    let asker: Principal = row.asker;
    Ok(ExecJob {
        id: row.id,
        label,
        host: row.host,
        turn: row.turn,
        state: row.state,
        asker,
        credential: row.credential,
        template: row.template,
        name,
        digest: digest.try_into().map_err(|_| DAMAGED)?,
        arguments: pairs
            .iter()
            .map(|[name, value]| (name.clone(), value.clone()))
            .collect(),
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        is_cancelled: row.is_cancelled,
    })
}

fn write_outcome(outcome: &ExecOutcome) -> Vec<u8> {
    let exit: Vec<String> = match &outcome.exit {
        Some((kind, number)) => vec![kind.clone(), number.to_string()],
        None => Vec::new(),
    };
    let pairs = |all: &[(String, String)]| -> Vec<String> {
        let each = all.iter();
        each.flat_map(|(one, other)| [one.clone(), other.clone()])
            .collect()
    };
    let counted: Vec<(String, String)> = outcome
        .redacted
        .iter()
        .map(|(name, count)| (name.clone(), count.to_string()))
        .collect();
    BodyWriter::default()
        .texts(&exit)
        .option(outcome.reason.as_deref())
        .bytes(&outcome.stdout)
        .bytes(&outcome.stderr)
        .text(if outcome.is_cut { "cut" } else { "" })
        .texts(&pairs(&counted))
        .texts(&outcome.applied)
        .texts(&pairs(&outcome.missing))
        .finish()
}

fn read_outcome(bytes: &[u8]) -> Result<ExecOutcome, StoreError> {
    fn pairs(texts: &[String]) -> Result<Vec<(String, String)>, StoreError> {
        let (pairs, rest) = texts.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(DAMAGED);
        }
        let each = pairs.iter();
        Ok(each
            .map(|[one, other]| (one.clone(), other.clone()))
            .collect())
    }
    let mut reader = BodyReader(bytes);
    let exit = pairs(&reader.texts()?)?.pop();
    let exit = match exit {
        Some((kind, number)) => Some((kind, number.parse().map_err(|_| DAMAGED)?)),
        None => None,
    };
    let outcome = ExecOutcome {
        exit,
        reason: reader.option()?,
        stdout: reader.bytes()?,
        stderr: reader.bytes()?,
        is_cut: reader.text()? == "cut",
        redacted: pairs(&reader.texts()?)?
            .into_iter()
            .map(|(name, count)| Ok((name, count.parse().map_err(|_| DAMAGED)?)))
            .collect::<Result<_, StoreError>>()?,
        applied: reader.texts()?,
        missing: pairs(&reader.texts()?)?,
    };
    reader.end()?;
    Ok(outcome)
}
