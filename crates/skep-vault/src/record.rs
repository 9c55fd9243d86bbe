//! One record: what is in its file, and what of it is sealed.

use skep_crypto::{DataKey, Identity, Plain, Random};
use skep_domain::{AgentId, Id, Principal, RecordClass, RecordName, Reference, Timestamp, UserId};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"skepvlt1";
/// Of a file that a key of its organization's own is needed for as well.
const OWNED: &[u8; 8] = b"skepvlt2";
const HEAD: usize = MAGIC.len() + 4;

/// What a file says of itself: which key it is sealed with, and whether its organization's own is needed too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u32,
    pub(crate) is_owned: bool,
}

/// What is told of a record to whoever may see that there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: RecordName,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its value was set last.
    pub changed_at: Timestamp,
    /// Who set it.
    pub changed_by: Option<Principal>,
    /// Where its value is, if it is not here.
    pub reference: Option<Reference>,
}

/// A record with its value, or the text of its reference.
pub(crate) struct Record {
    pub(crate) about: Listed,
    pub(crate) value: Plain<Vec<u8>>,
}

/// What a ciphertext is tied to, beside its key.
#[derive(Clone, Copy)]
pub(crate) struct Tie {
    pub(crate) class: RecordClass,
    pub(crate) file: [u8; 16],
}

impl Tie {
    fn identity(&self) -> Identity<'static> {
        Identity {
            table: "vault",
            column: self.class.as_str(),
            // The place is in the key.
            workspace: [0; 16],
            row: self.file,
        }
    }
}

/// The file: magic ‖ number of the key (4) ‖ sealed record. That the head was changed shows: another key follows
/// from it.
pub(crate) fn seal(
    record: &Record,
    tie: Tie,
    head: Head,
    key: &DataKey,
    random: &dyn Random,
) -> Vec<u8> {
    let plain = encode(record);
    let mut out = if head.is_owned { OWNED } else { MAGIC }.to_vec();
    out.extend_from_slice(&head.number.to_le_bytes());
    out.extend_from_slice(key.seal(random, &tie.identity(), &plain).as_bytes());
    out
}

/// What a file says of itself.
pub(crate) fn head(file: &[u8]) -> Option<Head> {
    let (magic, rest) = file.split_first_chunk::<8>()?;
    let is_owned = match magic {
        MAGIC => false,
        OWNED => true,
        _ => return None,
    };
    let number = u32::from_le_bytes(*rest.first_chunk()?);
    Some(Head { number, is_owned })
}

/// What is in a file; `None` if it is not what was written.
pub(crate) fn open(file: &[u8], tie: Tie, key: &DataKey) -> Option<Record> {
    let sealed = file.get(HEAD..)?;
    let plain = key.open(&tie.identity(), sealed).ok()?;
    decode(plain.expose())
}

/// Stands behind what is a reference.
const REFERENCE: &[u8] = b"reference";

/// Each text and number behind its length.
fn encode(record: &Record) -> Zeroizing<Vec<u8>> {
    let (about, value) = (&record.about, record.value.expose());
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() + 256));
    let mut push = |part: &[u8]| {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(part);
    };
    push(about.name.as_str().as_bytes());
    push(&about.created_at.as_micros().to_le_bytes());
    push(&about.changed_at.as_micros().to_le_bytes());
    match about.changed_by {
        None => push(b""),
        Some(Principal::User(id)) => push(&[&b"u"[..], &id.to_bytes()].concat()),
        Some(Principal::Agent(id)) => push(&[&b"a"[..], &id.to_bytes()].concat()),
    }
    push(value);
    if about.reference.is_some() {
        push(REFERENCE);
    }
    out
}

fn decode(plain: &[u8]) -> Option<Record> {
    let mut rest = plain;
    let mut part = || {
        let (length, behind) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (part, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some(part)
    };
    let name = RecordName::parse(std::str::from_utf8(part()?).ok()?).ok()?;
    let mut time = || {
        Some(Timestamp::from_micros(i64::from_le_bytes(
            part()?.try_into().ok()?,
        )))
    };
    let (created_at, changed_at) = (time()?, time()?);
    let changed_by = match part()?.split_first() {
        None => None,
        Some((b'u', id)) => Some(Principal::User(UserId::from_bytes(id.try_into().ok()?))),
        Some((b'a', id)) => Some(Principal::Agent(AgentId::from_bytes(id.try_into().ok()?))),
        Some(_) => return None,
    };
    let value = Plain::new(part()?.to_vec());
    let reference = match part() {
        None => None,
        Some(REFERENCE) => {
            let text = std::str::from_utf8(value.expose()).ok()?;
            Some(Reference::parse(text).ok()?)
        }
        Some(_) => return None,
    };
    let about = Listed {
        name,
        created_at,
        changed_at,
        changed_by,
        reference,
    };
    rest.is_empty().then_some(Record { about, value })
}
