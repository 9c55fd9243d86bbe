//! The hierarchy: who can unwrap what, what a rotation changes, and frozen bytes.

use super::{HEADER, KeyEncryptionKey, OrganizationKey, WrappedKey};
use crate::hex::hex;
use crate::{CryptoError, DataKey, Identity, InstanceSecret, Random, RootKey, SeededRandom};

const INSTANCE: [u8; 16] = [5; 16];
const MACHINE: &[u8] = b"0123456789abcdef0123456789abcdef";
const WORKSPACE: [u8; 16] = [1; 16];
const PLACE: Identity<'static> = Identity {
    table: "memory",
    column: "text",
    workspace: WORKSPACE,
    row: [2; 16],
};

fn root(seed: u64) -> RootKey {
    RootKey::generate(&SeededRandom::new(seed))
}

fn kek() -> KeyEncryptionKey {
    KeyEncryptionKey::derive(&root(1), INSTANCE, MACHINE)
}

fn data_key() -> DataKey {
    DataKey::generate(&SeededRandom::new(2))
}

fn wrapped() -> WrappedKey {
    kek().wrap(&data_key(), WORKSPACE, &SeededRandom::new(3))
}

#[test]
fn x06_another_root_machine_or_instance_is_the_wrong_key() {
    let others = [
        (
            "root",
            KeyEncryptionKey::derive(&root(9), INSTANCE, MACHINE),
        ),
        (
            "machine",
            KeyEncryptionKey::derive(&root(1), INSTANCE, b"another machine"),
        ),
        (
            "no machine",
            KeyEncryptionKey::derive(&root(1), INSTANCE, b""),
        ),
        (
            "instance",
            KeyEncryptionKey::derive(&root(1), [6; 16], MACHINE),
        ),
    ];
    let secret = InstanceSecret::generate(&SeededRandom::new(4));
    let wrapped_secret = kek().wrap_instance(&secret, &SeededRandom::new(3));
    for (name, other) in others {
        let opened = other.unwrap(&wrapped(), WORKSPACE);
        assert!(matches!(opened, Err(CryptoError::WrongKey)), "{name}");
        let opened = other.unwrap_instance(&wrapped_secret);
        assert!(matches!(opened, Err(CryptoError::WrongKey)), "{name}");
    }
    assert!(kek().unwrap(&wrapped(), WORKSPACE).is_ok());
}

#[test]
fn x08_a_wrapped_key_serves_its_workspace_alone() {
    let opened = kek().unwrap(&wrapped(), [2; 16]);
    assert!(matches!(opened, Err(CryptoError::Damaged)));
    assert!(matches!(
        kek().unwrap_instance(&wrapped()),
        Err(CryptoError::Damaged)
    ));
    let secret = InstanceSecret::generate(&SeededRandom::new(4));
    let wrapped_secret = kek().wrap_instance(&secret, &SeededRandom::new(3));
    assert!(matches!(
        kek().unwrap(&wrapped_secret, WORKSPACE),
        Err(CryptoError::Damaged)
    ));
}

#[test]
fn x08_no_changed_or_cut_wrapped_key_opens() {
    let wrapped = wrapped();
    for at in 0..wrapped.as_bytes().len() {
        for change in 1..=255 {
            let mut bytes = wrapped.as_bytes().to_vec();
            bytes[at] ^= change;
            let opened = kek().unwrap(&WrappedKey::from_bytes(bytes), WORKSPACE);
            let expected = match at {
                // One change makes it a layered one, which it is not either.
                0 => matches!(
                    opened,
                    Err(CryptoError::Malformed { .. } | CryptoError::Damaged)
                ),
                1..HEADER => matches!(opened, Err(CryptoError::WrongKey)),
                _ => matches!(opened, Err(CryptoError::Damaged)),
            };
            assert!(expected, "byte {at} ^ {change}");
        }
        let cut = WrappedKey::from_bytes(wrapped.as_bytes()[..at].to_vec());
        assert!(
            matches!(kek().unwrap(&cut, WORKSPACE), Err(CryptoError::Damaged)),
            "cut to {at}"
        );
    }
}

