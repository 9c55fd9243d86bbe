//! The proxy of a run is as good as what is behind it, is the run's alone, and ends with it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use super::outside::Outside;
use super::stand::stdout;
use crate::home::Daemon;
use crate::values;

/// Longer than any answer takes: whoever waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that tells where its proxy is, and waits.
const TELLS: &str = "echo \"$HTTPS_PROXY\" > told; cat gate; echo over";

impl Outside {
    /// What a program has told at a gate of that name.
    fn told(&self, name: &str) -> String {
        fs::read_to_string(self.stand.path(name))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// The socket of the one run that is under way.
    fn socket(&self) -> PathBuf {
        let sockets = fs::read_dir(self.stand.home.path().join("runs")).unwrap();
        let sockets: Vec<PathBuf> = sockets.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(sockets.len(), 1, "{sockets:?}");
        sockets[0].clone()
    }

    /// Begins a tunnel to the origin, with the password in the URL of a proxy.
    fn tunnel<T: Read + Write>(&self, mut stream: T, proxy: &str) -> (u16, T) {
        let credentials = proxy
            .strip_prefix("http://")
            .unwrap()
            .split('@')
            .next()
            .unwrap();
        let credentials = Base64::encode_string(credentials.as_bytes());
        let api = self.api();
        let head = format!(
            "CONNECT {api} HTTP/1.1\r\nHost: {api}\r\nProxy-Authorization: Basic {credentials}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1, "{answer:?}");
            answer.push(byte[0]);
        }
        let answer = String::from_utf8(answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), stream)
    }

    /// A connection to the proxy of the run that is under way, which stays.
    fn kept(&self, proxy: &str) -> UnixStream {
        let stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (status, stream) = self.tunnel(stream, proxy);
        assert_eq!(status, 200, "it works while the run goes on");
        stream
    }
}

/// Nobody gets through there any more, nor by what was open.
fn is_over(socket: &PathBuf, kept: &mut UnixStream, how: &str) {
    let mut rest = Vec::new();
    let read = kept.read_to_end(&mut rest);
    let is_cut = match &read {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    };
    assert!(is_cut && rest.is_empty(), "{how}: {read:?} {rest:?}");
    assert!(UnixStream::connect(socket).is_err(), "{how}");
}

#[test]
fn x03_the_proxy_of_a_run_ends_with_it_however_it_ends() {
    let outside = Outside::new("[exec]\nworkers = 1\n");
    let tells = |name: &str, seconds: u32| {
        let mut template = outside.sender(name, TELLS);
        template["program"]["seconds"] = json!(seconds);
        template
    };
    let (stand, mut daemon) = (
        &outside.stand,
        Some(outside.serve_with(&[tells("tells", 60), tells("late", 2)])),
    );
    stand.gate("told");
    stand.gate("gate");
    for how in [
        "itself",
        "cancelled",
        "late",
        "killed",
        "stopped",
        "restarted",
    ] {
        let id = stand.asked(if how == "late" { "late" } else { "tells" }, &json!({}));
        let proxy = outside.told("told");
        let socket = outside.socket();
        let mut kept = outside.kept(&proxy);
        match how {
            "itself" => drop(stand.at_gate("gate")),
            "cancelled" => drop(stand.send(&format!("/api/v1/exec/{id}/cancel"))),
            "killed" => kill_launcher(daemon.as_ref().unwrap()),
            "stopped" => assert!(daemon.take().unwrap().stop().success()),
            "restarted" => {
                let mut daemon = daemon.take().unwrap();
                daemon.0.kill().unwrap();
                daemon.0.wait().unwrap();
            }
            _ => {}
        }
        is_over(&socket, &mut kept, how);
        if daemon.is_none() {
            daemon = Some(outside.serve());
            let left = fs::read_dir(stand.home.path().join("runs")).unwrap();
            assert_eq!(left.count(), 0, "{how}");
        }
        let run = stand.ended(&id);
        let expected = match how {
            "itself" => "code",
            "cancelled" => "cancelled",
            "late" => "timed_out",
            "killed" => "lost",
            _ => "",
        };
        assert_eq!(run["exit"]["how"].as_str().unwrap_or(""), expected, "{run}");
    }
    let left = fs::read_dir(stand.home.path().join("runs")).unwrap();
    assert_eq!(left.count(), 0);
}

