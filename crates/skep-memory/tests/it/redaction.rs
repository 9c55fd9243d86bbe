//! The labelled set of secrets and harmless texts, with the recall and precision it yields.

mod labelled;

use labelled::{ROUNDS, Told, tell};
use std::collections::BTreeMap;

fn score(title: &str, secrets: &'static str, harmless: &'static str) -> Told {
    let told = tell(secrets, harmless);
    println!(
        "{title}: {} kinds of secrets, {} harmless texts, {ROUNDS} values each; recall {:.4}, precision {:.4}",
        told.secrets.len(),
        told.harmless.len(),
        told.recall(),
        told.precision()
    );
    let worst = |told: &BTreeMap<&'static str, u64>| -> Vec<String> {
        let wrong = told.iter().filter(|(_, times)| **times > 0);
        wrong
            .map(|(template, times)| format!("{times} {template}"))
            .collect()
    };
    println!(
        "missed: {:#?}\nfalse: {:#?}",
        worst(&told.secrets),
        worst(&told.harmless)
    );
    told
}

#[test]
fn the_labelled_set_is_told_apart() {
    let (secrets, harmless) = (
        include_str!("redaction/secrets.txt"),
        include_str!("redaction/harmless.txt"),
    );
    let score = score("fitted", secrets, harmless);
    assert!(score.secrets.len() >= 120 && score.harmless.len() >= 120);
    assert!(score.recall() >= 0.985 && score.precision() >= 0.99);
}

#[test]
fn a_second_set_is_told_apart_nearly_as_well() {
    let (secrets, harmless) = (
        include_str!("redaction/secrets_second.txt"),
        include_str!("redaction/harmless_second.txt"),
    );
    let score = score("second", secrets, harmless);
    assert!(score.recall() >= 0.85 && score.precision() >= 0.98);
}
