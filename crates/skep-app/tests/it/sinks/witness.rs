//! A witness elsewhere, which is sent each signed head.

use std::collections::BTreeMap;
use std::sync::Arc;

use skep_app::{HookKey, LedgerDesk, WitnessHook};

use super::{Does, Receiver, Scene, is_signed};

const KEY: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn desk(scene: &Scene, witness: &Receiver) -> LedgerDesk {
    let hook = WitnessHook::new(witness.url(), HookKey::parse(KEY).unwrap()).unwrap();
    LedgerDesk::new(Arc::clone(&scene.app), None).with_hook(Some(Arc::new(hook)))
}

/// The name and the size that each note that was taken speaks of, the last of each log.
fn taken(witness: &Receiver) -> BTreeMap<String, u64> {
    let heard = witness.heard().into_iter().filter(|one| one.taken);
    let notes = heard.map(|one| {
        assert!(is_signed(&one, KEY));
        let note = String::from_utf8(one.body).unwrap();
        let mut lines = note.lines();
        let (name, size) = (lines.next().unwrap(), lines.next().unwrap());
        assert!(lines.nth(1).is_some_and(str::is_empty));
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with(&format!("\u{2014} {name} "))
        );
        (name.to_owned(), size.parse().unwrap())
    });
    notes.collect()
}

#[tokio::test]
async fn l02_a_witness_elsewhere_is_sent_each_head_until_it_takes_it() {
    let scene = Scene::new().await;
    let witness = Receiver::start();
    scene.decide("work", 3).await;
    let desk = desk(&scene, &witness);
    witness.will([Does::Answers(503), Does::HearsAndHangsUp]);
    desk.turn().await;
    assert!(
        taken(&witness).is_empty(),
        "one that fails is not asked for each log"
    );
    assert_eq!(witness.heard().len(), 1);
    desk.turn().await;
    desk.turn().await;
    let first = taken(&witness);
    let own = skep_ledger::id_text(skep_domain::Id::to_bytes(scene.ours()));
    let of_ours = |all: &BTreeMap<String, u64>| {
        let mut own = all
            .iter()
            .filter(|(name, _)| name.contains(&own) && name.ends_with("/audit"));
        own.next().map(|(_, size)| *size).unwrap()
    };
    let before = of_ours(&first);
    let heard = witness.heard().len();
    desk.turn().await;
    assert_eq!(
        witness.heard().len(),
        heard,
        "what it has it is not sent again"
    );
    scene.decide("work", 2).await;
    desk.turn().await;
    assert_eq!(witness.heard().len(), heard + 1);
    assert_eq!(of_ours(&taken(&witness)), before + 2);
    // As after a start: it is told all again, and it is the same.
    let again = self::desk(&scene, &witness);
    again.turn().await;
    assert_eq!(taken(&witness).len(), first.len());
    assert!(witness.heard().len() > heard + 1);
}
