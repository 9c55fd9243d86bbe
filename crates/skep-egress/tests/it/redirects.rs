//! Redirects are followed by hand, and each is checked like the first.

use std::sync::Arc;

use skep_egress::{EgressError, Reach, Request, Target};

use crate::network::{ELSEWHERE, Network, OUTSIDE, moved, ok, site};

#[tokio::test(start_paused = true)]
async fn n05_no_redirect_leads_inside() {
    for to in [
        "http://127.0.0.1/",
        "http://10.0.0.5:8080/admin",
        "http://169.254.169.254/latest/meta-data/",
        "//127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://inside.example/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://user@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "http://127.0.0.1:22/",
        "http://site.example:6379/",
    ] {
        for status in [301, 302, 303, 307, 308] {
            let network = Network::default()
                .name("site.example", &[&[OUTSIDE]])
                .name("inside.example", &[&["192.168.0.7"]])
                .server(&format!("{OUTSIDE}:80"), [moved(status, to)]);
            let network = Arc::new(network);
            let error = network.get("http://site.example/").await.unwrap_err();
            let refused = matches!(error, EgressError::Forbidden { .. } | EgressError::Url(_));
            assert!(refused, "{status} {to}: {error}");
            assert_eq!(
                network.dialled(),
                [format!("{OUTSIDE}:80")],
                "{status} {to}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n05_a_name_that_turns_inward_between_two_hops_is_caught_at_the_second() {
    let network = Network::default()
        .name("rebind.example", &[&[OUTSIDE], &["127.0.0.1"]])
        .server(&format!("{OUTSIDE}:80"), [moved(302, "/again")])
        .server("127.0.0.1:80", [ok("inside")]);
    let network = Arc::new(network);
    let error = network.get("http://rebind.example/").await.unwrap_err();
    assert!(matches!(error, EgressError::Forbidden { .. }));
    assert_eq!(network.dialled(), [format!("{OUTSIDE}:80")]);
}

#[tokio::test(start_paused = true)]
async fn n05_three_redirects_are_followed_and_a_loop_ends() {
    let network = site([
        moved(301, "/1"),
        moved(302, "b/2"),
        moved(308, "?3"),
        ok("there"),
    ]);
    let answer = network.get("http://site.example/a/").await.unwrap();
    assert_eq!(answer.body(), "there");
    assert_eq!(answer.target().to_string(), "http://site.example/b/2?3");

    let network = site(vec![moved(302, "/"); 9]);
    let error = network.get("http://site.example/").await.unwrap_err();
    assert!(matches!(error, EgressError::Redirect(_)), "{error}");
    assert_eq!(network.dialled().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_is_sent_to_its_address_only() {
    for status in [301, 302, 303, 307, 308] {
        let network = site([moved(status, "/elsewhere"), ok("")]);
        let target = Target::parse("http://site.example/").unwrap();
        let request = Request::post(target, "text").unwrap();
        let error = network
            .egress(Reach::Public)
            .send(&request)
            .await
            .unwrap_err();
        assert!(matches!(error, EgressError::Redirect(_)), "{error}");
        assert_eq!(network.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_listed_origin_redirects_to_a_listed_one_only() {
    let target = Target::parse("http://10.0.0.5:8000/").unwrap();
    let network = Network::default()
        .name("site.example", &[&[ELSEWHERE]])
        .server("10.0.0.5:8000", [moved(302, "http://site.example/")]);
    let network = Arc::new(network);
    let reach = Reach::Listed(vec![target.origin().clone()]);
    let error = network
        .egress(reach)
        .send(&Request::get(target))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Forbidden { .. }), "{error}");
    assert_eq!(network.dialled(), ["10.0.0.5:8000"]);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_says_not_where_is_an_answer() {
    let network = site([crate::network::Script::Say(
        "HTTP/1.1 302 Found\r\ncontent-length: 2\r\n\r\nhm".into(),
    )]);
    let answer = network.get("http://site.example/").await.unwrap();
    assert_eq!((answer.status(), &answer.body()[..]), (302, &b"hm"[..]));
}
