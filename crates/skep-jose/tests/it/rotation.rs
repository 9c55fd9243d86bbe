//! Keys that follow each other without a token failing in between.

use skep_crypto::{Plain, SeededRandom};
use skep_domain::Timestamp;
use skep_jose::{Confirmation, KeyRing, RingKey};

use crate::forge::{EXPECT, NOW, at, grant};

const DAY: i64 = 24 * 3600;

struct Stored(Vec<([u8; 32], Timestamp)>);

impl Stored {
    fn ring(&self, now: Timestamp) -> KeyRing {
        let keys = self.0.iter();
        KeyRing::new(
            keys.map(|(seed, from)| RingKey::from_seed(&Plain::new(*seed), *from)),
            now,
        )
    }
}

fn kids(ring: &KeyRing, now: Timestamp) -> Vec<String> {
    let document = ring.jwks(now);
    let keys = document["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_token_fails_while_keys_follow_each_other() {
    let random = SeededRandom::new(3);
    let grant = grant(Confirmation::Bearer);
    let mut stored = Stored(Vec::new());
    let mut outstanding: Vec<(String, Timestamp, Vec<String>)> = Vec::new();
    let mut published: Vec<String> = Vec::new();
    let (mut most, mut signers) = (0, std::collections::BTreeSet::new());
    // A hundred days, of each third the first forty minutes: what is due falls due there.
    let instants = (0..34)
        .map(|n| n * 3)
        .flat_map(|day| (0..10).map(move |step| day * DAY + step * 240));
    for step in instants {
        let now = at(NOW + step);
        if let Some((seed, from)) = stored.ring(now).due(now, &random) {
            stored.0.push((*seed.expose(), from));
        }
        let ring = stored.ring(now);
        let live = kids(&ring, now);
        most = most.max(live.len());
        let token = ring.issue(&grant, &EXPECT, now, &random).unwrap();
        let text = token.token.expose().clone();
        let header = text.split('.').next().unwrap();
        let kid = live.iter().find(|kid| {
            let expected = format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{kid}"}}"#);
            crate::forge::encode(expected.as_bytes()) == header
        });
        let kid = kid.expect("a token is signed by a key that is published");
        assert!(
            step == 0 || published.contains(kid),
            "it was published before it signed"
        );
        signers.insert(kid.clone());
        published.clone_from(&live);
        outstanding.push((text, token.expires_at, live));
        outstanding.retain(|(text, until, _)| {
            let verdict = ring.verify(text, &EXPECT, now);
            assert_eq!(
                verdict.is_ok(),
                now < Timestamp::from_micros(until.as_micros() + 30_000_000)
            );
            verdict.is_ok()
        });
    }
    assert_eq!(signers.len(), 4, "one in thirty days");
    assert_eq!(most, 2, "an old key goes when its last token has ended");
}

#[test]
fn an_old_key_verifies_until_its_last_token_has_ended_and_not_longer() {
    let random = SeededRandom::new(4);
    let (old, new) = ([1; 32], [2; 32]);
    let turn = at(NOW);
    let stored = Stored(vec![(old, at(NOW - 1_000)), (new, turn)]);
    let before = Timestamp::from_micros(turn.as_micros() - 1);
    let last = stored.ring(before);
    let last = last
        .issue(&grant(Confirmation::Bearer), &EXPECT, before, &random)
        .unwrap();
    let token = last.token.expose();
    for (offset, lives) in [(0, true), (629, true), (631, false), (DAY, false)] {
        let now = at(NOW + offset);
        let ring = stored.ring(now);
        assert_eq!(
            kids(&ring, now).len(),
            if lives { 2 } else { 1 },
            "{offset}"
        );
        assert_eq!(
            ring.verify(token, &EXPECT, now).is_ok(),
            offset < 629,
            "{offset}"
        );
    }
    assert_eq!(stored.ring(turn).ended(turn).count(), 0);
}

#[test]
fn a_ring_without_a_key_issues_and_verifies_nothing() {
    let random = SeededRandom::new(5);
    let now = at(NOW);
    let empty = KeyRing::new([], now);
    let grant = grant(Confirmation::Bearer);
    assert!(empty.issue(&grant, &EXPECT, now, &random).is_err());
    assert_eq!(empty.jwks(now)["keys"].as_array().unwrap().len(), 0);
    let (seed, from) = empty.due(now, &random).unwrap();
    assert_eq!(from, now, "the first key signs at once");
    let waiting = KeyRing::new([RingKey::from_seed(&seed, at(NOW + 1))], now);
    assert!(waiting.issue(&grant, &EXPECT, now, &random).is_err());
}

#[test]
fn the_document_holds_public_halves_only() {
    let now = at(NOW);
    let ring = KeyRing::new([RingKey::from_seed(&Plain::new([7; 32]), now)], now);
    insta::assert_snapshot!(serde_json::to_string_pretty(&ring.jwks(now)).unwrap());
}
