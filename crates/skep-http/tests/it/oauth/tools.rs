//! Tokens for the tools and tokens for the interface: one is no use for the other (RFC 8707, RFC 9728).

use serde_json::{Value, json};
use skep_test_support::{Reply, Request, TestDaemon, Visitor};

use super::client::Program;
use super::{REDIRECT, hidden, home_of, house, page, register, submit};

/// Lets a client in for what its page names, and gives the code.
async fn code(daemon: &TestDaemon, visitor: &Visitor, path: &str) -> String {
    let shown = page(daemon, path, &visitor.cookie).await.text();
    let names = [
        "token",
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "code_challenge",
    ];
    let more = ["code_challenge_method", "resource"];
    let fields: Vec<(&str, String)> = names
        .into_iter()
        .chain(more)
        .filter(|name| shown.contains(&format!("name=\"{name}\"")))
        .map(|name| (name, hidden(&shown, name)))
        .collect();
    let home = home_of(daemon);
    let mut sent: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    sent.extend([("do", "allow"), ("home", home.as_str())]);
    let reply = submit(daemon, "/oauth/authorize", &visitor.cookie, &sent).await;
    let location = reply.header("Location");
    let code = location.split("?code=").nth(1).unwrap_or_default();
    code.split('&').next().unwrap_or_default().to_owned()
}

/// A client, and what it is let in for.
struct Client<'a> {
    daemon: &'a TestDaemon,
    visitor: &'a Visitor,
    program: Program,
    id: String,
}

impl Client<'_> {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.daemon.address)
    }

    async fn login(&self, named: Option<&str>, again: Option<&str>) -> (Value, String) {
        let mut path = self.program.authorize_path(&self.id, REDIRECT);
        if let Some(named) = named {
            let named = named
                .replace(':', "%3A")
                .replace('/', "%2F")
                .replace('?', "%3F");
            path.push_str(&format!("&resource={named}"));
        }
        let code = code(self.daemon, self.visitor, &path).await;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", self.id.as_str()),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", self.program.verifier()),
        ];
        fields.extend(again.map(|again| ("resource", again)));
        self.program.token(self.daemon, &fields, false).await
    }

    async fn refresh(&self, tokens: &Value, named: Option<&str>) -> (Value, String) {
        let mut fields = vec![
            ("grant_type", "refresh_token"),
            ("client_id", self.id.as_str()),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        fields.extend(named.map(|named| ("resource", named)));
        self.program.token(self.daemon, &fields, false).await
    }

    /// What the tools, and what the interface, say to a token.
    async fn opens(&self, tokens: &Value) -> (u16, u16) {
        let token = tokens["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{tokens}"));
        let whoami = Request::new("GET", "/api/v1/whoami").bearer(token);
        let whoami = whoami.send(self.daemon.address).await.unwrap();
        (tools(self.daemon, token).await.status, whoami.status)
    }
}

async fn tools(daemon: &TestDaemon, token: &str) -> Reply {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let request =
        Request::new("POST", "/mcp").header("Accept", "application/json, text/event-stream");
    request
        .json(&message)
        .bearer(token)
        .send(daemon.address)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_a_token_opens_what_it_was_asked_for_and_nothing_else() {
    let (daemon, visitor) = house().await;
    let id = register(&daemon, false).await;
    let client = Client {
        program: Program::new(&daemon),
        daemon: &daemon,
        visitor: &visitor,
        id,
    };
    let (tools_url, own_url) = (client.url("/mcp"), client.url(""));
    for (named, again, opens) in [
        (
            Some(tools_url.as_str()),
            Some(tools_url.as_str()),
            (200, 401),
        ),
        (Some(tools_url.as_str()), None, (200, 401)),
        (Some(&client.url("/mcp/")), None, (200, 401)),
        (Some(&client.url("/mcp?profile=search")), None, (200, 401)),
        (Some(own_url.as_str()), Some(own_url.as_str()), (401, 200)),
        (None, None, (401, 200)),
    ] {
        let (tokens, error) = client.login(named, again).await;
        assert_eq!(error, "", "{named:?} {again:?}");
        assert_eq!(client.opens(&tokens).await, opens, "{named:?} {again:?}");
        // What comes of a renewal is for the same, and for nothing that is named now.
        let other = if opens.0 == 200 { &own_url } else { &tools_url };
        let (_, error) = client.refresh(&tokens, Some(other)).await;
        assert_eq!(error, "invalid_target", "{named:?}");
        let (renewed, error) = client.refresh(&tokens, None).await;
        assert_eq!(error, "", "nothing was lost: {named:?}");
        assert_eq!(client.opens(&renewed).await, opens, "{named:?}");
    }
    // A code for one is no code for the other.
    let (_, error) = client.login(None, Some(&tools_url)).await;
    assert_eq!(error, "invalid_target");
    let (_, error) = client.login(Some(&tools_url), Some(&own_url)).await;
    assert_eq!(error, "invalid_target");
    for foreign in [
        "https://evil.example/mcp",
        &client.url(".evil.example/mcp"),
        &client.url("/mcp#x"),
    ] {
        let path = client.program.authorize_path(&client.id, REDIRECT);
        let path = format!(
            "{path}&resource={}",
            foreign
                .replace(':', "%3A")
                .replace('/', "%2F")
                .replace('#', "%23")
        );
        let reply = page(&daemon, &path, &visitor.cookie).await;
        assert!(
            reply.header("Location").contains("error=invalid_target"),
            "{foreign}: {}",
            reply.head
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_for_the_tools_ends_when_it_is_revoked_by_either_token() {
    let (daemon, visitor) = house().await;
    let id = register(&daemon, false).await;
    let client = Client {
        program: Program::new(&daemon),
        daemon: &daemon,
        visitor: &visitor,
        id,
    };
    for name in ["access_token", "refresh_token"] {
        let (tokens, _) = client.login(Some(&client.url("/mcp")), None).await;
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        assert_eq!(tools(&daemon, &token).await.status, 200);
        let fields = [
            ("token", tokens[name].as_str().unwrap()),
            ("client_id", client.id.as_str()),
        ];
        let revoke = Request::new("POST", "/oauth/revoke").form(&fields);
        assert_eq!(revoke.send(daemon.address).await.unwrap().status, 200);
        assert_eq!(tools(&daemon, &token).await.status, 401, "{name}");
    }
}

/// A client finds the way from the 401 alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_the_tools_names_them_and_their_server() {
    let (daemon, _) = house().await;
    let refused = tools(&daemon, "skep_sk_nonsense").await;
    let told = refused.header("WWW-Authenticate");
    let url = told
        .split("resource_metadata=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let own = format!("http://{}", daemon.address);
    let path = url.unwrap().strip_prefix(&own).unwrap().to_owned();
    let metadata = Request::new("GET", &path)
        .send(daemon.address)
        .await
        .unwrap()
        .json();
    assert_eq!(metadata["resource"], format!("{own}/mcp"), "{metadata}");
    assert_eq!(
        metadata["authorization_servers"],
        json!([own]),
        "{metadata}"
    );
    let server = Request::new("GET", "/.well-known/oauth-authorization-server");
    let server = server.send(daemon.address).await.unwrap().json();
    assert_eq!(
        server["code_challenge_methods_supported"],
        json!(["S256"]),
        "{server}"
    );
    let whole = Request::new("GET", "/.well-known/oauth-protected-resource")
        .send(daemon.address)
        .await;
    assert_eq!(whole.unwrap().json()["resource"], own);
}
