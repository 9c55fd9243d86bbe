//! Spellings of URLs: what is read, and what is refused with advice.

use proptest::prelude::*;

use super::{Host, Scheme, Target};

#[test]
fn urls_are_read_as_they_are_sent() {
    for (text, shown) in [
        ("https://example.com", "https://example.com/"),
        (
            "HTTPS://Example.COM:443/A?b=c#d",
            "https://example.com/A?b=c",
        ),
        ("http://example.com:8080?x", "http://example.com:8080/?x"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("http://[::1]:80/", "http://[::1]/"),
        (
            "https://a_b.xn--bcher-kva.example/ä|",
            "https://a_b.xn--bcher-kva.example/%C3%A4%7C",
        ),
        ("https://example.com/#only", "https://example.com/"),
        ("https://example.com/a%2fb", "https://example.com/a%2fb"),
    ] {
        assert_eq!(Target::parse(text).unwrap().to_string(), shown);
    }
}

/// Each is taken for a URL, and some for another one, by a reader that mends what it reads.
const MENDED_BY_OTHERS: &[&str] = &[
    "",
    "example.com",
    "//example.com",
    "http:/example.com",
    "http:example.com",
    "file:///etc/passwd",
    "gopher://example.com:70/1",
    "ftp://example.com",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:///run/x.sock",
    "jar:http://x!/",
    "http://",
    "http:///path",
    "http://:80",
    "http://?x",
    "http://user@example.com",
    "http://user:pass@example.com",
    "http://example.com@10.0.0.1",
    "http://@example.com",
    "http://example.com%40@10.0.0.1",
    "http://example.com:0",
    "http://example.com:",
    "http://example.com:65536",
    "http://example.com:+80",
    "http://example.com:8 0",
    "http://example.com:80:80",
    "http://2130706433",
    "http://0x7f000001",
    "http://0x7f.0.0.1",
    "http://0177.0.0.1",
    "http://017700000001",
    "http://127.1",
    "http://127.0.1",
    "http://127.0.0.0x1",
    "http://127.0.0.01",
    "http://127.0.0.1.",
    "http://1.2.3.4.5",
    "http://256.1.1.1",
    "http://example.0x",
    "http://a.1",
    "http://localhost.",
    "http://example.com.",
    "http://example..com",
    "http://.example.com",
    "http://[::1",
    "http://::1",
    "http://[::1]x",
    "http://[fe80::1%25eth0]",
    "http://[v1.x]",
    "http://[127.0.0.1]",
    "http://[]",
    "http://ex%61mple.com",
    "http://１２７.0.0.1",
    "http://bücher.example",
    "http://ⓔxample.com",
    "http://example.com\\@10.0.0.1",
    "http://example.com/a\\b",
    "http:\\\\example.com",
    "http://exam\tple.com",
    "http://example.com/a b",
    "http://example.com/\r\nHost: x",
    " http://example.com",
    "http://exa\u{0}mple.com",
    "http://example.com,10.0.0.1",
    "http://a!b",
    "http://a'b",
];

#[test]
fn n05_spellings_that_another_reader_takes_for_something_else_are_refused() {
    let long = format!("https://{}.example", "a".repeat(64));
    let longer = format!("https://example.com/{}", "a".repeat(4096));
    for text in MENDED_BY_OTHERS.iter().chain(&[&*long, &*longer]) {
        assert!(Target::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn references_are_followed_as_the_standard_says() {
    let base = Target::parse("http://a/b/c/d;p?q").unwrap();
    for (reference, leads) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        (";x", "http://a/b/c/;x"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("https://b/x", "https://b/x"),
        ("g?u=http://x", "http://a/b/c/g?u=http://x"),
        ("//[::1]:8/x", "http://[::1]:8/x"),
    ] {
        assert_eq!(
            base.join(reference).unwrap().to_string(),
            leads,
            "{reference:?}"
        );
    }
    for reference in [
        "file:///etc/passwd",
        "gopher://x",
        "http:g",
        "//u@g",
        "http://0x7f.1/",
        "mailto:x@y",
    ] {
        assert!(base.join(reference).is_err(), "{reference:?}");
    }
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let origin = |text: &str| Target::parse(text).unwrap().origin().clone();
    assert_eq!(
        origin("https://Example.com/a"),
        origin("https://example.com:443/b")
    );
    assert_eq!(origin("https://example.com").scheme, Scheme::Https);
    assert_eq!(
        origin("http://10.0.0.1").host,
        Host::Address([10, 0, 0, 1].into())
    );
    for other in [
        "http://example.com",
        "https://example.com:8443",
        "https://www.example.com",
    ] {
        assert_ne!(origin(other), origin("https://example.com"), "{other}");
    }
}

proptest! {
    /// Whatever is read is read again to the same, so the second reader sees what the first did.
    #[test]
    fn n05_reading_what_was_shown_changes_nothing(text in "(http|https)://[\\PC]{0,40}(:[0-9]{1,5})?(/[\\PC]{0,30})?") {
        if let Ok(target) = Target::parse(&text) {
            prop_assert_eq!(Target::parse(&target.to_string()).unwrap(), target);
        }
    }

    #[test]
    fn following_never_panics_and_never_leaves_http(reference in "\\PC{0,60}") {
        let base = Target::parse("https://example.com/a/b?c").unwrap();
        if let Ok(target) = base.join(&reference) {
            prop_assert!(target.to_string().starts_with("http"));
        }
    }
}
