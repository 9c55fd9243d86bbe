//! N05: nobody has this machine call where only this machine can.

use std::sync::Arc;

use skep_egress::{EgressError, Reach, Request, Target};

use crate::network::{ELSEWHERE, Network, OUTSIDE, Script, ok, site};

/// One of each network that is off limits.
const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.8.9.1",
    "10.0.0.5",
    "172.16.0.1",
    "172.31.9.9",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.192",
    "198.18.0.1",
    "198.19.1.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.216.34",
    "::127.0.0.1",
    "64:ff9b::a00:5",
    "64:ff9b::5db8:d822",
    "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
];

/// How those of them begin that an operator may configure, `::1` apart.
const WITHIN: &[&str] = &["127.", "10.", "172.", "192.168.", "100.", "fc00::", "fd00:"];

fn literal(address: &str) -> String {
    if address.contains(':') {
        format!("http://[{address}]/")
    } else {
        format!("http://{address}/")
    }
}

#[tokio::test(start_paused = true)]
async fn n05_an_address_inside_is_never_connected_to_however_it_is_named() {
    for address in INSIDE {
        for url in [literal(address), "http://trap.example/".into()] {
            let network = Network::default().name("trap.example", &[&[address]]);
            let network = Arc::new(network);
            let error = network.get(&url).await.unwrap_err();
            assert!(
                matches!(error, EgressError::Forbidden { .. }),
                "{address}: {error}"
            );
            assert_eq!(network.dialled(), [""; 0], "{address}");
            assert!(url.contains(address) || !error.to_string().contains(address));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n05_one_address_inside_condemns_the_public_ones_beside_it() {
    for answers in [
        &[OUTSIDE, "10.0.0.5"],
        &["10.0.0.5", OUTSIDE],
        &[OUTSIDE, "::1"],
    ] {
        let network = Network::default().name("trap.example", &[answers]);
        let network = Arc::new(network.server(&format!("{OUTSIDE}:80"), [ok("")]));
        let error = network.get("http://trap.example/").await.unwrap_err();
        assert!(matches!(error, EgressError::Forbidden { .. }));
        assert_eq!(network.dialled(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn n05_a_name_that_answers_differently_the_second_time_changes_nothing() {
    let network = Network::default()
        .name("rebind.example", &[&[OUTSIDE], &["127.0.0.1"]])
        .server(&format!("{OUTSIDE}:80"), [ok("outside")])
        .server("127.0.0.1:80", [ok("inside")]);
    let network = Arc::new(network);
    let answer = network.get("http://rebind.example/").await.unwrap();
    assert_eq!(answer.body(), "outside");
    assert_eq!(network.dialled(), [format!("{OUTSIDE}:80")]);
    let error = network.get("http://rebind.example/").await.unwrap_err();
    assert!(matches!(error, EgressError::Forbidden { .. }));
    assert_eq!(network.dialled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn n05_what_is_not_known_and_what_is_inside_are_told_alike() {
    let network = Network::default().name("inside.example", &[&["10.0.0.5"]]);
    let network = Arc::new(network.name("empty.example", &[&[]]));
    let mut told = Vec::new();
    for host in ["inside.example", "absent.example", "empty.example"] {
        let error = network.get(&format!("http://{host}/")).await.unwrap_err();
        told.push(error.to_string().replace(host, "HOST"));
    }
    assert!(told.iter().all(|line| *line == told[0]), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn n05_only_ports_of_the_web_are_knocked_at() {
    for port in [1, 22, 25, 81, 3306, 5432, 6379, 8081, 9200, 11434, 65535] {
        let network = site([ok("")]);
        let error = network.get(&format!("http://site.example:{port}/")).await;
        assert!(matches!(error.unwrap_err(), EgressError::Url(_)), "{port}");
        assert_eq!(network.dialled(), [""; 0]);
    }
    for port in [8080, 8443] {
        let network = Network::default().name("site.example", &[&[OUTSIDE]]);
        let network = Arc::new(network.server(&format!("{OUTSIDE}:{port}"), [ok("")]));
        network
            .get(&format!("http://site.example:{port}/"))
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let network = Network::default().name("site.example", &[&[ELSEWHERE, OUTSIDE]]);
    let network = Arc::new(network.server(&format!("{OUTSIDE}:80"), [ok("second")]));
    let answer = network.get("http://site.example").await.unwrap();
    assert_eq!(answer.body(), "second");
    let swallowed = Network::default()
        .name("site.example", &[&[ELSEWHERE, OUTSIDE]])
        .server(&format!("{ELSEWHERE}:80"), [Script::Swallow])
        .server(&format!("{OUTSIDE}:80"), [ok("second")]);
    let answer = Arc::new(swallowed).get("http://site.example").await;
    assert_eq!(answer.unwrap().body(), "second");
    assert_eq!(
        network.dialled(),
        [format!("{ELSEWHERE}:80"), format!("{OUTSIDE}:80")]
    );
}

#[tokio::test(start_paused = true)]
async fn n05_a_listed_origin_may_be_inside_but_never_where_clouds_keep_credentials() {
    let target = |url: &str| Target::parse(url).unwrap();
    for address in INSIDE {
        let url = format!("{}:11434/v1", literal(address).trim_end_matches('/'));
        let network = Network::default();
        let at = url.trim_start_matches("http://").trim_end_matches("/v1");
        let network = Arc::new(network.server(at, [ok("model")]));
        let reach = Reach::Listed(vec![target(&url).origin().clone()]);
        let answer = network
            .egress(reach)
            .send(&Request::get(target(&url)))
            .await;
        let may = *address == "::1" || WITHIN.iter().any(|start| address.starts_with(start));
        assert_eq!(answer.is_ok(), may, "{address}");
        assert_eq!(network.dialled().len(), usize::from(may), "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn n05_what_is_not_listed_is_not_called() {
    let target = |url: &str| Target::parse(url).unwrap();
    let listed = Reach::Listed(vec![target("http://127.0.0.1:11434").origin().clone()]);
    for url in [
        "http://127.0.0.1:11435/",
        "https://127.0.0.1:11434/",
        "http://127.0.0.2:11434/",
        "http://localhost:11434/",
        "http://site.example/",
    ] {
        let network = site([ok("")]);
        let request = Request::get(target(url));
        let error = network
            .egress(listed.clone())
            .send(&request)
            .await
            .unwrap_err();
        assert!(
            matches!(error, EgressError::Forbidden { .. }),
            "{url}: {error}"
        );
        assert_eq!(network.dialled(), [""; 0], "{url}");
    }
}
