//! An issuer that lies, dawdles, floods and leads astray, and people who bring what is not theirs.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use skep_test_support::{Reply, Request, Say, issuer};

use super::{Begun, Stage, session};

fn out(reply: &Reply) -> bool {
    session(reply).is_none() && matches!(reply.status, 401 | 502)
}

type Bend = fn(&mut Value, i64);

/// Claims that nobody may come in by.
const CLAIMS: &[(&str, Bend)] = &[
    ("another issuer", |c, _| {
        c["iss"] = json!("http://127.0.0.1:1");
    }),
    ("a slash more", |c, _| {
        c["iss"] = json!(format!("{}/", c["iss"].as_str().unwrap()));
    }),
    ("no issuer", |c, _| {
        drop(c.as_object_mut().unwrap().remove("iss"));
    }),
    ("another audience", |c, _| c["aud"] = json!("other")),
    ("two audiences", |c, _| c["aud"] = json!(["skep", "other"])),
    ("another party", |c, _| c["azp"] = json!("other")),
    ("another nonce", |c, _| c["nonce"] = json!("other")),
    ("no nonce", |c, _| {
        drop(c.as_object_mut().unwrap().remove("nonce"));
    }),
    ("ended", |c, now| c["exp"] = json!(now - 31)),
    ("no end", |c, _| {
        drop(c.as_object_mut().unwrap().remove("exp"));
    }),
    ("of tomorrow", |c, now| c["iat"] = json!(now + 86_400)),
    ("of yesterday", |c, now| c["iat"] = json!(now - 86_400)),
    ("nobody", |c, _| {
        drop(c.as_object_mut().unwrap().remove("sub"));
    }),
    ("an unverified address", |c, _| {
        c["email_verified"] = json!(false);
    }),
    ("verified in words", |c, _| {
        c["email_verified"] = json!("true");
    }),
    ("verified by a number", |c, _| {
        c["email_verified"] = json!(1);
    }),
    ("not said to be verified", |c, _| {
        c.as_object_mut().unwrap().remove("email_verified");
    }),
    ("a foreign domain", |c, _| {
        c["email"] = json!("maria@evil.example");
    }),
    ("a domain before", |c, _| {
        c["email"] = json!("maria@evilhive.example");
    }),
    ("a domain beneath", |c, _| {
        c["email"] = json!("maria@a.hive.example");
    }),
    ("a domain above", |c, _| {
        c["email"] = json!("maria@hive.example.evil.example");
    }),
    ("two addresses", |c, _| {
        c["email"] = json!("maria@evil.example@hive.example");
    }),
    ("a list of addresses", |c, _| {
        c["email"] = json!("m@evil.example,m@hive.example");
    }),
    ("an address in a list", |c, _| {
        c["email"] = json!(["maria@hive.example"]);
    }),
    ("another access token", |c, _| {
        c["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn a19_no_bent_claim_lets_anybody_in() {
    let stage = Stage::new().await;
    let before = stage.members().await;
    for (what, bend) in CLAIMS {
        let begun = stage.begin().await;
        let mut claims = stage.claims(&begun);
        let now = claims["iat"].as_i64().unwrap();
        bend(&mut claims, now);
        stage.give(&claims);
        let reply = stage.answer(&begun, "").await;
        assert!(
            out(&reply) && reply.status == 401,
            "{what}: {}",
            reply.status
        );
        assert_ne!(stage.why().await, "", "{what}");
    }
    assert_eq!(stage.members().await, before);
    // What was bent was all that was wrong; and the hash of the right access token is right.
    let hash = skep_crypto::sha512(b"at-1");
    let hash = Base64UrlUnpadded::encode_string(&hash[..32]);
    let good = stage
        .sign_in(|claims| claims["at_hash"] = json!(hash))
        .await;
    assert!(session(&good).is_some(), "{}", stage.why().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_no_other_algorithm_key_or_form_of_token_counts() {
    let stage = Stage::new().await;
    let jwk = issuer::jwk(&issuer::key(9), "nine");
    let headers = [
        ("none", json!({ "alg": "none", "kid": "one" })),
        ("HS256", json!({ "alg": "HS256", "kid": "one" })),
        ("RS256", json!({ "alg": "RS256", "kid": "one" })),
        ("ES256", json!({ "alg": "ES256", "kid": "one" })),
        ("no algorithm", json!({ "kid": "one" })),
        (
            "an access token",
            json!({ "alg": "EdDSA", "kid": "one", "typ": "at+jwt" }),
        ),
        ("a key of its own", json!({ "alg": "EdDSA", "jwk": jwk })),
        (
            "a key elsewhere",
            json!({ "alg": "EdDSA", "kid": "one", "jku": "http://127.0.0.1:1" }),
        ),
        ("a key nobody has", json!({ "alg": "EdDSA", "kid": "nine" })),
        (
            "something critical",
            json!({ "alg": "EdDSA", "kid": "one", "crit": ["b64"], "b64": false }),
        ),
    ];
    for (what, header) in &headers {
        let begun = stage.begin().await;
        let signer = issuer::key(if *what == "a key of its own" { 9 } else { 1 });
        stage.give_token(&issuer::token(header, &stage.claims(&begun), &signer));
        assert!(out(&stage.answer(&begun, "").await), "{what}");
    }
    let begun = stage.begin().await;
    let claims = stage.claims(&begun);
    let header = json!({ "alg": "EdDSA", "kid": "one" });
    let good = issuer::token(&header, &claims, &issuer::key(1));
    let forged = issuer::token(&header, &claims, &issuer::key(9));
    let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
    for (what, token) in [
        ("another key", forged.as_str()),
        ("no signature", &unsigned),
        ("five parts", "a.b.c.d.e"),
        ("nothing", ""),
        ("longer than 16 KiB", &"x".repeat(17 << 10)),
    ] {
        let begun = stage.begin().await;
        stage.give_token(token);
        assert!(out(&stage.answer(&begun, "").await), "{what}");
    }
    stage.give_token(&good);
    assert!(
        session(&stage.answer(&begun, "").await).is_some(),
        "the good one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_state_counts_once_in_its_own_browser_at_its_own_place() {
    let stage = Stage::new().await;
    let begun = stage.begin().await;
    stage.give(&stage.claims(&begun));
    let other = stage.begin().await;
    // None of these uses the state up, since none of them finds it.
    let cases = [
        ("no cookie", String::new()),
        ("another browser", other.cookie.clone()),
        ("two cookies", format!("{}; {}", begun.cookie, begun.cookie)),
        (
            "a cookie of another name",
            begun.cookie.replace("skep-local-sso", "skep-local"),
        ),
    ];
    for (what, cookie) in cases {
        let mut bent = begun.clone();
        bent.cookie = cookie;
        assert!(out(&stage.answer(&bent, "").await), "{what}");
    }
    for state in ["", "skep_sso_", &other.state, &"x".repeat(500)] {
        let mut bent = begun.clone();
        bent.state = state.to_owned();
        assert!(out(&stage.answer(&bent, "").await), "{state}");
    }
    assert!(session(&stage.answer(&begun, "").await).is_some());
    assert!(out(&stage.answer(&begun, "").await), "a second time");
    // At another organization's place: refused, and used up.
    let begun = stage.begin().await;
    stage.give(&stage.claims(&begun));
    let (path, _) = begun.back.rsplit_once('/').unwrap();
    let elsewhere = Begun {
        back: format!("{path}/{}", "0".repeat(32)),
        ..begun.clone()
    };
    assert!(out(&stage.answer(&elsewhere, "").await));
    assert!(out(&stage.answer(&begun, "").await));
    // The issuer said no.
    let begun = stage.begin().await;
    let path = format!("{}?state={}&error=access_denied", begun.back, begun.state);
    assert!(out(&stage.get(&path, &begun.cookie).await));
    // Too late.
    let begun = stage.begin().await;
    stage.daemon.clock.advance_seconds(601);
    stage.give(&stage.claims(&begun));
    assert!(out(&stage.answer(&begun, "").await), "after ten minutes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_of_sixteen_at_once_with_one_state_one_comes_in() {
    let stage = Stage::new().await;
    let begun = stage.begin().await;
    stage.give(&stage.claims(&begun));
    let all = futures_util::future::join_all((0..16).map(|_| stage.answer(&begun, ""))).await;
    let came_in = all.iter().filter(|reply| session(reply).is_some()).count();
    assert_eq!(came_in, 1);
}

/// RFC 9207: an issuer that says it names itself has to.
#[tokio::test(flavor = "multi_thread")]
async fn a19_an_answer_of_another_issuer_is_not_taken() {
    let stage = Stage::new().await;
    let own = format!(
        "&iss=http%3A%2F%2F127.0.0.1%3A{}",
        stage.issuer.address.port()
    );
    let other = "&iss=http%3A%2F%2F127.0.0.1%3A1";
    for announces in [false, true] {
        let mut configuration = stage.issuer.configuration();
        configuration["authorization_response_iss_parameter_supported"] = json!(announces);
        stage.issuer.say(
            "/.well-known/openid-configuration",
            Say::Json(configuration),
        );
        stage.daemon.clock.advance_seconds(3_601);
        for (what, more, good) in [
            ("its own", own.as_str(), true),
            ("another", other, false),
            ("none", "", !announces),
        ] {
            let begun = stage.begin().await;
            stage.give(&stage.claims(&begun));
            let reply = stage.answer(&begun, more).await;
            assert_eq!(
                session(&reply).is_some(),
                good,
                "{what}, announced: {announces}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n05_an_issuer_that_floods_hangs_or_leads_elsewhere_lets_nobody_in() {
    let stage = Stage::new().await;
    let elsewhere = format!("{}/elsewhere", stage.issuer.name());
    let evil = [
        ("a redirect", Say::Redirect(elsewhere.clone())),
        ("ten megabytes", Say::Large(10 << 20)),
        ("nothing", Say::Nothing),
        ("an error", Say::Status(500)),
        ("no JSON", Say::Large(3)),
        ("something else", Say::Json(json!([1, 2]))),
    ];
    let honest = [
        (
            "/.well-known/openid-configuration",
            Say::Json(stage.issuer.configuration()),
        ),
        (
            "/jwks",
            Say::Json(json!({ "keys": [issuer::jwk(&issuer::key(1), "one")] })),
        ),
    ];
    stage.issuer.say("/elsewhere", honest[1].1.clone());
    for (what, say) in &evil {
        // What is remembered of the issuer is too old, so it is asked anew.
        stage.daemon.clock.advance_seconds(3_601);
        stage.issuer.say(honest[0].0, say.clone());
        let begun = stage
            .send(Request::new("GET", "/login/sso?organization=alpha"))
            .await;
        assert_eq!(begun.status, 502, "configuration: {what}");
        stage.issuer.say(honest[0].0, honest[0].1.clone());
        let begun = stage.begin().await;
        stage.give(&stage.claims(&begun));
        stage.issuer.say("/jwks", say.clone());
        assert!(out(&stage.answer(&begun, "").await), "keys: {what}");
        stage.issuer.say("/jwks", honest[1].1.clone());
        let begun = stage.begin().await;
        stage.issuer.say("/token", say.clone());
        assert!(out(&stage.answer(&begun, "").await), "token: {what}");
    }
    // Where a document leads is looked at and not believed; what is posted goes nowhere else.
    let led = stage.issuer.asked("/elsewhere");
    assert!(
        led.len() == 2 && led.iter().all(|asked| asked.starts_with("GET ")),
        "{led:?}"
    );
    let good = stage.sign_in(|_| {}).await;
    assert!(session(&good).is_some(), "{}", stage.why().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn n05_a_configuration_of_another_issuer_or_of_inside_is_none() {
    let stage = Stage::new().await;
    for (what, field, value) in [
        ("another's", "issuer", json!("http://127.0.0.1:1")),
        (
            "nearly",
            "issuer",
            json!(format!("{}/", stage.issuer.name())),
        ),
        ("plain keys", "jwks_uri", json!("http://login.example/jwks")),
        (
            "keys inside",
            "jwks_uri",
            json!("http://169.254.169.254/latest"),
        ),
        (
            "a token inside",
            "token_endpoint",
            json!("http://127.0.0.1:22/"),
        ),
        ("a file", "jwks_uri", json!("file:///etc/passwd")),
        (
            "a script",
            "authorization_endpoint",
            json!("javascript:alert(1)"),
        ),
        (
            "a plain page",
            "authorization_endpoint",
            json!("http://login.example/"),
        ),
        (
            "a fragment",
            "authorization_endpoint",
            json!(format!("{}/a#b", stage.issuer.name())),
        ),
        ("no token endpoint", "token_endpoint", Value::Null),
        (
            "no way to say who we are",
            "token_endpoint_auth_methods_supported",
            json!(["private_key_jwt"]),
        ),
    ] {
        let mut configuration = stage.issuer.configuration();
        configuration[field] = value;
        stage.issuer.say(
            "/.well-known/openid-configuration",
            Say::Json(configuration),
        );
        stage.daemon.clock.advance_seconds(3_601);
        let begin = Request::new("GET", "/login/sso?organization=alpha");
        let reply = stage.send(begin).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (502, String::new()),
            "{what}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_what_is_told_beside_a_token_is_of_the_same_person_and_of_one_piece() {
    let stage = Stage::new().await;
    let mut configuration = stage.issuer.configuration();
    let more = format!("{}/me", stage.issuer.name());
    configuration["userinfo_endpoint"] = json!(more);
    let configuration = Say::Json(configuration);
    stage
        .issuer
        .say("/.well-known/openid-configuration", configuration);
    stage.daemon.clock.advance_seconds(3_601);
    let told = json!({ "sub": "s-1", "email": "maria@hive.example", "email_verified": true });
    let mut other = told.clone();
    other["sub"] = json!("s-2");
    let verified = json!({ "sub": "s-1", "email_verified": true });
    let short: Bend = |c, _| {
        c.as_object_mut().unwrap().remove("email");
        c.as_object_mut().unwrap().remove("email_verified");
    };
    let unverified: Bend = |c, _| drop(c.as_object_mut().unwrap().remove("email_verified"));
    let cases: &[(&str, Bend, Say, bool)] = &[
        (
            "it says nothing",
            short,
            Say::Json(json!({ "sub": "s-1" })),
            false,
        ),
        ("of somebody else", short, Say::Json(other), false),
        ("half from each", unverified, Say::Json(verified), false),
        ("an error", short, Say::Status(500), false),
        (
            "elsewhere",
            short,
            Say::Redirect(format!("{}/jwks", stage.issuer.name())),
            false,
        ),
        ("a flood", short, Say::Large(10 << 20), false),
        ("what is missing", short, Say::Json(told), true),
    ];
    for (what, bend, say, good) in cases {
        stage.issuer.say("/me", say.clone());
        let reply = stage.sign_in(|claims| bend(claims, 0)).await;
        assert_eq!(
            session(&reply).is_some(),
            *good,
            "{what}: {}",
            stage.why().await
        );
        assert!(*good || out(&reply), "{what}: {}", reply.status);
    }
    let asked = stage.issuer.asked("/me");
    assert!(
        asked
            .iter()
            .all(|asked| asked.contains("authorization: Bearer at-1"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_keys_that_are_exchanged_are_asked_for_again_but_not_for_every_lie() {
    let stage = Stage::new().await;
    assert!(session(&stage.sign_in(|_| {}).await).is_some());
    let asked = || stage.issuer.asked("/jwks").len();
    assert_eq!(asked(), 1);
    let with = async |kid: &str, number: u8| {
        let begun = stage.begin().await;
        let header = json!({ "alg": "EdDSA", "kid": kid });
        let claims = stage.claims(&begun);
        stage.give_token(&issuer::token(&header, &claims, &issuer::key(number)));
        session(&stage.answer(&begun, "").await).is_some()
    };
    stage.daemon.clock.advance_seconds(61);
    for lie in 0..20 {
        assert!(!with(&format!("lie-{lie}"), 2).await);
    }
    assert_eq!(asked(), 2, "once a minute");
    let exchanged = json!({ "keys": [issuer::jwk(&issuer::key(2), "two")] });
    stage.issuer.say("/jwks", Say::Json(exchanged));
    assert!(!with("two", 2).await, "within the minute");
    stage.daemon.clock.advance_seconds(61);
    assert!(with("two", 2).await, "after it");
    assert!(!with("one", 1).await, "the old key is gone");
    assert!(!with("two", 1).await, "and its owner is not the new one");
    let symmetric = json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "two" }] });
    stage.issuer.say("/jwks", Say::Json(symmetric));
    stage.daemon.clock.advance_seconds(3_601);
    assert!(!with("two", 2).await, "a set with a secret in it is none");
}
