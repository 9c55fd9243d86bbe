//! An entry as the one line of JSON that is hashed: typed, in a fixed order, without a line break. The line is
//! kept as it was written; nobody writes it a second time.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Log;

/// Random bytes in each line, so that its hash tells nothing of one that was erased.
pub const SALT: usize = 16;

/// Bytes that the facts of a usage entry may have.
const FACTS: usize = 16 * 1024;

/// A line that cannot be written, or that was not written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LineError(pub &'static str);

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was allowed.
    Allowed,
    /// It was refused.
    Denied,
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrincipalLine {
    /// `user` or `agent`.
    pub kind: String,
    /// Their id.
    pub id: String,
}

/// An entry of the record of decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLine {
    /// Its place.
    pub seq: u64,
    /// [`Log::Audit`].
    pub log: Log,
    /// Whose record; zeros before anybody was known.
    pub organization: String,
    /// Its id.
    pub id: String,
    /// When: microseconds since 1970, UTC.
    pub at: i64,
    /// Which action.
    pub action: String,
    /// What was decided.
    pub outcome: Outcome,
    /// So many the same within a moment.
    pub times: u32,
    /// Where.
    pub workspace: Option<String>,
    /// Who.
    pub principal: Option<PrincipalLine>,
    /// With what.
    pub credential: Option<String>,
    /// Why, or what else there is to say.
    pub reason: String,
    /// The request.
    pub request: String,
    /// From where.
    pub peer: Option<String>,
    /// What it was done to.
    pub target: Option<String>,
    /// What of others' content was shown, as `memory:` and its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
    /// Random.
    pub salt: String,
}

/// An entry of what was used, but for its facts, which their owner writes and reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageLine {
    /// Its place.
    pub seq: u64,
    /// [`Log::Usage`].
    pub log: Log,
    /// Whose use.
    pub organization: String,
    /// Its id.
    pub id: String,
    /// When: microseconds since 1970, UTC.
    pub at: i64,
    /// Where.
    pub workspace: Option<String>,
    /// Who.
    pub principal: Option<PrincipalLine>,
    /// With what.
    pub credential: Option<String>,
}

impl AuditLine {
    /// The line.
    ///
    /// # Errors
    /// [`LineError`], which a value of this type does not lead to.
    pub fn to_line(&self) -> Result<String, LineError> {
        serde_json::to_string(self).map_err(|_| LineError("an entry that is no JSON"))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`LineError`] for what is no line of this log.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        serde_json::from_str(line)
            .ok()
            .filter(|line: &Self| line.log == Log::Audit)
            .ok_or(LineError("no entry of the record of decisions"))
    }
}

impl UsageLine {
    /// The line, with facts that are a JSON object on one line, and the salt.
    ///
    /// # Errors
    /// [`LineError`] for facts that are anything else, or too long.
    pub fn to_line(&self, facts: &str, salt: &str) -> Result<String, LineError> {
        if facts.len() > FACTS {
            return Err(LineError("facts of a usage entry that are too long"));
        }
        let is_object = serde_json::from_str::<Map<String, Value>>(facts).is_ok();
        if !is_object || facts.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(LineError(
                "facts of a usage entry that are no object of one line",
            ));
        }
        Ok(open(self)? + ",\"usage\":" + facts + ",\"salt\":\"" + salt + "\"}")
    }

    /// Whether a line begins with just this.
    #[must_use]
    pub fn begins(&self, line: &str) -> bool {
        let head = open(self).ok();
        let rest = head.and_then(|head| line.strip_prefix(&*head));
        rest.is_some_and(|rest| rest.starts_with(",\"usage\":"))
    }
}

/// A line without the brace at its end.
fn open(line: &impl Serialize) -> Result<String, LineError> {
    let mut line =
        serde_json::to_string(line).map_err(|_| LineError("an entry that is no JSON"))?;
    line.pop();
    Ok(line)
}

/// An id as it stands in lines: a UUID in lower case.
#[must_use]
pub fn id_text(id: [u8; 16]) -> String {
    let mut text = digits(&id);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// Bytes as hexadecimal digits in lower case.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xF] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

/// The id of a text that [`id_text`] wrote.
#[must_use]
pub fn text_id(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.split('-').collect();
    let id = u128::from_str_radix(&digits, 16).ok()?.to_be_bytes();
    (id_text(id) == text).then_some(id)
}
