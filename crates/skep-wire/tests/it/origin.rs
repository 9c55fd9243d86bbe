//! An origin over real TLS, HTTP/1.1 and HTTP/2, which records what it got and says it back in each
//! way that an origin might.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::repository;

/// What came, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) line: String,
    pub(crate) host: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) is_http2: bool,
}

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    /// The same without TLS.
    pub(crate) clear: SocketAddr,
    /// Whoever signed its certificate, in DER.
    pub(crate) authority: Vec<u8>,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
pub(crate) struct Shared {
    got: Mutex<Vec<Got>>,
    pub(crate) repositories: Mutex<Option<PathBuf>>,
}

type Body = BoxBody<Bytes, Infallible>;

impl Origin {
    pub(crate) async fn start() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let names = ["api.test", "other.test", "evil.test", "*.wild.test"].map(String::from);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(names.to_vec())
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        let secure = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clear = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, clear_address) = (secure.local_addr().unwrap(), clear.local_addr().unwrap());
        tasks.spawn(accept(secure, Some(acceptor), shared.clone()));
        tasks.spawn(accept(clear, None, shared.clone()));
        Self {
            address,
            clear: clear_address,
            authority: authority.der().to_vec(),
            shared,
            _tasks: tasks,
        }
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// The one request that came.
    pub(crate) fn only(&self) -> Got {
        let got = self.got();
        assert_eq!(got.len(), 1, "{got:?}");
        got[0].clone()
    }

    pub(crate) fn serve_repositories(&self, folder: PathBuf) {
        *self.shared.repositories.lock().unwrap() = Some(folder);
    }
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let (acceptor, shared) = (acceptor.clone(), shared.clone());
        tasks.spawn(async move {
            let Some(acceptor) = acceptor else {
                return serve(stream, false, shared).await;
            };
            if let Ok(stream) = acceptor.accept(stream).await {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                serve(stream, is_http2, shared).await;
            }
        });
    }
}

async fn serve<T>(stream: T, is_http2: bool, shared: Arc<Shared>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(request, &shared).await) }
    });
    let stream = TokioIo::new(stream);
    if is_http2 {
        let _ended = http2::Builder::new(TokioExecutor::new())
            .serve_connection(stream, service)
            .await;
    } else {
        let _ended = http1::Builder::new()
            .serve_connection(stream, service)
            .with_upgrades()
            .await;
    }
}

async fn answer(mut request: Request<Incoming>, shared: &Shared) -> Response<Body> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let is_http2 = parts.version == Version::HTTP_2;
    let line = format!(
        "{} {}",
        parts.method,
        parts.uri.path_and_query().map_or("", |path| path.as_str())
    );
    let host = parts.uri.authority().map(ToString::to_string);
    let host = host.unwrap_or_else(|| text(&parts.headers, "host"));
    let path = parts.uri.path().to_owned();
    let collected = body.collect().await;
    let trailers = collected
        .as_ref()
        .ok()
        .and_then(|body| body.trailers().cloned());
    let bytes = collected
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let got = Got {
        line,
        host,
        headers: parts.headers.clone(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
        trailers,
        is_http2,
    };
    shared.got.lock().unwrap().push(got.clone());
    let folder = shared.repositories.lock().unwrap().clone();
    if let Some(folder) = folder.filter(|_| path.starts_with("/repo.git")) {
        return repository::backend(&folder, &parts, &bytes).await;
    }
    route(&path, &got, shared, upgrade)
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map_or_else(String::new, |value| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    })
}

/// The request, as a page that shows what it was sent.
fn echo(got: &Got) -> String {
    let mut page = format!("{}\n", got.line);
    for (name, value) in &got.headers {
        page.push_str(&format!(
            "{name}: {}\n",
            String::from_utf8_lossy(value.as_bytes())
        ));
    }
    page.push_str(&got.body);
    page
}

