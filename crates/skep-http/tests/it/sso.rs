//! Single sign-on against an issuer that says whatever it likes, and against one that others wrote.

mod accounts;
mod hostile;
mod provider;
mod settings;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use skep_app::{PeopleSettings, SsoChange};
use skep_authz::{Authorized, rights};
use skep_domain::{Clock, OrganizationRole, Role};
use skep_test_support::{Issuer, Reply, Request, Say, Tenant, TestDaemon, issuer, people};

const CLIENT: &str = "skep";
const SECRET: &str = "qxcanary-client-secret-wvzk";

/// A daemon with an organization that trusts an issuer.
struct Stage {
    daemon: TestDaemon,
    issuer: Issuer,
}

/// A sign-in that was begun.
#[derive(Clone, Debug)]
struct Begun {
    state: String,
    nonce: String,
    challenge: String,
    /// Where the issuer sends people back to, on this daemon.
    back: String,
    cookie: String,
}

impl Stage {
    async fn new() -> Self {
        let issuer = Issuer::start().await;
        let people = PeopleSettings {
            issuers: Issuer::calls(&[&issuer.name()]),
            ..people()
        };
        let daemon = TestDaemon::start_people(people).await;
        let stage = Self { daemon, issuer };
        stage.daemon.own(&stage.daemon.a).await;
        stage.trust(&stage.daemon.a, "alpha", stage.change()).await;
        stage
    }

    /// Who has a verified address at the hive.
    fn change(&self) -> SsoChange {
        SsoChange {
            issuer: self.issuer.name(),
            client: CLIENT.into(),
            secret: Some(SsoChange::secret(SECRET.into())),
            domains: vec!["hive.example".into()],
            claim: None,
            role: OrganizationRole::Member,
            workspace_role: Some(Role::Operator),
            enabled: true,
        }
    }

    async fn trust(&self, tenant: &Tenant, name: &str, change: SsoChange) {
        let app = &self.daemon.app;
        app.name_organization(self.right(tenant).await, name)
            .await
            .unwrap();
        app.set_sso(self.right(tenant).await, change).await.unwrap();
    }

    async fn right(&self, tenant: &Tenant) -> Authorized<rights::OrgManage> {
        let owner = tenant.caller(&self.daemon.store, "owner").await;
        owner.authorize().unwrap()
    }

    async fn send(&self, request: Request) -> Reply {
        request.send(self.daemon.address).await.unwrap()
    }

    async fn get(&self, path: &str, cookie: &str) -> Reply {
        self.send(Request::new("GET", path).header("Cookie", cookie))
            .await
    }

    async fn begin(&self) -> Begun {
        self.begin_at("alpha").await
    }

    async fn begin_at(&self, organization: &str) -> Begun {
        let path = format!("/login/sso?organization={organization}");
        let reply = self.send(Request::new("GET", &path)).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let location = header(&reply, "location");
        assert!(location.starts_with(&format!("{}/authorize?", self.issuer.name())));
        self.begun(&location, &cookie(&reply, "skep-local-sso").unwrap())
    }

    /// What the address of the issuer's page says.
    fn begun(&self, location: &str, cookie: &str) -> Begun {
        let (_, query) = location.split_once('?').unwrap();
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(held, _)| *held == name).unwrap();
            value.replace("%3A", ":").replace("%2F", "/")
        };
        assert_eq!(value("response_type"), "code");
        assert_eq!(value("code_challenge_method"), "S256");
        let own = format!("http://{}", self.daemon.address);
        let back = value("redirect_uri");
        Begun {
            state: value("state"),
            nonce: value("nonce"),
            challenge: value("code_challenge"),
            back: back.strip_prefix(&own).unwrap().to_owned(),
            cookie: cookie.to_owned(),
        }
    }

    /// What an honest issuer says of Maria.
    fn claims(&self, begun: &Begun) -> Value {
        let now = self.daemon.clock.now().as_micros() / 1_000_000;
        json!({
            "iss": self.issuer.name(), "aud": CLIENT, "sub": "s-1", "nonce": begun.nonce,
            "iat": now, "exp": now + 300, "name": "Maria", "email": "maria@hive.example",
            "email_verified": true,
        })
    }

    /// Makes the token endpoint give a token of these claims.
    fn give(&self, claims: &Value) {
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "one" });
        self.give_token(&issuer::token(&header, claims, &issuer::key(1)));
    }

    fn give_token(&self, token: &str) {
        let given = json!({ "id_token": token, "access_token": "at-1", "token_type": "Bearer" });
        self.issuer.say("/token", Say::Json(given));
    }

    /// Brings the issuer's answer, with what more is in it.
    async fn answer(&self, begun: &Begun, more: &str) -> Reply {
        let path = format!("{}?state={}&code=c-1{more}", begun.back, begun.state);
        self.get(&path, &begun.cookie).await
    }

    /// A whole sign-in with the claims that a change leaves.
    async fn sign_in(&self, change: impl FnOnce(&mut Value)) -> Reply {
        let begun = self.begin().await;
        let mut claims = self.claims(&begun);
        change(&mut claims);
        self.give(&claims);
        self.answer(&begun, "").await
    }

    async fn whoami(&self, session: &str) -> Value {
        let reply = self.get("/api/v1/whoami", session).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    async fn members(&self) -> usize {
        let token = self.daemon.a.token("owner");
        let request = Request::new("GET", "/api/v1/members?limit=200").bearer(&token);
        self.send(request).await.json()["items"]
            .as_array()
            .unwrap()
            .len()
    }

    /// Why the last sign-in was refused, by the organization's record.
    async fn why(&self) -> String {
        let record = self.daemon.record(&self.daemon.a.token("owner")).await;
        let mut refused = record
            .iter()
            .filter(|entry| entry["action"] == "auth.sso" && entry["outcome"] == "denied");
        refused
            .next()
            .map_or_else(String::new, |entry| entry["reason"].to_string())
    }
}

