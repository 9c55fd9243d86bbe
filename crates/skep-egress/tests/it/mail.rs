//! Letters through a mail server that others wrote: `aiosmtpd`, from `PyPI`, on loopback.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use skep_egress::{Letter, MailError, MailSecurity, MailServer, Mailer};
use zeroize::Zeroizing;

const CERTIFICATE: &[u8] = include_bytes!("../fixtures/certificate.der");
const CANARY: &str = "skep-canary-6f1e2b9c";

/// A running server; what it took comes as lines.
struct Server {
    child: Child,
    port: u16,
    lines: mpsc::Receiver<String>,
}

impl Server {
    /// `mode` is `plain`, `starttls`, `tls` or `deaf`; with a user, it demands a login.
    fn start(mode: &str) -> Self {
        let mut child = Command::new(python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/smtp_server.py"))
            .arg(mode)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        reader.read_line(&mut port).unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let port = port.trim().parse().expect("the server says its port");
        Self { child, port, lines }
    }

    /// Everything that it took, once it has ended: what it said before is read to the last line.
    fn taken(mut self) -> String {
        self.child.kill().unwrap();
        self.lines.iter().collect::<Vec<_>>().join("\n")
    }

    fn mailer(&self, host: &str, security: MailSecurity, password: Option<&str>) -> Mailer {
        let login = |word: &str| ("skep".to_owned(), Zeroizing::new(word.to_owned()));
        Mailer::new(&MailServer {
            host: host.into(),
            port: self.port,
            security,
            login: password.map(login),
            from: "Skep <skep@hive.example>".into(),
            trusted: match security {
                MailSecurity::Loopback => Vec::new(),
                _ => vec![CERTIFICATE.to_vec()],
            },
        })
        .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Python with the server in it, made once under `target`, whichever test comes first.
fn python() -> PathBuf {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("smtp");
    std::fs::create_dir_all(&home).unwrap();
    let lock = std::fs::File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    if !home.join("ready").exists() {
        let install = [
            "install",
            "-q",
            "--disable-pip-version-check",
            "aiosmtpd==1.4.6",
        ];
        let installed = run(Command::new("python3").arg("-m").arg("venv").arg(&home))
            && run(Command::new(home.join("bin/pip")).args(install));
        assert!(
            installed,
            "this test needs python3 with venv, and aiosmtpd 1.4.6 from PyPI"
        );
        std::fs::write(home.join("ready"), "").unwrap();
    }
    home.join("bin/python")
}

fn run(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

fn letter<'a>(to: &'a str, subject: &'a str) -> Letter<'a> {
    Letter {
        to,
        subject,
        text: "Zwölf Bienen\n.\nskep-canary-6f1e2b9c\n",
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let server = Server::start("plain");
    let mailer = server.mailer("127.0.0.1", MailSecurity::Loopback, None);
    mailer
        .send(&letter("maria@example.org", "Ein Zugang für dich"))
        .await
        .unwrap();
    let taken = server.taken();
    assert!(
        taken.contains("from skep@hive.example to maria@example.org"),
        "{taken}"
    );
    assert!(taken.contains("Subject: Ein Zugang für dich"), "{taken}");
    assert!(
        taken.contains("helo hive.example"),
        "not this machine's name: {taken}"
    );
    for line in ["Zwölf Bienen", "text .", CANARY] {
        assert!(taken.contains(line), "{line}: {taken}");
    }
}

#[tokio::test]
async fn a12_the_login_and_the_letter_go_over_tls_or_not_at_all() {
    for (mode, security) in [
        ("starttls", MailSecurity::StartTls),
        ("tls", MailSecurity::Tls),
    ] {
        let server = Server::start(mode);
        let good = server.mailer("127.0.0.1", security, Some("hunter2"));
        // The certificate is for good.example: an address of ours is none that it names.
        let error = good
            .send(&letter("maria@example.org", "s"))
            .await
            .unwrap_err();
        assert!(matches!(error, MailError::Server(_)), "{error}");
        assert_eq!(
            server.taken(),
            "",
            "{mode}: nothing was said before TLS stood"
        );
    }
    let server = Server::start("plain");
    let mailer = server.mailer("127.0.0.1", MailSecurity::StartTls, Some("hunter2"));
    let error = mailer
        .send(&letter("maria@example.org", "s"))
        .await
        .unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!server.taken().contains("from "), "no letter without TLS");
    assert!(
        !shown.contains("maria") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_letter_does_not_choose_its_own_headers() {
    let server = Server::start("plain");
    let mailer = server.mailer("127.0.0.1", MailSecurity::Loopback, None);
    for to in [
        "",
        "maria",
        "a@b\r\nBcc: c@d",
        "a@b, c@d",
        "a@b\nRCPT TO:<c@d>",
    ] {
        let error = mailer.send(&letter(to, "s")).await.unwrap_err();
        assert!(matches!(error, MailError::Address), "{to:?}: {error}");
    }
    mailer
        .send(&letter(
            "a@b.example",
            "x\r\nBcc: thief@evil.example\r\n\r\nno",
        ))
        .await
        .unwrap();
    let taken = server.taken();
    assert!(
        !taken.lines().any(|line| line.starts_with("head Bcc")),
        "{taken}"
    );
    assert!(!taken.contains("to thief"), "{taken}");
}

#[tokio::test]
async fn a_server_that_is_away_or_refuses_says_nothing_of_the_letter() {
    let server = Server::start("refuse");
    let mailer = server.mailer("127.0.0.1", MailSecurity::Loopback, None);
    let refused = mailer
        .send(&letter("maria@example.org", "s"))
        .await
        .unwrap_err();
    drop(server);
    let away = mailer
        .send(&letter("maria@example.org", "s"))
        .await
        .unwrap_err();
    for error in [refused, away] {
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("maria") && !shown.contains(CANARY),
            "{shown}"
        );
    }
}

#[test]
fn settings_that_would_send_in_clear_or_from_nobody_are_refused() {
    let server = |host: &str, from: &str| MailServer {
        host: host.into(),
        port: 25,
        security: MailSecurity::Loopback,
        login: None,
        from: from.into(),
        trusted: Vec::new(),
    };
    for host in ["127.0.0.1", "::1", "localhost"] {
        Mailer::new(&server(host, "a@b.example")).unwrap();
    }
    for host in [
        "mail.example.org",
        "10.0.0.1",
        "0.0.0.0",
        "localhost.evil.example",
    ] {
        assert!(Mailer::new(&server(host, "a@b.example")).is_err(), "{host}");
    }
    assert!(Mailer::new(&server("127.0.0.1", "nobody")).is_err());
}
