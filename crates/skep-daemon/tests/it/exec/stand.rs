//! A home with a secret, templates that are approved, and runs that are asked for and waited for.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::home::{Daemon, Home};

/// A value that nothing else has.
pub(crate) const VALUE: &str = "tk_9fQ2mX7vLr4sWb8zKd1c";

/// A home whose daemon runs programs, and a folder that they may write.
pub(crate) struct Stand {
    pub(crate) home: Home,
    open: TempDir,
}

/// Status and body of an answer.
pub(crate) type Answer = (u16, Value);

impl Stand {
    pub(crate) fn new(config: &str) -> Self {
        let home = Home::new();
        home.put("skep.toml", config);
        Self {
            home,
            open: tempfile::tempdir().unwrap(),
        }
    }

    /// Serves, with the secret and a template each of these is.
    pub(crate) fn serve_with(&self, templates: &[Value]) -> Daemon {
        let daemon = self.home.serve();
        self.set("TOKEN", VALUE);
        for template in templates {
            self.approve(template);
        }
        daemon
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        let secret = json!({ "name": name, "value": value });
        assert_eq!(self.post("/api/v1/secrets", &secret).0, 200);
    }

    /// The folder that programs may write.
    pub(crate) fn open(&self) -> &Path {
        self.open.path()
    }

    /// A path in the folder that programs may write.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.open.path().join(name)
    }

    /// A pipe at which a program waits until [`Stand::at_gate`] lets it go on.
    pub(crate) fn gate(&self, name: &str) {
        let made = Command::new("mkfifo").arg(self.path(name)).status();
        assert!(made.unwrap().success());
    }

    /// Waits until a program waits at a gate, which goes on when this is dropped.
    pub(crate) fn at_gate(&self, name: &str) -> File {
        let gate = OpenOptions::new().write(true).open(self.path(name));
        gate.unwrap()
    }

    /// What programs have written down, a line each.
    pub(crate) fn written(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("written")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A program that writes its name down, waits at the gate of that name if it is told to, and ends.
    pub(crate) fn waiter(&self) -> Value {
        let open = self.open.path().display();
        let script = format!(
            "echo \"$1\" >> {open}/written; if [ \"$2\" = wait ]; then cat {open}/\"$1\"; fi; echo \"done $1\""
        );
        let mut template = shell("waiter", &script);
        template["program"]["arguments"] = json!(["-c", script, "sh", "{name}", "{how}"]);
        template["program"]["parameters"] = json!([
            { "name": "name", "pattern": "[a-z]+[0-9]*" },
            { "name": "how", "choices": ["wait", "pass"] },
        ]);
        template["program"]["writable"] = json!([self.open.path()]);
        template
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        answer(&self.home.post(path, &body.to_string()).unwrap())
    }

    /// As somebody with a key.
    pub(crate) fn post_as(&self, key: &str, path: &str, body: &Value) -> Answer {
        answer(&self.home.post_as(path, key, &body.to_string()).unwrap())
    }

    /// Without a body.
    pub(crate) fn send(&self, path: &str) -> Answer {
        answer(&self.home.post(path, "").unwrap())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(&self.home.get(path).unwrap())
    }

    /// Drafts it, and approves just that.
    pub(crate) fn approve(&self, template: &Value) {
        let (status, drafted) = self.post("/api/v1/templates", template);
        assert_eq!(status, 200, "{drafted}");
        let path = format!(
            "/api/v1/templates/{}/approve",
            drafted["id"].as_str().unwrap()
        );
        let (status, approved) = self.post(&path, &json!({ "digest": drafted["digest"] }));
        assert_eq!(status, 200, "{approved}");
    }

    pub(crate) fn ask(&self, template: &str, arguments: &Value) -> Answer {
        let body = json!({ "template": template, "arguments": arguments });
        self.post("/api/v1/exec", &body)
    }

    /// The id of a run that was accepted.
    pub(crate) fn asked(&self, template: &str, arguments: &Value) -> String {
        let (status, accepted) = self.ask(template, arguments);
        assert_eq!(status, 202, "{accepted}");
        accepted["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn waiting(&self, name: &str, how: &str) -> String {
        self.asked("waiter", &json!({ "name": name, "how": how }))
    }

    pub(crate) fn look(&self, id: &str) -> Value {
        let (status, run) = self.get(&format!("/api/v1/exec/{id}"));
        assert_eq!(status, 200, "{run}");
        run
    }

    /// A run that has come to its end.
    pub(crate) fn ended(&self, id: &str) -> Value {
        loop {
            let (status, run) = self.get(&format!("/api/v1/exec/{id}?wait=30"));
            assert_eq!(status, 200, "{run}");
            if !["queued", "running"].contains(&run["state"].as_str().unwrap()) {
                return run;
            }
        }
    }

    /// What came of a run from asking to its end.
    pub(crate) fn run(&self, template: &str, arguments: &Value) -> Value {
        self.ended(&self.asked(template, arguments))
    }
}

/// A script of the shell, with the secret in its environment.
pub(crate) fn shell(name: &str, script: &str) -> Value {
    json!({
        "name": name,
        "purpose": "tries something",
        "program": {
            "path": "/bin/sh",
            "arguments": ["-c", script.replace('{', "{{").replace('}', "}}")],
            "secrets": [{ "name": "TOKEN", "variable": "TOKEN" }],
            "seconds": 60,
        },
    })
}

/// What a run printed on its standard output.
pub(crate) fn stdout(run: &Value) -> &str {
    run["output"]["stdout"]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("{run}"))
}

fn answer(text: &str) -> Answer {
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    let body = serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}"));
    (status, body)
}
