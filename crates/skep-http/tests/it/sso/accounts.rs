//! Whose account an issuer may open: those it made, and those that were linked to it.

use serde_json::{Value, json};
use skep_app::{Credentials, LoginStep, SsoChange};
use skep_domain::{Id, OrganizationRole, UserId};
use skep_store::Mode;
use skep_test_support::{Reply, Request, TestDaemon, Visitor, issuer};

use super::{Stage, cookie, session};
use crate::logins::{PASSWORD, code};

const ADDRESS: &str = "maria@hive.example";

/// Makes Maria an administrator of the first organization, with a password; gives her session and what it
/// says beside it.
async fn maria(daemon: &TestDaemon) -> (String, String) {
    let invite = json!({ "address": ADDRESS, "role": "admin" });
    let owner = daemon.a.token("owner");
    let request = Request::new("POST", "/api/v1/invites").bearer(&owner);
    let invited = request.json(&invite).send(daemon.address).await.unwrap();
    let token = &invited.json()["token"];
    let body = json!({ "token": token, "name": "Maria", "password": PASSWORD });
    let request = Request::new("POST", "/api/v1/auth/invite").json(&body);
    let reply = request.send(daemon.address).await.unwrap();
    let csrf = reply.json()["csrf_token"].as_str().unwrap().to_owned();
    (session(&reply).unwrap(), csrf)
}

async fn post(stage: &Stage, (cookie, csrf): (&str, &str), path: &str, body: &Value) -> Reply {
    let request = Request::new("POST", path)
        .header("Cookie", cookie)
        .header("X-CSRF-Token", csrf);
    stage.send(request.json(body)).await
}

/// What the account page's form does.
async fn on_page(stage: &Stage, cookie: &str, what: &str, password: &str) -> Reply {
    let page = stage.get("/account", cookie).await.text();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
    let csrf = csrf.split('"').next().unwrap();
    let form = Request::new("POST", "/account").header("Cookie", cookie);
    let fields = [("csrf", csrf), ("do", what), ("password", password)];
    stage.send(form.form(&fields)).await
}

