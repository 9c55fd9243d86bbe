//! A07: the instants of a token, to the second and to the microsecond.

use std::fmt::Write as _;

use serde_json::{Value, json};
use skep_domain::Timestamp;

use crate::forge::{EXPECT, House, NOW, at, claims, signed, with};

fn passes(house: &House, name: &str, value: Value, now: Timestamp) -> bool {
    let body = with(claims(), name, value);
    let token = signed(&house.header().to_string(), &body.to_string(), &house.key);
    house.ring.verify(&token, &EXPECT, now).is_ok()
}

#[test]
fn a07_the_boundaries_of_exp_nbf_and_iat() {
    let house = House::new();
    let mut table = String::from("claim  value - now    +0 s  +0.999999 s\n");
    for name in ["exp", "nbf", "iat"] {
        for offset in [-601, -31, -30, -29, -1, 0, 1, 29, 30, 31, 601] {
            let seen = [0, 999_999].map(|micros| {
                let now = Timestamp::from_micros(NOW * 1_000_000 + micros);
                if passes(&house, name, json!(NOW + offset), now) {
                    "pass"
                } else {
                    "-"
                }
            });
            writeln!(table, "{name:5} {offset:12} {:>7} {:>12}", seen[0], seen[1]).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a07_an_instant_is_a_whole_number_of_seconds() {
    let house = House::new();
    let now = at(NOW);
    for name in ["exp", "nbf", "iat"] {
        assert!(passes(&house, name, json!(NOW + 1), now));
        let exact = format!("{}", NOW + 1);
        for other in [
            json!(null),
            json!((NOW + 1) as f64),
            json!(NOW as f64 + 0.5),
            json!(exact),
            json!([NOW + 1]),
            json!(true),
            json!(-1),
            json!(i64::MIN),
            json!(1_u64 << 63),
            json!(u64::MAX),
            json!(1e300),
            json!(253_402_300_800_u64),
        ] {
            assert!(!passes(&house, name, other.clone(), now), "{name} {other}");
        }
        for text in [
            "1e3", "-0", "1E400", "0x10", "01", "+1", "1.0", "NaN", "Infinity",
        ] {
            let body = claims().to_string();
            let sound = format!(r#""{name}":{}"#, claims()[name]);
            assert!(body.contains(&sound));
            let body = body.replace(&sound, &format!(r#""{name}":{text}"#));
            let token = signed(&house.header().to_string(), &body, &house.key);
            assert!(
                house.ring.verify(&token, &EXPECT, now).is_err(),
                "{name} {text}"
            );
        }
    }
    assert!(passes(&house, "exp", json!(253_402_300_799_u64), now));
}

#[test]
fn a07_no_clock_makes_it_overflow() {
    let house = House::new();
    for micros in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
        let now = Timestamp::from_micros(micros);
        assert!(!passes(
            &house,
            "jti",
            json!("05050505-0505-0505-0505-050505050505"),
            now
        ));
    }
}
