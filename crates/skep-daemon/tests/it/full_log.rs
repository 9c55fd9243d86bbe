//! A log that cannot be written, as on a disk that is full.

use std::fs;
use std::process::Stdio;

use crate::home::{Daemon, Home};

#[test]
fn f04_a_log_that_cannot_be_written_ends_nothing() {
    let home = Home::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let mut command = home.command("serve");
    command.env("SKEP_LOG__LEVEL", "debug");
    command.stdout(Stdio::null()).stderr(full.unwrap());
    let mut daemon = Daemon(command.spawn().unwrap());
    for _ in 0..3 {
        loop {
            let ended = daemon.0.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}");
            if home
                .get("/readyz")
                .is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
            {
                break;
            }
            std::thread::yield_now();
        }
    }
}
