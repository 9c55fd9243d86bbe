//! What programs may send to: an origin over real TLS on loopback, by names that only the daemon's resolver
//! knows, and a daemon that lets them reach it.

use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::stand::{Stand, shell};
use crate::home::Daemon;
use crate::origin::Origin;
use crate::values;

/// Names of the test's own: that of the origin, and those that lead where nobody may get.
const HOSTS: &str = "127.0.0.1 localhost api.test other.test evil.test\n127.77.3.9 inner.test\n\
                     169.254.169.254 metadata.test\n10.0.0.1 private.test\n";
/// How often the record is asked for an entry that is written in a moment.
const TRIES: usize = 20_000;

pub(crate) struct Outside {
    pub(crate) stand: Stand,
    pub(crate) origin: Origin,
    /// What the origin runs on.
    _runtime: Runtime,
}

impl Outside {
    pub(crate) fn new(config: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let origin = runtime.block_on(Origin::start());
        let port = origin.address.port();
        let stand = Stand::new(&format!(
            "[wire]\nauthorities = [\"ours.pem\"]\nprivate_origins = [\"https://api.test:{port}\", \
             \"https://other.test:{port}\"]\n{config}"
        ));
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for line in Base64::encode_string(&origin.authority)
            .as_bytes()
            .chunks(64)
        {
            pem.push_str(std::str::from_utf8(line).unwrap());
            pem.push('\n');
        }
        stand
            .home
            .put("ours.pem", &(pem + "-----END CERTIFICATE-----\n"));
        stand.home.put("hosts", HOSTS);
        Self {
            stand,
            origin,
            _runtime: runtime,
        }
    }

    /// The origin, as templates and programs name it.
    pub(crate) fn api(&self) -> String {
        format!("api.test:{}", self.origin.address.port())
    }

    /// Serves, with two secrets of which programs hold one, and a template each of these is.
    pub(crate) fn serve_with(&self, templates: &[Value]) -> Daemon {
        let daemon = self.serve();
        self.stand.set("TOKEN", super::stand::VALUE);
        self.stand.set("key", values::VALUE);
        for template in templates {
            self.stand.approve(template);
        }
        daemon
    }

    /// A daemon that looks up names as the test wants it.
    pub(crate) fn serve(&self) -> Daemon {
        let hosts = self.stand.home.path().join("hosts");
        let script = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";
        self.start(&["--map-root-user", "--mount"], script, &hosts)
    }

    /// A daemon that can make no namespaces, as in many containers.
    pub(crate) fn serve_poor(&self) -> Daemon {
        let script = "echo 0 > /proc/sys/user/max_user_namespaces && shift && \
                      exec setpriv --bounding-set -all --inh-caps -all \"$@\"";
        self.start(&["--map-root-user"], script, Path::new("-"))
    }

    fn start(&self, spaces: &[&str], script: &str, first: &Path) -> Daemon {
        let serve = self.stand.home.command("serve");
        let mut command = Command::new("unshare");
        command
            .args(spaces)
            .args(["sh", "-c", script, "sh"])
            .arg(first)
            .arg(serve.get_program())
            .args(serve.get_args());
        for (name, value) in serve.get_envs() {
            command.env(name, value.unwrap());
        }
        self.stand.home.start(command)
    }

    /// A script that may send one secret to the origin, holds another, and writes where the test reads.
    pub(crate) fn sender(&self, name: &str, script: &str) -> Value {
        let mut template = shell(name, script);
        let rule = json!({ "secret": "key", "hosts": [self.api()], "headers": ["authorization"] });
        template["program"]["rules"] = json!([rule]);
        template["program"]["writable"] = json!([self.stand.open()]);
        template["program"]["directory"] = json!(self.stand.open());
        template
    }

    /// What curl is told to call the origin.
    pub(crate) fn curl(&self, path: &str) -> String {
        let api = self.api();
        format!("curl -sS -m 20 -H \"Authorization: Bearer $KEY\" https://{api}{path}")
    }

    /// The reasons of entries of the record about a run, as soon as `enough` of them is there.
    pub(crate) fn recorded(
        &self,
        run: &str,
        action: &str,
        enough: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        for _ in 0..TRIES {
            let (_, record) = self.stand.get("/api/v1/audit?limit=200");
            let items = record["items"].as_array().unwrap();
            let about = items
                .iter()
                .filter(|item| item["target"] == run && item["action"] == action);
            let found: Vec<Value> = about.cloned().collect();
            if enough(&found) {
                return found;
            }
            std::thread::yield_now();
        }
        panic!("{action} of {run} is not in the record");
    }

    /// What a program wrote into a file.
    pub(crate) fn wrote(&self, name: &str) -> String {
        let bytes = std::fs::read(self.stand.path(name));
        String::from_utf8_lossy(&bytes.unwrap_or_else(|error| panic!("{name}: {error}")))
            .into_owned()
    }
}
