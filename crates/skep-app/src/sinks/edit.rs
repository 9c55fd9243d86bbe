//! Sinks as people set them, and how each stands.

use skep_authz::Authorized;
use skep_authz::rights::OrgManage;
use skep_crypto::Plain;
use skep_domain::{Limits, Timestamp};
use skep_ledger::{Log, id_text};
use skep_store::row::{SinkState, SinkTurnRow};
use skep_store::{OrgTx, Sink};

use super::Wanted;
use super::kept::{Kept, OVERLAP, check_name};
use super::sign::{HookKey, message_id};
use crate::{App, AppError};

/// A sink to set.
#[derive(Clone, Debug)]
pub struct SetSink {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What it is given.
    pub wanted: Wanted,
    /// Whether a log that it was not given before is delivered from its first entry on, and not from now on.
    pub from_start: bool,
}

/// A sink that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkView {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What it is given.
    pub wanted: Wanted,
    /// How the last tries went.
    pub turn: SinkTurnRow,
    /// Entries of its logs that come after what it was given.
    pub behind: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was set last.
    pub changed_at: Timestamp,
}

/// A sink that was set.
pub struct SinkSet {
    /// As it is now.
    pub view: SinkView,
    /// The key that its messages are signed with, if it is a new one: it is not shown again.
    pub secret: Option<Plain<String>>,
}

/// What came of a message that was sent to see whether it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkTested {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it was not taken, if it was not.
    pub problem: Option<String>,
}

impl App {
    /// The sinks of the organization, by name.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_sinks(
        &self,
        authorized: Authorized<OrgManage>,
    ) -> Result<Vec<SinkView>, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let sinks = tx.list_sinks().await?;
        let mut views = Vec::with_capacity(sinks.len());
        for sink in &sinks {
            views.push(view(&mut tx, sink).await?);
        }
        Ok(views)
    }

    /// Sets a sink, in the place of the one of its name, which goes on where it stands.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Conflict`] when there are as many as may be.
    pub async fn set_sink(
        &self,
        authorized: Authorized<OrgManage>,
        set: SetSink,
    ) -> Result<SinkSet, AppError> {
        set.check(&self.sinks)?;
        let wanted = set.wanted.completed();
        let mut tx = self.store.begin_org(authorized).await?;
        let known = tx.list_sinks().await?;
        let held = known.iter().find(|sink| sink.name == set.name);
        if held.is_none() && known.len() >= Limits::SINKS {
            return Err(AppError::Conflict(
                "the organization has as many sinks as it may: remove one first",
            ));
        }
        let (id, created_at, kept) = match held {
            Some(sink) => {
                let kept = Kept::of(sink)?;
                (sink.id, sink.created_at, kept)
            }
            None => (self.store.nonce(), tx.now(), self.fresh_key()),
        };
        let kept = Kept {
            url: set.url,
            events: wanted.events,
            ..kept
        };
        let is_new = held.is_none();
        tx.put_sink((id, &set.name), created_at, kept.body()?.expose())
            .await?;
        let cursors = tx.list_sink_cursors(id).await?;
        for log in Log::ALL {
            let has = cursors.iter().any(|(held, _)| *held == log);
            match (wanted.logs.contains(&log), has) {
                (true, false) => {
                    let (first, next) = tx.log_bounds(log).await?;
                    let from = if set.from_start { first } else { next };
                    tx.put_sink_cursor(id, log, Some(from)).await?;
                }
                (false, true) => tx.put_sink_cursor(id, log, None).await?,
                (true, true) | (false, false) => {}
            }
        }
        let view = named(&mut tx, &set.name).await?;
        tx.commit().await?;
        self.sinks.bell.notify_one();
        Ok(SinkSet {
            view,
            secret: is_new.then(|| kept.key.text()),
        })
    }

    /// Removes a sink and how far it has come; `false` if there was none.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn remove_sink(
        &self,
        authorized: Authorized<OrgManage>,
        name: &str,
    ) -> Result<bool, AppError> {
        check_name(name)?;
        let mut tx = self.store.begin_org(authorized).await?;
        let sinks = tx.list_sinks().await?;
        let Some(sink) = sinks.iter().find(|sink| sink.name == name) else {
            return Ok(false);
        };
        let gone = tx.delete_sink(sink.id).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Has a sink delivered to again, now, whatever happened before: it goes on where it stands.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn resume_sink(
        &self,
        authorized: Authorized<OrgManage>,
        name: &str,
    ) -> Result<SinkView, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let sink = find(&mut tx, name).await?;
        tx.put_sink((sink.id, name), sink.created_at, sink.body.expose())
            .await?;
        let view = named(&mut tx, name).await?;
        tx.commit().await?;
        self.sinks.bell.notify_one();
        Ok(view)
    }

    /// Gives a sink another key. For a day its messages are signed with both.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::KeyCounts`] within that day, since receivers still check by the key before.
    pub async fn renew_sink_key(
        &self,
        authorized: Authorized<OrgManage>,
        name: &str,
    ) -> Result<SinkSet, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let sink = find(&mut tx, name).await?;
        let held = Kept::of(&sink)?;
        if let Some((_, until)) = held.old
            && tx.now() < until
        {
            return Err(AppError::KeyCounts(until));
        }
        let until = Timestamp::from_micros(tx.now().as_micros().saturating_add(OVERLAP));
        let kept = Kept {
            url: held.url,
            events: held.events,
            old: Some((held.key, until)),
            ..self.fresh_key()
        };
        tx.put_sink((sink.id, name), sink.created_at, kept.body()?.expose())
            .await?;
        let view = named(&mut tx, name).await?;
        tx.commit().await?;
        Ok(SinkSet {
            view,
            secret: Some(kept.key.text()),
        })
    }

    /// Sends a message that says nothing, to see whether one arrives. Nothing of how the sink stands changes.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn test_sink(
        &self,
        authorized: Authorized<OrgManage>,
        name: &str,
    ) -> Result<SinkTested, AppError> {
        let organization = authorized.organization();
        let mut tx = self.store.begin_org(authorized).await?;
        let sink = find(&mut tx, name).await?;
        drop(tx);
        let kept = Kept::of(&sink)?;
        let organization = id_text(skep_domain::Id::to_bytes(organization));
        let nonce = skep_ledger::digits(&self.store.nonce());
        let body = format!(
            r#"{{"type":"ledger.test","sink":"{name}","organization":"{organization}","nonce":"{nonce}"}}"#
        );
        let id = message_id(&sink.id, body.as_bytes());
        let sent = self.sinks.post(&kept, (&id, body.into()), self.store.now());
        Ok(match sent.await {
            Ok(status) => SinkTested {
                status: Some(status),
                problem: None,
            },
            Err(failed) => SinkTested {
                status: failed.status,
                problem: Some(failed.problem),
            },
        })
    }

    /// Nothing but a key that was never used.
    fn fresh_key(&self) -> Kept {
        let (one, other) = (self.store.nonce(), self.store.nonce());
        let half = |at: usize| if at < 16 { one[at] } else { other[at - 16] };
        Kept {
            url: String::new(),
            events: Vec::new(),
            key: HookKey::new(std::array::from_fn(half)),
            old: None,
        }
    }
}

