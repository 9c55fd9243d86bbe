//! What programs are told by their environment, and what they are told to trust.

use std::collections::BTreeMap;

use skep_crypto::Plain;
use skep_domain::{Clock, Timestamp};
use skep_wire::{Authority, Base, Body, Rule, Terms, WireError};
use std::time::Duration;

use crate::stand::{Stand, SystemClock, rules};
use crate::values::assert_no_value;

#[tokio::test]
async fn x04_the_environment_names_the_proxy_and_no_value() {
    let stand = Stand::new().await;
    let all: BTreeMap<&str, String> = stand.environment().into_iter().collect();
    let proxy = stand.lease.proxy_url(stand.address());
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        assert_eq!(all[name], proxy);
    }
    let bundle = stand.folder.path().join("bundle.pem");
    for name in [
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "AWS_CA_BUNDLE",
        "DENO_CERT",
    ] {
        assert_eq!(all[name], bundle.to_str().unwrap(), "{name}");
    }
    assert_eq!(all["NODE_USE_ENV_PROXY"], "1");
    assert_eq!(all["NO_PROXY"], all["no_proxy"]);
    assert_no_value("the environment", &format!("{all:?}"));
}

#[tokio::test]
async fn the_bundle_holds_the_systems_authorities_and_ours() {
    let stand = Stand::new().await;
    let path = stand.folder.path().join("bundle.pem");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(stand.wire.authority().certificate()));
    let count = text.matches("BEGIN CERTIFICATE").count();
    assert_eq!(count, skep_egress::system_authorities().len() + 1);
    let listed = std::process::Command::new("openssl")
        .args(["crl2pkcs7", "-nocrl", "-certfile"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(listed.status.success(), "another program reads it");
    stand.wire.write_bundle(&path, &[]).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert!(!text.contains("PRIVATE KEY"));
}

#[tokio::test]
async fn x06_an_authority_that_was_kept_signs_what_the_old_one_is_trusted_for() {
    let first = Authority::generate(SystemClock.now()).unwrap();
    let key = first.key();
    let again = Authority::open(first.certificate(), &key).unwrap();
    assert_eq!(again.certificate(), first.certificate());
    let other = Authority::generate(SystemClock.now()).unwrap();
    for (certificate, key) in [
        (first.certificate(), other.key()),
        ("none", first.key()),
        (first.certificate(), Plain::new("none".to_owned())),
    ] {
        assert!(matches!(
            Authority::open(certificate, &key),
            Err(WireError::Authority(_))
        ));
    }
    assert!(
        Authority::generate(Timestamp::from_micros(0)).is_ok(),
        "whatever the clock says"
    );
}

#[tokio::test]
async fn n17_strict_clients_take_the_certificates() {
    // What OpenSSL checks with -x509_strict is what Python checks from 3.13 on.
    let stand = Stand::new().await;
    let bundle = stand.folder.path().join("bundle.pem");
    let proxy = stand.lease.proxy_url(stand.address());
    let (credentials, address) = proxy
        .strip_prefix("http://")
        .unwrap()
        .split_once('@')
        .unwrap();
    let password = credentials.split_once(':').unwrap().1;
    let output = tokio::process::Command::new("openssl")
        .args([
            "s_client",
            "-x509_strict",
            "-verify_return_error",
            "-connect",
            "api.test:443",
        ])
        .args(["-verify_hostname", "api.test", "-servername", "api.test"])
        .args([
            "-proxy",
            address,
            "-proxy_user",
            "skep",
            "-proxy_pass",
            &format!("pass:{password}"),
        ])
        .arg("-CAfile")
        .arg(&bundle)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        said.contains("Verify return code: 0 (ok)") || said.contains("Verification: OK"),
        "{said}"
    );
}

#[tokio::test]
async fn terms_that_cannot_be_are_refused() {
    let stand = Stand::new().await;
    let base = |value: &str| Base::new("api", "https://api.test", "authorization", value);
    let lasts = Duration::from_mins(1);
    for terms in [
        Terms::new("unknown secret", rules(), lasts).base(base("Bearer __skep_none__").unwrap()),
        Terms::new("twice", rules(), lasts)
            .base(base("a").unwrap())
            .base(base("b").unwrap()),
        Terms::new(
            "many",
            vec![rules()[0].clone().body(Body::Leave); 65],
            lasts,
        ),
    ] {
        let made = stand
            .wire
            .lease(terms, stand.vault.clone(), stand.events.clone())
            .await;
        assert!(matches!(made.err(), Some(WireError::Terms(_))));
    }
    assert!(base("a\r\nb").is_err());
    assert!(Base::new("api", "http://api.test", "authorization", "a").is_err());
    assert!(Base::new("api", "https://api.test/v1", "authorization", "a").is_err());
    assert!(Base::new("a/b", "https://api.test", "authorization", "a").is_err());
    assert!(Rule::new("key", &[]).is_err());
}
