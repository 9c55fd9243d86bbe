//! A collector on loopback that keeps what it is sent.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A path and a body.
pub(crate) type Sent = (String, Vec<u8>);

/// Answers with a status, and keeps bodies.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    pub(crate) kept: Arc<Mutex<Vec<Sent>>>,
}

impl Collector {
    pub(crate) fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sent: Arc<Mutex<Vec<Sent>>> = Arc::default();
        let kept = Arc::clone(&sent);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = Arc::clone(&kept);
                let stream = stream.unwrap();
                std::thread::spawn(move || serve(stream, status, &kept));
            }
        });
        Self {
            address,
            kept: sent,
        }
    }

    pub(crate) fn sent(&self, path: &str) -> Vec<Vec<u8>> {
        let all = self.kept.lock().unwrap();
        let of = all.iter().filter(|(at, _)| at == path);
        of.map(|(_, body)| body.clone()).collect()
    }

    pub(crate) fn everything(&self) -> Vec<u8> {
        let all = self.kept.lock().unwrap();
        all.iter().flat_map(|(_, body)| body.clone()).collect()
    }
}

fn serve(mut stream: TcpStream, status: u16, kept: &Mutex<Vec<Sent>>) {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            if read(&mut stream, &mut bytes) == 0 {
                return;
            }
        };
        let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
        let path = text.split(' ').nth(1).unwrap().to_owned();
        let lower = text.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        while bytes.len() < head + length {
            assert!(
                read(&mut stream, &mut bytes) > 0,
                "a report that is cut off"
            );
        }
        let body = bytes[head..head + length].to_vec();
        kept.lock().unwrap().push((path, body));
        bytes.drain(..head + length);
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> usize {
    let mut chunk = [0; 4096];
    let count = stream.read(&mut chunk).unwrap_or(0);
    bytes.extend_from_slice(&chunk[..count]);
    count
}
