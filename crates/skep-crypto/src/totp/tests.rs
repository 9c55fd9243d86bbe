//! TOTP: the published codes, each accepted once; recovery codes: one owner, one code, any spelling.

use proptest::prelude::*;

use super::{RECOVERY_ALPHABET, RecoveryCode, TOTP_PERIOD, TotpSeed};
use crate::{MacKey, SeededRandom};

fn published() -> TotpSeed {
    TotpSeed::from_bytes(b"12345678901234567890").unwrap()
}

/// RFC 6238, appendix B (the last six of its eight digits), and RFC 4226, appendix D.
#[test]
fn codes_are_the_published_ones() {
    let by_time = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];
    for (seconds, code) in by_time {
        assert_eq!(published().code(seconds / TOTP_PERIOD), code.as_bytes());
        assert_eq!(
            published().accept(code, seconds, None),
            Some(seconds / TOTP_PERIOD)
        );
    }
    let by_count = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (step, code) in (0..).zip(by_count) {
        assert_eq!(published().code(step), code.as_bytes());
    }
}

/// RFC 4648 base32 of the published seed, as authenticator apps show it.
#[test]
fn a_seed_is_spelled_as_apps_take_it() {
    assert_eq!(
        published().base32().expose(),
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    );
    assert!(TotpSeed::from_bytes(&[1; 19]).is_err());
}

#[test]
fn a19_a_code_is_good_for_one_step_around_and_never_twice() {
    let seed = published();
    let now = 1_234_567_890;
    let step = now / TOTP_PERIOD;
    for offset in 0..=4 {
        let at = step - 2 + offset;
        let code = String::from_utf8(seed.code(at).to_vec()).unwrap();
        let accepted = seed.accept(&code, now, None);
        assert_eq!(
            accepted,
            (1..=3).contains(&offset).then_some(at),
            "{offset}"
        );
        if accepted.is_some() {
            assert_eq!(seed.accept(&code, now, accepted), None, "twice");
            assert_eq!(seed.accept(&code, now, Some(at + 1)), None, "out of order");
            assert_eq!(seed.accept(&code, now, Some(at - 1)), accepted);
        }
    }
    for bad in ["", "00592", "0059240", "00592a", "００５９２４", " 05924"] {
        assert_eq!(seed.accept(bad, now, None), None, "{bad:?}");
    }
}

#[test]
fn a_recovery_code_is_of_one_owner_and_in_any_spelling() {
    let pepper = MacKey::from_bytes(&[3; 32]);
    let random = SeededRandom::new(1);
    let codes: Vec<_> = (0..10).map(|_| RecoveryCode::mint(&random)).collect();
    let owner = [7; 16];
    let stored: Vec<_> = codes
        .iter()
        .map(|c| c.stored_form(&pepper, &owner))
        .collect();
    for (at, code) in codes.iter().enumerate() {
        let text = code.text();
        let spellings = [
            text.expose().clone(),
            text.expose().to_uppercase(),
            text.expose().replace('-', " "),
            text.expose().replace('0', "O").replace('1', "l"),
        ];
        for spelling in spellings {
            let read = RecoveryCode::parse(&spelling).unwrap();
            assert_eq!(read.find(&pepper, &owner, &stored), Some(at));
            assert_eq!(read.find(&pepper, &[8; 16], &stored), None);
            assert_eq!(
                read.find(&MacKey::from_bytes(&[4; 32]), &owner, &stored),
                None
            );
        }
    }
    for bad in [
        "",
        "abcde-fghj",
        "abcde-fghjkm",
        "abcde-fghju",
        "abcde-fghjé",
    ] {
        assert!(RecoveryCode::parse(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_minted_is_read(seed in 0_u64..1_000) {
        let code = RecoveryCode::mint(&SeededRandom::new(seed));
        let text = code.text();
        prop_assert_eq!(text.expose().len(), 11);
        prop_assert!(text.expose().bytes().all(|c| c == b'-' || RECOVERY_ALPHABET.contains(&c)));
        let read = RecoveryCode::parse(text.expose()).unwrap();
        prop_assert_eq!(&*read.0, &*code.0);
    }
}
