//! What is read, and what of a good answer is kept.

use skep_domain::{MemoryKind, MemoryState, Trust, TurnRole};
use skep_llm::Dialect;
use skep_memory::read_transcript;
use skep_test_support::model::{ScriptedModel, Turn, anthropic, openai};

use super::{
    AGENT, HARBOUR, TOWER, USER, app, capture, closed, end, items, memories, modelled, reply, said,
    settings, state, tenant,
};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn x13_without_settings_nothing_leaves() {
    let world = World::new().await;
    let server = ScriptedModel::start(Vec::new());
    let off = world.start();
    closed(&world, &off, "one", HARBOUR).await;
    off.read_with_model(tenant(&world)).await.unwrap();
    assert_eq!(server.connections(), 0);
    // What was closed by then is read once somebody says so.
    let on = app(&world, &server, settings(Dialect::OpenAi));
    assert_eq!(state(&world, &on, &world.a).await.queue.due, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_answer_is_kept_as_a_models_word_in_both_dialects() {
    for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
        let world = World::new().await;
        let of = items(&[("reference", TOWER, &[2])]);
        let good = match dialect {
            Dialect::OpenAi => openai(&format!("```json\n{of}\n```"), 900, 60),
            Dialect::Anthropic => anthropic(&of, 900, 60),
        };
        let server = ScriptedModel::start(vec![Turn::Write(good)]);
        let app = app(&world, &server, settings(dialect));
        let session = closed(&world, &app, "one", HARBOUR).await;
        let by_rules = memories(&world, &app).await.len();
        app.read_with_model(tenant(&world)).await.unwrap();
        let kept = modelled(&world, &app).await;
        assert_eq!(kept.len(), 1, "{kept:?}");
        let memory = &kept[0];
        assert_eq!(memory.body.text, TOWER);
        assert_eq!(
            (memory.kind, memory.trust),
            (MemoryKind::Reference, Trust::Agent)
        );
        assert_eq!((memory.session, memory.turns.len()), (Some(session), 1));
        assert_eq!(memory.body.references, ["event-1"]);
        assert_eq!(memory.owner, {
            let all = memories(&world, &app).await;
            all[0].owner
        });
        assert_eq!(memories(&world, &app).await.len(), by_rules + 1);
        let now = state(&world, &app, &world.a).await;
        assert_eq!((now.today.calls, now.today.tokens()), (1, 960));
        assert_eq!(now.today.cost(), 900 + 4 * 60);
        assert_eq!((now.queue.due, now.today.reserved.tokens), (0, 0));
        app.read_with_model(tenant(&world)).await.unwrap();
        assert_eq!(server.connections(), 1, "once is enough");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_said_leaves_without_its_secrets() {
    let world = World::new().await;
    let server = ScriptedModel::start(vec![reply(&[])]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    let key = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let with_key = format!("{} The token is {key}, keep it to yourself.", HARBOUR[0].1);
    let mut turns = said(&[
        (USER, &with_key),
        HARBOUR[1],
        (TurnRole::ToolResult, "drwxr-xr-x canary-of-a-tool"),
        (
            AGENT,
            "That was said on a way not taken: canary-of-a-branch.",
        ),
    ]);
    turns[3].branch = skep_app::Branch::Abandoned;
    let session = capture(&world, &app, &world.a, "one", turns).await;
    end(&world, &app, session).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let asked = server.asked();
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    let user = body["messages"][1]["content"].as_str().unwrap();
    let shown = read_transcript(user).unwrap();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(
        !asked[0].body.contains(key) && !asked[0].body.contains("canary"),
        "{user}"
    );
    assert!(shown[0].2.contains("[redacted:"), "{}", shown[0].2);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_is_counted_and_nothing_of_it_is_kept() {
    let world = World::new().await;
    let server = ScriptedModel::start(vec![reply(&[
        ("procedure", TOWER, &[2]),
        ("reference", TOWER, &[3]),
        (
            "reference",
            "The south tower `LT-9` shows a green light.",
            &[2],
        ),
        (
            "reference",
            "The south tower `LT-4` shows no green light.",
            &[2],
        ),
        (
            "fact",
            "Perhaps the south tower `LT-4` shows a green light.",
            &[2],
        ),
        ("fact", "green light", &[2]),
    ])]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    closed(&world, &app, "one", HARBOUR).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    assert!(modelled(&world, &app).await.is_empty());
    let refused = state(&world, &app, &world.a).await.today.refused;
    let refused: Vec<(&str, u64)> = refused.iter().map(|(r, n)| (r.as_str(), *n)).collect();
    assert_eq!(
        refused,
        [
            ("guess", 1),
            ("kind", 1),
            ("length", 1),
            ("no-such-turn", 1),
            ("not-grounded", 1),
            ("turned-around", 1)
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_what_a_model_read_bounds_what_it_is_trusted() {
    let world = World::new().await;
    let server = ScriptedModel::start(vec![reply(&[("reference", TOWER, &[3])])]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    let web = (TurnRole::ToolCall, "https://lights.example");
    closed(&world, &app, "one", &[HARBOUR[0], web, HARBOUR[1]]).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    assert!(
        modelled(&world, &app).await.is_empty(),
        "two turns were shown"
    );
    server.then(reply(&[("reference", TOWER, &[2])]));
    closed(&world, &app, "two", &[HARBOUR[0], web, HARBOUR[1]]).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    assert_eq!(modelled(&world, &app).await[0].trust, Trust::External);
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_what_a_person_says_takes_the_place_of_a_models_words_and_never_the_other_way() {
    let world = World::new().await;
    let rule =
        "Always moor the ferries at berth `B6`, because it is the deepest one of the harbour.";
    let near = "Always moor ferries at berth `B6`, because it is the deepest one of the harbour.";
    let server = ScriptedModel::start(vec![
        reply(&[("convention", near, &[1])]),
        reply(&[("convention", near, &[1])]),
        reply(&[("decision", "Never moor the ferries at berth `B6`.", &[3])]),
    ]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    let long = "The ferries come in at night, and the harbour needs lights at each of the berths for them to be seen at all.";
    closed(&world, &app, "agent", &[(AGENT, &format!("{near} {long}"))]).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let before = memories(&world, &app).await;
    assert!(
        before.iter().all(|memory| memory.trust == Trust::Agent),
        "{before:?}"
    );

    closed(&world, &app, "person", &[(USER, rule), (AGENT, long)]).await;
    let said: Vec<_> = memories(&world, &app).await;
    let rules: Vec<_> = said
        .iter()
        .filter(|memory| memory.body.text.contains("B6"))
        .collect();
    assert_eq!(rules.len(), 1, "{rules:?}");
    assert_eq!(
        (rules[0].trust, rules[0].body.text.as_str()),
        (Trust::User, rule)
    );
    app.read_with_model(tenant(&world)).await.unwrap();
    assert!(
        modelled(&world, &app).await.is_empty(),
        "a copy is no second memory"
    );

    let other = [
        (USER, HARBOUR[0].1),
        (AGENT, long),
        (AGENT, "Never moor the ferries at berth `B6`."),
    ];
    closed(&world, &app, "other", &other).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let still = memories(&world, &app).await;
    assert!(
        still
            .iter()
            .any(|memory| memory.body.text == rule && memory.state == MemoryState::Active),
        "a weaker word takes no place: {still:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_session_takes_back_later_falls_when_it_goes_on() {
    let world = World::new().await;
    let claim = "The lamp of `LT-4` flickers because the relay is loose.";
    let server = ScriptedModel::start(vec![reply(&[("gotcha", claim, &[2])]), reply(&[])]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    let first = [
        (
            USER,
            "Tell me about the lamp, and the other things of the south tower that the keeper has written up this week, for the board of the \
             harbour meets tomorrow morning and wants an account of repairs, costs and dates.",
        ),
        (
            AGENT,
            "Of the south tower there is this to tell. The lamp of `LT-4` flickers because the relay is loose. The keeper has written it up on Monday.",
        ),
    ];
    let session = closed(&world, &app, "one", &first).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let all = memories(&world, &app).await;
    assert!(
        all.iter().any(|memory| memory.body.text.contains("relay")),
        "{all:?}"
    );
    let more: Vec<_> = first
        .iter()
        .copied()
        .chain([(USER, "That wasn't it.")])
        .collect();
    capture(&world, &app, &world.a, "one", said(&more)).await;
    end(&world, &app, session).await;
    let left = modelled(&world, &app).await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_goes_on_is_read_from_where_it_was_left() {
    let world = World::new().await;
    let server = ScriptedModel::start(vec![reply(&[]), reply(&[])]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    let session = closed(&world, &app, "one", HARBOUR).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let more = "The ferries are moored by the lee side in winter, since ice drifts in from the north and blocks the outer berths, and a \
                tug with a strong hull breaks a lane through the basin each morning before the early boat sails for the islands.";
    let all: Vec<_> = HARBOUR.iter().copied().chain([(USER, more)]).collect();
    capture(&world, &app, &world.a, "one", said(&all)).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    assert_eq!(server.connections(), 1, "it is not closed yet");
    end(&world, &app, session).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].body.contains("ice drifts") && !asked[1].body.contains("LT-4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn talk_histories_and_the_words_of_several_are_not_sent() {
    let world = World::new().await;
    let server = ScriptedModel::start(Vec::new());
    let app = app(&world, &server, settings(Dialect::OpenAi));
    closed(&world, &app, "talk", &[(USER, "Hello?"), (AGENT, "Hello.")]).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    assert_eq!(
        state(&world, &app, &world.a).await.queue.due,
        0,
        "it is done with"
    );
    assert_eq!(server.connections(), 0);
}
