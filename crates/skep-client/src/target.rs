//! Request targets: paths of the route table with their parameters filled in, and queries.

use skep_api::RouteId;

/// The path of a route whose only parameter, if any, is `id`.
pub(crate) fn path(route: RouteId, id: Option<&str>) -> String {
    let template = route.row().path;
    match (template.split_once("{id}"), id) {
        (Some((before, after)), Some(id)) => format!("{before}{}{after}", encode(id)),
        _ => template.to_owned(),
    }
}

/// Appends the parameters that are present.
pub(crate) fn with_query(mut target: String, parameters: &[(&str, Option<String>)]) -> String {
    let mut separator = '?';
    for (name, value) in parameters {
        if let Some(value) = value {
            target.push(separator);
            target.push_str(name);
            target.push('=');
            target.push_str(&encode(value));
            separator = '&';
        }
    }
    target
}

/// Percent-encodes all but letters, digits, `_` and `-`: no text a user gives can become a second
/// path segment, `..`, or a query.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for nibble in [byte >> 4, byte & 15] {
                encoded.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
            }
        }
    }
    encoded
}

/// The same, for a field of a form.
pub(crate) fn escaped(text: &str) -> String {
    encode(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use skep_api::{ROUTES, RouteId};

    use super::{path, with_query};

    proptest! {
        #[test]
        fn no_text_leaves_its_path_segment(id in any::<String>()) {
            // Pages are for browsers; this client calls none.
            for route in ROUTES.iter().filter(|route| !route.is_page()) {
                let rendered = path(route.id, Some(&id));
                prop_assert_eq!(rendered.matches('/').count(), route.path.matches('/').count());
                let stray = ['?', '#', '{', ' ', '.', '\r', '\n'];
                let clean = !rendered.contains(stray) || route.path.contains('.');
                prop_assert!(clean, "{}", rendered);
            }
        }
    }

    #[test]
    fn queries_hold_only_what_is_present() {
        let target = with_query(
            path(RouteId::MemoryList, None),
            &[
                ("limit", Some("5".into())),
                ("cursor", None),
                ("kind", Some("a b&c".into())),
            ],
        );
        assert_eq!(target, "/api/v1/memories?limit=5&kind=a%20b%26c");
    }
}
