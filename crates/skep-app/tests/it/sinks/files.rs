//! Folders that everything is written to.

use std::path::Path;
use std::sync::Arc;

use skep_app::{App, FileSink, Log, SinkDesk, SinkSettings, Wanted};
use skep_authz::rights;
use skep_ledger::leaf_hash;

use super::{decide, ids, recorded, spend};
use crate::world::World;

fn app(world: &World, folder: &Path, events: &[&str]) -> Arc<App> {
    let wanted = Wanted {
        logs: Vec::new(),
        events: events.iter().map(|one| (*one).to_owned()).collect(),
    };
    let file = FileSink {
        name: "archive".into(),
        folder: folder.to_owned(),
        wanted: wanted.completed(),
        rotate: 64 << 10,
    };
    let settings = SinkSettings {
        files: vec![file],
        ..SinkSettings::default()
    };
    Arc::new(world.start().with_sinks(settings))
}

/// The entries of all files, in their order: log, organization, id.
fn written(folder: &Path) -> Vec<(String, String, String)> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    names.sort();
    let mut found = Vec::new();
    for path in names {
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let Ok(record) = serde_json::from_str::<serde_json::Value>(line) else {
                continue;
            };
            let entry = line.split_once(r#""entry":"#).unwrap().1;
            let leaf = leaf_hash(&entry.as_bytes()[..entry.len() - 1]);
            assert_eq!(record["leaf"], skep_ledger::digits(&leaf));
            let text = |name: &str| record["entry"][name].as_str().unwrap().to_owned();
            found.push((text("log"), text("organization"), text("id")));
        }
    }
    found
}

fn of(written: &[(String, String, String)], organization: [u8; 16]) -> Vec<String> {
    let own = skep_ledger::id_text(organization);
    let own = written
        .iter()
        .filter(|(log, of, _)| log == "audit" && *of == own);
    own.map(|(.., id)| id.clone()).collect()
}

fn bytes(id: skep_domain::OrganizationId) -> [u8; 16] {
    skep_domain::Id::to_bytes(id)
}

#[tokio::test]
async fn l06_a_folder_has_every_entry_of_every_organization() {
    let world = World::new().await;
    let folder = world.scratch.path().join("out");
    let desk = SinkDesk::new(app(&world, &folder, &[]));
    let (a, b) = (world.a.organization, world.b.organization);
    decide(&world, a, "work", 700).await;
    decide(&world, b, "work", 5).await;
    spend(&world, b, 7).await;
    desk.turn().await;
    let (of_a, of_b) = (recorded(&world, a).await, recorded(&world, b).await);
    let all = written(&folder);
    assert_eq!(ids(&of_a, "work").len(), 700);
    assert_eq!(of(&all, bytes(a)), all_ids(&of_a));
    assert_eq!(of(&all, bytes(b)), all_ids(&of_b));
    assert_eq!(all.iter().filter(|(log, ..)| log == "usage").count(), 7);
    assert!(
        std::fs::read_dir(&folder).unwrap().count() > 1,
        "one file grew for ever"
    );

    // Whoever wrote the last line was killed in it, and had not moved on.
    let torn = folder.join("archive-00000099.jsonl");
    std::fs::write(&torn, "{\"leaf\":\"00").unwrap();
    decide(&world, a, "work", 3).await;
    let desk = SinkDesk::new(app(&world, &folder, &[]));
    desk.take_over().await.unwrap();
    desk.turn().await;
    assert_eq!(
        of(&written(&folder), bytes(a)),
        all_ids(&recorded(&world, a).await)
    );
    let text = std::fs::read_to_string(&torn).unwrap();
    assert!(text.starts_with("{\"leaf\":\"00\n{\"leaf\":"), "{text}");
    desk.turn().await;
    assert_eq!(
        std::fs::read_to_string(&torn).unwrap(),
        text,
        "it was written twice"
    );
}

#[tokio::test]
async fn l06_many_logs_that_are_behind_keep_none_from_its_turn() {
    let world = World::new().await;
    let folder = world.scratch.path().join("out");
    let desk = SinkDesk::new(app(&world, &folder, &[]));
    // Each has more than a round gives it.
    let organization = |number: u8| {
        let mut id = [number; 16];
        id[0] = 0xf0;
        id
    };
    for number in 0..40 {
        let id = skep_domain::Id::from_bytes(organization(number));
        decide(&world, id, "work", 201).await;
    }
    desk.turn().await;
    let all = written(&folder);
    let [first, last] = [0, 39].map(|number| skep_ledger::id_text(organization(number)));
    let of_last = all.iter().position(|(_, of, _)| *of == last);
    let of_first = all.iter().rposition(|(_, of, _)| *of == first);
    assert!(of_last.is_some() && of_last < of_first);
    for number in 0..40 {
        assert_eq!(of(&all, organization(number)).len(), 201, "{number}");
    }
}

fn all_ids(recorded: &[(String, String)]) -> Vec<String> {
    recorded.iter().map(|(_, id)| id.clone()).collect()
}

#[tokio::test]
async fn l03_a_folder_that_cannot_be_written_is_told_and_loses_nothing() {
    let world = World::new().await;
    let folder = world.scratch.path().join("out");
    std::fs::write(&folder, "no folder").unwrap();
    let app = app(&world, &folder, &["work"]);
    let desk = SinkDesk::new(Arc::clone(&app));
    decide(&world, world.a.organization, "work", 3).await;
    decide(&world, world.a.organization, "other", 3).await;
    for _ in 0..3 {
        desk.turn().await;
        // However long it lasts: it is tried as long as it is configured.
        world.clock.advance_seconds(40 * 86_400);
    }
    let problems = || async {
        let may = world.may::<rights::DiagnosticsRead>(&world.a).await;
        app.sink_problems(may).await.unwrap()
    };
    assert!(
        problems().await[0].contains("archive"),
        "{:?}",
        problems().await
    );
    std::fs::remove_file(&folder).unwrap();
    desk.turn().await;
    let work = ids(&recorded(&world, world.a.organization).await, "work");
    let mut all = written(&folder);
    all.retain(|(log, ..)| log == Log::Audit.as_str());
    assert_eq!(of(&all, bytes(world.a.organization)), work);
    assert_eq!(problems().await, [""; 0]);
}
