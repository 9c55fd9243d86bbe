//! Vault and 1Password Connect, as their documentation says that they answer.

use std::sync::Arc;

use skep_crypto::Plain;
use skep_domain::{Id, OrganizationId};
use skep_egress::Target;
use skep_reference::{
    Connect, Organizations, Reference, References, Server, Source, Token, Unresolved,
};
use skep_test_support::{Page, Site};

const VALUE: &str = "ghp_7Zr2kQ9vXw4mT1";
const TOKEN: &str = "hvs.token-of-the-daemon";

fn ours() -> OrganizationId {
    OrganizationId::from_bytes([7; 16])
}

fn others() -> OrganizationId {
    OrganizationId::from_bytes([8; 16])
}

fn token() -> Token {
    Arc::new(|| Ok(Plain::new(TOKEN.to_owned())))
}

fn says(site: &Site, path: &str, status: u16, body: &str) {
    let page = Page {
        status,
        headers: vec![("content-type", "application/json".into())],
        body: body.into(),
    };
    site.put_page(path, page);
}

fn address(site: &Site) -> Target {
    Target::parse(&site.url()).unwrap()
}

fn vault(site: &Site, below: &[&str]) -> References {
    let server = Server::new("main".into(), address(site), Vec::new(), token())
        .below(below.iter().map(ToString::to_string).collect());
    References::default().with(Organizations::These(vec![ours()]), Source::Vault(server))
}

async fn resolved(sources: &References, text: &str) -> Result<String, Unresolved> {
    let reference = Reference::parse(text).unwrap();
    let value = sources.resolve(ours(), &reference).await?;
    Ok(String::from_utf8(value.expose().clone()).unwrap())
}

fn version(data: &str) -> String {
    format!(
        "{{\"request_id\":\"1\",\"lease_id\":\"\",\"data\":{{\"data\":{data},\"metadata\":{{\"version\":3,\
         \"deletion_time\":\"\",\"destroyed\":false}}}},\"warnings\":null}}"
    )
}

#[tokio::test]
async fn a_field_of_vault_is_read_with_the_token_in_its_header() {
    let site = Site::start().await;
    let body = version(&format!(
        "{{\"token\":\"{VALUE}\",\"port\":5432,\"short\":\"abc\"}}"
    ));
    says(&site, "/v1/secret/data/team/app", 200, &body);
    says(
        &site,
        "/v1/secret/data/team/app?version=2",
        404,
        &version("null"),
    );
    let sources = vault(&site, &[]);
    let at = |rest: &str| format!("vault://main/secret/team/app{rest}");
    assert_eq!(resolved(&sources, &at("#token")).await.unwrap(), VALUE);
    let head = site.asked().remove(0).to_lowercase();
    assert!(head.contains(&format!("x-vault-token: {TOKEN}")), "{head}");
    assert!(head.contains("x-vault-request: true"), "{head}");
    for gone in ["#nothing", "?version=2#token"] {
        let found = resolved(&sources, &at(gone)).await;
        assert!(matches!(found, Err(Unresolved::Missing(_))), "{found:?}");
    }
    for unfit in ["#port", "#short"] {
        let found = resolved(&sources, &at(unfit)).await;
        assert!(matches!(found, Err(Unresolved::Unfit(_))), "{found:?}");
    }
}

