//! From another daemon's word to a caller. The one place that makes such a caller.

use std::sync::Arc;

use skep_api::id::{self, Tagger};
use skep_authz::{Caller, Vouched, VouchedTag};
use skep_domain::{
    Bindings, CredentialKind, Harness, Id, IdKind, PermissionSet, Principal, ProjectBounds,
    ProjectId, Role,
};

use crate::convert::moment;
use crate::wire::Validated;

/// The other daemon says something that cannot be, or that this version does not know: refused, as if
/// it had not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Takes tags as they come: who makes them is the one we asked.
#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<VouchedTag>>);

impl Tagger for Heard {
    fn tag(&self, _: IdKind, _: &[u8; 16]) -> [u8; 4] {
        [0; 4]
    }

    fn verify(&self, kind: IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
        let uuid = *uuid;
        if let Ok(mut heard) = self.0.lock() {
            heard.push(VouchedTag { kind, uuid, tag });
        }
        true
    }
}

/// The caller that is vouched for.
pub(crate) fn caller(said: &Validated) -> Result<Caller, Unreadable> {
    let heard = Heard::default();
    let principal = if said.principal.starts_with("agt_") {
        Principal::Agent(read(&heard, &said.principal)?)
    } else {
        Principal::User(read(&heard, &said.principal)?)
    };
    let permissions = PermissionSet::from_bits(said.permissions).map_err(|_| Unreadable)?;
    let facts = Vouched {
        credential: read(&heard, &said.credential)?,
        kind: CredentialKind::parse(&said.kind).ok_or(Unreadable)?,
        organization: read(&heard, &said.organization)?,
        workspace: read(&heard, &said.workspace)?,
        principal,
        role: Role::parse(&said.role).ok_or(Unreadable)?,
        permissions,
        bindings: Arc::new(bindings(&heard, said, permissions)?),
        expires_at: said
            .expires_at
            .map(moment)
            .transpose()
            .map_err(|_| Unreadable)?,
        tags: heard.0.into_inner().map_err(|_| Unreadable)?,
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place: what is vouched for was just answered by the daemon that we ask"
    )]
    let caller = Caller::vouched(facts);
    caller.map_err(|_| Unreadable)
}

fn bindings(
    heard: &Heard,
    said: &Validated,
    permissions: PermissionSet,
) -> Result<Bindings, Unreadable> {
    // Without them it is not known that there are none.
    let said = said.bindings.as_ref().ok_or(Unreadable)?;
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let harness = given(&said.harness).map(|name| Harness::parse(&name).ok_or(Unreadable));
    let projects: Result<Vec<ProjectId>, _> =
        said.projects.iter().map(|text| read(heard, text)).collect();
    let projects = projects?;
    Ok(Bindings {
        connector: given(&said.connector),
        harness: harness.transpose()?,
        projects: if projects.is_empty() {
            ProjectBounds::NONE
        } else {
            ProjectBounds::only(&projects).ok_or(Unreadable)?
        },
        permissions: Some(permissions),
    })
}

fn read<I: Id>(heard: &Heard, text: &str) -> Result<I, Unreadable> {
    id::parse(heard, text).map_err(|_| Unreadable)
}

#[cfg(test)]
pub(crate) mod tests {
    use skep_domain::{Permission, PermissionSet, Role};

    use super::{Unreadable, caller};
    use crate::wire::{Bindings, Validated};

    /// An id of a kind, with a tag that nobody checks.
    fn id(prefix: &str, digit: char) -> String {
        format!("{prefix}_{}", digit.to_string().repeat(32))
    }

    /// A word that is taken.
    pub(crate) fn said() -> Validated {
        Validated {
            credential: id("key", '1'),
            kind: "api".into(),
            organization: id("org", '2'),
            workspace: id("ws", '3'),
            principal: id("usr", '4'),
            role: "operator".into(),
            permissions: PermissionSet::of(&[Permission::MemoryRead]).bits(),
            expires_at: None,
            bindings: Some(Bindings::default()),
        }
    }

    #[test]
    fn f02_a_word_that_cannot_be_or_is_not_understood_is_no_word() {
        type Spoil = fn(&mut Validated);
        assert!(caller(&said()).is_ok());
        let cases: [(&str, Spoil); 17] = [
            ("an unknown bit", |said| said.permissions |= 1 << 60),
            ("more than the role has", |said| {
                said.permissions |= PermissionSet::of(&[Permission::TokenManage]).bits();
            }),
            ("an unknown role", |said| said.role = "owner".into()),
            ("no role", |said| said.role.clear()),
            ("an unknown kind", |said| said.kind = "magic".into()),
            ("the socket", |said| said.kind = "socket".into()),
            ("the install token", |said| said.kind = "install".into()),
            ("a browser", |said| said.kind = "browser".into()),
            ("no credential", |said| said.credential.clear()),
            ("an id of another kind", |said| {
                said.organization = id("ws", '2');
            }),
            ("an id that is none", |said| said.workspace = "ws_u".into()),
            ("nobody", |said| said.principal.clear()),
            ("an agent that is none", |said| {
                said.principal = "agt_1".into();
            }),
            ("an end that cannot be told", |said| {
                said.expires_at = Some(i64::MAX);
            }),
            ("no bindings", |said| said.bindings = None),
            ("an unknown harness", |said| {
                said.bindings.get_or_insert_default().harness = "emacs".into();
            }),
            ("more projects than there can be", |said| {
                let projects = vec![id("prj", '5'); 13];
                said.bindings.get_or_insert_default().projects = projects;
            }),
        ];
        for (name, spoil) in cases {
            let mut said = said();
            spoil(&mut said);
            assert_eq!(caller(&said).err(), Some(Unreadable), "{name}");
        }
    }

    #[test]
    fn bounds_come_over_whole() {
        let mut said = said();
        said.bindings = Some(Bindings {
            connector: "slack".into(),
            harness: "codex".into(),
            projects: vec![id("prj", '5'), id("prj", '6')],
        });
        let caller = caller(&said).unwrap();
        let bindings = caller.bindings();
        assert_eq!(bindings.connector.as_deref(), Some("slack"));
        assert_eq!(
            bindings.harness.map(skep_domain::Harness::as_str),
            Some("codex")
        );
        assert_eq!(bindings.projects.iter().count(), 2);
        assert_eq!(caller.role(), Role::Operator);
        assert_eq!(caller.permissions().bits(), said.permissions);
        // Its id is read back only in the words of the daemon that vouches.
        assert_eq!(caller.vouched_tags().map(<[_]>::len), Some(6));
    }
}
