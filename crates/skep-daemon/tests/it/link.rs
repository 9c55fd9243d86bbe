//! The link to a database over TCP: whom it goes to, what it takes for a login, and where the password is not.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use skep_test_programs::postgres::Alone;

use crate::database::{body, is_kept, recall, remember, said, settings};
use crate::home::Home;

const PASSWORD: &str = "wren-parapet-40417";
const ADMIN: &str = "osprey-lintel-90210";

/// How roles log in there: by proof of a password, but for two databases whose server asks for less.
const RULES: &str = "\
hostssl clear all 127.0.0.1/32 password
hostssl bare all 127.0.0.1/32 trust
hostssl all all 127.0.0.1/32 scram-sha-256";

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server that speaks TLS, and files of one who uses it.
struct Place {
    server: Alone,
    home: Home,
}

impl Place {
    fn new() -> Self {
        let (issuer, home) = (authority(), Home::new());
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let tls = (certificate.pem(), key.serialize_pem());
        let server = Alone::start(Some((&tls.0, &tls.1)), RULES);
        for database in ["skep", "clear", "bare"] {
            server.run("postgres", &format!("CREATE DATABASE {database}"));
        }
        server.run("postgres", "CREATE ROLE keeper SUPERUSER LOGIN");
        // The way of the test, so that the log has it nowhere else.
        server.run("postgres", &format!("ALTER ROLE keeper PASSWORD '{ADMIN}'"));
        home.put("ca.pem", &issuer.pem());
        home.put("other.pem", &authority().pem());
        home.put("db.key", &format!("{PASSWORD}\n"));
        home.put("admin.key", ADMIN);
        home.put("wrong.key", "not-the-password");
        let place = Self { server, home };
        place.set("127.0.0.1", "skep", "ca_file = \"ca.pem\"");
        place
    }

    fn set(&self, host: &str, database: &str, more: &str) {
        let more = format!(
            "port = {}\npassword_file = \"db.key\"\n{more}",
            self.server.port()
        );
        self.home.put("skep.toml", &settings(host, database, &more));
    }

    /// Migrates over TLS, and says what it printed.
    fn migrate(&self, database: &str) -> String {
        let url = format!(
            "postgres://keeper@127.0.0.1:{}/{database}",
            self.server.port()
        );
        let mut command = self.home.command("migrate");
        command.args(["--admin-url", &url, "--admin-password-file"]);
        let done = command
            .arg(self.home.path().join("admin.key"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", said(&done));
        String::from_utf8(done.stdout).unwrap()
    }

    fn refused(&self) -> String {
        let mut serve = self.home.command("serve");
        // Whom the system trusts: somebody else.
        serve.env("SSL_CERT_FILE", self.home.path().join("other.pem"));
        let said = self.home.refused(serve);
        assert!(!said.contains(PASSWORD), "{said}");
        said
    }
}

#[test]
fn x04_a_login_over_tls_is_bound_to_it_and_its_password_is_nowhere() {
    let place = Place::new();
    let printed = place.migrate("skep");
    assert!(
        printed.contains("nodes log in as skep_app by the password in"),
        "{printed}"
    );
    assert!(place.migrate("skep").starts_with("nothing to do\n"));
    let mut serve = place.home.command("serve");
    serve.env("SKEP_LOG__LEVEL", "debug");
    let mut daemon = place.home.start(serve);
    let mut stderr = daemon.0.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut log = Vec::new();
        stderr.read_to_end(&mut log).map(|_| log)
    });
    assert!(is_kept(
        remember(&place.home, "The weir opens at low water.").as_ref()
    ));
    assert!(recall(&place.home, "when does the weir open").contains("at low water"));
    let sessions = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                    WHERE usename = 'skep_app' AND ssl AND version LIKE 'TLSv1._'";
    assert_ne!(place.server.query("skep", sessions), "0");
    let posture = place.home.get("/api/v1/system/posture").unwrap();
    let store = body(&posture)["store"].as_str().unwrap().to_owned();
    assert!(store.contains("role skep_app, TLS verify-full"), "{store}");
    let process = Path::new("/proc").join(daemon.0.id().to_string());
    let mut seen = fs::read(process.join("cmdline")).unwrap();
    seen.extend(fs::read(process.join("environ")).unwrap_or_default());
    seen.extend(posture.bytes());
    assert!(daemon.stop().success());
    seen.extend(log.join().unwrap().unwrap());
    seen.extend(place.server.log().bytes());
    seen.extend(printed.bytes());
    let seen = String::from_utf8_lossy(&seen);
    assert!(
        seen.contains("SCRAM-SHA-256$4096:"),
        "the server's log has the statement"
    );
    assert!(!seen.contains(PASSWORD));
    // Whoever may read the server's tables finds a verifier.
    let kept = "SELECT rolpassword FROM pg_authid WHERE rolname = 'skep_app'";
    assert!(
        place
            .server
            .query("skep", kept)
            .starts_with("SCRAM-SHA-256$4096:")
    );
    // Another password takes its place, and the old one is void.
    place.home.put("db.key", "another-password-1");
    assert!(place.migrate("skep").contains("set: "));
    assert!(place.home.serve().stop().success());
    place.home.put("db.key", PASSWORD);
    assert!(place.refused().contains("refuses this login"));
}

