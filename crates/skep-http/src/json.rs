//! JSON bodies: depth bounded before anything is built, errors that name the field and never quote
//! a value.

use serde::de::DeserializeOwned;
use skep_api::ErrorCode;
use skep_domain::Limits;

use crate::error::ApiError;

/// Reads a body as `T`.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ApiError::new(ErrorCode::InvalidJson, "The body is not UTF-8."))?;
    if depth(text.as_bytes()) > Limits::JSON_DEPTH {
        return Err(ApiError::new(
            ErrorCode::InvalidJson,
            format!("The body nests deeper than {} levels.", Limits::JSON_DEPTH),
        ));
    }
    // serde takes a list of values for a struct, and asks of those neither names nor number.
    if text.trim_start().starts_with('[') {
        return Err(ApiError::field(
            ".",
            "INVALID",
            "The body has to be a JSON object.",
        ));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| refuse(&error))?;
    reader.end().map_err(|_| {
        ApiError::new(
            ErrorCode::InvalidJson,
            "There is more after the JSON value.",
        )
    })?;
    Ok(value)
}

/// How deep arrays and objects nest, in one pass over the bytes.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0usize, false, false);
    for byte in body {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// serde quotes the offending value in its messages; a value may be a secret, so only the names of
/// fields are taken from them.
fn refuse(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let inner = error.inner();
    if !inner.is_data() {
        let message = format!(
            "The body is not JSON: line {}, column {}.",
            inner.line(),
            inner.column()
        );
        return ApiError::new(ErrorCode::InvalidJson, message);
    }
    let path = error.path().to_string();
    let text = inner.to_string();
    if let Some(name) = quoted(&text, "unknown field ") {
        let known = text
            .split_once("expected")
            .map_or("", |(_, rest)| rest.split(" at line").next().unwrap_or(""));
        return ApiError::field(
            path,
            "UNKNOWN",
            format!("There is no field {name}; expected{known}."),
        );
    }
    if let Some(name) = quoted(&text, "missing field ") {
        let field = if path == "." {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        return ApiError::field(field, "REQUIRED", format!("The field {name} is missing."));
    }
    ApiError::field(
        path.clone(),
        "INVALID",
        format!("{path} is not of the type or form that is expected here."),
    )
}

fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let name = text.strip_prefix(before)?.strip_prefix('`')?;
    name.split_once('`').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::{depth, parse};
    use skep_api::recall::RecallRequest;

    #[test]
    fn n13_depth_counts_brackets_outside_strings() {
        for (text, deep) in [
            ("{}", 1),
            ("[[{}]]", 3),
            (r#""[[[""#, 0),
            (r#"["\"[["]"#, 1),
            ("]]]][", 1),
        ] {
            assert_eq!(depth(text.as_bytes()), deep, "{text}");
        }
        let at_limit = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert_eq!(depth(at_limit.as_bytes()), 64);
    }

    #[test]
    fn x10_errors_name_fields_and_never_quote_values() {
        let cases = [
            r#"{"query": 17}"#,
            r#"{"query": "a", "colour": "canary-value"}"#,
            r#"{"k": "canary-value", "query": ""}"#,
            "{}",
            r#"{"query": "canary-value"#,
            r#"{"query": "a"} canary-value"#,
        ];
        let mut seen = String::new();
        for case in cases {
            let error = parse::<RecallRequest>(case.as_bytes()).unwrap_err();
            seen.push_str(&format!(
                "{:?} {} {:?}\n",
                error.code,
                error.message,
                error.details.first().map(|d| &d.field)
            ));
        }
        assert!(!seen.contains("canary-value"), "{seen}");
        insta::assert_snapshot!(seen);
    }
}