async fn find(tx: &mut OrgTx<OrgManage>, name: &str) -> Result<Sink, AppError> {
    check_name(name)?;
    let sinks = tx.list_sinks().await?;
    let found = sinks.into_iter().find(|sink| sink.name == name);
    found.ok_or(AppError::NotFound("sink"))
}

async fn named(tx: &mut OrgTx<OrgManage>, name: &str) -> Result<SinkView, AppError> {
    let sink = find(tx, name).await?;
    view(tx, &sink).await
}

async fn view(tx: &mut OrgTx<OrgManage>, sink: &Sink) -> Result<SinkView, AppError> {
    let kept = Kept::of(sink)?;
    let turn = tx.sink_turn(sink.id).await?;
    let (mut logs, mut behind) = (Vec::new(), 0);
    for (log, cursor) in tx.list_sink_cursors(sink.id).await? {
        let (_, next) = tx.log_bounds(log).await?;
        logs.push(log);
        behind += next.saturating_sub(cursor);
    }
    Ok(SinkView {
        name: sink.name.clone(),
        url: kept.url,
        wanted: Wanted {
            logs,
            events: kept.events,
        },
        turn: turn.unwrap_or_else(|| SinkTurnRow::fresh(sink.changed_at)),
        behind,
        created_at: sink.created_at,
        changed_at: sink.changed_at,
    })
}

impl SinkView {
    /// In a word: `on`, `failing`, `given_up` or `gone`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.turn.state {
            SinkState::On if self.turn.failures > 0 => "failing",
            state => state.as_str(),
        }
    }
}
