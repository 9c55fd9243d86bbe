//! Whether a skill is what a human of its workspace approved: the check of a DSSE envelope with an in-toto
//! statement (<https://github.com/secure-systems-lab/dsse>), against a key that the caller knows already.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use skep_api::skill::SkillFile;

/// What an envelope of ours holds.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// What its statement is about.
const PREDICATE_TYPE: &str = "urn:skep:skill-approval:v1";
/// An envelope is read up to this many bytes.
const ENVELOPE: usize = 64 << 10;

/// The public key of a workspace, as its approvals name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalKey(String);

/// What a human approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What the skill is called.
    pub skill: String,
    /// Which of its versions.
    pub version: u32,
    /// The version: `skl_…`
    pub id: String,
    /// The workspace: `ws_…`
    pub workspace: String,
    /// Who approved it: `usr_…`
    pub approved_by: String,
    /// Microseconds since 1970.
    pub approved_at: i64,
    /// SHA-256 of each file by path, in hex.
    pub files: BTreeMap<String, String>,
}

/// Why something is not what was approved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// No envelope of this kind.
    #[error("the approval cannot be read")]
    Unreadable,
    /// Another key signed it, or nobody did.
    #[error("the approval is not signed with the workspace's key")]
    Signature,
    /// Signed, and not for these files.
    #[error("{0} is not as it was approved")]
    File(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    keyid: String,
    sig: String,
}

#[derive(Deserialize)]
struct Statement {
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    skill: String,
    version: u32,
    id: String,
    workspace: String,
    approved_by: String,
    approved_at: i64,
}

impl ApprovalKey {
    /// The key that an envelope names: to be kept when it is seen first, and never believed later.
    ///
    /// # Errors
    /// [`ApprovalError::Unreadable`].
    pub fn named_by(envelope: &str) -> Result<Self, ApprovalError> {
        let envelope = read(envelope)?;
        let signed = envelope.signatures.into_iter().next();
        let key = Self(signed.ok_or(ApprovalError::Unreadable)?.keyid);
        key.verifying().map(|_| key)
    }

