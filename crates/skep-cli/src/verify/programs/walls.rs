//! What a program could do beside printing: send, leave files, stay.

use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::super::host::processes;
use super::super::look;
use super::super::report::{Attempt, Outcome};
use super::super::stand::Stand;
use super::{WRITINGS, run};
use crate::failure::Failure;

/// A way past the walls, as the shell has it.
pub(super) struct Wall {
    name: &'static str,
    pub(super) script: &'static str,
    /// Without one of these layers it is open, and the run says so.
    layers: &'static [&'static str],
    through: Through,
}

/// Where what comes through would be seen.
enum Through {
    /// At a port of this machine.
    Port,
    /// In a file of this folder, whose name nobody knows before.
    File(&'static str),
    /// As a process that is still there, with an argument that nobody else has.
    Process,
}

pub(super) const WALLS: &[Wall] = &[
    Wall {
        name: "sending it to a port of this machine",
        script: SEND,
        layers: &["network", "landlock-tcp", "seccomp"],
        through: Through::Port,
    },
    Wall {
        name: "leaving it in /tmp",
        script: r#"printf %s "$CANARY" > /tmp/skep-verify-$mark"#,
        layers: &["files", "landlock"],
        through: Through::File("/tmp"),
    },
    Wall {
        name: "leaving it in /var/tmp",
        script: r#"printf %s "$CANARY" > /var/tmp/skep-verify-$mark"#,
        layers: &["files", "landlock"],
        through: Through::File("/var/tmp"),
    },
    Wall {
        name: "leaving it in shared memory",
        script: r#"printf %s "$CANARY" > /dev/shm/skep-verify-$mark"#,
        layers: &["files", "landlock"],
        through: Through::File("/dev/shm"),
    },
    Wall {
        name: "a process that stays",
        script: "(setsid sleep 271.$mark || sleep 271.$mark) > /dev/null 2>&1 < /dev/null & sleep 0.1",
        layers: &["processes"],
        through: Through::Process,
    },
];

/// With whatever the machine has; what is not there is not found.
const SEND: &str = concat!(
    "a=127.0.0.1; ",
    r#"bash -c 'exec 3<>/dev/tcp/'$a/$port' && printf %s "$CANARY" >&3'; "#,
    r#"python3 -c 'import os,socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).sendall(os.environb[b"CANARY"])' $a $port; "#,
    r#"perl -MIO::Socket -e '$s = IO::Socket::INET->new("$ARGV[0]:$ARGV[1]") and print $s $ENV{CANARY}' $a $port; "#,
    r#"curl -s -m 2 -d "$CANARY" http://$a:$port/; printf %s "$CANARY" | nc -w 2 $a $port; true"#,
);

pub(super) async fn attempt(stand: &mut Stand<'_>) -> Result<Vec<Attempt>, Failure> {
    let mut all = Vec::new();
    for (nth, wall) in WALLS.iter().enumerate() {
        all.push(one(stand, WRITINGS.len() + nth, wall).await?);
    }
    Ok(all)
}

async fn one(stand: &mut Stand<'_>, row: usize, wall: &Wall) -> Result<Attempt, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mark = mark()?;
    let run = run(stand, row, listener.local_addr()?.port(), mark).await?;
    let mut attempt = Attempt::new(wall.name, true);
    let Some(sandbox) = run.sandbox.filter(|_| run.output.is_some()) else {
        attempt.outcome = Outcome::NotTried;
        attempt.note = run.reason;
        return Ok(attempt);
    };
    let canary = stand.canary();
    let came = match wall.through {
        Through::Port => canary.recovered(&arrived(&listener).await),
        Through::File(folder) => {
            let path = Path::new(folder).join(format!("skep-verify-{mark}"));
            let left = look::held(&path);
            let _none_there = std::fs::remove_file(&path);
            canary.recovered(&left)
        }
        Through::Process => {
            let argument = format!("271.{mark}");
            let stays = processes().any(|found| found.has_argument(&argument));
            if stays { canary.text().len() } else { 0 }
        }
    };
    // Any one of the layers is enough; where all are missing, nothing was promised.
    let missing = |layer: &&&str| sandbox.missing.iter().any(|one| one.layer == **layer);
    if wall.layers.iter().filter(missing).count() == wall.layers.len() {
        attempt.promised = false;
        attempt.note = Some(format!("this machine has not: {}", wall.layers.join(", ")));
    }
    attempt.judge(came);
    Ok(attempt)
}

/// What a mark may be.
const LEAST: u64 = 100_000_000_000_000;
pub(super) const MOST: u64 = 999_999_999_999_999;
/// Connections that are looked into: whoever floods the port is not waited for.
const CONNECTIONS: usize = 16;

/// What was sent while nobody took it: the run is over, so it is there or never comes.
async fn arrived(listener: &TcpListener) -> Vec<u8> {
    let mut all = Vec::new();
    for _ in 0..CONNECTIONS {
        let accepted = timeout(Duration::from_millis(50), listener.accept()).await;
        let Ok(Ok((stream, _))) = accepted else { break };
        let mut limited = stream.take(4_096);
        let _what_there_is =
            timeout(Duration::from_millis(50), limited.read_to_end(&mut all)).await;
    }
    all
}

/// Fifteen digits that nobody else has: other users of the machine can put nothing in the way.
fn mark() -> Result<u64, Failure> {
    let [head @ .., _, _, _, _, _, _, _, _] = skep_client::nonce()?;
    Ok(LEAST + u64::from_le_bytes(head) % (MOST - LEAST))
}
