//! Takes what was heard to the daemon by way of the spool, and brings memories back.

use std::fs;
use std::pin::Pin;
use std::time::Duration;

use skep_api::Moment;
use skep_api::capture::CaptureRequest;
use skep_api::inject::{InjectRequest, InjectResponse};
use skep_client::{Client, Spool, daemon, digest};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Reply;
use super::deadline::Deadline;
use super::gemini::chat;
use super::heard::{Forgets, Heard};
use super::log::Log;
use crate::context::Context;
use crate::failure::Failure;
use crate::reach::Reach;

/// Characters that every harness puts before its model whole; Claude Code shows only the beginning of
/// what has more than 10,000.
const CONTEXT: usize = 10_000;
/// Between two looks at a daemon that is starting.
const POLL: Duration = Duration::from_millis(15);
/// Of the time that is left, what the daemon may take to find memories.
const SHARE: u32 = 9;

/// Carries one event.
pub(super) struct Courier<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) log: &'a Log,
    pub(super) deadline: Deadline,
}

/// Counts an event that could not be read.
pub(super) fn count_dropped(context: &Context<'_>) {
    if !context.environment.capture_off
        && let Ok(spool) = context.spool()
    {
        let _lost = context.home.create().and_then(|_| spool.count_dropped(1));
    }
}