#[test]
fn x09_a_rotation_keeps_data_readable_and_retires_the_old_root() {
    let (old, new) = (kek(), KeyEncryptionKey::derive(&root(9), INSTANCE, MACHINE));
    let random = SeededRandom::new(3);
    let sealed = data_key().seal(&random, &PLACE, b"text");
    let rotated = old.rewrap(&new, &wrapped(), WORKSPACE, &random).unwrap();
    let key = new.unwrap(&rotated, WORKSPACE).unwrap();
    assert_eq!(key.open(&PLACE, &sealed).unwrap().expose(), b"text");
    assert!(matches!(
        old.unwrap(&rotated, WORKSPACE),
        Err(CryptoError::WrongKey)
    ));
    let again = old.rewrap(&new, &rotated, WORKSPACE, &random).unwrap();
    assert_eq!(
        again, rotated,
        "a rotation begun again changes nothing that is done"
    );
    let stranger = KeyEncryptionKey::derive(&root(8), INSTANCE, MACHINE);
    let lost = stranger.rewrap(&new, &wrapped(), WORKSPACE, &random);
    assert!(matches!(lost, Err(CryptoError::WrongKey)));
}

#[test]
fn x09_a_rotation_changes_no_instance_key() {
    let (old, new) = (kek(), KeyEncryptionKey::derive(&root(9), INSTANCE, MACHINE));
    let random = SeededRandom::new(3);
    let secret = InstanceSecret::generate(&SeededRandom::new(4));
    let rotated = old.rewrap_instance(&new, &old.wrap_instance(&secret, &random), &random);
    let after = new.unwrap_instance(&rotated.unwrap()).unwrap().keys();
    let before = secret.keys();
    assert_eq!(before.id_tag.tag4(&[b"mem"]), after.id_tag.tag4(&[b"mem"]));
    assert_eq!(
        before.pepper.tag32(&[b"mem"]),
        after.pepper.tag32(&[b"mem"])
    );
}

#[test]
fn every_purpose_has_a_key_of_its_own() {
    let keys = InstanceSecret::generate(&SeededRandom::new(4)).keys();
    let all = [
        &keys.id_tag,
        &keys.credential,
        &keys.pepper,
        &keys.fingerprint,
        &keys.cursor,
    ];
    let mut tags: Vec<_> = all.iter().map(|key| key.tag32(&[b"x"])).collect();
    tags.push(data_key().fingerprint_key().tag32(&[b"x"]));
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 6);
}

/// Stored keys outlive this code: these bytes must unwrap, and these tags hold, for ever.
#[test]
fn x08_frozen_keys_still_unwrap() {
    let frozen = WrappedKey::from_bytes(hex(FROZEN_WRAPPED));
    assert_eq!(
        wrapped(),
        frozen,
        "the format changed: add a version, keep this one"
    );
    assert_eq!(
        kek().unwrap(&frozen, WORKSPACE).unwrap().bytes(),
        data_key().bytes()
    );
    let secret = InstanceSecret::generate(&SeededRandom::new(4));
    let frozen = WrappedKey::from_bytes(hex(FROZEN_INSTANCE));
    assert_eq!(kek().wrap_instance(&secret, &SeededRandom::new(3)), frozen);
    assert_eq!(
        kek().unwrap_instance(&frozen).unwrap().bytes(),
        secret.bytes()
    );
    let keys = secret.keys();
    let all = [
        keys.id_tag,
        keys.credential,
        keys.pepper,
        keys.fingerprint,
        keys.cursor,
        data_key().fingerprint_key(),
    ];
    assert_eq!(all.map(|key| key.tag4(&[b"x"])).concat(), hex(FROZEN_TAGS));
}

