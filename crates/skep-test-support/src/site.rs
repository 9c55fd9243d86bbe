//! A site on the public internet, as far as a daemon under test can tell: every name leads to a
//! public address, and every address to this.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use skep_app::Fetching;
use skep_egress::{Dial, Egress, Reach, Resolver, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a path answers.
#[derive(Clone, Debug)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// `Content-Type`, `ETag`, `Location` and the like.
    pub headers: Vec<(&'static str, String)>,
    /// What it says.
    pub body: String,
}

type Pages = Arc<Mutex<HashMap<String, Page>>>;
type Asked = Arc<Mutex<Vec<String>>>;

/// A site; it ends when dropped.
pub struct Site {
    pages: Pages,
    asked: Asked,
    address: SocketAddr,
    _server: JoinSet<()>,
}

impl Site {
    /// Starts one without pages.
    ///
    /// # Panics
    /// When there is no port for it.
    #[expect(clippy::expect_used, reason = "a test without its site cannot go on")]
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (pages, asked) = (Pages::default(), Asked::default());
        let mut server = JoinSet::new();
        let (known, log) = (Arc::clone(&pages), Arc::clone(&asked));
        server.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One at a time: no test asks for more.
                let _hung_up = answer(stream, &known, &log).await;
            }
        });
        Self {
            pages,
            asked,
            address,
            _server: server,
        }
    }

    /// Where it listens, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a path answer with a page of this type and version.
    pub fn put(&self, path: &str, kind: &str, etag: &str, body: &str) {
        let headers = vec![("content-type", kind.into()), ("etag", etag.into())];
        self.put_page(
            path,
            Page {
                status: 200,
                headers,
                body: body.into(),
            },
        );
    }

    /// Makes a path answer with a status, and nothing else.
    pub fn put_status(&self, path: &str, status: u16) {
        self.put_page(
            path,
            Page {
                status,
                headers: Vec::new(),
                body: String::new(),
            },
        );
    }

    /// Makes a path answer so.
    pub fn put_page(&self, path: &str, page: Page) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(path.into(), page);
    }

    /// The heads of all requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Fetching of everything public, which all leads here.
    #[must_use]
    pub fn fetching(&self) -> Fetching {
        let network = Arc::new(Everywhere(self.address));
        Fetching::default().with_public(Egress::new(Reach::Public).over(network.clone(), network))
    }
}

/// A network in which every name is public and every address is this one.
struct Everywhere(SocketAddr);

#[async_trait::async_trait]
impl Resolver for Everywhere {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let inside = name.starts_with("inside.");
        Ok(vec![
            if inside {
                [10, 0, 0, 5]
            } else {
                [93, 184, 216, 34]
            }
            .into(),
        ])
    }
}

#[async_trait::async_trait]
impl Dial for Everywhere {
    async fn dial(&self, _: SocketAddr) -> io::Result<Box<dyn Wire>> {
        Ok(Box::new(TcpStream::connect(self.0).await?))
    }
}

async fn answer(mut stream: TcpStream, pages: &Pages, asked: &Asked) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut part = [0; 1024];
        match stream.read(&mut part).await? {
            0 => return Ok(()),
            length => head.extend_from_slice(&part[..length]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let page = pages
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&path)
        .cloned();
    let page = page.unwrap_or(Page {
        status: 404,
        headers: Vec::new(),
        body: "nothing here".into(),
    });
    let same = page.headers.iter().any(|(name, value)| {
        *name == "etag" && head.contains(&format!("if-none-match: {value}\r\n"))
    });
    asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(head);
    let (status, body) = if same {
        (304, "")
    } else {
        (page.status, &*page.body)
    };
    let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in &page.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    stream
        .write_all(format!("{text}\r\n{body}").as_bytes())
        .await?;
    stream.shutdown().await
}
