//! A mail server on this machine that keeps every letter.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use skep_egress::{MailSecurity, MailServer, Mailer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Letters, as they came.
type Letters = Arc<Mutex<Vec<String>>>;

/// A mail server; it ends when dropped.
pub struct Postbox {
    letters: Letters,
    port: u16,
    _server: JoinSet<()>,
}

impl Postbox {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no port for it.
    #[expect(clippy::expect_used, reason = "a test without its mail cannot go on")]
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let letters = Letters::default();
        let mut server = JoinSet::new();
        let kept = Arc::clone(&letters);
        server.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One at a time: letters are sent one after the other.
                let _hung_up = receive(stream, &kept).await;
            }
        });
        Self {
            letters,
            port,
            _server: server,
        }
    }

    /// What sends letters here.
    ///
    /// # Panics
    /// Never: these settings are sound.
    #[must_use]
    #[expect(clippy::expect_used, reason = "these settings are sound")]
    pub fn mailer(&self) -> Arc<Mailer> {
        let server = MailServer {
            host: "127.0.0.1".into(),
            port: self.port,
            security: MailSecurity::Loopback,
            login: None,
            from: "Skep <skep@hive.example>".into(),
            trusted: Vec::new(),
        };
        Arc::new(Mailer::new(&server).expect("a mailer"))
    }

    /// Every letter so far, envelope and all.
    #[must_use]
    pub fn letters(&self) -> Vec<String> {
        let letters = self.letters.lock();
        letters.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// RFC 5321, as much of it as one client needs.
async fn receive(stream: TcpStream, letters: &Letters) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 here\r\n").await?;
    let mut letter = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" | "HELO" => b"250 here\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
                        break;
                    }
                    letter.push_str(&line);
                }
                let mut kept = letters.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push(std::mem::take(&mut letter));
                b"250 kept\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => {
                letter.push_str(&line);
                b"250 so be it\r\n"
            }
        };
        stream.write_all(answer).await?;
    }
}
