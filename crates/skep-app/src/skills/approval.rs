//! What is signed when a skill is approved: an in-toto statement (<https://in-toto.io/Statement/v1>) in a
//! DSSE envelope (<https://github.com/secure-systems-lab/dsse>), so that others' tools can check it too.

use base64ct::{Base64, Encoding};
use serde::Serialize;
use skep_crypto::{PublicKey, Signature, sha256};
use skep_domain::Timestamp;
use skep_store::{Skill, SkillFile};

use super::folder::hex;
use crate::AppError;

/// What the payload of the envelope is.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Who approves what, by the names that the edge has for them.
#[derive(Clone, Copy, Debug)]
pub struct Approval<'a> {
    /// The version: `skl_…`
    pub id: &'a str,
    /// The workspace: `ws_…`
    pub workspace: &'a str,
    /// Who approves: `usr_…`
    pub approver: &'a str,
}

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Subject<'a>>,
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: Predicate<'a>,
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'a str,
    digest: Digest,
}

#[derive(Serialize)]
struct Digest {
    sha256: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate<'a> {
    skill: &'a str,
    version: u32,
    id: &'a str,
    workspace: &'a str,
    digest: &'a str,
    approved_by: &'a str,
    /// Microseconds since 1970.
    approved_at: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: &'static str,
    payload: String,
    signatures: [Signed; 1],
}

#[derive(Serialize)]
struct Signed {
    keyid: String,
    sig: String,
}

/// The statement about a version, as JSON.
pub(super) fn statement(
    skill: &Skill,
    files: &[SkillFile],
    names: &Approval<'_>,
    at: Timestamp,
) -> Result<Vec<u8>, AppError> {
    let subject = |file: &'_ SkillFile| Digest {
        sha256: hex(&sha256(file.text.as_bytes())),
    };
    let statement = Statement {
        kind: "https://in-toto.io/Statement/v1",
        subject: files
            .iter()
            .map(|file| Subject {
                name: &file.path,
                digest: subject(file),
            })
            .collect(),
        predicate_type: "urn:skep:skill-approval:v1",
        predicate: Predicate {
            skill: skill.name.as_str(),
            version: skill.version,
            id: names.id,
            workspace: names.workspace,
            digest: &skill.digest,
            approved_by: names.approver,
            approved_at: at.as_micros(),
        },
    };
    serde_json::to_vec(&statement).map_err(|_| AppError::Internal("an approval is no JSON"))
}

/// What the signature is over: DSSE's pre-authentication encoding of the statement.
pub(super) fn signed_bytes(statement: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {PAYLOAD_TYPE} {} ",
        PAYLOAD_TYPE.len(),
        statement.len()
    );
    [head.as_bytes(), statement].concat()
}

/// Statement and signature together, as JSON.
pub(super) fn envelope(
    statement: &[u8],
    signature: &Signature,
    key: &PublicKey,
) -> Result<String, AppError> {
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE,
        payload: Base64::encode_string(statement),
        signatures: [Signed {
            keyid: Base64::encode_string(&key.to_bytes()),
            sig: Base64::encode_string(&signature.to_bytes()),
        }],
    };
    serde_json::to_string(&envelope).map_err(|_| AppError::Internal("an envelope is no JSON"))
}
