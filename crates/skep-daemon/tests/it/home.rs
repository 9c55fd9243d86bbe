//! A home for a daemon process, and the process.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A private directory that goes away.
pub(crate) struct Home(TempDir);

/// A daemon that is killed when dropped.
pub(crate) struct Daemon(pub(crate) Child);

impl Home {
    pub(crate) fn new() -> Self {
        let private = fs::Permissions::from_mode(0o700);
        Self(
            tempfile::Builder::new()
                .prefix("skep")
                .permissions(private)
                .tempdir()
                .unwrap(),
        )
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A private file in it.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skepd"));
        command
            .arg("--home")
            .arg(self.path())
            .arg(verb)
            .env("SKEP_SERVER__TCP", "off")
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, verb: &str) -> Output {
        self.command(verb).output().unwrap()
    }

    /// What it says when it does not serve, as it must not.
    pub(crate) fn refused(&self, mut command: Command) -> String {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        // Read all the while: what is wrong can be more than a pipe holds.
        let mut stderr = child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).map(|_| said)
        });
        while child.try_wait().unwrap().is_none() {
            if self.get("/readyz").is_some() {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("it serves");
            }
            std::thread::yield_now();
        }
        let said = reader.join().unwrap().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
        said
    }

    /// Serves, and waits for the first answer.
    pub(crate) fn serve(&self) -> Daemon {
        self.start(self.command("serve"))
    }

    /// The same with a command of the caller's.
    pub(crate) fn start(&self, mut command: Command) -> Daemon {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        loop {
            if self
                .get("/readyz")
                .is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
            {
                return Daemon(child);
            }
            if let Some(status) = child.try_wait().unwrap() {
                let mut said = String::new();
                child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut said)
                    .unwrap();
                panic!("skepd ended with {status}: {said}");
            }
            std::thread::yield_now();
        }
    }

    /// One request over the socket.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    /// One request with a token, which outranks being the socket's owner.
    pub(crate) fn get_as(&self, path: &str, token: &str) -> Option<String> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        self.send(&format!("{head}Authorization: Bearer {token}\r\n\r\n"))
    }

    pub(crate) fn delete(&self, path: &str) -> Option<String> {
        self.send(&format!(
            "DELETE {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Option<String> {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// The same with a token, which outranks being the socket's owner.
    pub(crate) fn post_as(&self, path: &str, token: &str, body: &str) -> Option<String> {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// The body of an answer that comes in chunks; none if it is refused or ends before its end.
    pub(crate) fn post_for_bytes(&self, path: &str, body: &str) -> Option<Vec<u8>> {
        self.chunks(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// The same of what is only read.
    pub(crate) fn get_for_bytes(&self, path: &str) -> Option<Vec<u8>> {
        self.chunks(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    fn chunks(&self, request: &str) -> Option<Vec<u8>> {
        let answer = self.exchange(request)?;
        if !answer.starts_with(b"HTTP/1.1 200") {
            return None;
        }
        let from = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        let (mut rest, mut bytes) = (&answer[from + 4..], Vec::new());
        loop {
            let end = rest.windows(2).position(|two| two == b"\r\n")?;
            let length = std::str::from_utf8(&rest[..end]).ok()?;
            let length = usize::from_str_radix(length, 16).ok()?;
            if length == 0 {
                return Some(bytes);
            }
            bytes.extend(rest.get(end + 2..end + 2 + length)?);
            rest = rest.get(end + 4 + length..)?;
        }
    }

    pub(crate) fn send(&self, request: &str) -> Option<String> {
        String::from_utf8(self.exchange(request)?).ok()
    }

    fn exchange(&self, request: &str) -> Option<Vec<u8>> {
        let mut stream = UnixStream::connect(self.path().join("skepd.sock")).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(answer)
    }

    /// Every lasting file and its bytes. SQLite's side files and the lock come and go.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.path(), &mut files);
        files
    }
}

fn collect(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, files);
        } else if !(name.ends_with("-wal") || name.ends_with("-shm") || name.starts_with("skepd."))
        {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

impl Daemon {
    /// SIGTERM, and its end.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.0.wait().unwrap()
    }
}

impl Daemon {
    /// SIGTERM, its end, and what it printed.
    pub(crate) fn ended(mut self) -> (std::process::ExitStatus, String) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut printed = String::new();
        let stderr = self.0.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut printed).unwrap();
        (self.0.wait().unwrap(), printed)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
