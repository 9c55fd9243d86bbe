//! The counters of capture keep count: of everything that was sent, in whatever order people pause,
//! opt out, bind, send again and erase, each turn ends in exactly one of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use skep_app::{
    App, Branch, Capture, CaptureSettings, DenyRules, DropPart, Settings, ToolRule, TurnIn,
};
use skep_authz::rights;
use skep_domain::{CaptureOrigin, Harness, SessionId, Timestamp, TurnOutcome, TurnRole};
use skep_index::StaticEmbedder;
use skep_store::PausedSession;

use crate::world::World;

/// What somebody does.
#[derive(Clone, Debug)]
enum Deed {
    Send {
        session: u8,
        bound: bool,
        import: bool,
        turns: Vec<(u8, Said)>,
    },
    Pause {
        everyone: bool,
        session: Option<u8>,
        seconds: Option<u64>,
    },
    Resume {
        everyone: bool,
        session: Option<u8>,
    },
    Bind(bool),
    Wait,
    Erase(u8),
}

/// What a turn says.
#[derive(Clone, Copy, Debug)]
enum Said {
    Plain,
    Secret,
    Private,
    Long,
    Denied,
    Refused,
    Result,
}

fn deed() -> impl Strategy<Value = Deed> {
    let said = prop::sample::select(
        &[
            Said::Plain,
            Said::Plain,
            Said::Secret,
            Said::Private,
            Said::Long,
            Said::Denied,
            Said::Refused,
            Said::Result,
        ][..],
    );
    let turns = prop::collection::vec((0u8..12, said), 0..6);
    let session = prop::option::weighted(0.3, 0u8..3);
    prop_oneof![
        6 => (0u8..3, any::<bool>(), prop::bool::weighted(0.2), turns)
            .prop_map(|(session, bound, import, turns)| Deed::Send { session, bound, import, turns }),
        1 => (any::<bool>(), session.clone(), prop::option::of(1u64..60))
            .prop_map(|(everyone, session, seconds)| Deed::Pause { everyone, session, seconds }),
        1 => (any::<bool>(), session).prop_map(|(everyone, session)| Deed::Resume { everyone, session }),
        1 => any::<bool>().prop_map(Deed::Bind),
        1 => Just(Deed::Wait),
        1 => (0u8..3).prop_map(Deed::Erase),
    ]
}

fn turn((event, said): (u8, Said)) -> TurnIn {
    let (role, tool, text, path) = match said {
        Said::Plain => (TurnRole::User, None, "The berth is free.".to_owned(), None),
        Said::Secret => (
            TurnRole::User,
            None,
            format!("The key is ghp_16C7e42F292c69{}.", "12E7710c838347Ae178B4a"),
            None,
        ),
        Said::Private => (
            TurnRole::User,
            None,
            "It is <private>so</private>.".into(),
            None,
        ),
        Said::Long => (TurnRole::Assistant, None, "berth ".repeat(20_000), None),
        Said::Denied => (
            TurnRole::ToolCall,
            Some("Read"),
            "cat .env".into(),
            Some("/w/.env"),
        ),
        Said::Refused => (
            TurnRole::ToolCall,
            Some("screenshot"),
            "of the pier".into(),
            None,
        ),
        Said::Result => (TurnRole::ToolResult, Some("Read"), "A=1".into(), None),
    };
    TurnIn {
        author: None,
        client_event_id: format!("event-{event}"),
        role,
        at: Timestamp::from_millis(1_767_225_600_000),
        text,
        tool: tool.map(str::to_owned),
        is_error: false,
        paths: path.map(str::to_owned).into_iter().collect(),
        branch: Branch::Main,
    }
}

fn named(session: u8) -> PausedSession {
    PausedSession {
        harness: Harness::ClaudeCode,
        external_id: format!("session-{session}"),
    }
}

/// What was sent, and what was said to have become of it.
#[derive(Default)]
struct Tally {
    sent: u64,
    outcomes: Vec<TurnOutcome>,
    /// Stored turns of each session that is there.
    stored: [u64; 3],
    ids: [Option<SessionId>; 3],
    events: [BTreeSet<u8>; 3],
}