const FROZEN_WRAPPED: &str = concat!(
    "014fbdd4893ec387790c823fb9ce6f85674ef5063fdbc82502db47a3a5f9ec4d",
    "053929127f14be40297ee86937ba12f4c2d5e976e47420fc85916a74a1a3d81e",
    "bdbdd3f226b6878059eb2b0e566e851595"
);
const FROZEN_INSTANCE: &str = concat!(
    "014fbdd4893ec387790c823fb9ce6f85674ef5063fdbc82502db47a3a5f9ec4d",
    "0512db2e44b6bcdfc2ea95e2ae17f8de2118247488c56fe739dfa1c9c5bbb4e5",
    "14e1d0fab0de9bf349fbfb333fcde866a1"
);
const FROZEN_TAGS: &str = "52f456d2906237e28efc68b3dc3f816fc2e08c4679c3ef06";

#[test]
fn keys_do_not_repeat() {
    let random = SeededRandom::new(3);
    let random: &dyn Random = &random;
    assert_ne!(
        DataKey::generate(random).bytes(),
        DataKey::generate(random).bytes()
    );
    assert_ne!(
        RootKey::generate(random).bytes(),
        RootKey::generate(random).bytes()
    );
}

#[test]
fn x06_a_layered_key_needs_both_and_a_rotation_of_the_root_needs_one() {
    let random = SeededRandom::new(7);
    let key = OrganizationKey::generate(&random);
    let own = KeyEncryptionKey::of_organization(&key, [9; 16]);
    let layered = kek().wrap_layered(&own, &data_key(), WORKSPACE, &random);
    assert!(layered.is_layered() && !wrapped().is_layered());
    let sealed = data_key().seal(&random, &PLACE, b"text");
    let opens = |outer: &KeyEncryptionKey, own: &KeyEncryptionKey, wrapped: &WrappedKey| {
        let key = outer.unwrap_layered(own, wrapped, WORKSPACE)?;
        key.open(&PLACE, &sealed).map(|_| ())
    };
    assert!(opens(&kek(), &own, &layered).is_ok());
    // The root alone, another organization's key, the same one of another organization, another root.
    assert!(matches!(
        kek().unwrap(&layered, WORKSPACE),
        Err(CryptoError::Closed)
    ));
    let other = KeyEncryptionKey::of_organization(&OrganizationKey::generate(&random), [9; 16]);
    let elsewhere = KeyEncryptionKey::of_organization(&key, [8; 16]);
    let stranger = KeyEncryptionKey::derive(&root(8), INSTANCE, MACHINE);
    for (outer, own) in [(&kek(), &other), (&kek(), &elsewhere), (&stranger, &own)] {
        assert!(matches!(
            opens(outer, own, &layered),
            Err(CryptoError::WrongKey)
        ));
    }
    assert!(kek().unwrap_layered(&own, &wrapped(), WORKSPACE).is_err());
    assert!(own.unwrap(&layered, WORKSPACE).is_err());
    assert!(kek().unwrap_layered(&own, &layered, [2; 16]).is_err());
    // Neither changed, nor passed off as one that the root alone opens.
    for at in 0..layered.as_bytes().len() {
        let mut bytes = layered.as_bytes().to_vec();
        bytes[at] ^= 3;
        let changed = WrappedKey::from_bytes(bytes);
        assert!(opens(&kek(), &own, &changed).is_err(), "byte {at}");
        assert!(kek().unwrap(&changed, WORKSPACE).is_err(), "byte {at}");
    }
    let new = KeyEncryptionKey::derive(&root(9), INSTANCE, MACHINE);
    let rotated = kek().rewrap(&new, &layered, WORKSPACE, &random).unwrap();
    assert!(rotated.is_layered() && opens(&new, &own, &rotated).is_ok());
    assert!(matches!(
        opens(&kek(), &own, &rotated),
        Err(CryptoError::WrongKey)
    ));
}
