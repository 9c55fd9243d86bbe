//! Where a `Location` leads, seen from where it was said (RFC 3986, section 5.2).

use super::Target;
use crate::EgressError;

impl Target {
    /// Follows a reference, relative or not.
    ///
    /// # Errors
    /// [`EgressError::Url`].
    pub fn join(&self, reference: &str) -> Result<Self, EgressError> {
        let reference = reference.trim_matches(' ');
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.origin.scheme.as_str()));
        }
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        let (path, query) = split_query(&self.path);
        let (to, to_query) = split_query(reference.split('#').next().unwrap_or_default());
        let joined = if to.is_empty() {
            let query = to_query.or(query).unwrap_or_default();
            format!("{path}{query}")
        } else {
            let merged = if to.starts_with('/') {
                to.to_owned()
            } else {
                let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
                format!("{folder}{to}")
            };
            format!("{}{}", without_dots(&merged), to_query.unwrap_or_default())
        };
        Self::parse(&format!("{}{joined}", self.origin))
    }
}

/// Whether it begins like `https:` or `file:`.
fn has_scheme(reference: &str) -> bool {
    let end = reference.find(['/', '?', '#']).unwrap_or(reference.len());
    reference[..end].contains(':')
}

/// The path, and the query with its question mark.
fn split_query(text: &str) -> (&str, Option<&str>) {
    text.find('?')
        .map_or((text, None), |at| (&text[..at], Some(&text[at..])))
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let last = segments.len().saturating_sub(1);
    for (at, segment) in segments.into_iter().enumerate() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if at == last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}