/// Kills what stands between the daemon and the program.
fn kill_launcher(daemon: &Daemon) {
    let pid = daemon.0.id();
    let children = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let children = children.map(|task| fs::read_to_string(task.path().join("children")));
    let children: Vec<String> = children.map(Result::unwrap).collect();
    let [launcher] = children
        .iter()
        .flat_map(|all| all.split_whitespace())
        .collect::<Vec<_>>()[..]
    else {
        panic!("{children:?}");
    };
    let launcher = rustix::process::Pid::from_raw(launcher.parse().unwrap()).unwrap();
    rustix::process::kill_process(launcher, rustix::process::Signal::KILL).unwrap();
}

/// Looks for the sockets of others, and for a way to speak to one.
const REACH: &str = "import glob, socket
print(glob.glob('SOCKETS/*'), end=' ')
try: socket.socket(socket.AF_UNIX); print('a socket')
except PermissionError: print('no socket')
";

#[test]
fn x03_a_run_gets_to_no_proxy_but_its_own() {
    // Nor does a lease of somebody's take the place of a run's.
    let outside = Outside::new("leases = 1\nleases_each = 1\n[exec]\nworkers = 2\n");
    let open = outside.stand.open().display();
    // The second one knows all that the first one has, and what `skep run` was given.
    let other = format!(
        "read first < {open}/first; read lease < {open}/lease; \
         for proxy in \"$HTTPS_PROXY\" \"$first\" \"$(echo \"$lease\" | sed s/@.*/@127.0.0.1:3128/)\" \"$lease\"; do \
         curl -sS -m 15 -o out -w '%{{http_connect}} ' -x \"$proxy\" https://{}/echo 2>/dev/null; done; \
         python3 reach.py",
        outside.api(),
    );
    let sockets = outside.stand.home.path().join("runs");
    let reach = REACH.replace("SOCKETS", &sockets.display().to_string());
    fs::write(outside.stand.path("reach.py"), reach).unwrap();
    let templates = [
        outside.sender("tells", TELLS),
        outside.sender("other", &other),
    ];
    let _daemon = outside.serve_with(&templates);
    let stand = &outside.stand;
    stand.gate("told");
    stand.gate("gate");
    let first = stand.asked("tells", &json!({}));
    let proxy = outside.told("told");
    fs::write(stand.path("first"), format!("{proxy}\n")).unwrap();
    // A lease of whoever asks, as `skep run` begins it.
    let rule = json!({ "secret": "key", "hosts": [outside.api()], "headers": ["authorization"] });
    let leased =
        json!({ "name": "leased", "purpose": "tries something", "requests": { "rules": [rule] } });
    stand.approve(&leased);
    let wanted = json!({ "templates": ["leased"], "unattended": true });
    let (status, lease) = stand.post("/api/v1/leases", &wanted);
    assert_eq!(status, 200, "{lease}");
    let (status, _) = stand.post("/api/v1/leases", &wanted);
    assert!(status >= 400, "that of the run is not theirs: {status}");
    let theirs = lease["proxy"].as_str().unwrap();
    fs::write(stand.path("lease"), format!("{theirs}\n")).unwrap();
    let run = stand.run("other", &json!({}));
    // Its own lets it in; at its own the passwords of others count for nothing; theirs it does not get to.
    let said = stdout(&run);
    assert_eq!(said, "200 407 407 000 [] no socket\n", "{run}");
    // Nor is the password of a run good at the proxy of a lease, or that of a lease at a run's.
    let address = theirs.rsplit('@').next().unwrap();
    let tcp = |proxy: &str| {
        outside
            .tunnel(TcpStream::connect(address).unwrap(), proxy)
            .0
    };
    assert_eq!((tcp(theirs), tcp(&proxy)), (200, 407));
    let unix = |proxy: &str| {
        outside
            .tunnel(UnixStream::connect(outside.socket()).unwrap(), proxy)
            .0
    };
    assert_eq!((unix(&proxy), unix(theirs)), (200, 407));
    drop(stand.at_gate("gate"));
    stand.ended(&first);
    // The lease of a run is nobody's to list, renew or end.
    let (_, listed) = stand.get("/api/v1/leases");
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}

