//! Records are set, told of, used and removed, each in its place and as its class.

use skep_authz::rights::{SecretList, SecretUse, SecretWrite, SettingRead, SettingWrite};
use skep_domain::{AgentId, Id, Limits, Reference, WorkspaceId};
use skep_vault::{Scope, Secret, Setting, Vault, VaultError, Wanted};

use crate::house::{AGENT, House, NOW, held, name, plain, right, right_of_agent, text};

const VALUE: &str = "correct-horse-battery";

fn put(vault: &Vault, workspace: u8, scope: Scope, called: &str, value: &str) {
    let right = right::<SecretWrite>(workspace);
    let value = plain(value);
    vault
        .put::<Secret>(&right, scope, &name(called), value, NOW)
        .unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the test of what is released")]
fn release(vault: &Vault, workspace: u8, scope: Scope, called: &str) -> Option<String> {
    let right = right::<SecretUse>(workspace);
    held(
        Wanted::new(&right, scope, &name(called))
            .and_then(|wanted| vault.release(&wanted))
            .unwrap(),
    )
}

fn names(vault: &Vault, workspace: u8, scope: Scope) -> Vec<String> {
    let listing = vault
        .list::<Secret>(&right::<SecretList>(workspace), scope)
        .unwrap();
    assert_eq!(listing.damaged, [""; 0]);
    let records = listing.records.into_iter();
    records
        .map(|listed| listed.name.as_str().to_owned())
        .collect()
}

#[test]
fn a_record_is_set_told_of_used_and_removed() {
    let house = House::new();
    let vault = house.open();
    put(&vault, 2, Scope::Workspace, "TOKEN", VALUE);
    put(&vault, 2, Scope::Workspace, "Other", "another-value");
    assert_eq!(names(&vault, 2, Scope::Workspace), ["Other", "TOKEN"]);
    assert_eq!(
        release(&vault, 2, Scope::Workspace, "token").unwrap(),
        VALUE
    );
    let vault = house.open();
    put(&vault, 2, Scope::Workspace, "token", "a-newer-value");
    assert_eq!(names(&vault, 2, Scope::Workspace), ["Other", "token"]);
    assert_eq!(
        release(&vault, 2, Scope::Workspace, "TOKEN").unwrap(),
        "a-newer-value"
    );
    let right = right::<SecretWrite>(2);
    assert!(
        vault
            .remove::<Secret>(&right, Scope::Workspace, &name("Token"))
            .unwrap()
    );
    assert!(
        !vault
            .remove::<Secret>(&right, Scope::Workspace, &name("Token"))
            .unwrap()
    );
    assert_eq!(release(&vault, 2, Scope::Workspace, "TOKEN"), None);
}

#[test]
fn t01_each_place_has_its_own() {
    let house = House::new();
    let vault = house.open();
    let agent = Scope::Agent(AgentId::from_bytes(AGENT));
    for (scope, value) in [
        (Scope::Organization, "of-the-organization"),
        (Scope::Workspace, "of-the-workspace"),
        (agent, "of-the-agent"),
    ] {
        put(&vault, 2, scope, "TOKEN", value);
    }
    // Another workspace of the organization has what is the organization's, and nothing else.
    assert_eq!(release(&vault, 5, Scope::Workspace, "TOKEN"), None);
    assert_eq!(names(&vault, 5, Scope::Workspace), [""; 0]);
    assert_eq!(names(&vault, 5, agent), [""; 0]);
    assert_eq!(
        release(&vault, 5, Scope::Organization, "TOKEN").unwrap(),
        "of-the-organization"
    );
    assert_eq!(
        release(&vault, 2, Scope::Workspace, "TOKEN").unwrap(),
        "of-the-workspace"
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test of what is released")]
fn x03_what_is_an_agents_is_used_by_that_agent_alone() {
    let house = House::new();
    let vault = house.open();
    let scope = Scope::Agent(AgentId::from_bytes(AGENT));
    put(&vault, 2, scope, "TOKEN", VALUE);
    let own = right_of_agent::<SecretUse>(AGENT);
    assert_eq!(
        held(
            Wanted::new(&own, scope, &name("TOKEN"))
                .and_then(|wanted| vault.release(&wanted))
                .unwrap()
        )
        .unwrap(),
        VALUE
    );
    for other in [
        right_of_agent::<SecretUse>([0xA2; 16]),
        right::<SecretUse>(2),
    ] {
        let refused =
            Wanted::new(&other, scope, &name("TOKEN")).and_then(|wanted| vault.release(&wanted));
        assert!(matches!(refused, Err(VaultError::NotYours)));
    }
}

#[test]
fn x07_a_secret_is_no_setting_and_a_setting_no_secret() {
    let house = House::new();
    let vault = house.open();
    put(&vault, 2, Scope::Workspace, "BOTH", VALUE);
    let (read, write) = (right::<SettingRead>(2), right::<SettingWrite>(2));
    let scope = Scope::Workspace;
    assert!(
        vault
            .read::<Setting>(&read, scope, &name("BOTH"))
            .unwrap()
            .is_none()
    );
    assert!(
        vault
            .list::<Setting>(&read, scope)
            .unwrap()
            .records
            .is_empty()
    );
    assert!(
        !vault
            .remove::<Setting>(&write, scope, &name("BOTH"))
            .unwrap()
    );
    vault
        .put::<Setting>(&write, scope, &name("BOTH"), plain("x"), NOW)
        .unwrap();
    assert_eq!(
        text(vault.read::<Setting>(&read, scope, &name("BOTH")).unwrap()).unwrap(),
        "x"
    );
    assert_eq!(release(&vault, 2, scope, "BOTH").unwrap(), VALUE);
}

#[test]
fn sizes_and_numbers_have_an_end() {
    let house = House::new();
    let vault = house.open();
    let right = right::<SecretWrite>(2);
    let try_put = |called: &str, size: usize| {
        let value = plain(&"v".repeat(size));
        vault.put::<Secret>(&right, Scope::Workspace, &name(called), value, NOW)
    };
    for size in [0, 7, Limits::RECORD_VALUE + 1] {
        assert!(
            matches!(try_put("A", size), Err(VaultError::Size(_))),
            "{size}"
        );
    }
    for size in [8, Limits::RECORD_VALUE] {
        try_put("A", size).unwrap();
    }
    assert_eq!(names(&vault, 2, Scope::Workspace), ["A"]);
}

#[test]
fn what_a_workspace_had_goes_with_it() {
    let house = House::new();
    let vault = house.open();
    put(&vault, 2, Scope::Workspace, "A", VALUE);
    put(
        &vault,
        2,
        Scope::Agent(AgentId::from_bytes(AGENT)),
        "A",
        VALUE,
    );
    put(&vault, 5, Scope::Workspace, "A", VALUE);
    put(&vault, 2, Scope::Organization, "A", VALUE);
    assert_eq!(
        vault
            .forget_workspace(WorkspaceId::from_bytes([2; 16]))
            .unwrap(),
        2
    );
    assert_eq!(house.files().len(), 2);
    assert_eq!(release(&vault, 2, Scope::Workspace, "A"), None);
    assert_eq!(release(&vault, 5, Scope::Workspace, "A").unwrap(), VALUE);
    assert_eq!(
        vault
            .forget_workspace(WorkspaceId::from_bytes([2; 16]))
            .unwrap(),
        0
    );
}

#[test]
fn x01_nothing_that_can_be_printed_has_the_value() {
    let house = House::new();
    let vault = house.open();
    put(&vault, 2, Scope::Workspace, "TOKEN", VALUE);
    let listing = vault
        .list::<Secret>(&right::<SecretList>(2), Scope::Workspace)
        .unwrap();
    assert!(!format!("{listing:?}").contains(VALUE));
    for file in house.files() {
        let bytes = std::fs::read(&file).unwrap();
        for part in [VALUE.as_bytes(), b"TOKEN"] {
            assert!(!bytes.windows(part.len()).any(|window| window == part));
        }
        assert!(!file.display().to_string().contains("TOKEN"));
    }
}

#[test]
fn x07_a_reference_is_no_value_and_a_value_no_reference() {
    let house = House::new();
    let vault = house.open();
    let right = right::<SecretWrite>(2);
    let (scope, text) = (Scope::Workspace, "op://Team/GitHub/token");
    let reference = Reference::parse(text).unwrap();
    let about = vault
        .refer(&right, scope, &name("ONE"), reference.clone(), NOW)
        .unwrap();
    assert_eq!(about.reference, Some(reference.clone()));
    put(&vault, 2, scope, "TWO", text);
    let vault = house.open();
    let held = |called: &str| release(&vault, 2, scope, called).unwrap();
    assert_eq!(held("ONE"), format!("→ {text}"), "also after a start");
    assert_eq!(held("TWO"), text, "what only looks like one");
    let look = self::right::<SecretList>(2);
    let listed = vault.list::<Secret>(&look, scope).unwrap().records;
    let references: Vec<_> = listed.into_iter().map(|about| about.reference).collect();
    assert_eq!(references, [Some(reference), None]);
    put(&vault, 2, scope, "ONE", VALUE);
    assert_eq!(held("ONE"), VALUE, "set anew, it is a value");
}