impl Tally {
    async fn send(&mut self, world: &World, app: &App, deed: &Deed) {
        let Deed::Send {
            session,
            bound,
            import,
            turns,
        } = deed
        else {
            return;
        };
        let at = usize::from(*session);
        let batch = Capture {
            harness: Harness::ClaudeCode,
            external_id: named(*session).external_id,
            title: None,
            project: None,
            cwd: Some(if *bound { "/w/app" } else { "/elsewhere" }.into()),
            turns: turns.iter().copied().map(turn).collect(),
            cursor: None,
            origin: if *import {
                CaptureOrigin::Import
            } else {
                CaptureOrigin::Live
            },
            spool: None,
            ended: false,
        };
        let right = world.may::<rights::SessionCapture>(&world.a).await;
        let captured = app.capture(right, batch).await.unwrap();
        assert_eq!(captured.outcomes.len(), turns.len(), "one outcome for each");
        self.sent += turns.len() as u64;
        for ((event, said), outcome) in turns.iter().zip(&captured.outcomes) {
            let is_known = self.events[at].contains(event);
            match outcome {
                TurnOutcome::Duplicate => assert!(is_known, "{said:?}"),
                outcome if outcome.is_new() => {
                    assert!(self.events[at].insert(*event), "{said:?} stored twice");
                    self.stored[at] += 1;
                }
                _ => {}
            }
            match said {
                Said::Plain | Said::Result => {}
                Said::Refused => assert!(outcome.is_refused()),
                Said::Denied | Said::Secret | Said::Private | Said::Long => {
                    assert_ne!(*outcome, TurnOutcome::Stored, "{said:?}");
                }
            }
        }
        if captured.session.is_some() {
            self.ids[at] = captured.session;
        } else {
            assert!(captured.note.is_some() && captured.outcomes.iter().all(|it| it.is_refused()));
        }
        self.outcomes.extend(captured.outcomes);
    }

    /// What the daemon says is what was said turn by turn, and what is stored.
    async fn check(&self, world: &World, app: &App) {
        let status = app.status(world.may(&world.a).await).await.unwrap();
        assert_eq!(status.capture.received, self.sent);
        for outcome in TurnOutcome::ALL {
            let said = self.outcomes.iter().filter(|it| *it == outcome).count() as u64;
            let counted = status.capture.outcomes.iter().find(|(it, _)| it == outcome);
            assert_eq!(counted.map_or(0, |(_, turns)| *turns), said, "{outcome:?}");
        }
        assert_eq!(status.counts.turns, self.stored.iter().sum::<u64>());
        let theirs = app.status(world.may(&world.b).await).await.unwrap();
        assert_eq!((theirs.capture.received, theirs.counts.turns), (0, 0));
    }
}

async fn act(world: &World, app: &App, tally: &mut Tally, deed: &Deed) {
    let capturing = world.may::<rights::SessionCapture>(&world.a).await;
    match deed {
        Deed::Send { .. } => tally.send(world, app, deed).await,
        Deed::Pause {
            everyone,
            session,
            seconds,
        } => {
            let all = everyone.then_some(world.may(&world.a).await);
            let session = session.map(named);
            app.pause_capture(capturing, all, session, *seconds)
                .await
                .unwrap();
        }
        Deed::Resume { everyone, session } => {
            let all = everyone.then_some(world.may(&world.a).await);
            app.resume_capture(capturing, all, session.map(named))
                .await
                .unwrap();
        }
        Deed::Bind(true) => {
            let right = world.may(&world.a).await;
            app.bind_directory(right, "/w", "harbour").await.unwrap();
        }
        Deed::Bind(false) => {
            app.unbind_directory(world.may(&world.a).await, "/w")
                .await
                .unwrap();
        }
        Deed::Wait => world.clock.advance_seconds(45),
        Deed::Erase(session) => {
            let at = usize::from(*session);
            if let Some(id) = tally.ids[at].take() {
                let right = world.may::<rights::MemoryDelete>(&world.a).await;
                app.erase_session(right, id).await.unwrap();
                (tally.stored[at], tally.events[at]) = (0, BTreeSet::new());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn x13_every_turn_ends_in_one_counter_whatever_is_paused_bound_or_erased(
        deeds in prop::collection::vec(deed(), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let tool = ToolRule { tool: "screenshot*".into(), drop: DropPart::Call };
            let deny = DenyRules::new(&[".env".into()], &[tool]).unwrap();
            let settings = CaptureSettings { deny, ..CaptureSettings::default() };
            let app = world.start_with(Arc::new(StaticEmbedder::built_in()), Settings::default()).with_capture(settings);
            let mut tally = Tally::default();
            for deed in &deeds {
                act(&world, &app, &mut tally, deed).await;
                tally.check(&world, &app).await;
            }
            // Another daemon over the same files counts the same.
            tally.check(&world, &world.start()).await;
        });
    }
}
