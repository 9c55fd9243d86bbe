//! What the daemon keeps for itself: nothing lists it, returns it or releases it, and new keys reach it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use skep_authz::rights::{SecretList, SecretUse, SecretWrite, SettingRead, SettingWrite};
use skep_domain::{AgentId, Id, Timestamp, WorkspaceId};
use skep_vault::{Scope, Secret, Setting, Vault, Wanted};

use crate::house::{AGENT, House, NOW, name, plain, right, right_of_agent, text};

const VALUE: &str = "qxdaemonsownwvzk";

#[expect(clippy::disallowed_methods, reason = "the test of what is kept")]
fn keep(vault: &Vault, value: &str, now: Timestamp) {
    vault
        .keep_own(&name("wire-authority"), plain(value), now)
        .unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the test of what is kept")]
fn kept(vault: &Vault) -> Option<(String, Timestamp)> {
    let kept = vault.own(&name("wire-authority")).unwrap();
    kept.map(|(value, at)| (text(Some(value)).unwrap(), at))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test of what is released")]
fn x01_nobody_is_told_of_what_the_daemon_keeps_or_gets_it() {
    let house = House::new();
    let vault = house.open();
    assert_eq!(kept(&vault), None);
    keep(&vault, VALUE, NOW);
    assert_eq!(kept(&vault), Some((VALUE.into(), NOW)));
    let scopes = [
        Scope::Organization,
        Scope::Workspace,
        Scope::Agent(AgentId::from_bytes(AGENT)),
    ];
    let name = name("wire-authority");
    for scope in scopes {
        let secrets = vault
            .list::<Secret>(&right::<SecretList>(2), scope)
            .unwrap();
        assert!(secrets.records.is_empty() && secrets.damaged.is_empty());
        let look = right::<SettingRead>(2);
        let settings = vault.list::<Setting>(&look, scope).unwrap();
        assert!(settings.records.is_empty() && settings.damaged.is_empty());
        assert!(
            vault
                .read_all::<Setting>(&look, scope)
                .unwrap()
                .records
                .is_empty()
        );
        assert!(
            vault
                .read::<Setting>(&look, scope, &name)
                .unwrap()
                .is_none()
        );
        let user = right_of_agent::<SecretUse>(AGENT);
        assert!(
            vault
                .release(&Wanted::new(&user, scope, &name).unwrap())
                .unwrap()
                .is_none()
        );
        // Whoever may change everything makes a record of their own beside it, and removes none.
        let (secret, setting) = (right::<SecretWrite>(2), right::<SettingWrite>(2));
        assert!(!vault.remove::<Secret>(&secret, scope, &name).unwrap());
        assert!(!vault.remove::<Setting>(&setting, scope, &name).unwrap());
        vault
            .put::<Secret>(&secret, scope, &name, plain("somebody-elses"), NOW)
            .unwrap();
    }
    vault
        .forget_workspace(WorkspaceId::from_bytes([2; 16]))
        .unwrap();
    assert_eq!(kept(&vault), Some((VALUE.into(), NOW)));
}

#[test]
fn x08_what_the_daemon_keeps_is_sealed_and_moves_nowhere() {
    let house = House::new();
    let vault = house.open();
    keep(&vault, VALUE, NOW);
    let [file] = &house.files()[..] else {
        panic!("one file: {:?}", house.files())
    };
    assert_eq!(
        fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let bytes = fs::read(file).unwrap();
    let needle = VALUE.as_bytes();
    assert!(!bytes.windows(needle.len()).any(|part| part == needle));
    // The same bytes under the name of a secret or setting, in anybody's place, open as nothing.
    let place = house.path().join(format!("o{}", "01".repeat(16)));
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o700)).unwrap();
    let called = file.file_name().unwrap().to_str().unwrap();
    for letter in ["s", "t"] {
        let moved = place.join(format!("{letter}{}", &called[1..]));
        fs::copy(file, &moved).unwrap();
        fs::set_permissions(&moved, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let secrets = vault.list::<Secret>(&right::<SecretList>(2), Scope::Organization);
    let settings = vault.read_all::<Setting>(&right::<SettingRead>(2), Scope::Organization);
    let (secrets, settings) = (secrets.unwrap(), settings.unwrap());
    assert!(secrets.records.is_empty() && settings.records.is_empty());
    assert_eq!((secrets.damaged.len(), settings.damaged.len()), (1, 1));
}

#[test]
fn x09_new_keys_reach_what_the_daemon_keeps() {
    let house = House::new();
    let vault = house.open();
    keep(&vault, VALUE, NOW);
    vault.rotate().unwrap();
    let before = fs::read(&house.files()[0]).unwrap();
    while vault.go_on_rotating(1).unwrap().under_way {
        assert_eq!(kept(&vault), Some((VALUE.into(), NOW)));
    }
    assert_ne!(fs::read(&house.files()[0]).unwrap(), before);
    drop(vault);
    let vault = house.open();
    assert_eq!(kept(&vault), Some((VALUE.into(), NOW)));
    let later = Timestamp::from_micros(NOW.as_micros() + 1);
    keep(&vault, "another one", later);
    assert_eq!(kept(&vault), Some(("another one".into(), later)));
}