fn header(reply: &Reply, name: &str) -> String {
    reply.header(name)
}

/// A cookie that an answer sets, as a browser sends it.
fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let lines = reply.head.lines();
    let mut set = lines.filter(|line| line.to_lowercase().starts_with("set-cookie: "));
    let line = set.find(|line| line["set-cookie: ".len()..].starts_with(&format!("{name}=")))?;
    for flag in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(line.contains(flag), "{line}");
    }
    let pair = line["set-cookie: ".len()..].split(';').next()?;
    (!pair.ends_with('=')).then(|| pair.to_owned())
}

/// The session that an answer lets somebody in with.
fn session(reply: &Reply) -> Option<String> {
    cookie(reply, "skep-local")
}

fn s256(verifier: &str) -> String {
    Base64UrlUnpadded::encode_string(&skep_crypto::sha256(verifier.as_bytes()))
}

/// The field of a form that was sent to the issuer.
fn sent(request: &str, name: &str) -> Option<String> {
    let (_, body) = request.split_once("\r\n\r\n")?;
    let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(held, _)| *held == name)
        .map(|(_, value)| value.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_comes_by_their_issuer_and_comes_again_as_the_same() {
    let stage = Stage::new().await;
    let before = stage.members().await;
    let begun = stage.begin().await;
    stage.give(&stage.claims(&begun));
    let reply = stage.answer(&begun, "").await;
    assert_eq!(reply.status, 303, "{} {}", reply.text(), stage.why().await);
    let who = stage.whoami(&session(&reply).unwrap()).await;
    assert_eq!(
        (stage.members().await, &who["role"]),
        (before + 1, &json!("operator"))
    );
    // What was sent to redeem the code: the verifier of the challenge, and who we are.
    let asked = stage.issuer.asked("/token");
    let verifier = sent(&asked[0], "code_verifier").unwrap();
    assert_eq!(s256(&verifier), begun.challenge);
    assert_eq!(
        sent(&asked[0], "client_secret"),
        None,
        "in the header alone"
    );
    let basic = base64ct::Base64::encode_string(format!("{CLIENT}:{SECRET}").as_bytes());
    assert!(
        asked[0].contains(&format!("authorization: Basic {basic}")),
        "{}",
        asked[0]
    );
    // The binding is gone with its use.
    let gone = reply
        .head
        .lines()
        .any(|line| line.contains("skep-local-sso=; "));
    assert!(gone, "{}", reply.head);
    let again = stage
        .sign_in(|claims| claims["name"] = json!("Maria Other"))
        .await;
    let again = stage.whoami(&session(&again).unwrap()).await;
    assert_eq!(again["principal"], who["principal"]);
    assert_eq!(stage.members().await, before + 1);
    let record = stage.daemon.record(&stage.daemon.a.token("owner")).await;
    let count = |action: &str| {
        record
            .iter()
            .filter(|entry| entry["action"] == action)
            .count()
    };
    assert_eq!((count("sso.join"), count("sso.login")), (1, 2));
    // Discovery and keys were asked for once.
    assert_eq!(stage.issuer.asked("/jwks").len(), 1);
    assert_eq!(
        stage
            .issuer
            .asked("/.well-known/openid-configuration")
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_page_offers_an_issuer_to_whom_names_the_organization() {
    let stage = Stage::new().await;
    let offer = "Sign in with 127.0.0.1";
    for (query, offered) in [
        ("?organization=alpha", true),
        ("?organization=ALPHA", true),
        ("", false),
        ("?organization=beta", false),
        ("?organization=nobody", false),
        ("?organization=%22%3E%3Cscript%3E", false),
    ] {
        let page = stage
            .send(Request::new("GET", &format!("/login{query}")))
            .await;
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(page.text().contains(offer), offered, "{query}");
        assert!(!page.text().contains("<script>"), "{query}");
        let begun = stage
            .send(Request::new("GET", &format!("/login/sso{query}")))
            .await;
        assert_eq!(begun.status, if offered { 303 } else { 404 }, "{query}");
    }
}
