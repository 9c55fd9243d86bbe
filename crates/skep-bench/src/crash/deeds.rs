//! What people do beside writing, over and over: pause capture, keep things out by rule, observe with
//! consent and withdraw it, have memories injected, erase, rewind; and what must hold of it after a kill.

use anyhow::{Context, Result, bail, ensure};
use skep_api::Instant;
use skep_api::capture::{
    Branch, CaptureRequest, CaptureResponse, Origin, PauseRequest, ResumeRequest, SessionRef,
    TurnInput,
};
use skep_api::inject::InjectRequest;
use skep_api::memory::RememberRequest;
use skep_api::page::PageQuery;
use skep_api::participant::{AddParticipantRequest, ConsentRequest, ObserveRequest};
use skep_api::removal::RewindRequest;
use skep_client::{Client, ClientError};
use skep_domain::Timestamp;

/// Turns of one live batch: a plain one, a secret, a call that a rule denies, its result, a double.
const LIVE: u64 = 5;

/// What was done and acknowledged, and what was under way.
#[derive(Default)]
pub(crate) struct Deeds {
    round: u64,
    /// Turns that the daemon said it had received.
    received: u64,
    /// Turns of a batch without an answer.
    in_flight: u64,
    /// Turns of which it said that they are stored, less those that were erased.
    stored: u64,
    subject: Option<String>,
    /// Observations, while the consent stands.
    observations: Vec<String>,
    /// Sessions with what was injected into them, and the exact text.
    injections: Vec<(String, String, String)>,
    /// Memories and sessions whose erasure was asked for; the last may not have been answered.
    gone: Vec<Gone>,
}

/// Something that was erased, or is being.
#[derive(Clone)]
enum Gone {
    Memory(String),
    Session(String),
}

/// What a check found.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) received: u64,
    pub(crate) observations: u64,
    pub(crate) injections: u64,
    pub(crate) erased: u64,
}

impl Deeds {
    /// Sends a batch and notes what became of its turns.
    pub(super) async fn send(
        &mut self,
        client: &mut Client,
        batch: &CaptureRequest,
    ) -> Result<CaptureResponse> {
        let turns = batch.turns.len() as u64;
        self.in_flight = turns;
        let answer = client.capture(batch).await?;
        self.in_flight = 0;
        self.received += turns;
        self.stored += answer.outcomes.iter().filter(|it| is_new(it)).count() as u64;
        Ok(answer)
    }

    /// One round of everything.
    pub(super) async fn act(&mut self, client: &mut Client) -> Result<()> {
        self.round += 1;
        let pause = PauseRequest::default();
        if self.round.is_multiple_of(3) {
            client.pause(&pause).await?;
        }
        let live = self.send(client, &live(self.round)).await?;
        ensure!(
            live.outcomes.len() as u64 == LIVE,
            "{} outcomes for {LIVE} turns",
            live.outcomes.len()
        );
        client.resume(&ResumeRequest::default()).await?;
        self.observe(client).await?;
        self.inject(client).await?;
        let text = format!("Buoy {} is painted green for now.", self.round);
        let request = RememberRequest {
            text,
            ..RememberRequest::default()
        };
        let memory = client.remember(&request).await?.memory.id;
        self.gone.push(Gone::Memory(memory.clone()));
        client.erase_memory(&memory).await?;
        if self.round.is_multiple_of(4)
            && let Some(session) = live.session
        {
            self.take_back(client, session).await?;
        }
        Ok(())
    }

    async fn observe(&mut self, client: &mut Client) -> Result<()> {
        let subject = match &self.subject {
            Some(known) => known.clone(),
            None => self.introduce(client).await?,
        };
        if self.round.is_multiple_of(5) {
            let consent = consent(&subject);
            self.observations.clear();
            client.revoke_consent(&consent).await?;
            client.give_consent(&consent).await?;
        }
        let request = ObserveRequest {
            text: format!("Pilots ship {} by night.", self.round),
            ..ObserveRequest::default()
        };
        let observed = client.observe(&subject, &request).await?;
        self.observations.push(observed.observation.memory.id);
        Ok(())
    }

    /// Names somebody to observe; a name that is taken was taken by an answer that never came.
    async fn introduce(&mut self, client: &mut Client) -> Result<String> {
        let request = AddParticipantRequest {
            name: format!("pilot-{}", self.round),
            kind: Some("human".into()),
        };
        let added = client.add_participant(&request).await?;
        client.give_consent(&consent(&added.id)).await?;
        // Something to inject at the start of a session.
        let rule = RememberRequest {
            text: "Always write berth times in UTC.".into(),
            kind: Some("convention".into()),
            project: Some("harbour".into()),
            ..RememberRequest::default()
        };
        client.remember(&rule).await?;
        self.subject = Some(added.id.clone());
        Ok(added.id)
    }

    async fn inject(&mut self, client: &mut Client) -> Result<()> {
        let request = InjectRequest {
            harness: "other".into(),
            external_id: format!("asking-{}", self.round),
            moment: "session_start".into(),
            project: Some("harbour".into()),
            deadline_ms: Some(10_000),
            ..InjectRequest::default()
        };
        let told = client.inject(&request).await?;
        if let (Some(id), Some(session)) = (told.id, told.session) {
            self.injections.push((session, id, told.text));
        }
        Ok(())
    }

