//! `cargo xtask bench wire`: what the proxy adds to a request, beside the same request without it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::stand::{KEY, Stand};
use crate::values::VALUE;

const REQUESTS: usize = 2_000;
const CONNECTIONS: usize = 200;
const WARMING: usize = 50;

/// How long requests took one way.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    #[expect(
        clippy::disallowed_methods,
        reason = "measuring time is what a benchmark does"
    )]
    async fn take<T>(&mut self, timed: impl Future<Output = T>) -> T {
        let start = std::time::Instant::now();
        let done = timed.await;
        self.0.push(start.elapsed());
        done
    }

    /// In milliseconds, without those that warmed up.
    fn percentile(&self, percent: usize) -> f64 {
        let mut times = self.0[WARMING.min(self.0.len() / 10)..].to_vec();
        times.sort_unstable();
        times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
    }
}

struct Bench {
    stand: Stand,
    tasks: JoinSet<()>,
}

impl Bench {
    /// A connection to the origin itself.
    async fn direct(&mut self) -> SendRequest<Full<Bytes>> {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from(self.stand.origin.authority.clone()))
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(self.stand.origin.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("api.test").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap();
        self.speak(stream).await
    }

    /// The same through the proxy.
    async fn through(&mut self) -> SendRequest<Full<Bytes>> {
        let stream = self
            .stand
            .tunnel("api.test", "api.test", "http/1.1")
            .await
            .unwrap();
        self.speak(stream).await
    }

    async fn speak<T>(&mut self, stream: T) -> SendRequest<Full<Bytes>>
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = made.unwrap();
        self.tasks.spawn(async move {
            let _ended = connection.await;
        });
        sender
    }
}

async fn ask(sender: &mut SendRequest<Full<Bytes>>, key: &str) {
    let request = Request::post("/echo")
        .header("host", "api.test")
        .header("x-api-key", key)
        .body(Full::new(Bytes::from_static(b"hello")))
        .unwrap();
    sender.ready().await.unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "cargo xtask bench wire runs it in release"]
async fn wire() {
    let mut bench = Bench {
        stand: Stand::new().await,
        tasks: JoinSet::new(),
    };
    let (mut direct, mut through) = (bench.direct().await, bench.through().await);
    let (mut without, mut with) = (Times::default(), Times::default());
    // One of each in turn, so that whatever else the machine does meets both.
    for _ in 0..REQUESTS {
        without.take(ask(&mut direct, VALUE)).await;
        with.take(ask(&mut through, KEY)).await;
    }
    let (mut first_without, mut first_with) = (Times::default(), Times::default());
    for _ in 0..CONNECTIONS {
        first_without
            .take(async { ask(&mut bench.direct().await, VALUE).await })
            .await;
        first_with
            .take(async { ask(&mut bench.through().await, KEY).await })
            .await;
    }
    println!("a request over a kept connection, and one with its connection, in milliseconds");
    for (what, without, with) in [
        ("request", without, with),
        ("connection", first_without, first_with),
    ] {
        for percent in [50, 99] {
            let (direct, through) = (without.percentile(percent), with.percentile(percent));
            println!(
                "  {what}.p{percent}_ms: direct {direct:.3}, through the proxy {through:.3}, added {:.3}",
                through - direct
            );
        }
    }
}
