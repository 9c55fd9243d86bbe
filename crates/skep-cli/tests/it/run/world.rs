//! A daemon whose programs get to one origin, secrets, a template, and whoever runs something.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use skep_app::{ApproveTemplate, GrantAccess, IdTags, Lasting};
use skep_domain::{AccessId, IdKind, TemplateId};
use skep_test_support::{Request, Tenant, TestDaemon, Wired};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::network::out;
use crate::origin::Origin;
use crate::program::mutant;
use crate::values::{PLAIN, VALUE, assert_no_value};

/// A request with the placeholder, as a program makes it that looks for its key in a variable.
pub(super) const CALL: &str =
    r#"curl -sS --max-time 20 -H "Authorization: Bearer $KEY" https://api.test/echo"#;

pub(super) struct World {
    pub(super) daemon: TestDaemon,
    pub(super) origin: Origin,
    pub(super) home: PathBuf,
    /// Whoever runs the daemon, known by its socket.
    pub(super) owner: Tenant,
}

/// A program under `skep run`.
pub(super) struct Running {
    pub(super) child: Child,
    /// Waiting for a child closes its stdin, which the program may still read.
    pub(super) stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Two secrets, each with a host of its own.
pub(super) fn template(name: &str) -> Value {
    let rule = |secret: &str, hosts: &[&str], headers: &[&str]| {
        json!({ "owner": "workspace", "secret": secret, "hosts": hosts, "headers": headers,
                "methods": [], "paths": [], "body": "refuse" })
    };
    json!({
        "name": name,
        "purpose": "to call the origin of a test",
        "form": { "requests": {
            "rules": [
                rule("key", &["api.test", "*.wild.test"], &["authorization", "x-api-key"]),
                rule("other", &["other.test"], &["authorization"]),
            ],
            "bases": [{ "name": "api", "origin": "https://api.test", "header": "authorization",
                        "value": "Bearer __skep_key__" }],
            "hosts": [],
            "seconds": 3600,
        } },
    })
}

impl World {
    /// With the secrets and an approved template of whoever runs the daemon.
    pub(super) async fn start() -> Self {
        let world = Self::bare(None).await;
        world.set_up(&world.owner.token("owner")).await;
        world.approved(&world.owner, template("api")).await;
        world
    }

    /// With nothing but a proxy; `bounds` are leases at a time, and of one credential.
    pub(super) async fn bare(bounds: Option<(usize, usize)>) -> Self {
        let origin = Origin::start().await;
        let (_, egress) = out(&origin);
        let mut wired = Wired::over(egress);
        if let Some((leases, each)) = bounds {
            (wired.leases, wired.each) = (leases, each);
        }
        let daemon = TestDaemon::start_wired(wired).await;
        let owner = daemon.socket_owner().await;
        let home = daemon.socket().parent().unwrap().to_owned();
        Self {
            daemon,
            origin,
            home,
            owner,
        }
    }

    pub(super) async fn ask(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let request = Request::new(method, &format!("/api/v1/{path}")).bearer(token);
        let request = match (&body, method) {
            (Value::Null, "GET") => request,
            (Value::Null, _) => request.header("Content-Length", "0"),
            _ => request.json(&body),
        };
        let reply = request.send(self.daemon.address).await.unwrap();
        assert_no_value(path, &String::from_utf8_lossy(&reply.body));
        (reply.status, reply.json())
    }

