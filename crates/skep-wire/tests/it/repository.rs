//! A repository behind HTTPS, for whoever shows the password.

use std::convert::Infallible;
use std::path::Path;
use std::process::Stdio;

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::values::VALUE;

/// `git http-backend`, for whoever shows the password.
pub(crate) async fn backend(
    folder: &Path,
    parts: &Parts,
    body: &Bytes,
) -> Response<BoxBody<Bytes, Infallible>> {
    let full = |bytes: Bytes| Response::new(Full::new(bytes).boxed());
    let expected = format!(
        "Basic {}",
        Base64::encode_string(format!("git:{VALUE}").as_bytes())
    );
    let header = |name: &str| {
        let value = parts.headers.get(name);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    };
    if header("authorization") != expected {
        let mut answer = full("who are you?".into());
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        let how = HeaderValue::from_static("Basic realm=\"git\"");
        answer.headers_mut().insert("www-authenticate", how);
        return answer;
    }
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "git")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = body.clone();
    let fed = async move {
        let _ = stdin.write_all(&body).await;
    };
    let ((), output) = tokio::join!(fed, child.wait_with_output());
    let output = output.unwrap().stdout;
    let end = output
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap();
    let mut answer = full(Bytes::copy_from_slice(&output[end + 4..]));
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            *answer.status_mut() = value[..3].parse().unwrap();
        } else {
            let name: HeaderName = name.parse().unwrap();
            answer
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    answer
}