fn route(
    path: &str,
    got: &Got,
    shared: &Shared,
    upgrade: hyper::upgrade::OnUpgrade,
) -> Response<Body> {
    let page = echo(got);
    match path {
        "/echo-chunked" => chunked(page.as_bytes(), 3),
        "/echo-big" => whole(format!("{}{page}{}", "-".repeat(70_000), "+".repeat(70_000)).into()),
        "/echo-last" => {
            let all = shared.got.lock().unwrap();
            whole(all.iter().map(echo).collect::<String>().into())
        }
        "/redirect-away" => {
            let mut answer = status(307);
            let to = HeaderValue::from_static("https://other.test/echo");
            answer.headers_mut().insert(LOCATION, to);
            answer
        }
        "/none" => status(204),
        "/unchanged" => status(304),
        "/ws" => switch(got, upgrade),
        _ if path.starts_with("/packed/") => {
            let mut answer = whole(page.into());
            let how = HeaderValue::from_str(&path["/packed/".len()..]).unwrap();
            answer.headers_mut().insert(CONTENT_ENCODING, how);
            answer
        }
        _ => said_back(path, got).unwrap_or_else(|| whole(page.into())),
    }
}

/// The credential alone, where pages say it.
fn said_back(path: &str, got: &Got) -> Option<Response<Body>> {
    let secret = got.headers.get(AUTHORIZATION).cloned()?;
    let bare = text(&got.headers, "authorization").replace("Bearer ", "");
    let mut answer = whole("see its head".into());
    let headers = answer.headers_mut();
    match path {
        "/echo-header" => {
            headers.insert("x-echo", secret);
            let to = format!("https://evil.test/?token={bare}");
            headers.insert(LOCATION, HeaderValue::from_str(&to).unwrap());
        }
        "/echo-in-name" => {
            let name: hyper::header::HeaderName = format!("x-{bare}").parse().unwrap();
            headers.insert(name, HeaderValue::from_static("1"));
        }
        "/echo-error" => {
            answer = whole(format!("<h1>Bad token {bare}</h1>").into());
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
        }
        "/echo-trailers" => {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-echo", secret);
            let frames = [Frame::data(Bytes::from("body")), Frame::trailers(trailers)];
            answer = stream(frames.into());
            let named = HeaderValue::from_static("x-echo");
            answer.headers_mut().insert("trailer", named);
        }
        _ => return None,
    }
    Some(answer)
}

fn whole(bytes: Bytes) -> Response<Body> {
    Response::new(Full::new(bytes).boxed())
}

fn status(status: u16) -> Response<Body> {
    let mut answer = whole("".into());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
        .headers_mut()
        .insert("x-kept", HeaderValue::from_static("1"));
    answer
}

fn chunked(bytes: &[u8], each: usize) -> Response<Body> {
    let parts = bytes
        .chunks(each)
        .map(|part| Frame::data(Bytes::copy_from_slice(part)));
    stream(parts.collect())
}

pub(crate) fn stream(frames: Vec<Frame<Bytes>>) -> Response<Body> {
    let frames = frames.into_iter().map(Ok::<_, Infallible>);
    Response::new(BodyExt::boxed(StreamBody::new(futures_util::stream::iter(
        frames,
    ))))
}

/// A WebSocket, as far as bytes go: says what it was sent in the handshake, then all that comes.
fn switch(got: &Got, upgrade: hyper::upgrade::OnUpgrade) -> Response<Body> {
    let secret = text(&got.headers, "authorization");
    let extensions = text(&got.headers, "sec-websocket-extensions");
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move {
        let Ok(stream) = upgrade.await else { return };
        let mut stream = TokioIo::new(stream);
        let hello = format!("[{secret}|{extensions}]");
        for byte in hello.bytes() {
            let _ = stream.write_all(&[byte]).await;
            let _ = stream.flush().await;
        }
        let mut part = [0; 64];
        while let Ok(length @ 1..) = stream.read(&mut part).await {
            let _ = stream.write_all(&part[..length]).await;
            let _ = stream.flush().await;
        }
    });
    let mut answer = status(101);
    answer
        .headers_mut()
        .insert("upgrade", HeaderValue::from_static("websocket"));
    answer
        .headers_mut()
        .insert("connection", HeaderValue::from_static("upgrade"));
    answer
}