    pub(super) async fn done(&self, token: &str, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(token, method, path, body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
    }

    /// Sets both secrets.
    pub(super) async fn set_up(&self, token: &str) {
        for (name, value) in [("key", VALUE), ("other", PLAIN)] {
            let body = json!({ "name": name, "value": value });
            self.done(token, "POST", "secrets", body).await;
        }
    }

    /// Drafts a template, and approves it.
    pub(super) async fn approved(&self, tenant: &Tenant, draft: Value) -> TemplateId {
        let caller = tenant.caller(&self.daemon.store, "owner").await;
        let app = &self.daemon.app;
        let draft = serde_json::from_value(draft).unwrap();
        let drafted = app.draft_template(caller.authorize().unwrap(), draft);
        let version = drafted.await.unwrap().version;
        let wanted = ApproveTemplate {
            digest: version.digest,
            every_agent: None,
        };
        let right = caller.authorize().unwrap();
        let approved = app.approve_template(right, &caller, (version.id, "a test's"), &wanted);
        approved.await.unwrap();
        version.id
    }

    pub(super) async fn withdraw(&self, tenant: &Tenant, id: TemplateId) {
        let caller = tenant.caller(&self.daemon.store, "owner").await;
        let right = caller.authorize().unwrap();
        let withdrawn = self.daemon.app.withdraw_template(right, id, "it is over");
        withdrawn.await.unwrap();
    }

    /// Grants the template to an agent of the first tenant, or to all of them, for so long.
    pub(super) async fn grant(&self, agent: Option<&str>, seconds: Option<u64>) -> AccessId {
        let caller = self.daemon.a.caller(&self.daemon.store, "owner").await;
        let tags = Tags(self.daemon.app.id_tags(&caller));
        let wanted = GrantAccess {
            template: "api".into(),
            agent: agent.map(|id| skep_api::id::parse(&tags, id).unwrap()),
            reason: String::new(),
            lasting: Lasting::of(seconds),
        };
        let right = caller.authorize().unwrap();
        let granted = self.daemon.app.grant_access(right, wanted).await;
        granted.unwrap().id
    }

    pub(super) async fn revoke_grant(&self, id: AccessId) {
        let caller = self.daemon.a.caller(&self.daemon.store, "owner").await;
        let right = caller.authorize().unwrap();
        let revoked = self.daemon.app.revoke_grant(right, id, "it is over");
        revoked.await.unwrap();
    }

    /// Runs `skep` to its end, as whoever runs the daemon.
    pub(super) async fn skep(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().await.unwrap();
        assert_no_value("what skep says", &said(&output));
        output
    }

    /// The same with a script for the shell.
    pub(super) async fn sh(&self, script: &str) -> Output {
        self.skep(&["run", "--", "sh", "-c", script]).await
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        command(&self.home, arguments)
    }

    /// Starts a script, and waits for the first line that it says.
    pub(super) async fn begun(&self, mut command: Command) -> Running {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut running = Running {
            stdin: child.stdin.take(),
            child,
            lines,
        };
        let first = running.line().await;
        if first.as_deref() != Some("ready") {
            let mut complaint = String::new();
            let mut stderr = running.child.stderr.take().unwrap();
            stderr.read_to_string(&mut complaint).await.unwrap();
            panic!("{first:?} {complaint}");
        }
        running
    }

    /// A script that says `ready`, and calls whenever it is told to.
    pub(super) fn calling(&self) -> Command {
        let script =
            format!("echo ready; while read go; do {CALL}; code=$?; echo; echo done $code; done");
        self.command(&["run", "--", "sh", "-c", &script])
    }

    /// The leases of whoever runs the daemon.
    pub(super) async fn leases(&self) -> Vec<Value> {
        let listed = self.skep(&["run", "--list", "--json"]).await;
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        listed["items"].as_array().unwrap().clone()
    }
}

/// Tags of a tenant in the shape that the text form of ids wants.
struct Tags<'a>(IdTags<'a>);

impl skep_api::id::Tagger for Tags<'_> {
    fn tag(&self, kind: IdKind, uuid: &[u8; 16]) -> [u8; 4] {
        self.0.tag(kind, uuid)
    }
    fn verify(&self, kind: IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
        self.0.verify(kind, uuid, tag)
    }
}

/// `skep` with nothing of this machine's environment.
pub(super) fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home)
        .env("SKEP_HOME", home)
        .envs(mutant())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Running {
    pub(super) async fn line(&mut self) -> Option<String> {
        let line = self.lines.next_line().await.unwrap();
        if let Some(line) = &line {
            assert_no_value("what the program says", line);
        }
        line
    }

    /// Has the script call once more, and gives what it got.
    pub(super) async fn call(&mut self) -> String {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(b"go\n").await.unwrap();
        let mut all = String::new();
        loop {
            let line = self
                .line()
                .await
                .unwrap_or_else(|| panic!("it ended: {all}"));
            if line.starts_with("done") {
                return all + &line;
            }
            all.push_str(&line);
            all.push('\n');
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.child.id().unwrap().cast_signed()
    }
}

pub(super) fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}
