//! A sink as it is kept: where it is, what it wants, and the keys that it is signed with.

use serde::{Deserialize, Serialize};
use skep_crypto::Plain;
use skep_domain::Timestamp;
use skep_egress::{Scheme, Target};
use skep_ledger::Log;
use skep_store::{Sink, StoreError};

use super::sign::{HookKey, KEY};
use super::{SetSink, Sinks};
use crate::AppError;
use crate::error::Invalid;

/// For so long what is sent is signed with the key before the last too.
pub(super) const OVERLAP: i64 = 24 * 3_600 * 1_000_000;
/// Kinds of entries that a sink may name, and bytes of each.
const EVENTS: usize = 32;
const EVENT: usize = 96;
const NAME: &str = "is 1 to 32 small letters, digits and -, a letter first";

/// Which entries are delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of which logs.
    pub logs: Vec<Log>,
    /// Actions in the record of decisions, `*` at the end for any ending; all if there are none.
    pub events: Vec<String>,
}

/// As it is kept, but for the keys.
#[derive(Debug, Serialize, Deserialize)]
struct Rest {
    url: String,
    events: Vec<String>,
    /// Until when the key before the last counts, in microseconds.
    until: Option<i64>,
}

/// A sink of an organization, read.
pub(super) struct Kept {
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) key: HookKey,
    /// The key before, and until when it counts.
    pub(super) old: Option<(HookKey, Timestamp)>,
}

/// Whether a sink can be called so.
#[must_use]
pub fn is_sink_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(fits)
}

/// A name that no sink can have is at fault itself.
pub(super) fn check_name(name: &str) -> Result<(), AppError> {
    if is_sink_name(name) {
        return Ok(());
    }
    Err(Invalid::unknown("name", NAME))
}

impl Wanted {
    /// What is meant where nothing is said: every log, and the record of decisions alone where actions are named.
    #[must_use]
    pub fn completed(mut self) -> Self {
        if self.logs.is_empty() {
            self.logs = if self.events.is_empty() {
                Log::ALL.to_vec()
            } else {
                vec![Log::Audit]
            };
        }
        self
    }

    /// What is wrong with it, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        if self.events.len() > EVENTS {
            return Some(format!("at most {EVENTS} actions can be named"));
        }
        let unfit = |event: &&String| {
            let stem = event.strip_suffix('*').unwrap_or(event);
            event.is_empty()
                || event.len() > EVENT
                || stem.contains('*')
                || !stem.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        let unfit = self.events.iter().find(unfit)?;
        Some(format!(
            "{unfit:?} is no action of the record, such as auth.login or alert.*: a * may stand at its end"
        ))
    }

    /// Whether an entry is wanted: of an action in the record of decisions, or of what was used.
    #[must_use]
    pub fn takes(&self, action: Option<&str>) -> bool {
        let Some(action) = action else {
            return true;
        };
        let fits = |event: &String| match event.strip_suffix('*') {
            Some(stem) => action.starts_with(stem),
            None => action == event,
        };
        self.events.is_empty() || self.events.iter().any(fits)
    }
}

impl Kept {
    /// Reads what the store has of a sink.
    pub(super) fn of(sink: &Sink) -> Result<Self, AppError> {
        const DAMAGED: AppError = AppError::Store(StoreError::Damaged("a sink"));
        let body = sink.body.expose();
        let (key, rest) = body.split_first_chunk::<KEY>().ok_or(DAMAGED)?;
        let (old, rest) = rest.split_first_chunk::<KEY>().ok_or(DAMAGED)?;
        let rest: Rest = serde_json::from_slice(rest).map_err(|_| DAMAGED)?;
        let until = rest.until.map(Timestamp::from_micros);
        Ok(Self {
            url: rest.url,
            events: rest.events,
            key: HookKey::new(*key),
            old: until.map(|until| (HookKey::new(*old), until)),
        })
    }