    /// A key that was kept.
    #[must_use]
    pub fn kept(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads an envelope that this key signed.
    ///
    /// # Errors
    /// [`ApprovalError::Signature`]; [`ApprovalError::Unreadable`].
    pub fn verify(&self, envelope: &str) -> Result<Approval, ApprovalError> {
        let envelope = read(envelope)?;
        let statement =
            Base64::decode_vec(&envelope.payload).map_err(|_| ApprovalError::Unreadable)?;
        let key = self.verifying()?;
        let head = format!(
            "DSSEv1 {} {PAYLOAD_TYPE} {} ",
            PAYLOAD_TYPE.len(),
            statement.len()
        );
        let signed = [head.as_bytes(), &statement].concat();
        let fits = envelope.signatures.iter().any(|one| {
            let mut bytes = [0; 64];
            let read = Base64::decode(&one.sig, &mut bytes);
            read.is_ok_and(|read| read.len() == 64)
                && key
                    .verify_strict(&signed, &Signature::from_bytes(&bytes))
                    .is_ok()
        });
        if !fits {
            return Err(ApprovalError::Signature);
        }
        let statement: Statement =
            serde_json::from_slice(&statement).map_err(|_| ApprovalError::Unreadable)?;
        statement.approval()
    }

    fn verifying(&self) -> Result<VerifyingKey, ApprovalError> {
        let mut bytes = [0; 32];
        let read = Base64::decode(&self.0, &mut bytes);
        let whole = read.is_ok_and(|read| read.len() == 32);
        VerifyingKey::from_bytes(&bytes)
            .ok()
            .filter(|key| whole && !key.is_weak())
            .ok_or(ApprovalError::Signature)
    }
}

impl Statement {
    fn approval(self) -> Result<Approval, ApprovalError> {
        if self.predicate_type != PREDICATE_TYPE {
            return Err(ApprovalError::Unreadable);
        }
        let mut files = BTreeMap::new();
        for mut subject in self.subject {
            let digest = subject.digest.remove("sha256");
            let digest = digest.ok_or(ApprovalError::Unreadable)?;
            if files.insert(subject.name, digest).is_some() {
                return Err(ApprovalError::Unreadable);
            }
        }
        let said = self.predicate;
        Ok(Approval {
            skill: said.skill,
            version: said.version,
            id: said.id,
            workspace: said.workspace,
            approved_by: said.approved_by,
            approved_at: said.approved_at,
            files,
        })
    }
}

impl Approval {
    /// Whether these files are those that were approved, all of them and no others.
    ///
    /// # Errors
    /// [`ApprovalError::File`] with the first that is not.
    pub fn check(&self, files: &[SkillFile]) -> Result<(), ApprovalError> {
        let mut missing: Vec<&String> = self.files.keys().collect();
        for file in files {
            if self.files.get(&file.path) != Some(&sha256(file.text.as_bytes())) {
                return Err(ApprovalError::File(file.path.clone()));
            }
            missing.retain(|path| **path != file.path);
        }
        match missing.first() {
            Some(path) => Err(ApprovalError::File((*path).clone())),
            None => Ok(()),
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

fn read(envelope: &str) -> Result<Envelope, ApprovalError> {
    if envelope.len() > ENVELOPE {
        return Err(ApprovalError::Unreadable);
    }
    let envelope: Envelope =
        serde_json::from_str(envelope).map_err(|_| ApprovalError::Unreadable)?;
    if envelope.payload_type == PAYLOAD_TYPE {
        Ok(envelope)
    } else {
        Err(ApprovalError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding};
    use ed25519_dalek::{Signer, SigningKey};
    use serde_json::json;
    use skep_api::skill::SkillFile;

    use super::{ApprovalError, ApprovalKey, sha256};

    fn file(path: &str, text: &str) -> SkillFile {
        SkillFile {
            path: path.into(),
            text: text.into(),
        }
    }

    fn envelope(key: &SigningKey, statement: &str, payload_type: &str) -> String {
        let signed = format!(
            "DSSEv1 {} {payload_type} {} {statement}",
            payload_type.len(),
            statement.len()
        );
        json!({
            "payloadType": payload_type,
            "payload": Base64::encode_string(statement.as_bytes()),
            "signatures": [{
                "keyid": Base64::encode_string(key.verifying_key().as_bytes()),
                "sig": Base64::encode_string(&key.sign(signed.as_bytes()).to_bytes()),
            }],
        })
        .to_string()
    }

    fn statement() -> String {
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                { "name": "SKILL.md", "digest": { "sha256": sha256(b"main") } },
                { "name": "scripts/a.sh", "digest": { "sha256": sha256(b"echo") } },
            ],
            "predicateType": "urn:skep:skill-approval:v1",
            "predicate": {
                "skill": "release", "version": 2, "id": "skl_x", "workspace": "ws_x",
                "digest": "sha256:00", "approvedBy": "usr_x", "approvedAt": 7,
            },
        })
        .to_string()
    }

    #[test]
    fn m07_only_what_the_known_key_signed_is_believed() {
        let (ours, other) = (
            SigningKey::from_bytes(&[1; 32]),
            SigningKey::from_bytes(&[2; 32]),
        );
        let good = envelope(&ours, &statement(), super::PAYLOAD_TYPE);
        let key = ApprovalKey::named_by(&good).unwrap();
        assert_eq!(key.verify(&good).unwrap().version, 2);
        let forged = envelope(&other, &statement(), super::PAYLOAD_TYPE);
        assert_eq!(key.verify(&forged), Err(ApprovalError::Signature));
        // Another key's signature under our key's name.
        let named = forged.replace(
            &Base64::encode_string(other.verifying_key().as_bytes()),
            key.as_str(),
        );
        assert_eq!(key.verify(&named), Err(ApprovalError::Signature));
        // The same signature over another statement.
        let later = Base64::encode_string(
            statement()
                .replace("\"version\":2", "\"version\":3")
                .as_bytes(),
        );
        let old = Base64::encode_string(statement().as_bytes());
        assert_eq!(
            key.verify(&good.replace(&old, &later)),
            Err(ApprovalError::Signature)
        );
        // What the key signed for something else.
        let text = envelope(&ours, &statement(), "text/plain");
        assert_eq!(key.verify(&text), Err(ApprovalError::Unreadable));
        let other_use = statement().replace("skill-approval", "something-else");
        let other_use = envelope(&ours, &other_use, super::PAYLOAD_TYPE);
        assert_eq!(key.verify(&other_use), Err(ApprovalError::Unreadable));
        let unsigned = good.replace("\"sig\":\"", "\"sig\":\"A");
        assert_eq!(key.verify(&unsigned), Err(ApprovalError::Signature));
    }

    #[test]
    fn m07_every_file_must_be_as_it_was_approved_and_no_other_there() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let good = envelope(&key, &statement(), super::PAYLOAD_TYPE);
        let approval = ApprovalKey::named_by(&good).unwrap().verify(&good).unwrap();
        let (main, script) = (file("SKILL.md", "main"), file("scripts/a.sh", "echo"));
        assert_eq!(approval.check(&[main.clone(), script.clone()]), Ok(()));
        let table = [
            (vec![main.clone()], "scripts/a.sh"),
            (vec![file("SKILL.md", "mine"), script.clone()], "SKILL.md"),
            (
                vec![main.clone(), script.clone(), file("x.md", "more")],
                "x.md",
            ),
            (vec![file("x.md", "main"), script, main], "x.md"),
        ];
        for (files, first) in table {
            let refused = approval.check(&files);
            assert_eq!(refused, Err(ApprovalError::File(first.into())));
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        for text in [
            "",
            "x",
            &Base64::encode_string(&[0; 32]),
            &Base64::encode_string(&[1; 33]),
        ] {
            let key = ApprovalKey::kept(text);
            assert!(key.verifying().is_err(), "{text}");
        }
    }
}