    /// A live session is rewound, then erased with its turns.
    async fn take_back(&mut self, client: &mut Client, session: String) -> Result<()> {
        let rewind = RewindRequest {
            session: Some(session.clone()),
            ..RewindRequest::default()
        };
        client.rewind(&rewind).await?;
        let turns = client.session(&session).await?.turns;
        self.gone.push(Gone::Session(session.clone()));
        self.stored -= turns;
        client.erase_session(&session).await?;
        Ok(())
    }

    /// After a start: the counters are those of what was answered, and at most of one batch more,
    /// whole; what was being erased is gone.
    pub(super) async fn check(&mut self, client: &mut Client) -> Result<()> {
        client.resume(&ResumeRequest::default()).await?;
        if let Some(last) = self.gone.last().cloned() {
            is_gone(client, &last).await?;
        }
        let health = client.health().await?.workspace;
        let outcomes = &health.capture.outcomes;
        let sum: u64 = outcomes.values().sum();
        let counted = health.capture.received;
        ensure!(sum == counted, "{counted} turns received, {sum} ended");
        let more = counted.checked_sub(self.received);
        ensure!(
            more == Some(0) || more == Some(self.in_flight),
            "{counted} turns counted, {} answered, {} under way",
            self.received,
            self.in_flight
        );
        let less = health.turns.checked_sub(self.stored);
        ensure!(
            less.is_some_and(|more| more <= self.in_flight),
            "{} turns there, {} answered as stored, {} under way",
            health.turns,
            self.stored,
            self.in_flight
        );
        (self.received, self.stored, self.in_flight) = (counted, health.turns, 0);
        if let Some(observation) = self.observations.last() {
            let found = client.memory(observation).await;
            found.context("the last acknowledged observation")?;
        }
        Ok(())
    }

    /// Everything that was ever acknowledged.
    pub(super) async fn check_all(&self, client: &mut Client) -> Result<Held> {
        for id in &self.observations {
            client.memory(id).await.context("an observation")?;
        }
        for (session, id, text) in &self.injections {
            let page = PageQuery::default();
            let told = client.session_context(session, &page).await?;
            let one = told.items.iter().find(|one| one.id == *id);
            let one = one.context("an injection without its record")?;
            ensure!(
                one.withheld || one.text == *text,
                "an injection reads otherwise"
            );
        }
        for gone in &self.gone {
            match look(client, gone).await {
                Err(ClientError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => bail!("something erased is there"),
            }
        }
        Ok(Held {
            received: self.received,
            observations: self.observations.len() as u64,
            injections: self.injections.len() as u64,
            erased: self.gone.len() as u64,
        })
    }
}

async fn look(client: &mut Client, gone: &Gone) -> Result<(), ClientError> {
    match gone {
        Gone::Memory(id) => client.memory(id).await.map(drop),
        Gone::Session(id) => client.session(id).await.map(drop),
    }
}

/// Erases again what may not have been: either it is gone, or it goes now.
async fn is_gone(client: &mut Client, gone: &Gone) -> Result<()> {
    let again = match gone {
        Gone::Memory(id) => client.erase_memory(id).await,
        Gone::Session(id) => client.erase_session(id).await,
    };
    match again {
        Ok(_) | Err(ClientError::Refused(_)) => {}
        Err(error) => return Err(error.into()),
    }
    ensure!(
        look(client, gone).await.is_err(),
        "something erased is there"
    );
    Ok(())
}

fn is_new(outcome: &str) -> bool {
    matches!(outcome, "stored" | "redacted" | "cut" | "withheld")
}

fn consent(subject: &str) -> ConsentRequest {
    ConsentRequest {
        subject: subject.into(),
        observer: None,
        note: Some("said so".into()),
    }
}

fn live(round: u64) -> CaptureRequest {
    let turn = |event: String, role: &str, text: &str, tool: Option<&str>| TurnInput {
        author: None,
        client_event_id: event,
        role: role.into(),
        at: Instant(Timestamp::from_millis(1_767_225_600_000)),
        text: text.into(),
        tool: tool.map(str::to_owned),
        is_error: false,
        paths: Vec::new(),
        branch: Branch::Main,
    };
    let plain = turn(format!("{round}-a"), "user", "Is the berth free?", None);
    CaptureRequest {
        session: SessionRef {
            harness: "other".into(),
            external_id: format!("live-{round}"),
            title: None,
            project: None,
            cwd: None,
        },
        turns: vec![
            plain.clone(),
            turn(
                format!("{round}-b"),
                "user",
                "It is <private>not for you</private>.",
                None,
            ),
            turn(format!("{round}-c"), "tool_call", "cat .env", Some("Bash")),
            turn(
                format!("{round}-d"),
                "tool_result",
                "PORT=7411",
                Some("Bash"),
            ),
            plain,
        ],
        cursor: None,
        origin: Origin::Live,
        spool: None,
        ended: false,
    }
}
