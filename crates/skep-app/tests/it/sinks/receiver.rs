//! A receiver of webhooks on loopback, which does what it is told and notes what it hears.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// What a receiver does with a message.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// Answers so.
    Answers(u16),
    /// Answers so, with these headers, each ended.
    AnswersWith(u16, String),
    /// Takes it, and its answer has no end.
    TakesWithoutEnd,
    /// Closes the connection before it hears anything.
    HangsUp,
    /// Hears it and closes the connection.
    HearsAndHangsUp,
    /// Hears it and says nothing until whoever sends it gives up.
    StaysSilent,
}

/// A message that was heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
    /// Whether it was answered with a status that takes it.
    pub(crate) taken: bool,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Does>>,
    heard: Mutex<Vec<Heard>>,
    told: Mutex<Option<std::sync::mpsc::Sender<()>>>,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The ids of its entries.
    pub(crate) fn ids(&self) -> Vec<String> {
        let body = self.json();
        let entries = body["entries"].as_array().cloned().unwrap_or_default();
        let id = |entry: &Value| entry["entry"]["id"].as_str().unwrap().to_owned();
        entries.iter().map(id).collect()
    }
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(stream));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/hook?k=v", self.origin())
    }

    /// Does these next, one for each message; what comes after is taken.
    pub(crate) fn will(&self, does: impl IntoIterator<Item = Does>) {
        self.shared.script.lock().unwrap().extend(does);
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// Is told when the next message was heard.
    pub(crate) fn next(&self) -> std::sync::mpsc::Receiver<()> {
        let (told, listens) = std::sync::mpsc::channel();
        *self.shared.told.lock().unwrap() = Some(told);
        listens
    }

    /// The ids of entries in messages that were taken, and of all that were heard.
    pub(crate) fn ids(&self) -> (Vec<String>, Vec<String>) {
        let heard = self.heard();
        let taken = heard.iter().filter(|one| one.taken).flat_map(Heard::ids);
        (taken.collect(), heard.iter().flat_map(Heard::ids).collect())
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let does = self.script.lock().unwrap().pop_front();
        let does = does.unwrap_or(Does::Answers(200));
        if matches!(does, Does::HangsUp) {
            return;
        }
        let Some(mut heard) = read(&stream) else {
            return;
        };
        let status = match &does {
            Does::Answers(status) | Does::AnswersWith(status, _) => *status,
            Does::TakesWithoutEnd => 200,
            Does::HangsUp | Does::HearsAndHangsUp | Does::StaysSilent => 0,
        };
        heard.taken = (200..300).contains(&status);
        self.heard.lock().unwrap().push(heard);
        if let Some(told) = self.told.lock().unwrap().take() {
            let _ = told.send(());
        }
        let headers = match &does {
            Does::AnswersWith(_, headers) => headers.clone(),
            Does::TakesWithoutEnd => "transfer-encoding: chunked\r\n".to_owned(),
            _ => "content-length: 2\r\n".to_owned(),
        };
        match does {
            Does::HearsAndHangsUp | Does::HangsUp => {}
            Does::StaysSilent => drop(stream.read(&mut [0])),
            Does::Answers(_) | Does::AnswersWith(..) => {
                let _ = write!(stream, "HTTP/1.1 {status} X\r\n{headers}\r\nok");
            }
            Does::TakesWithoutEnd => {
                let _ = write!(stream, "HTTP/1.1 {status} X\r\n{headers}\r\n");
                let part = "x".repeat(1 << 16);
                while write!(stream, "{:x}\r\n{part}\r\n", part.len()).is_ok() {}
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let (mut id, mut timestamp, mut signature, mut length) = Default::default();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => id = value.to_owned(),
            "webhook-timestamp" => timestamp = value.to_owned(),
            "webhook-signature" => signature = value.to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard {
        id,
        timestamp,
        signature,
        body,
        taken: false,
    })
}
