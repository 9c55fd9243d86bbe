//! A credential goes to the origin it is for, over TLS or within, and nowhere else.

use std::sync::Arc;

use skep_egress::{EgressError, Reach, Request, Secret, Target};

use crate::network::{Network, moved, ok, site};

fn target(url: &str) -> Target {
    Target::parse(url).unwrap()
}

fn with_key(url: &str) -> Request {
    let request = Request::get(target(url)).header("x-plain", "kept").unwrap();
    request
        .secret("authorization", &Secret::bearer("hunter2"))
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn n05_a_credential_stays_behind_when_the_origin_changes_and_does_not_come_back() {
    let origins = [
        "http://10.0.0.5:8000",
        "http://10.0.0.5:9000",
        "http://10.0.0.6:8000",
    ];
    for away in &origins[1..] {
        let network = Network::default()
            .server(
                "10.0.0.5:8000",
                [moved(302, "/same"), moved(302, &format!("{away}/")), ok("")],
            )
            .server(
                away.trim_start_matches("http://"),
                [moved(302, "http://10.0.0.5:8000/back")],
            );
        let network = Arc::new(network);
        let listed = origins
            .iter()
            .map(|url| target(url).origin().clone())
            .collect();
        let egress = network.egress(Reach::Listed(listed));
        egress
            .send(&with_key("http://10.0.0.5:8000/"))
            .await
            .unwrap();
        let asked = network.asked();
        let with: Vec<bool> = asked.iter().map(|text| text.contains("hunter2")).collect();
        assert_eq!(with, [true, true, false, false], "{away}");
        assert!(asked.iter().all(|text| text.contains("x-plain: kept")));
    }
}

#[tokio::test(start_paused = true)]
async fn n05_a_credential_does_not_go_over_the_internet_in_clear() {
    let listed = Reach::Listed(vec![target("http://site.example").origin().clone()]);
    for reach in [Reach::Public, listed] {
        let network = site([ok("")]);
        let error = network
            .egress(reach)
            .send(&with_key("http://site.example/"))
            .await;
        assert!(matches!(error.unwrap_err(), EgressError::Request(_)));
        assert_eq!(network.dialled(), [""; 0]);
    }
}

#[test]
fn headers_that_frame_a_message_or_hold_a_credential_are_not_the_callers() {
    let request = || Request::get(target("https://example.com"));
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "Accept-Encoding",
        "upgrade",
        "te",
        "expect",
        "Authorization",
        "cookie",
        "X-Api-Key",
        "bad name",
        "",
        "x\r\ny",
    ] {
        assert!(request().header(name, "x").is_err(), "{name:?}");
    }
    for value in ["a\r\nHost: b", "a\nb", "a\0b"] {
        assert!(request().header("x", value).is_err(), "{value:?}");
        assert!(
            request().secret("x", &Secret::new(value.into())).is_err(),
            "{value:?}"
        );
    }
    assert!(request().secret("host", &Secret::new("x".into())).is_err());
    let many = (0..40).try_fold(request(), |request, at| {
        request.header(&format!("x-{at}"), "y")
    });
    assert!(many.is_err());
    assert!(Request::post(target("https://example.com"), vec![0; (8 << 20) + 1]).is_err());
}

#[tokio::test(start_paused = true)]
async fn n05_no_error_shows_a_credential() {
    let network = site([]);
    let listed = Reach::Listed(vec![target("http://10.0.0.5:8000").origin().clone()]);
    let error = network
        .egress(listed)
        .send(&with_key("http://10.0.0.5:8000/"))
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_arrives_whole() {
    let network = site([ok("")]);
    let body = "{\"a\":1}".repeat(3000);
    let request = Request::post(target("http://site.example/v1?x=y"), body.clone()).unwrap();
    let request = request.header("content-type", "application/json").unwrap();
    network.egress(Reach::Public).send(&request).await.unwrap();
    let asked = &network.asked()[0];
    assert!(asked.starts_with("POST /v1?x=y HTTP/1.1\r\n"));
    assert!(asked.contains("\r\nhost: site.example\r\n"));
    assert!(asked.contains("\r\ncontent-type: application/json\r\n"));
    assert!(asked.ends_with(&body));
}
