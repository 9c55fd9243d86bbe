//! Letters that wait to be sent: apart from whoever caused them, so that how long a mail server takes,
//! and whether a letter goes out at all, tells nobody anything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use skep_crypto::Plain;
use skep_egress::Letter;
use tokio::sync::Notify;

use super::register::Newcomer;

use crate::{App, AppError};

/// Letters that may wait; one more is not sent, and that is logged.
const WAITING: usize = 256;

/// Something to be sent.
pub(super) enum Job {
    /// A letter.
    Letter {
        to: String,
        subject: &'static str,
        text: Plain<String>,
    },
    /// Somebody wants an account for an address that may be somebody's.
    Account(Newcomer),
    /// Somebody asked to choose a new password for an address that may be nobody's.
    Reset { address: String },
}

/// What waits.
#[derive(Default)]
pub(crate) struct Outbox {
    jobs: Mutex<VecDeque<Job>>,
    bell: Notify,
}

/// Sends what waits, to be run by whoever owns the daemon's tasks.
pub struct MailDesk {
    app: Arc<App>,
}

impl Outbox {
    pub(super) fn put(&self, job: Job) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= WAITING {
            drop(jobs);
            tracing::warn!("too many letters wait; one is not sent");
            return;
        }
        jobs.push_back(job);
        drop(jobs);
        self.bell.notify_one();
    }

    fn take(&self) -> Option<Job> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.pop_front()
    }
}

impl App {
    /// Has a letter sent, if mail is set up; says whether it is.
    pub(super) fn post(&self, to: &str, subject: &'static str, text: String) -> bool {
        let can = self.people.mailer.is_some();
        if can {
            self.outbox.put(Job::Letter {
                to: to.to_owned(),
                subject,
                text: Plain::new(text),
            });
        }
        can
    }

    /// Where people go with a browser, if that is known.
    pub(super) fn page(&self, path: &str) -> String {
        let origin = self.people.public_url.as_deref();
        origin.map_or_else(
            || format!("the page {path} of your Skep"),
            |origin| format!("{origin}{path}"),
        )
    }
}

impl MailDesk {
    /// The desk of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Sends what arrives, until it is dropped.
    pub async fn run(self) {
        loop {
            self.app.outbox.bell.notified().await;
            self.empty().await;
        }
    }

    /// Sends what waits now.
    pub async fn empty(&self) {
        while let Some(job) = self.app.outbox.take() {
            let sent = match &job {
                Job::Letter { to, subject, text } => self.send(to, subject, text).await,
                Job::Account(newcomer) => self.app.mail_account(newcomer).await,
                Job::Reset { address } => self.app.mail_reset(address).await,
            };
            if let Err(error) = sent {
                tracing::warn!(%error, "a letter was not sent");
            }
        }
    }

    async fn send(&self, to: &str, subject: &str, text: &Plain<String>) -> Result<(), AppError> {
        let Some(mailer) = &self.app.people.mailer else {
            return Ok(());
        };
        let letter = Letter {
            to,
            subject,
            text: text.expose(),
        };
        mailer
            .send(&letter)
            .await
            .map_err(|error| AppError::Unfit(error.to_string()))
    }
}

impl std::fmt::Debug for MailDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailDesk")
    }
}