/// An agent with a grant for a template, and the grant.
fn agent(outside: &Outside, template: &str) -> (String, String) {
    let made = |path: &str, body: Value| {
        let (status, answer) = outside.stand.post(path, &body);
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    };
    let agent = made("/api/v1/agents", json!({ "name": "deckhand" }));
    let key = made(
        "/api/v1/keys",
        json!({ "label": "its", "agent": agent["id"] }),
    );
    let wanted = json!({ "template": template, "agent": agent["id"], "reason": "a test" });
    let grant = made("/api/v1/access/grant", wanted);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&key["secret"]), text(&grant["id"]))
}

#[test]
fn x03_each_use_by_a_run_is_decided_anew() {
    let outside = Outside::new("[exec]\nworkers = 1\n");
    let call = format!("{} -o out -w '%{{http_code}} '", outside.curl("/echo"));
    let script = format!("{call}; cat gate; {call}; cat out");
    let _daemon = outside.serve_with(&[outside.sender("twice", &script)]);
    let stand = &outside.stand;
    stand.gate("gate");
    let (key, grant) = agent(&outside, "twice");
    let body = json!({ "template": "twice", "arguments": {} });
    let (status, accepted) = stand.post_as(&key, "/api/v1/exec", &body);
    assert_eq!(status, 202, "{accepted}");
    let id = accepted["id"].as_str().unwrap();
    let gate = stand.at_gate("gate");
    assert_eq!(outside.origin.got().len(), 1);
    let path = format!("/api/v1/access/{grant}/revoke");
    assert_eq!(stand.post(&path, &json!({ "reason": "enough" })).0, 200);
    drop(gate);
    let run = stand.ended(id);
    let said = stdout(&run);
    // Refused while its proxy is there; cut off once the sweep has come by.
    assert!(
        said.starts_with("200 403 ") || said.starts_with("200 000 "),
        "{run}"
    );
    assert_eq!(outside.origin.got().len(), 1, "nothing more was sent");
    let uses = outside.recorded(id, "secret.use", |found| {
        !said.starts_with("200 403") || found.len() == 2
    });
    let outcomes: Vec<&str> = uses
        .iter()
        .map(|item| item["outcome"].as_str().unwrap())
        .collect();
    if said.starts_with("200 403 ") {
        assert_eq!(outcomes, ["denied", "allowed"], "newest first: {uses:?}");
    }
    values::assert_no_value("the record", &format!("{uses:?}"));
}

#[test]
fn x03_what_is_withdrawn_sends_nothing_more_not_even_unread() {
    let outside = Outside::new("[exec]\nworkers = 1\n");
    let mut template = outside.sender("tells", TELLS);
    let other = format!("other.test:{}", outside.origin.address.port());
    template["program"]["hosts"] = json!([other]);
    let _daemon = outside.serve_with(&[template]);
    let stand = &outside.stand;
    stand.gate("told");
    stand.gate("gate");
    let id = stand.asked("tells", &json!({}));
    let proxy = outside.told("told");
    let (socket, mut kept) = (outside.socket(), outside.kept(&proxy));
    let found = stand.get("/api/v1/templates").1;
    let template = found["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/templates/{template}/withdraw");
    assert_eq!(stand.post(&path, &json!({ "reason": "enough" })).0, 200);
    is_over(&socket, &mut kept, "withdrawn");
    // The program goes on: what it does with what it has is not undone by killing it.
    drop(stand.at_gate("gate"));
    assert_eq!(stdout(&stand.ended(&id)), "over\n");
}

#[test]
fn x03_where_there_is_no_network_of_its_own_nothing_that_sends_is_run() {
    let outside = Outside::new("");
    let stand = &outside.stand;
    let _daemon = outside.serve_poor();
    stand.set("key", values::VALUE);
    let mut template = outside.sender("sender", &outside.curl("/echo"));
    template["program"]["secrets"] = json!([]);
    // Whatever else it may run without.
    template["program"]["without"] = json!(["processes"]);
    stand.approve(&template);
    let run = stand.run("sender", &json!({}));
    assert_eq!(run["state"], "failed", "{run}");
    let reason = run["reason"].as_str().unwrap();
    assert!(reason.contains("network: "), "{reason}");
    assert!(
        reason.contains("user namespaces") && reason.contains("skep status"),
        "{reason}"
    );
    let missing = run["sandbox"]["missing"].as_array().unwrap();
    assert!(
        missing.iter().any(|layer| layer["layer"] == "network"),
        "{run}"
    );
    assert!(outside.origin.got().is_empty());
    // A template cannot waive that wall.
    template["program"]["without"] = json!(["network"]);
    assert_eq!(stand.post("/api/v1/templates", &template).0, 400);
}
