//! The device flow (RFC 8628): a program without a browser shows a code, a human types it.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use skep_authz::Caller;
use skep_crypto::{Plain, Random};
use skep_domain::{OrganizationId, Timestamp, WorkspaceId};
use skep_store::row::TicketKind;
use skep_store::{Mode, NewTicket, StoreError, Ticket};

use super::client::Client;
use super::error::{OAuthCode, OAuthError};
use super::person::{Approved, approve, human};
use super::resource::Resource;
use crate::App;
use crate::access::{Decision, door};

/// How long a code may be approved.
const LIFE_SECONDS: i64 = 600;
/// How much longer it is remembered that there was one, to say that it has ended.
const REMEMBERED_SECONDS: i64 = 600;
/// How long a client waits between two polls, at first.
const INTERVAL_SECONDS: i64 = 5;
/// Wrong entries that a code outlives less one: at the fifth it is dead. With 20^8 codes, guessing one
/// before that succeeds once in 2^32.
const WRONG_ENTRIES: u32 = 5;
/// Uses of a code that was decided: guesses harm it no more.
const DECIDED: u32 = 1_000_000;
/// Codes that may wait at a time, of everybody together.
const MAX_LIVE: u64 = 1_000;
/// Letters that are not taken for each other, and make no words.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const CODE_LETTERS: usize = 8;
const MAX_DEVICE_BYTES: usize = 100;

/// What a client begins with.
#[derive(Clone, Copy, Debug)]
pub struct DeviceStart<'r> {
    /// Which client.
    pub client: &'r str,
    /// What it calls the device.
    pub device: Option<&'r str>,
    /// For which server.
    pub resource: Option<&'r str>,
}

/// What it is given.
pub struct DeviceGrant {
    /// What it polls with.
    pub device_code: Plain<String>,
    /// What it shows.
    pub user_code: String,
    /// For how long.
    pub expires_in: i64,
    /// Seconds between two polls.
    pub interval: i64,
}

/// What the human sees before deciding.
#[derive(Clone, Debug)]
pub struct DeviceReview {
    /// The client's name for itself.
    pub client: String,
    /// Whether it is part of Skep.
    pub built_in: bool,
    /// The device, as the client calls it.
    pub device: String,
    /// The code, in the form in which it is shown.
    pub user_code: String,
}

#[derive(Deserialize, Serialize)]
struct Body {
    client: String,
    device: String,
    /// Microseconds.
    ends: i64,
    interval: i64,
    polled: i64,
    decision: Option<Verdict>,
    /// What it asked for.
    #[serde(default)]
    resource: Resource,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
enum Verdict {
    Approved(Approved),
    Denied,
}

impl App {
    /// Begins a login of a device.
    ///
    /// # Errors
    /// [`OAuthError`].
    pub async fn start_device(&self, start: DeviceStart<'_>) -> Result<DeviceGrant, OAuthError> {
        let client = self.client(start.client)?;
        let resource = self.resource(start.resource)?;
        let device = start.device.unwrap_or("a device");
        if device.len() > MAX_DEVICE_BYTES || device.chars().any(char::is_control) {
            return Err(OAuthError::refused(
                OAuthCode::InvalidRequest,
                "device_name has at most 100 bytes and nothing that cannot be shown.",
            ));
        }
        let mut door = door!(self, Mode::Write).await?;
        door.sweep_tickets(100).await?;
        if door.count_tickets(TicketKind::Device).await? >= MAX_LIVE {
            return Err(OAuthError::Unavailable);
        }
        let now = door.now();
        let body = Body {
            client: client.id,
            device: device.to_owned(),
            ends: later(now, LIFE_SECONDS).as_micros(),
            interval: INTERVAL_SECONDS,
            polled: 0,
            decision: None,
            resource,
        };
        let secret = Base64UrlUnpadded::encode_string(&door.random::<32>());
        let user_code = user_code(self.store.random());
        let ticket = NewTicket {
            uses: WRONG_ENTRIES,
            ..NewTicket::once(
                TicketKind::Device,
                later(now, LIFE_SECONDS + REMEMBERED_SECONDS),
                serde_json::to_vec(&body).unwrap_or_default(),
            )
        };
        let put = door.put_ticket(secret.as_bytes(), Some(user_code.as_bytes()), ticket);
        match put.await {
            // Two of 20^8 at once: the client tries again.
            Err(StoreError::Conflict(_)) => return Err(OAuthError::Unavailable),
            other => other?,
        }
        door.commit().await?;
        Ok(DeviceGrant {
            device_code: Plain::new(secret),
            user_code: shown(&user_code),
            expires_in: LIFE_SECONDS,
            interval: INTERVAL_SECONDS,
        })
    }

    /// What a human is asked to decide. A code that is not there counts against all that are.
    ///
    /// # Errors
    /// [`OAuthError::Refused`] with one description, whatever is wrong with the code.
    pub async fn review_device(
        &self,
        caller: &Caller,
        user_code: &str,
    ) -> Result<DeviceReview, OAuthError> {
        human(caller)?;
        let (_, body) = self.entered(caller, user_code).await?;
        let client = self.client(&body.client)?;
        Ok(DeviceReview {
            client: client.name,
            built_in: client.built_in,
            device: body.device,
            user_code: shown(&normal(user_code)),
        })
    }

