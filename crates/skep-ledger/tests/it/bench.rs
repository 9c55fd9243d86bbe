//! How many entries a verifier checks in a second: `cargo xtask bench ledger`.

use std::time::Instant;

use ed25519_dalek::{Signer, SigningKey};
use skep_ledger::{
    AuditLine, Checkpoint, Frontier, Header, Log, Outcome, VerifierKey, checkpoint_record,
    entry_record, id_text, leaf_hash, origin, verify,
};

const ENTRIES: u64 = 500_000;

fn line(seq: u64) -> String {
    let line = AuditLine {
        seq,
        log: Log::Audit,
        organization: id_text([7; 16]),
        id: id_text(u128::from(seq).to_be_bytes()),
        at: 1_700_000_000_000_000,
        action: "memory.create".to_owned(),
        outcome: Outcome::Allowed,
        times: 1,
        workspace: Some(id_text([8; 16])),
        principal: None,
        credential: Some(id_text([9; 16])),
        reason: String::new(),
        request: "0190f1c9-7d3e-7a41-9c55-0f6f1f0f1d11".to_owned(),
        peer: None,
        target: None,
        shown: Vec::new(),
        salt: "00112233445566778899aabbccddeeff".to_owned(),
    };
    line.to_line().unwrap()
}

#[test]
#[ignore = "a measurement: cargo xtask bench ledger"]
#[expect(clippy::disallowed_methods, reason = "measuring is what it does")]
fn verifying() {
    let signer = SigningKey::from_bytes(&[1; 32]);
    let public = signer.verifying_key().to_bytes();
    let name = origin(&public, [7; 16], Log::Audit);
    let key = VerifierKey::new(&name, &public).unwrap();
    let whole = (1, ENTRIES);
    let header = Header::new(
        ([7; 16], Log::Audit),
        (name.clone(), key.to_string()),
        whole,
    );
    let mut text = header.to_record().unwrap() + "\n";
    let mut tree = Frontier::default();
    for seq in 1..=ENTRIES {
        let line = line(seq);
        let leaf = leaf_hash(line.as_bytes());
        tree.push(leaf, |_, _, _| {});
        text.push_str(&entry_record(&leaf, &line));
        text.push('\n');
        if seq % 1_000 == 0 {
            let head = Checkpoint {
                origin: name.clone(),
                size: seq,
                root: tree.root(),
            };
            let signature = signer.sign(head.text().as_bytes()).to_bytes();
            let note = key.note(&head.text(), &signature);
            text.push_str(&checkpoint_record(&note).unwrap());
            text.push('\n');
        }
    }
    let mut rounds: Vec<f64> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            let held = verify(&mut text.as_bytes(), None, Some(&key)).unwrap();
            assert_eq!(held.checkpoints, ENTRIES / 1_000);
            ENTRIES as f64 / begun.elapsed().as_secs_f64()
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let bytes = text.len() as u64 / ENTRIES;
    println!(
        "  verify_per_s      {:>10.0}  entries of {bytes} bytes, the middle of five rounds",
        rounds[2]
    );
}