/// Links Maria's account, as she would with her browser.
async fn link(stage: &Stage, cookie_of_hers: &str, change: impl FnOnce(&mut Value)) -> Reply {
    let page = on_page(stage, cookie_of_hers, "link", PASSWORD).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    let location = text.split("<a href=\"").nth(1).unwrap();
    let location = location.split('"').next().unwrap().replace("&amp;", "&");
    let mut begun = stage.begun(&location, &cookie(&page, "skep-local-sso").unwrap());
    begun.cookie = format!("{}; {cookie_of_hers}", begun.cookie);
    let mut claims = stage.claims(&begun);
    change(&mut claims);
    stage.give(&claims);
    stage.answer(&begun, "").await
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing at the edge moves members about"
)]
async fn join_the_second(stage: &Stage, user: UserId) {
    let mut tx = stage.daemon.store.begin_door(Mode::Write).await.unwrap();
    let organization = stage.daemon.b.organization;
    tx.put_member(organization, user, OrganizationRole::Owner)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn user(stage: &Stage, address: &str) -> UserId {
    let credentials = Credentials::new(address.into(), PASSWORD.into());
    let step = stage.daemon.app.log_in(&credentials).await.unwrap();
    let LoginStep::In(inside) = step else {
        panic!("a second factor")
    };
    let caller = stage
        .daemon
        .app
        .authenticate_browser(inside.cookie.expose().as_bytes());
    match caller.await.unwrap().principal() {
        skep_domain::Principal::User(user) => user,
        skep_domain::Principal::Agent(_) => panic!("an agent"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_an_issuer_opens_no_account_that_was_not_linked_to_it() {
    let stage = Stage::new().await;
    let (hers, _) = maria(&stage.daemon).await;
    let members = stage.members().await;
    let before = stage.whoami(&hers).await;
    let refused = stage.sign_in(|_| {}).await;
    assert_eq!((refused.status, session(&refused)), (409, None));
    assert!(
        refused.text().contains("link this sign-in"),
        "{}",
        refused.text()
    );
    // An address that the issuer did not verify is no reason to tell anybody who is here.
    let told = stage.sign_in(|claims| {
        claims["email_verified"] = json!(false);
        claims["email"] = json!("MARIA@hive.example");
    });
    assert_eq!(told.await.status, 401);
    assert_eq!(stage.members().await, members);
    assert_eq!(link(&stage, &hers, |_| {}).await.status, 303);
    let came_in = stage.sign_in(|_| {}).await;
    let theirs = session(&came_in).unwrap();
    assert_eq!(
        stage.whoami(&theirs).await["principal"],
        before["principal"]
    );
    assert_eq!(stage.members().await, members);
    // Unlinked, it is as before, and what came of it is over.
    assert_eq!(on_page(&stage, &hers, "unlink", "wrong").await.status, 400);
    assert_eq!(on_page(&stage, &hers, "unlink", PASSWORD).await.status, 303);
    assert_eq!(stage.get("/api/v1/whoami", &theirs).await.status, 401);
    assert_eq!(stage.sign_in(|_| {}).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_an_account_of_another_organization_is_neither_opened_nor_told_of() {
    let stage = Stage::new().await;
    maria(&stage.daemon).await;
    // The second organization trusts the same issuer: what it says there is about somebody else.
    stage.trust(&stage.daemon.b, "beta", stage.change()).await;
    let begun = stage.begin_at("beta").await;
    stage.give(&stage.claims(&begun));
    let reply = stage.answer(&begun, "").await;
    let who = stage.whoami(&session(&reply).unwrap()).await;
    let maria = user(&stage, ADDRESS).await;
    let theirs = who["principal"].as_str().unwrap();
    assert!(!theirs.contains(&format!("{:x}", u128::from_be_bytes(maria.to_bytes()))));
    // Her address still finds her, and nobody else.
    assert_eq!(user(&stage, ADDRESS).await, maria);
    let twice = stage.begin_at("beta").await;
    stage.give(&stage.claims(&twice));
    let twice = stage.answer(&twice, "").await;
    assert_eq!(
        stage.whoami(&session(&twice).unwrap()).await["principal"],
        who["principal"]
    );
    // The first organization's place does not take what was begun for the second.
    assert_eq!(stage.sign_in(|_| {}).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_whoever_an_issuer_lets_in_is_in_that_organization_alone() {
    let stage = Stage::new().await;
    let (hers, _) = maria(&stage.daemon).await;
    join_the_second(&stage, user(&stage, ADDRESS).await).await;
    let linked = link(&stage, &hers, |_| {}).await;
    assert_eq!(
        linked.status,
        303,
        "{} {}",
        linked.text(),
        stage.why().await
    );
    let reply = stage.sign_in(|_| {}).await;
    assert_eq!(reply.status, 303, "{} {}", reply.text(), stage.why().await);
    let theirs = session(&reply).unwrap();
    let listed = async |cookie: &str| {
        let reply = stage.get("/api/v1/orgs", cookie).await;
        reply.json()["items"].as_array().unwrap().len()
    };
    assert_eq!((listed(&hers).await, listed(&theirs).await), (2, 1));
    let cookie = theirs.split_once('=').unwrap().1;
    let confined = stage
        .daemon
        .app
        .authenticate_browser(cookie.as_bytes())
        .await
        .unwrap();
    let free = hers.split_once('=').unwrap().1;
    let free = stage
        .daemon
        .app
        .authenticate_browser(free.as_bytes())
        .await
        .unwrap();
    let homes = async |caller| stage.daemon.app.list_homes(caller).await.unwrap().len();
    assert_eq!((homes(&free).await, homes(&confined).await), (2, 1));
    // A token of hers made there shows no more than what it was made with.
    let csrf = stage.daemon.app.csrf_token(confined.credential());
    let new = json!({ "label": "script", "expires_at": "2026-06-01T00:00:00Z" });
    let made = post(&stage, (&theirs, &csrf), "/api/v1/tokens", &new).await;
    let token = made.json()["secret"].as_str().unwrap().to_owned();
    let seen = Request::new("GET", "/api/v1/orgs").bearer(&token);
    assert_eq!(
        stage.send(seen).await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // Nor does she link or unlink anything from there.
    assert!(
        !stage
            .get("/account", &theirs)
            .await
            .text()
            .contains("organization's sign-in")
    );
    assert_eq!(on_page(&stage, &theirs, "link", PASSWORD).await.status, 403);
    assert_eq!(
        on_page(&stage, &theirs, "unlink", PASSWORD).await.status,
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_linking_is_for_whoever_began_it_and_showed_who_they_are() {
    let stage = Stage::new().await;
    let (hers, _) = maria(&stage.daemon).await;
    assert_eq!(
        on_page(&stage, &hers, "link", "not the password")
            .await
            .status,
        400
    );
    // Begun by her, answered in a browser that she is not logged in with, or somebody else is.
    let jonas = stage.sign_in(|claims| {
        claims["sub"] = json!("s-2");
        claims["email"] = json!("jonas@hive.example");
    });
    let jonas = session(&jonas.await).unwrap();
    let visitor = Visitor::of(&stage.daemon.store, &stage.daemon.a).await;
    let visitor = visitor.unwrap().cookie;
    for other in ["", jonas.as_str(), visitor.as_str()] {
        let page = on_page(&stage, &hers, "link", PASSWORD).await.text();
        let location = page
            .split("<a href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let location = location.replace("&amp;", "&");
        let page = on_page(&stage, &hers, "link", PASSWORD).await;
        let text = page.text();
        let fresh = text
            .split("<a href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let fresh = fresh.replace("&amp;", "&");
        assert_ne!(location, fresh);
        let mut begun = stage.begun(&fresh, &cookie(&page, "skep-local-sso").unwrap());
        begun.cookie = format!("{}; {other}", begun.cookie);
        stage.give(&stage.claims(&begun));
        assert_eq!(stage.answer(&begun, "").await.status, 401, "{other}");
    }
    // What the issuer calls Jonas is his already.
    let taken = link(&stage, &hers, |claims| {
        claims["sub"] = json!("s-2");
        claims["email"] = json!("jonas@hive.example");
    });
    assert_eq!(taken.await.status, 409);
    // Linking lets nobody past what the organization asks for.
    let foreign = link(&stage, &hers, |claims| {
        claims["email"] = json!("m@evil.example");
    });
    assert_eq!(foreign.await.status, 401);
    assert_eq!(link(&stage, &hers, |_| {}).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_the_suspended_stay_out_and_the_removed_come_as_new() {
    let stage = Stage::new().await;
    let first = stage.sign_in(|_| {}).await;
    let first = session(&first).unwrap();
    let who = stage.whoami(&first).await["principal"]
        .as_str()
        .unwrap()
        .to_owned();
    let owner = stage.daemon.a.token("owner");
    let edit = async |standing: &str| {
        let path = format!("/api/v1/members/{who}");
        let request = Request::new("PATCH", &path).bearer(&owner);
        let reply = stage
            .send(request.json(&json!({ "standing": standing })))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    };
    edit("suspended").await;
    assert_eq!(stage.get("/api/v1/whoami", &first).await.status, 401);
    assert_eq!(stage.sign_in(|_| {}).await.status, 401);
    assert!(stage.why().await.contains("suspended"));
    edit("active").await;
    assert!(session(&stage.sign_in(|_| {}).await).is_some());
    let remove = Request::new("POST", &format!("/api/v1/members/{who}/remove"));
    let removed = stage
        .send(remove.bearer(&owner).header("Content-Length", "0"))
        .await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert_eq!(stage.get("/api/v1/whoami", &first).await.status, 401);
    let anew = stage.sign_in(|_| {}).await;
    assert_ne!(
        stage.whoami(&session(&anew).unwrap()).await["principal"],
        who
    );
    // A member with a password who was suspended does not come back as somebody new.
    maria(&stage.daemon).await;
    let maria = user(&stage, ADDRESS).await;
    suspend(&stage, maria).await;
    let stranger = |claims: &mut Value| claims["sub"] = json!("s-9");
    assert_eq!(stage.sign_in(stranger).await.status, 409);
}

async fn suspend(stage: &Stage, user: UserId) {
    let right: skep_authz::Authorized<skep_authz::rights::MemberManage> = {
        let owner = stage.daemon.a.caller(&stage.daemon.store, "owner").await;
        owner.authorize().unwrap()
    };
    let mut tx = stage.daemon.store.begin_org(right).await.unwrap();
    tx.set_member_standing(user, skep_domain::Standing::Suspended)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_whoever_has_a_second_factor_shows_it_after_their_issuer_too() {
    let stage = Stage::new().await;
    let (hers, csrf) = maria(&stage.daemon).await;
    link(&stage, &hers, |_| {}).await;
    let password = json!({ "password": PASSWORD });
    let new = post(&stage, (&hers, &csrf), "/api/v1/auth/mfa/totp", &password)
        .await
        .json();
    let secret = new["secret"].as_str().unwrap();
    let code = |daemon: &TestDaemon| code(daemon, secret);
    let first = json!({ "code": code(&stage.daemon) });
    let confirmed = post(
        &stage,
        (&hers, &csrf),
        "/api/v1/auth/mfa/totp/confirm",
        &first,
    )
    .await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    let owed = stage.sign_in(|_| {}).await;
    assert_eq!((owed.status, session(&owed)), (200, None));
    let text = owed.text();
    let pending = text.split("name=\"pending\" value=\"").nth(1).unwrap();
    let pending = pending.split('"').next().unwrap();
    stage.daemon.clock.advance_seconds(30);
    // Not after the organization has stopped taking the issuer's word.
    let off = SsoChange {
        enabled: false,
        ..stage.change()
    };
    let set = async |change| {
        let right = stage.right(&stage.daemon.a).await;
        stage.daemon.app.set_sso(right, change).await.unwrap();
    };
    set(off).await;
    let fields = [("pending", pending), ("code", &code(&stage.daemon))];
    let late = stage
        .send(Request::new("POST", "/login/second").form(&fields))
        .await;
    assert_eq!((late.status, session(&late)), (401, None));
    set(stage.change()).await;
    let fields = [("pending", pending), ("code", &code(&stage.daemon))];
    let inside = stage
        .send(Request::new("POST", "/login/second").form(&fields))
        .await;
    let inside = session(&inside).unwrap();
    let cookie = inside.split_once('=').unwrap().1;
    let caller = stage
        .daemon
        .app
        .authenticate_browser(cookie.as_bytes())
        .await
        .unwrap();
    assert!(caller.is_confined(), "by way of the second step as well");
    // And it stays so when the session is renewed.
    stage.daemon.clock.advance_seconds(30);
    let csrf = stage.daemon.app.csrf_token(caller.credential());
    let again = json!({ "code": code(&stage.daemon) });
    let renewed = post(&stage, (&inside, &csrf), "/api/v1/auth/step-up", &again).await;
    let renewed = session(&renewed).unwrap();
    let cookie = renewed.split_once('=').unwrap().1;
    let caller = stage
        .daemon
        .app
        .authenticate_browser(cookie.as_bytes())
        .await
        .unwrap();
    assert!(caller.is_confined());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_come_for_the_first_time_at_once_are_one() {
    let stage = Stage::new().await;
    let before = stage.members().await;
    let mut begun = Vec::new();
    for _ in 0..4 {
        begun.push(stage.begin().await);
    }
    // Each with a code of its own: the issuer gives the token of whoever asks with the verifier.
    let mut replies = Vec::new();
    for one in &begun {
        stage.give(&stage.claims(one));
        replies.push(stage.answer(one, "").await);
    }
    assert!(replies.iter().all(|reply| session(reply).is_some()));
    assert_eq!(stage.members().await, before + 1);
    let header = json!({ "alg": "EdDSA", "kid": "one" });
    let token = issuer::token(&header, &stage.claims(&begun[0]), &issuer::key(1));
    assert!(token.len() < 16 << 10);
}
