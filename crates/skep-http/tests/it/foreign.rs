//! Another tenant's ids: one answer, whether they exist or not, and nothing changes.

use skep_api::{ROUTES, RouteId};
use skep_test_support::{Request, TestDaemon};

use crate::bodies::{path, request, seed};

#[tokio::test(flavor = "multi_thread")]
async fn t01_foreign_and_invented_ids_are_the_same_answer_on_every_route() {
    let daemon = TestDaemon::start().await;
    seed(&daemon, &daemon.a).await;
    let theirs = seed(&daemon, &daemon.b).await;
    let token = daemon.a.token("owner");
    // The same shape with another tag: nobody's id.
    let invented = |id: &str| {
        let last = if id.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &id[..id.len() - 1])
    };
    let mut tried = 0;
    for route in ROUTES {
        let in_body = [
            RouteId::Resolve,
            RouteId::ConsentGive,
            RouteId::ConsentRevoke,
        ];
        if !route.path.contains("{id}") && !in_body.contains(&route.id) {
            continue;
        }
        tried += 1;
        let mut answers = Vec::new();
        for ids in [theirs.clone(), theirs.map(invented)] {
            let reply = request(route, &ids)
                .bearer(&token)
                .send(daemon.address)
                .await
                .unwrap();
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "PERMISSION_DENIED"),
                "{}",
                route.path
            );
            let mut body = reply.json();
            body["error"]["request_id"] = "".into();
            answers.push(body);
        }
        assert_eq!(answers[0], answers[1], "{}", route.path);
    }
    assert!(tried >= 20, "the table has routes with ids: {tried}");
    let reply = Request::new("GET", &path(RouteId::MemoryGet.row(), &theirs))
        .bearer(&daemon.b.token("owner"))
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(
        reply.json()["state"],
        "active",
        "the other tenant's memory is untouched"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_recall_and_lists_show_nothing_of_another_tenant() {
    let daemon = TestDaemon::start().await;
    let canary = "zanzibar-canary-7f3a";
    let text = format!("The {canary} gate opens at dawn.");
    let create =
        Request::new("POST", "/api/v1/memories").json(&serde_json::json!({ "text": text }));
    create
        .bearer(&daemon.b.token("owner"))
        .send(daemon.address)
        .await
        .unwrap();
    seed(&daemon, &daemon.a).await;
    daemon.tend(&daemon.a).await;
    daemon.tend(&daemon.b).await;
    let token = daemon.a.token("owner");
    let recall =
        Request::new("POST", "/api/v1/recall").json(&serde_json::json!({ "query": text, "k": 50 }));
    for request in [
        recall,
        Request::new("GET", "/api/v1/memories"),
        Request::new("GET", "/api/v1/sessions"),
    ] {
        let reply = request.bearer(&token).send(daemon.address).await.unwrap();
        assert_eq!(reply.status, 200);
        assert!(!String::from_utf8_lossy(&reply.body).contains(canary));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_cursors_fit_only_their_own_listing_and_workspace() {
    let daemon = TestDaemon::start().await;
    for tenant in [&daemon.a, &daemon.b] {
        for number in 0..3 {
            let text = format!("Berth {number} is {number} metres deep.");
            let create =
                Request::new("POST", "/api/v1/memories").json(&serde_json::json!({ "text": text }));
            create
                .bearer(&tenant.token("owner"))
                .send(daemon.address)
                .await
                .unwrap();
        }
    }
    let list = |query: String, token: String| {
        let address = daemon.address;
        async move {
            Request::new("GET", &format!("/api/v1/memories?{query}"))
                .bearer(&token)
                .send(address)
                .await
                .unwrap()
        }
    };
    let (a, b) = (daemon.a.token("owner"), daemon.b.token("owner"));
    let first = list("limit=2".into(), a.clone()).await.json();
    let cursor = first["next"].as_str().unwrap().to_owned();
    let second = list(format!("limit=2&cursor={cursor}"), a.clone())
        .await
        .json();
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    for (query, token) in [
        (format!("limit=2&cursor={cursor}"), b),
        (format!("limit=2&kind=fact&cursor={cursor}"), a.clone()),
        (
            format!("limit=2&cursor={}", cursor.replace(&cursor[..1], "f")),
            a.clone(),
        ),
        ("limit=0".into(), a.clone()),
        ("limit=201".into(), a.clone()),
        ("colour=red".into(), a),
    ] {
        let reply = list(query.clone(), token).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "VALIDATION_ERROR"),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t10_agents_recall_what_their_policy_allows() {
    let daemon = TestDaemon::start().await;
    let post = |path: &'static str, persona: &'static str, body: serde_json::Value| {
        let request = Request::new("POST", path)
            .bearer(&daemon.a.token(persona))
            .json(&body);
        let address = daemon.address;
        async move { request.send(address).await.unwrap().json() }
    };
    for (text, visibility) in [
        ("The crane code is shared with the workspace.", "workspace"),
        ("The crane code is the owner's own.", "own"),
        ("The crane code is private.", "private"),
    ] {
        post(
            "/api/v1/memories",
            "owner",
            serde_json::json!({ "text": text, "visibility": visibility }),
        )
        .await;
    }
    daemon.tend(&daemon.a).await;
    let mut seen = String::new();
    for persona in ["owner", "reader", "shared", "isolated"] {
        let answer = post(
            "/api/v1/recall",
            persona,
            serde_json::json!({ "query": "crane code" }),
        )
        .await;
        let mut visible: Vec<String> = answer["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["memory"]["visibility"].as_str().unwrap().to_owned())
            .collect();
        visible.sort();
        seen.push_str(&format!(
            "{persona}: {} visible, items {visible:?}\n",
            answer["visible"]
        ));
    }
    insta::assert_snapshot!(seen);
}
