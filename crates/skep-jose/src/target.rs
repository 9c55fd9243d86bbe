//! Comparing the URL of a request with the one a proof names.

/// An absolute `http` or `https` URL without query and fragment, in its normal form: scheme and
/// host in lower case, no default port, no empty path (RFC 3986, section 6.2). `None` for what is
/// no such URL or carries a user's name.
pub(crate) fn normal(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let sound = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if authority.is_empty() || authority.contains('@') || !rest.bytes().all(sound) {
        return None;
    }
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_suffix(default).unwrap_or(&authority);
    Some(format!("{scheme}://{authority}{path}"))
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn urls_are_equal_when_they_lead_to_the_same_place() {
        let table = [
            ("https://a.example/x", Some("https://a.example/x")),
            ("HTTPS://A.example:443/x?q=1#f", Some("https://a.example/x")),
            ("http://127.0.0.1:80", Some("http://127.0.0.1/")),
            ("http://127.0.0.1:8080?x", Some("http://127.0.0.1:8080/")),
            ("http://[::1]:3850/A%2f", Some("http://[::1]:3850/A%2f")),
            ("https://a.example/x/", Some("https://a.example/x/")),
            ("https://u@a.example/x", None),
            ("https:///x", None),
            ("ftp://a.example/x", None),
            ("a.example/x", None),
            ("https://a.example/x y", None),
            ("https://a.example\\@b/x", None),
            ("", None),
        ];
        for (url, expected) in table {
            assert_eq!(normal(url).as_deref(), expected, "{url}");
        }
    }
}