#[test]
fn n17_a_server_that_is_not_the_one_named_gets_no_login() {
    let place = Place::new();
    place.migrate("skep");
    for (host, more, problem) in [
        (
            "127.0.0.1",
            "ca_file = \"other.pem\"",
            "invalid peer certificate",
        ),
        ("127.0.0.1", "", "invalid peer certificate"),
        ("localhost", "ca_file = \"ca.pem\"", "not valid for name"),
        ("127.0.0.1", "ca_file = \"db.key\"", "holds no certificate"),
        ("127.0.0.1", "ca_file = \"missing.pem\"", "missing.pem"),
        // In the clear to itself, where the server wants TLS.
        ("127.0.0.1", "tls = \"off\"", "refuses this login"),
        (
            "localhost",
            "tls = \"off\"",
            "store.allow_unverified = true",
        ),
    ] {
        place.set(host, "skep", more);
        let refused = place.refused();
        assert!(refused.contains(problem), "{host} {more}: {refused}");
    }
    place.set("127.0.0.1", "skep", "ca_file = \"ca.pem\"");
    place.home.put("db.key", "not-the-password");
    assert!(place.refused().contains("refuses this login"));
}

#[test]
fn n17_a_server_that_asks_for_the_password_itself_or_for_nothing_is_refused() {
    let place = Place::new();
    for database in ["clear", "bare"] {
        // Ready but for how it lets nodes in.
        let url = format!(
            "postgres://postgres@:{}/{database}?host={}",
            place.server.port(),
            place.server.socket().display()
        );
        let done = place
            .home
            .command("migrate")
            .args(["--admin-url", &url])
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", said(&done));
        place.set("127.0.0.1", database, "ca_file = \"ca.pem\"");
        let refused = place.refused();
        assert!(
            refused.contains("did not use channel binding"),
            "{database}: {refused}"
        );
    }
}

#[test]
fn x04_a_password_in_a_url_or_in_a_file_of_others_is_refused_and_not_repeated() {
    let place = Place::new();
    let migrate = |url: &str, more: &[&str]| {
        let refused = place
            .home
            .command("migrate")
            .args(["--admin-url", url])
            .args(more)
            .output();
        let refused = refused.unwrap();
        assert_eq!(refused.status.code(), Some(1));
        said(&refused)
    };
    let port = place.server.port();
    let refused = migrate(
        &format!("postgres://keeper:{ADMIN}@127.0.0.1:{port}/skep"),
        &[],
    );
    assert!(
        refused.contains("--admin-password-file") && !refused.contains(ADMIN),
        "{refused}"
    );
    let url = format!("postgres://keeper@127.0.0.1:{port}/skep");
    assert!(migrate(&url, &[]).contains("--admin-password-file is missing"));
    let file = |name: &str| place.home.path().join(name).display().to_string();
    let wrong = migrate(&url, &["--admin-password-file", &file("wrong.key")]);
    assert!(wrong.contains("refuses this login"), "{wrong}");
    for name in ["admin.key", "db.key"] {
        let open = fs::Permissions::from_mode(0o640);
        fs::set_permissions(place.home.path().join(name), open).unwrap();
        let refused = migrate(&url, &["--admin-password-file", &file("admin.key")]);
        assert!(
            refused.contains("chmod 600") && refused.contains(name),
            "{refused}"
        );
        let own = fs::Permissions::from_mode(0o600);
        fs::set_permissions(place.home.path().join(name), own).unwrap();
    }
    assert_eq!(
        place.server.query(
            "skep",
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'skep'"
        ),
        "0"
    );
}
