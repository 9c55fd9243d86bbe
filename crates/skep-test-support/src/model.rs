//! A model's endpoint on loopback that answers what it was told to, and remembers what it was asked.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Request line and headers.
    pub head: String,
    /// The body, as text.
    pub body: String,
}

/// Makes an answer of a request.
pub type Maker = Box<dyn FnOnce(&Asked) -> Vec<u8> + Send>;

/// What to do with a connection.
pub enum Turn {
    /// Read the request and write these bytes.
    Write(Vec<u8>),
    /// Read the request and write what this makes of it.
    Make(Maker),
    /// Read the request and write this head, then the same bytes until the other side goes away.
    Endless(Vec<u8>),
    /// Read the request and write a byte of this at a time, until the other side goes away.
    Slow(Vec<u8>),
    /// Read the request and say nothing until the other side goes away.
    Silent,
}

/// A listener and its script. Beyond its script it answers 500.
pub struct ScriptedModel {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Turn>>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    is_over: AtomicBool,
}

impl ScriptedModel {
    /// Listens on a free port.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its server cannot go on")]
    pub fn start(script: Vec<Turn>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(State {
            script: Mutex::new(script.into()),
            ..State::default()
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_over.load(Ordering::SeqCst) {
                    break;
                }
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || stream.is_ok_and(|stream| shared.serve(stream).is_ok()));
            }
        });
        Self { address, state }
    }

    /// Adds to the script.
    pub fn then(&self, turn: Turn) {
        self.state.script().push_back(turn);
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.state.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many connections were made, whether or not something was asked.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for ScriptedModel {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener, so that its thread ends.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn script(&self) -> std::sync::MutexGuard<'_, VecDeque<Turn>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let asked = read(&mut stream)?;
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(asked.clone());
        drop(all);
        let turn = self.script().pop_front();
        match turn.unwrap_or_else(|| Turn::Write(answer(500, "", b"{}"))) {
            Turn::Write(bytes) => stream.write_all(&bytes),
            Turn::Make(make) => stream.write_all(&make(&asked)),
            Turn::Endless(head) => {
                stream.write_all(&head)?;
                loop {
                    stream.write_all(&[b' '; 4096])?;
                }
            }
            Turn::Slow(bytes) => {
                for byte in bytes {
                    stream.write_all(&[byte])?;
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
                Ok(())
            }
            Turn::Silent => stream.read(&mut [0; 1]).map(|_| ()),
        }
    }
}

fn read(stream: &mut TcpStream) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let mut ends_at = None;
    loop {
        if ends_at.is_none() {
            let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            ends_at = head.map(|at| (at + 4, at + 4 + length(&bytes[..at])));
        }
        if let Some((body, end)) = ends_at
            && bytes.len() >= end
        {
            return Ok(Asked {
                head: String::from_utf8_lossy(&bytes[..body]).into_owned(),
                body: String::from_utf8_lossy(&bytes[body..end]).into_owned(),
            });
        }
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
}

fn length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length:"));
    value
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or_default()
}

/// An HTTP answer; `headers` end with a line break each.
#[must_use]
pub fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// What OpenAI answers, with this text and so many tokens.
#[must_use]
pub fn openai(text: &str, input: u64, output: u64) -> Vec<u8> {
    let body = json!({
        "id": "chatcmpl-scripted", "object": "chat.completion", "created": 1, "model": "scripted",
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": { "role": "assistant", "content": text, "refusal": null },
        }],
        "usage": { "prompt_tokens": input, "completion_tokens": output, "total_tokens": input.saturating_add(output) },
    });
    answer(200, "", body.to_string().as_bytes())
}

/// What Anthropic answers when a model calls its tool with this.
#[must_use]
pub fn anthropic(memories: &Value, input: u64, output: u64) -> Vec<u8> {
    let body = json!({
        "id": "msg_scripted", "type": "message", "role": "assistant", "model": "scripted",
        "content": [{ "type": "tool_use", "id": "toolu_1", "name": "memories", "input": memories }],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": { "input_tokens": input, "output_tokens": output },
    });
    answer(200, "", body.to_string().as_bytes())
}