impl Courier<'_> {
    pub(super) async fn carry(&self, heard: &Heard) -> Reply {
        match self.try_carry(heard).await {
            Ok(reply) => reply,
            Err(failure) => {
                self.log.line(&failure.told());
                Reply {
                    context: None,
                    notice: noteworthy(heard, &failure),
                }
            }
        }
    }

    async fn try_carry(&self, heard: &Heard) -> Result<Reply, Failure> {
        let off = self.context.environment.capture_off;
        let reach = self.context.reach()?;
        let spool = Spool::of(&self.context.home, reach.destination().as_deref());
        let unkept = if off { None } else { self.keep(heard, &spool) };
        let moment = heard
            .moment
            .filter(|moment| !off || *moment != Moment::Prompt);
        if moment.is_none() && (off || waits(&reach, heard)) {
            return Ok(Reply::default());
        }
        let mut client = self.connect(&reach, heard).await?;
        let begins = matches!(moment, Some(Moment::SessionStart | Moment::Compacted));
        if begins && !off {
            // What waits may be the end of the session before, and is to be known in this one.
            self.drain(&spool, &mut client, self.deadline.half()).await;
        }
        let mut reply = match moment {
            Some(moment) => self.ask(&mut client, heard, moment).await?,
            None => Reply::default(),
        };
        if off {
            reply.notice = Some("skep: capture is off for this session (SKEP_CAPTURE)".into());
            return Ok(reply);
        }
        self.drain(&spool, &mut client, self.deadline.inner()).await;
        if let Some(batch) = unkept {
            let handed = self.in_time(client.capture(&batch)).await?;
            if let Err(error) = handed {
                self.log.line(&error.to_string());
            }
        }
        Ok(reply)
    }

    /// What a disk does to the spool is no reason to keep memories back.
    async fn drain(&self, spool: &Spool, client: &mut Client, until: Instant) {
        match spool.drain(client, until).await {
            Ok(drained) => {
                if let Some(stopped) = drained.stopped {
                    self.log.line(&stopped.to_string());
                }
            }
            Err(error) => self.log.line(&error.to_string()),
        }
    }

    /// From here on it is kept, whatever becomes of this process. Where the disk refuses, it is given back,
    /// to be handed over while we live.
    fn keep(&self, heard: &Heard, spool: &Spool) -> Option<CaptureRequest> {
        if let Some(forgets) = heard.forgets
            && let Err(failure) = self.mark_forgotten(heard, forgets)
        {
            self.log.line(&failure.told());
        }
        let batch = heard.batch()?;
        match self.context.home.create().and_then(|_| spool.put(&batch)) {
            Ok(true) => None,
            Ok(false) => {
                self.log.line("the spool is full: dropped");
                None
            }
            Err(error) => {
                self.log.line(&format!("the spool: {error}"));
                Some(batch)
            }
        }
    }

    async fn connect(&self, reach: &Reach, heard: &Heard) -> Result<Client, Failure> {
        let home = &self.context.home;
        // A login that is being renewed is not to be interrupted: what comes back replaces it.
        if matches!(reach, Reach::Login(_)) {
            return Box::pin(reach.connect(home)).await;
        }
        let connected = self.in_time(reach.connect(home)).await?;
        match connected {
            Err(failure) if matches!(reach, Reach::Socket) && failure.is_unreachable() => {
                daemon::wake(home, &daemon::program())?;
                match heard.moment {
                    Some(Moment::SessionStart | Moment::Compacted) => {
                        self.await_daemon(reach).await
                    }
                    _ => Err(failure),
                }
            }
            connected => connected,
        }
    }

    /// Only a session's start waits: nobody has typed yet.
    async fn await_daemon(&self, reach: &Reach) -> Result<Client, Failure> {
        let ready = async {
            loop {
                if let Ok(mut client) = reach.connect(&self.context.home).await
                    && client.readyz().await.is_ok()
                {
                    return client;
                }
                sleep_until(Instant::now() + POLL).await;
            }
        };
        self.in_time(ready).await
    }

    async fn ask(
        &self,
        client: &mut Client,
        heard: &Heard,
        moment: Moment,
    ) -> Result<Reply, Failure> {
        let mut texts = Vec::new();
        if moment == Moment::Prompt && self.take_forgotten(heard) {
            let again = self.inject(client, heard, Moment::Compacted).await?;
            texts.push(again.text);
        }
        let answer = self.inject(client, heard, moment).await?;
        texts.push(answer.text);
        texts.retain(|text| !text.is_empty());
        while texts.iter().map(|text| text.chars().count()).sum::<usize>() > CONTEXT {
            // Whole or not at all: what is cut has no end mark. What answers the prompt goes last.
            texts.remove(0);
            self.log.line("more memories than the harness takes");
        }
        let notice = answer.uncaptured.filter(|_| moment == Moment::SessionStart);
        Ok(Reply {
            context: Some(texts.join("\n\n")).filter(|text| !text.is_empty()),
            notice: notice.map(|why| format!("skep: {why}")),
        })
    }

    async fn inject(
        &self,
        client: &mut Client,
        heard: &Heard,
        moment: Moment,
    ) -> Result<InjectResponse, Failure> {
        let share = (self.deadline.left() * SHARE / 10).as_millis();
        let request = InjectRequest {
            harness: heard.harness().into(),
            external_id: heard.external_id.clone(),
            moment: moment.as_str().into(),
            prompt: match moment {
                Moment::Prompt => heard.prompt.clone(),
                Moment::SessionStart | Moment::Compacted => String::new(),
            },
            project: heard.project(),
            cwd: heard.cwd.clone(),
            token_budget: None,
            deadline_ms: Some(u32::try_from(share).unwrap_or(u32::MAX).max(1)),
        };
        let answer = self.in_time(client.inject(&request)).await?;
        Ok(answer?)
    }

    fn in_time<'f, T>(
        &self,
        work: impl Future<Output = T> + 'f,
    ) -> Pin<Box<dyn Future<Output = Result<T, Failure>> + 'f>> {
        let deadline = self.deadline.inner();
        Box::pin(async move {
            let late = || Failure::new("LATE", "the daemon did not answer in time");
            timeout_at(deadline, work).await.map_err(|_| late())
        })
    }

    /// A session whose model will have lost what it was given, until the next prompt asks. Where that is
    /// not sure, how far its file had come; the oldest mark counts.
    fn mark_forgotten(&self, heard: &Heard, forgets: Forgets) -> Result<(), Failure> {
        let length = heard.chat.as_deref().and_then(chat::length);
        let since = match (forgets, length) {
            (Forgets::Surely, _) => String::new(),
            (Forgets::Perhaps, Some(length)) => length.to_string(),
            (Forgets::Perhaps, None) => return Ok(()),
        };
        let folder = self.context.home.path().join("forgotten");
        let path = folder.join(mark(heard));
        if forgets == Forgets::Perhaps && path.exists() {
            return Ok(());
        }
        self.context.home.create()?;
        fs::create_dir_all(&folder)?;
        if fs::read_dir(&folder)?.count() < MARKS {
            fs::write(path, since)?;
        }
        Ok(())
    }

    fn take_forgotten(&self, heard: &Heard) -> bool {
        let path = self.context.home.path().join("forgotten").join(mark(heard));
        let Ok(since) = fs::read_to_string(&path) else {
            return false;
        };
        let is_ours = fs::remove_file(path).is_ok();
        let has = match (since.parse(), heard.chat.as_deref()) {
            (Ok(since), Some(chat)) => chat::was_compressed(chat, since),
            _ => since.is_empty(),
        };
        is_ours && has
    }
}

/// Sessions that were compacted and never went on, at most.
const MARKS: usize = 1_024;

fn mark(heard: &Heard) -> String {
    digest(&format!("{} {}", heard.harness(), heard.external_id))
}

/// A daemon elsewhere costs a login and a certificate each time: only the ends of what was said are
/// worth that.
fn waits(reach: &Reach, heard: &Heard) -> bool {
    let said_last = |role: &str| heard.turns.last().is_some_and(|turn| turn.role == role);
    reach.server().is_some() && !heard.ended && !said_last("assistant")
}

/// What a user should know as soon as a session begins: that it goes to nobody, and why.
fn noteworthy(heard: &Heard, failure: &Failure) -> Option<String> {
    let begins = heard.moment == Some(Moment::SessionStart);
    let is_passing = failure.is_unreachable() || matches!(failure.code(), "LATE" | "CONNECTION");
    (begins && !is_passing).then(|| format!("skep: {}", failure.told()))
}
