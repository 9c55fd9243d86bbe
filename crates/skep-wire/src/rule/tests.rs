//! What rules take, and what they do not.

use hyper::Method;
use skep_egress::{Origin, Target};

use super::{Hosts, Rule, canonical, is_marked, is_name, percent_decoded};

fn origin(text: &str) -> Origin {
    Target::parse(text).unwrap().origin().clone()
}

#[test]
fn x03_hosts_fit_as_a_whole() {
    for (rule, host, fits) in [
        ("api.example.com", "https://api.example.com", true),
        ("api.example.com", "https://API.Example.COM", true),
        ("api.example.com", "https://api.example.com:8443", false),
        ("api.example.com:8443", "https://api.example.com:8443", true),
        ("api.example.com", "https://xapi.example.com", false),
        ("api.example.com", "https://api.example.com.evil.com", false),
        ("api.example.com", "https://example.com", false),
        ("*.example.com", "https://api.example.com", true),
        ("*.example.com", "https://a.b.example.com", true),
        ("*.example.com", "https://example.com", false),
        ("*.example.com", "https://evilexample.com", false),
        ("*.example.com", "https://example.com.evil.com", false),
        ("93.184.216.34", "https://93.184.216.34", true),
        ("[::1]:8443", "https://[::1]:8443", true),
    ] {
        let hosts = Hosts::parse(rule).unwrap();
        let origin = origin(host);
        assert_eq!(hosts.fits(&origin.host, origin.port), fits, "{rule} {host}");
    }
    for wrong in [
        "",
        "*",
        "*.com",
        "*.",
        "a*.example.com",
        "api.example.com/path",
        "user@example.com",
        "*.1.2.3.4",
    ] {
        assert!(Hosts::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn x03_no_secret_goes_in_clear() {
    let rule = Rule::new("key", &["api.example.com:8080"]).unwrap();
    assert!(rule.takes_origin(&origin("https://api.example.com:8080")));
    assert!(!rule.takes_origin(&origin("http://api.example.com:8080")));
}

#[test]
fn x03_paths_that_can_be_read_in_two_ways_fit_no_prefix() {
    let rule = Rule::new("key", &["a.example"]).unwrap();
    let rule = rule.paths(&["/repos/mine", "/v1/"]).unwrap();
    for (path, fits) in [
        ("/repos/mine", true),
        ("/repos/mine/issues", true),
        ("/repos/mine%20x", false),
        ("/repos/miner", false),
        ("/v1/", true),
        ("/v1", false),
        ("/v1/a%20b", true),
        ("/V1/a", false),
        ("/v1/../admin", false),
        ("/v1/%2e%2e/admin", false),
        ("/v1/..%2fadmin", false),
        ("/v1/.%2e/admin", false),
        ("/v1/%252e%252e/admin", false),
        ("/v1//admin", false),
        ("/v1/..;/admin", false),
        ("/v1/\\..\\admin", false),
        ("/v1/%5c..%5cadmin", false),
        ("/v1/a%00", false),
        ("//v1/", false),
    ] {
        assert_eq!(rule.takes_path(path), fits, "{path}");
    }
    assert!(
        Rule::new("key", &["a.example"])
            .unwrap()
            .takes_path("/v1/../x"),
        "no prefix, no question"
    );
    for wrong in ["v1", "/v1?x", "/../x", "", "/%41"] {
        let rule = Rule::new("key", &["a.example"]).unwrap();
        assert!(rule.paths(&[wrong]).is_err(), "{wrong}");
    }
    assert_eq!(canonical("/a%41").unwrap(), "/aA");
}

#[test]
fn x03_methods_and_headers_that_carry_no_secret_are_no_rule() {
    let rule = || Rule::new("key", &["a.example"]).unwrap();
    for wrong in ["TRACE", "CONNECT", "GE T", ""] {
        assert!(rule().methods(&[wrong]).is_err(), "{wrong}");
    }
    for wrong in [
        "host",
        "Content-Length",
        "connection",
        "proxy-anything",
        "a b",
        "range",
    ] {
        assert!(rule().headers(&[wrong]).is_err(), "{wrong}");
    }
    let rule = rule().methods(&["GET"]).unwrap();
    assert!(rule.takes_method(&Method::GET) && !rule.takes_method(&Method::POST));
}

#[test]
fn a_name_is_told_from_what_stands_around_it() {
    for (name, fits) in [
        ("github", true),
        ("a-b_c9", true),
        ("", false),
        ("a__b", false),
        ("_a", false),
        ("a_", false),
        ("A", false),
        ("a.b", false),
    ] {
        assert_eq!(is_name(name), fits, "{name}");
    }
}

#[test]
fn x03_what_begins_like_a_placeholder_is_seen_in_any_case() {
    assert!(is_marked(b"x__SkEp_y"));
    assert!(!is_marked(b"_skep_ and __ske"));
    assert_eq!(percent_decoded(b"%5f%5Fskep%5fx%%4"), b"__skep_x%%4");
}