#[tokio::test]
async fn x01_what_a_store_says_beside_a_value_reaches_no_error() {
    let site = Site::start().await;
    let canary = "canary-5d1f";
    says(&site, "/v1/secret/data/a", 403, canary);
    says(&site, "/v1/secret/data/b", 500, canary);
    says(
        &site,
        "/v1/secret/data/c",
        200,
        &format!("{{\"data\":\"{canary}"),
    );
    says(
        &site,
        "/v1/secret/data/d",
        200,
        &format!("{{\"{canary}\":1}}"),
    );
    let sources = vault(&site, &[]);
    for (path, kind) in [
        ("a", "Refused"),
        ("b", "Away"),
        ("c", "Away"),
        ("d", "Away"),
    ] {
        let found = resolved(&sources, &format!("vault://main/secret/{path}#f")).await;
        let error = found.unwrap_err();
        let shown = format!("{error:?} {error}");
        assert!(shown.starts_with(kind), "{shown}");
        assert!(!shown.contains(canary) && !shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn x03_references_lead_only_where_the_operator_lets_this_organization() {
    let site = Site::start().await;
    let body = version(&format!("{{\"token\":\"{VALUE}\"}}"));
    for path in ["team/app", "teams/app", "other", "team"] {
        says(&site, &format!("/v1/secret/data/{path}"), 200, &body);
    }
    let sources = vault(&site, &["secret/team"]);
    for (text, may) in [
        ("vault://main/secret/team/app#token", true),
        ("vault://main/secret/team#token", true),
        ("vault://main/secret/teams/app#token", false),
        ("vault://main/secret/other#token", false),
        ("vault://spare/secret/team/app#token", false),
        ("env://PATH", false),
        ("file:///etc/hostname", false),
        ("op://a/b/c", false),
    ] {
        let reference = Reference::parse(text).unwrap();
        let found = sources.resolve(ours(), &reference).await;
        assert_eq!(found.is_ok(), may, "{text}: {:?}", found.err());
        assert_eq!(sources.check(ours(), &reference).is_ok(), may, "{text}");
        let found = sources.resolve(others(), &reference).await;
        assert_eq!(found.err(), Some(Unresolved::NotAllowed), "{text}");
    }
    assert_eq!(site.asked().len(), 2, "nothing else was asked for");
}

const ID: &str = "abcdefghijklmnopqrstuvwxy1";
const ITEM: &str = "bbcdefghijklmnopqrstuvwxy2";

fn connect(site: &Site, only: &[&str]) -> References {
    let connect = Connect::new(address(site), Vec::new(), token())
        .only(only.iter().map(ToString::to_string).collect());
    References::default().with(Organizations::All, Source::OnePassword(connect))
}

fn item(site: &Site) {
    let list = format!("[{{\"id\":\"{ID}\",\"name\":\"Team Keys\"}}]");
    says(
        site,
        "/v1/vaults?filter=name%20eq%20%22Team%20Keys%22",
        200,
        &list,
    );
    let list = format!(
        "[{{\"id\":\"{ITEM}\",\"title\":\"GitHub\"}},{{\"id\":\"{ID}\",\"title\":\"GitHub old\"}}]"
    );
    let items = format!("/v1/vaults/{ID}/items");
    says(
        site,
        &format!("{items}?filter=title%20eq%20%22GitHub%22"),
        200,
        &list,
    );
    let two = format!(
        "[{{\"id\":\"{ITEM}\",\"title\":\"Twin\"}},{{\"id\":\"{ID}\",\"title\":\"Twin\"}}]"
    );
    says(
        site,
        &format!("{items}?filter=title%20eq%20%22Twin%22"),
        200,
        &two,
    );
    let body = format!(
        "{{\"id\":\"{ITEM}\",\"sections\":[{{\"id\":\"s1\",\"label\":\"admin\"}},{{\"id\":\"s2\",\"label\":\"bot\"}}],\
          \"fields\":[{{\"id\":\"f0\",\"label\":\"token\",\"value\":\"{VALUE}\"}},\
          {{\"id\":\"f1\",\"label\":\"token\",\"section\":{{\"id\":\"s1\"}},\"value\":\"of-the-admin\"}},\
          {{\"id\":\"f2\",\"label\":\"password\",\"section\":{{\"id\":\"s1\"}},\"value\":\"one-password\"}},\
          {{\"id\":\"f3\",\"label\":\"password\",\"section\":{{\"id\":\"s2\"}},\"value\":\"two-password\"}},\
          {{\"id\":\"f4\",\"label\":\"empty\"}}]}}"
    );
    says(site, &format!("{items}/{ITEM}"), 200, &body);
}

#[tokio::test]
async fn a_field_of_1password_is_found_by_names_and_by_ids() {
    let site = Site::start().await;
    item(&site);
    let sources = connect(&site, &[]);
    for (text, value) in [
        ("op://Team Keys/GitHub/token".to_owned(), VALUE),
        (format!("op://{ID}/{ITEM}/f0"), VALUE),
        ("op://Team Keys/GitHub/admin/token".into(), "of-the-admin"),
        ("op://Team Keys/GitHub/s2/password".into(), "two-password"),
        ("op://Team Keys/GitHub/bot/f3".into(), "two-password"),
    ] {
        assert_eq!(resolved(&sources, &text).await.unwrap(), value, "{text}");
    }
    let head = site.asked().remove(0).to_lowercase();
    let bearer = format!("authorization: bearer {TOKEN}");
    assert!(head.contains(&bearer), "{head}");
    for (text, kind) in [
        ("op://Team Keys/GitHub/password", "Ambiguous"),
        ("op://Team Keys/Twin/token", "Ambiguous"),
        ("op://Team Keys/GitHub/nothing", "Missing"),
        ("op://Team Keys/GitHub/empty", "Missing"),
        ("op://Team Keys/GitHub/nowhere/token", "Missing"),
        ("op://Team Keys/GitLab/token", "Missing"),
        ("op://Other Keys/GitHub/token", "Missing"),
    ] {
        let found = resolved(&sources, text).await.unwrap_err();
        assert!(format!("{found:?}").starts_with(kind), "{text}: {found:?}");
    }
    let fewer = connect(&site, &["Team Keys"]);
    assert!(
        resolved(&fewer, "op://Team Keys/GitHub/token")
            .await
            .is_ok()
    );
    let by_id = resolved(&fewer, &format!("op://{ID}/{ITEM}/f0")).await;
    assert_eq!(
        by_id,
        Err(Unresolved::NotAllowed),
        "another name of the same"
    );
}

#[tokio::test]
async fn a_store_that_is_away_or_without_a_token_says_so() {
    let site = Site::start().await;
    let sources = vault(&site, &[]);
    let gone = site.url();
    drop(site);
    let found = resolved(&sources, "vault://main/secret/a#f").await;
    let Err(Unresolved::Away { store, .. }) = &found else {
        panic!("{found:?}");
    };
    assert_eq!(store, "Vault main");
    let untokened: Token = Arc::new(|| Err("the file vault.token is gone".into()));
    let server = Server::new(
        "main".into(),
        Target::parse(&gone).unwrap(),
        Vec::new(),
        untokened,
    );
    let sources = References::default().with(Organizations::All, Source::Vault(server));
    let found = resolved(&sources, "vault://main/secret/a#f")
        .await
        .unwrap_err();
    assert!(found.to_string().contains("vault.token is gone"), "{found}");
}