    /// Decides: for a workspace of the human's, or `None` for no.
    ///
    /// # Errors
    /// [`OAuthError`].
    pub async fn decide_device(
        &self,
        caller: &Caller,
        user_code: &str,
        home: Option<(OrganizationId, WorkspaceId)>,
    ) -> Result<(), OAuthError> {
        human(caller)?;
        let (ticket, mut body) = self.entered(caller, user_code).await?;
        let action = if home.is_some() {
            "device.allow"
        } else {
            "device.refuse"
        };
        self.record_allowed(Decision::of(action), Some(caller))
            .await?;
        let mut door = door!(self, Mode::Write).await?;
        body.decision = Some(match home {
            Some(home) => Verdict::Approved(Approved {
                resource: body.resource,
                ..approve(&mut door, caller, home).await?
            }),
            None => Verdict::Denied,
        });
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        if !door.update_ticket(&ticket, &bytes, DECIDED).await? {
            return Err(WRONG);
        }
        door.commit().await?;
        Ok(())
    }

    /// The undecided code that was typed.
    async fn entered(
        &self,
        caller: &Caller,
        user_code: &str,
    ) -> Result<(Ticket, Body), OAuthError> {
        let code = normal(user_code);
        let mut door = door!(self, Mode::Write).await?;
        let kind = TicketKind::Device;
        let found = if code.len() == CODE_LETTERS {
            door.get_ticket_by_second(kind, code.as_bytes()).await?
        } else {
            None
        };
        let now = door.now().as_micros();
        let open = found
            .and_then(|ticket| read(&ticket).map(|body| (ticket, body)))
            .filter(|(_, body)| body.decision.is_none() && now < body.ends);
        if open.is_none() {
            door.charge_tickets(kind).await?;
            door.commit().await?;
            self.record_denied(Decision::of("device.guess"), Some(caller));
        }
        open.ok_or(WRONG)
    }

    /// What a poll comes to: for whom the client may act, once.
    pub(super) async fn poll_device(
        &self,
        client: &Client,
        device_code: &str,
    ) -> Result<Approved, OAuthError> {
        let mut door = door!(self, Mode::Write).await?;
        let kind = TicketKind::Device;
        let ticket = door.get_ticket(kind, device_code.as_bytes()).await?;
        let ticket = ticket.ok_or(OAuthError::grant())?;
        let mut body = read(&ticket).ok_or(OAuthError::grant())?;
        if body.client != client.id {
            return Err(OAuthError::grant());
        }
        let now = door.now().as_micros();
        let answer = match body.decision {
            Some(decision) => {
                door.delete_ticket(&ticket).await?;
                match decision {
                    Verdict::Approved(approved) => Ok(approved),
                    Verdict::Denied => Err(OAuthCode::AccessDenied),
                }
            }
            None if body.ends <= now => Err(OAuthCode::ExpiredToken),
            None => {
                let early = now < body.polled + body.interval * 1_000_000;
                body.polled = now;
                if early {
                    body.interval += INTERVAL_SECONDS;
                }
                let bytes = serde_json::to_vec(&body).unwrap_or_default();
                let kept = door
                    .update_ticket(&ticket, &bytes, ticket.uses_left)
                    .await?;
                Err(if early || !kept {
                    OAuthCode::SlowDown
                } else {
                    OAuthCode::AuthorizationPending
                })
            }
        };
        door.commit().await?;
        answer.map_err(|code| OAuthError::refused(code, description(code)))
    }
}

/// One answer for a code that never was, has ended, was decided, or died of guesses.
const WRONG: OAuthError = OAuthError::refused(
    OAuthCode::InvalidGrant,
    "This code is not waiting: look at it again, or begin anew on the device.",
);

fn description(code: OAuthCode) -> &'static str {
    match code {
        OAuthCode::AccessDenied => "Whoever was asked said no.",
        OAuthCode::ExpiredToken => "Nobody decided in time: begin anew.",
        OAuthCode::SlowDown => "Wait five seconds longer between two polls from now on.",
        _ => "Nobody has decided yet.",
    }
}

fn read(ticket: &Ticket) -> Option<Body> {
    serde_json::from_slice(ticket.body.expose()).ok()
}

fn user_code(random: &dyn Random) -> String {
    let mut code = String::with_capacity(CODE_LETTERS);
    while code.len() < CODE_LETTERS {
        let [byte] = random.array::<1>();
        // 240 is a multiple of 20: every letter is as likely.
        if byte < 240 {
            code.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        }
    }
    code
}

/// A code as it was made, however it was typed.
fn normal(typed: &str) -> String {
    typed
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .take(CODE_LETTERS + 1)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

fn shown(code: &str) -> String {
    match code.split_at_checked(CODE_LETTERS / 2) {
        Some((left, right)) => format!("{left}-{right}"),
        None => code.to_owned(),
    }
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(now.as_micros() + seconds * 1_000_000)
}

/// Shows nothing of the codes.
impl std::fmt::Debug for DeviceGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceGrant")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::{CODE_LETTERS, LETTERS, user_code};

    /// One byte after the other.
    struct Counting(AtomicU8);

    impl skep_crypto::Random for Counting {
        fn fill(&self, out: &mut [u8]) {
            out.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    #[test]
    fn a16_letters_are_equally_likely() {
        // Those come first that stand for no letter.
        let random = Counting(AtomicU8::new(240));
        let rounds = 240 / CODE_LETTERS;
        let codes: String = (0..rounds).map(|_| user_code(&random)).collect();
        let mut counts = BTreeMap::new();
        for letter in codes.chars() {
            *counts.entry(letter).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), LETTERS.len());
        assert!(counts.values().all(|count| *count == 12), "{counts:?}");
    }
}