    /// As the store keeps it.
    pub(super) fn body(&self) -> Result<Plain<Vec<u8>>, AppError> {
        let rest = Rest {
            url: self.url.clone(),
            events: self.events.clone(),
            until: self.old.as_ref().map(|(_, until)| until.as_micros()),
        };
        let rest = serde_json::to_vec(&rest)
            .map_err(|_| AppError::Internal("a sink could not be written"))?;
        let mut body = Vec::with_capacity(2 * KEY + rest.len());
        body.extend_from_slice(self.key.bytes());
        match &self.old {
            Some((old, _)) => body.extend_from_slice(old.bytes()),
            None => body.extend_from_slice(&[0; KEY]),
        }
        body.extend_from_slice(&rest);
        Ok(Plain::new(body))
    }

    /// What proves that a message is ours, by each key that counts.
    pub(super) fn signature(&self, place: (&str, i64), body: &[u8], now: Timestamp) -> String {
        let last = self.key.signature(place, body);
        match &self.old {
            Some((old, until)) if now < *until => format!("{last} {}", old.signature(place, body)),
            _ => last,
        }
    }
}

impl SetSink {
    pub(super) fn check(&self, sinks: &Sinks) -> Result<(), AppError> {
        check_name(&self.name)?;
        let target = Target::parse(&self.url);
        let target = target.map_err(|error| Invalid::unknown("url", &error.to_string()))?;
        let inside = sinks.settings.inside.contains(target.origin());
        if target.origin().scheme == Scheme::Http && !inside {
            let message = "has to begin with https://: only servers that whoever runs the daemon allows by \
                           sinks.private_origins may be called in clear";
            return Err(Invalid::unknown("url", message));
        }
        match self.wanted.problem() {
            Some(problem) => Err(Invalid::unknown("events", &problem)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HookKey, Kept, Wanted, is_sink_name};
    use skep_domain::Timestamp;

    #[test]
    fn for_a_while_what_is_sent_is_signed_with_the_key_before_too() {
        let both = Kept {
            url: String::new(),
            events: Vec::new(),
            key: HookKey::new([1; 32]),
            old: Some((HookKey::new([7; 32]), Timestamp::from_micros(10))),
        };
        let told = |now| both.signature(("msg_1", 1), b"{}", Timestamp::from_micros(now));
        assert_eq!(told(9).split(' ').count(), 2);
        assert_eq!(told(10).split(' ').count(), 1);
        assert!(told(9).starts_with(&told(10)));
    }

    #[test]
    fn actions_are_matched_whole_or_by_how_they_begin() {
        let wanted = |events: &[&str]| Wanted {
            logs: Vec::new(),
            events: events.iter().map(|one| (*one).to_owned()).collect(),
        };
        let some = wanted(&["alert.*", "auth.login"]);
        for (action, takes) in [
            ("alert.denials", true),
            ("alert.", true),
            ("alerts", false),
            ("auth.login", true),
            ("auth.login2", false),
            ("xauth.login", false),
        ] {
            assert_eq!(some.takes(Some(action)), takes, "{action}");
            assert!(wanted(&[]).takes(Some(action)) && wanted(&["*"]).takes(Some(action)));
        }
        assert!(some.takes(None));
        for bad in ["", "a*b", "**", "naïve", "line\n"] {
            assert!(wanted(&[bad]).problem().is_some(), "{bad:?}");
        }
        assert_eq!(some.problem(), None);
        assert!(wanted(&["x"; 33]).problem().is_some());
    }

    #[test]
    fn names_are_plain() {
        for (name, fits) in [
            ("siem", true),
            ("siem-2", true),
            ("2siem", false),
            ("", false),
            ("Siem", false),
            ("si em", false),
            ("a\"b", false),
            (&"a".repeat(33), false),
        ] {
            assert_eq!(is_sink_name(name), fits, "{name}");
        }
    }
}
